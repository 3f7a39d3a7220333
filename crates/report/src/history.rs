//! A journal: its runs, a line each, and one of them change by change.

mod json;
mod wording;

use crate::paint::{Style, Tone};
use crate::plan::{LIMIT, Medium, Page, mark, noun};
use crate::words::{count, duration, number};
use model::journal::{History, PastChange, PastRun};
use std::fmt::Write as _;
use wording::{Names, deeds, ending, how_it_ended, how_it_ended_at_length, states, time, verb, whose};

pub use json::json;

/// How many runs are listed: those before them are counted.
const RUNS_SHOWN: usize = 100;

/// How many changes of a run are shown.
const CHANGES_SHOWN: usize = 200;

/// A history as it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// All of it.
    pub history: &'a History,
    /// The run that is shown change by change.
    pub run: Option<&'a PastRun>,
    /// Whether the last run still goes on, which its records alone do not tell.
    pub is_going_on: bool,
}

impl Shown<'_> {
    fn goes_on(&self, run: &PastRun) -> bool {
        self.is_going_on && self.history.runs.last().is_some_and(|last| last.id == run.id)
    }
}

/// The runs, newest last, a line each, and the chosen one change by change. Ends with a newline.
///
/// At most 100 runs and 200 changes are shown; what is left out is counted.
pub fn text(shown: &Shown<'_>, style: Style) -> String {
    let runs = &shown.history.runs;
    let mut out = String::new();
    if runs.is_empty() {
        out.push_str("The journal holds no runs.\n");
    }
    let earlier = runs.len().saturating_sub(RUNS_SHOWN);
    if earlier > 0 {
        let _ = writeln!(out, "... {} before these", count(earlier, "run", "runs"));
    }
    for run in runs.iter().skip(earlier) {
        let (word, tone) = how_it_ended(run, shown.goes_on(run));
        let id = style.paint(Tone::Strong, &Medium::Terminal.name(&run.id));
        let whose = whose(run, Medium::Terminal);
        // Padded before it is painted, since escape sequences have no width.
        let word = style.paint(tone, &format!("{word:<9}"));
        let _ = writeln!(out, "{id}  {}  {word}  {whose}: {}", time(run.began, Medium::Terminal), deeds(run));
    }
    if let Some(run) = shown.run {
        out.push('\n');
        write_run(&mut out, shown, run, style);
    }
    if let Some(warning) = torn(shown) {
        let _ = writeln!(out, "\n{}", style.paint(Tone::Caution, warning));
    }
    out
}

fn write_run(out: &mut String, shown: &Shown<'_>, run: &PastRun, style: Style) {
    let _ = writeln!(out, "Run {}", style.paint(Tone::Strong, &Medium::Terminal.name(&run.id)));
    for (key, value) in about(shown, run, Medium::Terminal) {
        let _ = writeln!(out, "  {key:<9}  {value}");
    }
    let names = Names::of(run);
    for change in run.changes.iter().take(CHANGES_SHOWN) {
        let (mark, tone) = mark(change.kind);
        let _ = writeln!(
            out,
            "\n  {} {} {} {} {}{}",
            style.paint(tone, mark),
            style.paint(Tone::Faint, &format!("#{}", change.number)),
            noun(change.kind),
            style.paint(Tone::Strong, &Medium::Terminal.name(&change.name)),
            style.paint(tone, verb(change)),
            style.paint(Tone::Faint, &id(change, Medium::Terminal)),
        );
        let states = states(change, &names, Medium::Terminal);
        let width = states.iter().map(|(key, _)| key.len()).max().unwrap_or_default();
        for (key, value) in states {
            let _ = writeln!(out, "        {key:width$}  {value}");
        }
        let (word, tone) = ending(change, shown.goes_on(run));
        let detail =
            change.detail.as_deref().map(|detail| format!(": {}", Medium::Terminal.sentence(detail)));
        let _ = writeln!(out, "        {}{}", style.paint(tone, word), detail.unwrap_or_default());
    }
    let more = run.changes.len().saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        let _ = writeln!(out, "\n  ... and {} more; the JSON form has all of them", number(more));
    }
}

/// `  (U0BOB)`, or nothing for what has no id that is known.
fn id(change: &PastChange, medium: Medium) -> String {
    let existing = (!change.target.starts_with('@')).then_some(&change.target);
    let id = change.created.as_ref().or(existing);
    id.map_or_else(String::new, |id| format!("  ({})", medium.name(id)))
}

