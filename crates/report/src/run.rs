//! A run: a line for each change as it ends, and the account that closes it.

use crate::harmless::write_json;
use crate::paint::{Style, Tone};
use crate::plan::{LIMIT, Medium, Options, Page, PlaceJson, View, title};
use crate::words::{count, duration, number, pick, series};
use model::plan::Plan;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport, Stopped};
use model::{Change, Sources};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;

/// How many changes of one ending are listed, and how many differences.
const SHOWN: usize = 200;

/// One line for a change that has ended: `took     + #1 user ada joins`. Ends with a newline.
pub fn line(plan: &Plan, outcome: &ChangeOutcome, style: Style) -> String {
    let view = View::new(plan, None, &Options::default(), Medium::Terminal);
    let Account { word, tone, detail } = Account::of(&outcome.ending);
    // Padded before it is painted, since escape sequences have no width.
    let mut out = style.paint(tone, &format!("{word:<9}"));
    let _ = match change(plan, outcome) {
        Some(change) => write!(out, " {}", title(&view, style, number_of(outcome), change)),
        None => write!(out, " #{}", number_of(outcome)),
    };
    if let Some(detail) = detail {
        let _ = write!(out, ": {}", view.medium.sentence(detail));
    }
    out.push('\n');
    out
}

/// What is left of a run, for a progress bar: `about 12 min left`.
pub fn time_left(seconds: u64) -> String {
    format!("about {} left", duration(seconds))
}

/// The account of a run: how many changes ended how, what did not take and why, what reading back showed, and what to do
/// now. Ends with a newline.
pub fn text(plan: &Plan, report: &RunReport, sources: Option<&Sources>, style: Style) -> String {
    let view = View::new(plan, sources, &Options::default(), Medium::Terminal);
    let tally = Tally::of(report);
    let mut out = String::new();
    let tone = if report.is_success() { Tone::Good } else { Tone::Alarm };
    let _ = writeln!(out, "{}", style.paint(tone, &tally.sentence(report)));
    if let Some(stopped) = &report.stopped {
        let _ = writeln!(out, "{}", style.paint(Tone::Alarm, &why_stopped(stopped, view.medium)));
    }
    let lists =
        [("Did not take:", FAILURES), ("In doubt, perhaps done:", DOUBTS), ("Still on its way:", PENDING)];
    for (heading, endings) in lists {
        let listed: Vec<&ChangeOutcome> =
            report.outcomes.iter().filter(|o| endings.contains(&Account::of(&o.ending).word)).collect();
        if listed.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", style.paint(Tone::Strong, heading));
        for outcome in listed.iter().take(SHOWN) {
            let Account { word, tone, detail } = Account::of(&outcome.ending);
            let Some(change) = change(plan, outcome) else { continue };
            let _ = writeln!(out, "  {}", title(&view, style, number_of(outcome), change));
            let why = view.medium.sentence(detail.unwrap_or_default());
            let _ = writeln!(out, "        {}: {why}", style.paint(tone, word));
        }
        write_more(&mut out, listed.len());
    }
    out.push('\n');
    match &report.read_back {
        ReadBack::InSync => {
            let _ = writeln!(out, "Read back: {}", style.paint(Tone::Good, "in sync"));
        }
        ReadBack::Differs(differences) => {
            let heading = format!(
                "Read back: not in sync, {} left:",
                count(differences.len(), "difference", "differences")
            );
            let _ = writeln!(out, "{}", style.paint(Tone::Alarm, &heading));
            for difference in differences.iter().take(SHOWN) {
                let _ = writeln!(out, "  {}", view.medium.sentence(difference));
            }
            write_more(&mut out, differences.len());
        }
        ReadBack::Unknown(why) => {
            let text = format!("Read back: not known, {}", view.medium.sentence(why));
            let _ = writeln!(out, "{}", style.paint(Tone::Alarm, &text));
        }
    }
    if let Some(advice) = tally.advice(report) {
        let _ = writeln!(out, "\nWhat to do now: {advice}");
    }
    out
}