/// What there is to say of a run as a whole.
fn about(shown: &Shown<'_>, run: &PastRun, medium: Medium) -> Vec<(&'static str, String)> {
    let mut about = vec![("began", time(run.began, medium))];
    let how = how_it_ended_at_length(run, shown.goes_on(run));
    let ended = match &run.end {
        None => how.to_owned(),
        Some(end) => {
            let seconds = u64::try_from(end.at.duration_since(run.began).as_secs()).unwrap_or_default();
            let why = end.stopped.as_deref().map(|why| format!(": {}", medium.sentence(why)));
            format!("{how}, after {}{}", duration(seconds), why.unwrap_or_default())
        }
    };
    about.push(("ended", ended));
    about.push(("did", deeds(run)));
    let target = run.target.as_deref().map_or_else(|| "a simulator".to_owned(), |url| medium.sentence(url));
    let workspace = run.workspace.as_deref().map(|name| format!(", workspace {}", medium.name(name)));
    about.push(("target", target + &workspace.unwrap_or_default()));
    let approved = if run.approved { ", approved above its limits" } else { "" };
    let changes = count(run.planned, "change", "changes");
    about.push(("plan", format!("{changes}, digest {}{approved}", medium.name(&run.digest))));
    if let Some(undone) = &run.undoes {
        about.push(("undoes", medium.name(undone)));
    }
    about.push(("rosterctl", medium.name(&run.rosterctl)));
    about
}

fn torn(shown: &Shown<'_>) -> Option<&'static str> {
    shown.history.torn.then_some(
        "The journal's last line is cut short, as when a machine dies while it is written; what it was to say is not known.",
    )
}

/// The same as Markdown for a comment. Never longer than 65,536 characters, nor than as many bytes.
pub fn markdown(shown: &Shown<'_>) -> String {
    let medium = Medium::Markdown;
    let runs = &shown.history.runs;
    let tail = torn(shown).map(|warning| format!("{warning}\n")).unwrap_or_default();
    let mut page = Page::new(LIMIT.saturating_sub(tail.len()));
    page.push("### Runs\n\n");
    if runs.is_empty() {
        page.push("The journal holds no runs.\n\n");
    } else {
        // Newest first: what does not fit on a page is what is oldest.
        let share = page.room() / 3;
        page.push_list(&format!("Newest first: {}", number(runs.len())), share, runs.len(), |at| {
            runs.iter().rev().nth(at).map_or_else(Default::default, |run| {
                let (word, _) = how_it_ended(run, shown.goes_on(run));
                let short = format!("- {} {}: **{word}**", medium.name(&run.id), time(run.began, medium));
                (format!("{short}, {}: {}\n", whose(run, medium), deeds(run)), short + "\n")
            })
        });
    }
    if let Some(run) = shown.run {
        page.push(&format!("### Run {}\n\n", medium.name(&run.id)));
        for (key, value) in about(shown, run, medium) {
            page.push(&format!("- {key}: {value}\n"));
        }
        page.push("\n");
        let names = Names::of(run);
        let share = page.room();
        page.push_list(&format!("Changes: {}", number(run.changes.len())), share, run.changes.len(), |at| {
            run.changes
                .get(at)
                .map_or_else(Default::default, |change| markdown_lines(change, &names, shown.goes_on(run)))
        });
    }
    page.out + &tail
}

fn markdown_lines(change: &PastChange, names: &Names<'_>, goes_on: bool) -> (String, String) {
    let medium = Medium::Markdown;
    let (mark, _) = mark(change.kind);
    let mark = if mark == "~" { "\\~" } else { mark };
    let (word, _) = ending(change, goes_on);
    let number = medium.numbers(&[change.number]);
    let what = format!("- {number} {mark} {} {}", medium.name(&change.name), verb(change));
    let states: Vec<String> =
        states(change, names, medium).into_iter().map(|(key, value)| format!("{key} {value}")).collect();
    let states = if states.is_empty() { String::new() } else { format!(": {}", states.join(", ")) };
    let detail = change.detail.as_deref().map(|detail| format!(" ({})", medium.sentence(detail)));
    (format!("{what}{states}; **{word}**{}\n", detail.unwrap_or_default()), format!("{what}; **{word}**\n"))
}