fn why_stopped(stopped: &Stopped, medium: Medium) -> String {
    let sentence = stopped.to_string();
    let sentence =
        sentence.strip_prefix("the run").map_or_else(|| sentence.clone(), |rest| format!("The run{rest}"));
    medium.sentence(&sentence) + "."
}

fn write_more(out: &mut String, n: usize) {
    if n > SHOWN {
        let _ = writeln!(out, "  ... and {} more", number(n - SHOWN));
    }
}

/// The account of a run as Markdown for a comment: counts, what did not take and why, what reading back showed, what to do
/// now. Never longer than 65,536 characters, nor than as many bytes.
pub fn markdown(plan: &Plan, report: &RunReport, sources: Option<&Sources>) -> String {
    let view = View::new(plan, sources, &Options::default(), Medium::Markdown);
    let tally = Tally::of(report);
    let mut tail = String::new();
    let _ = match &report.read_back {
        ReadBack::InSync => writeln!(tail, "Read back: **in sync**.\n"),
        ReadBack::Differs(list) => {
            writeln!(
                tail,
                "Read back: **not in sync**, {} left.\n",
                count(list.len(), "difference", "differences")
            )
        }
        ReadBack::Unknown(why) => writeln!(tail, "Read back: **not known**, {}\n", view.medium.sentence(why)),
    };
    if let Some(advice) = tally.advice(report) {
        let _ = writeln!(tail, "What to do now: {advice}");
    }
    let mut page = Page::new(LIMIT.saturating_sub(tail.len()));
    let _ = writeln!(page.out, "### Run\n\n**{}**\n", tally.sentence(report));
    if let Some(stopped) = &report.stopped {
        let _ = writeln!(page.out, "**{}**\n", why_stopped(stopped, view.medium));
    }
    let list = |page: &mut Page, heading: &str, endings: &[&str]| {
        let listed: Vec<&ChangeOutcome> =
            report.outcomes.iter().filter(|o| endings.contains(&Account::of(&o.ending).word)).collect();
        if listed.is_empty() {
            return;
        }
        let share = page.room() / 2;
        page.push_list(&format!("{heading}: {}", number(listed.len())), share, listed.len(), |at| {
            listed.get(at).map_or_else(Default::default, |outcome| markdown_lines(&view, outcome))
        });
    };
    list(&mut page, "Did not take", FAILURES);
    list(&mut page, "In doubt, perhaps done", DOUBTS);
    list(&mut page, "Still on its way", PENDING);
    if let ReadBack::Differs(differences) = &report.read_back {
        let share = page.room();
        page.push_list("Differences left", share, differences.len(), |at| {
            let text = differences.get(at).map_or("", String::as_str);
            (format!("- {}\n", view.medium.sentence(text)), "- (too long to show)\n".to_owned())
        });
    }
    let mut out = page.out;
    out.push_str(&tail);
    out
}

fn markdown_lines(view: &View<'_>, outcome: &ChangeOutcome) -> (String, String) {
    let Account { word, tone: _, detail } = Account::of(&outcome.ending);
    let number = view.medium.numbers(&[number_of(outcome)]);
    let Some(change) = change(view.plan, outcome) else { return Default::default() };
    let place =
        change.origin.and_then(|place| view.place(place)).map_or_else(String::new, |p| format!(" ({p})"));
    let short = format!("- {number} {}: {word}", view.medium.name(&change.name));
    (format!("{short}: {}{place}\n", view.medium.sentence(detail.unwrap_or_default())), short + "\n")
}

/// The account of a run as JSON, streamed: `docs/plan-format.md`, "The report of a run".
///
/// # Errors
/// When the writer fails.
pub fn json(
    plan: &Plan,
    report: &RunReport,
    sources: Option<&Sources>,
    mut writer: impl io::Write,
) -> io::Result<()> {
    let RunReport { outcomes, read_back, stopped, seconds } = report;
    let head = HeadJson {
        digest: &plan.digest,
        success: report.is_success(),
        wrote_anything: report.wrote_anything(),
        seconds: *seconds,
        summary: Tally::of(report),
        stopped: stopped.as_ref().map(|stopped| StoppedJson {
            reason: match stopped {
                Stopped::OnRequest => "onRequest",
                Stopped::TimedOut => "timedOut",
                Stopped::TurnedInactive { .. } => "turnedInactive",
                Stopped::WithoutEffect => "withoutEffect",
                Stopped::JournalFailed { .. } => "journalFailed",
            },
            why: stopped.to_string(),
        }),
        read_back: match read_back {
            ReadBack::InSync => ReadBackJson { result: "inSync", differences: &[], why: None },
            ReadBack::Differs(list) => ReadBackJson { result: "differs", differences: list, why: None },
            ReadBack::Unknown(why) => ReadBackJson { result: "unknown", differences: &[], why: Some(why) },
        },
    };
    let w = &mut writer;
    w.write_all(b"{\n\"run\":")?;
    write_json(&mut *w, &head)?;
    w.write_all(b",\n\"changes\":[")?;
    for (index, outcome) in outcomes.iter().enumerate() {
        w.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let change = change(plan, outcome);
        let Account { word: _, tone: _, detail } = Account::of(&outcome.ending);
        let entry = OutcomeJson {
            id: number_of(outcome),
            kind: change.map(Change::kind),
            target: change.map(Change::target),
            name: change.map(|change| &*change.name),
            source: change.and_then(|change| PlaceJson::new(change.origin?, sources)),
            ending: key(&outcome.ending),
            detail,
        };
        write_json(&mut *w, &entry)?;
    }
    w.write_all(b"]\n}\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HeadJson<'a> {
    digest: &'a str,
    success: bool,
    wrote_anything: bool,
    seconds: u64,
    summary: Tally,
    stopped: Option<StoppedJson>,
    read_back: ReadBackJson<'a>,
}

#[derive(Serialize)]
struct StoppedJson {
    reason: &'static str,
    why: String,
}

#[derive(Serialize)]
struct ReadBackJson<'a> {
    result: &'static str,
    differences: &'a [String],
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct OutcomeJson<'a> {
    id: usize,
    kind: Option<model::ChangeKind>,
    target: Option<String>,
    name: Option<&'a str>,
    source: Option<PlaceJson<'a>>,
    ending: &'static str,
    detail: Option<&'a str>,
}

/// An ending in words.
struct Account<'a> {
    word: &'static str,
    tone: Tone,
    detail: Option<&'a str>,
}

const FAILURES: &[&str] = &["refused", "no effect", "skipped"];
const DOUBTS: &[&str] = &["in doubt"];
const PENDING: &[&str] = &["pending"];

impl<'a> Account<'a> {
    fn of(ending: &'a Ending) -> Self {
        let (word, tone, detail) = match ending {
            Ending::Took { remark } => ("took", Tone::Good, remark.as_deref()),
            Ending::Pending { what } => ("pending", Tone::Caution, Some(what.as_str())),
            Ending::WithoutEffect { what } => ("no effect", Tone::Alarm, Some(what.as_str())),
            Ending::Refused { why, may_have_written: false } => ("refused", Tone::Alarm, Some(why.as_str())),
            // The journal's word for it: who reads that it was refused believes that nothing happened.
            Ending::Refused { why, may_have_written: true } => ("in doubt", Tone::Alarm, Some(why.as_str())),
            Ending::Skipped { why } => ("skipped", Tone::Caution, Some(why.as_str())),
        };
        Self { word, tone, detail }
    }
}

const fn key(ending: &Ending) -> &'static str {
    match ending {
        Ending::Took { .. } => "took",
        Ending::Pending { .. } => "pending",
        Ending::WithoutEffect { .. } => "withoutEffect",
        Ending::Refused { may_have_written: false, .. } => "refused",
        Ending::Refused { may_have_written: true, .. } => "doubtful",
        Ending::Skipped { .. } => "skipped",
    }
}

/// How many changes ended how.
#[derive(Debug, Clone, Copy, Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tally {
    took: usize,
    pending: usize,
    without_effect: usize,
    refused: usize,
    doubtful: usize,
    skipped: usize,
}

impl Tally {
    fn of(report: &RunReport) -> Self {
        let mut tally = Self::default();
        for outcome in &report.outcomes {
            let slot = match outcome.ending {
                Ending::Took { .. } => &mut tally.took,
                Ending::Pending { .. } => &mut tally.pending,
                Ending::WithoutEffect { .. } => &mut tally.without_effect,
                Ending::Refused { may_have_written: false, .. } => &mut tally.refused,
                Ending::Refused { may_have_written: true, .. } => &mut tally.doubtful,
                Ending::Skipped { .. } => &mut tally.skipped,
            };
            *slot += 1;
        }
        tally
    }

    fn failures(self) -> usize {
        self.without_effect + self.refused + self.doubtful + self.skipped
    }

    /// `12 of 14 changes took, 1 was refused and 1 was skipped, in 4 s.`
    fn sentence(self, report: &RunReport) -> String {
        let all = report.outcomes.len();
        let time = format!("in {}", duration(report.seconds));
        if self.took == all {
            let what = match all {
                0 => "Nothing was to be done".to_owned(),
                n => format!("All of {} took", count(n, "change", "changes")),
            };
            let what = if all == 1 { "The one change took".to_owned() } else { what };
            return format!("{what}, {time}.");
        }
        let mut parts = vec![format!("{} of {} took", number(self.took), count(all, "change", "changes"))];
        for (n, one, many) in [
            (self.pending, "is still on its way", "are still on their way"),
            (self.refused, "was refused", "were refused"),
            (self.doubtful, "is in doubt", "are in doubt"),
            (self.without_effect, "had no effect", "had no effect"),
            (self.skipped, "was skipped", "were skipped"),
        ] {
            if n > 0 {
                parts.push(format!("{} {}", number(n), pick(n, one, many)));
            }
        }
        format!("{}, {time}.", series(&parts))
    }

    /// What a person should do now; `None` when nothing need be done.
    fn advice(self, report: &RunReport) -> Option<&'static str> {
        match &report.stopped {
            Some(Stopped::TurnedInactive { .. }) => {
                return Some(
                    "look at Slack who else is deactivated, and whether Slack has an incident; reactivate them, and apply \
                     again only when that is over.",
                );
            }
            Some(Stopped::WithoutEffect) => {
                return Some(
                    "look at Slack whether it keeps what it accepts, and at its status page; then plan again.",
                );
            }
            Some(Stopped::JournalFailed { .. }) => {
                return Some(
                    "see to it that the journal can be written, then apply again; only what is still missing will be done.",
                );
            }
            Some(Stopped::OnRequest) => {
                return Some("apply again when you like; only what is still missing will be done.");
            }
            Some(Stopped::TimedOut) => {
                return Some(
                    "apply again, with more time if need be; only what is still missing will be done.",
                );
            }
            None => {}
        }
        match (&report.read_back, self.failures(), self.pending) {
            (ReadBack::InSync, 0, _) => None,
            (ReadBack::InSync, ..) => {
                Some("nothing; the directory matches the roster in spite of what did not take.")
            }
            (_, 0, 1..) => Some(
                "wait a few minutes and plan again; if a change is still in the plan then, apply it again.",
            ),
            (ReadBack::Unknown(_), 0, 0) => Some("plan again; the plan shows what is still missing."),
            (ReadBack::Differs(_), 0, 0) => Some(
                "plan again; either somebody else is changing the same people, or the service did not keep a value.",
            ),
            (_, _, _) => {
                Some("remove the causes above, then apply again; only what is still missing will be done.")
            }
        }
    }
}

fn number_of(outcome: &ChangeOutcome) -> usize {
    outcome.change.get() + 1
}

fn change<'a>(plan: &'a Plan, outcome: &ChangeOutcome) -> Option<&'a Change> {
    plan.changeset.changes.get(outcome.change.get())
}
