//! A saved plan that is applied: how far it has come, and what has moved when it is stale.

use crate::harmless::write_json;
use crate::paint::{Style, Tone};
use crate::plan::{LIMIT, Medium, Page};
use crate::words::{count, number, pick};
use model::stale::{Moved, Progress, Why};
use serde::Serialize;
use std::fmt::Write as _;
use std::io;

/// How many things that have moved are listed.
const SHOWN: usize = 200;

/// The most bytes of one line of a list in Markdown.
const LINE: usize = 4_000;

/// What to do with a stale plan.
const ADVICE: &str = "Plan again, and have the new plan looked at; nothing was written.";

/// How far a saved plan has come, and what else differs, in one or two sentences. Ends with a newline.
pub fn progress(progress: &Progress) -> String {
    let Progress { changes, done, elsewhere } = *progress;
    let mut out = match (changes, changes.saturating_sub(done)) {
        (0, _) => "The saved plan has no changes.".to_owned(),
        (_, 0) if changes == 1 => "The one change of the saved plan is done already.".to_owned(),
        (_, 0) => format!("All {} changes of the saved plan are done already.", number(changes)),
        (_, left) if done == 0 => {
            format!(
                "Nothing of the saved plan is done yet: {} left.",
                count(left, "change is", "changes are")
            )
        }
        (_, left) => format!(
            "{} of {} changes of the saved plan {} done already, {} left.",
            number(done),
            number(changes),
            pick(done, "is", "are"),
            count(left, "is", "are")
        ),
    };
    if elsewhere > 0 {
        let _ = write!(
            out,
            " Besides, the roster asks for {} that {} not in this plan and {} left alone.",
            count(elsewhere, "change", "changes"),
            pick(elsewhere, "is", "are"),
            pick(elsewhere, "is", "are"),
        );
    }
    out.push('\n');
    out
}

/// What has moved since a plan was saved, line by line, and what to do. Ends with a newline.
pub fn stale(moved: &[Moved], style: Style) -> String {
    let mut out = style.paint(Tone::Alarm, "STALE: this plan cannot be applied any more.");
    let _ = writeln!(out, " What it is about has changed since it was made:");
    for one in moved.iter().take(SHOWN) {
        let _ = writeln!(out, "  {}", line(one, Medium::Terminal));
    }
    if let Some(more) = moved.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "  ... and {} more", number(more));
    }
    let _ = writeln!(out, "\n{ADVICE}");
    out
}

/// The same as Markdown for a comment, at most 65,536 characters.
pub fn stale_markdown(moved: &[Moved]) -> String {
    let tail = format!("{ADVICE}\n");
    let mut page = Page::new(LIMIT.saturating_sub(tail.len()));
    let _ = writeln!(
        page.out,
        "### Stale plan\n\n**This plan cannot be applied any more: what it is about has changed since it was made.**\n"
    );
    let share = page.room();
    let summary = count(moved.len(), "thing has moved", "things have moved");
    page.push_list(&summary, share, moved.len(), |at| {
        let whole =
            moved.get(at).map(|one| format!("- {}\n", line(one, Medium::Markdown))).unwrap_or_default();
        let short = moved.get(at).map(|one| format!("- {}\n", Medium::Markdown.name(&one.name)));
        let short = short.unwrap_or_default();
        (if whole.len() <= LINE { whole } else { short.clone() }, short)
    });
    page.out + &tail
}

/// The same for programs: `docs/plan-format.md`, "A stale plan".
///
/// # Errors
/// When the writer fails.
pub fn stale_json(digest: &str, moved: &[Moved], mut writer: impl io::Write) -> io::Result<()> {
    let w = &mut writer;
    w.write_all(b"{\n\"stale\":")?;
    write_json(&mut *w, &HeadJson { digest })?;
    w.write_all(b",\n\"moved\":[")?;
    for (index, one) in moved.iter().enumerate() {
        w.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        let Moved { change, is_group: _, target, name, key, before, after, found, why } = one;
        let entry = MovedJson {
            change: *change,
            target,
            name,
            key: Some(&**key).filter(|key| !key.is_empty()),
            before: before.as_deref(),
            after: after.as_deref(),
            found: found.as_deref(),
            why: why.code(),
            detail: detail(one, Medium::Terminal),
        };
        write_json(&mut *w, &entry)?;
    }
    w.write_all(b"]\n}\n")
}

/// Writes the document that `write` makes, an object whose first line is its opening brace, with the member `saved` in
/// front: how far the saved plan has come whose rest the document is about.
///
/// # Errors
/// When the writer fails.
pub fn json_with_progress<W: io::Write>(
    progress: &Progress,
    writer: W,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut member = b"\"saved\":".to_vec();
    write_json(&mut member, progress)?;
    member.extend_from_slice(b",\n");
    let mut writer = AfterFirstLine { inner: writer, inserted: Some(member) };
    write(&mut writer)?;
    writer.inner.flush()
}

/// Puts some bytes after the first line of what is written.
struct AfterFirstLine<W> {
    inner: W,
    inserted: Option<Vec<u8>>,
}

impl<W: io::Write> io::Write for AfterFirstLine<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let end = bytes.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        if let (Some(end), Some(inserted)) = (end, self.inserted.take_if(|_| end.is_some())) {
            self.inner.write_all(bytes.get(..end).unwrap_or_default())?;
            self.inner.write_all(&inserted)?;
            return Ok(end);
        }
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[derive(Serialize)]
struct HeadJson<'a> {
    digest: &'a str,
}

#[derive(Serialize)]
struct MovedJson<'a> {
    change: usize,
    target: &'a str,
    name: &'a str,
    key: Option<&'a str>,
    before: Option<&'a str>,
    after: Option<&'a str>,
    found: Option<&'a str>,
    why: &'static str,
    detail: String,
}

/// `#3 ada (U0ADA), title: it was to become "Staff Engineer" ...`.
fn line(moved: &Moved, medium: Medium) -> String {
    let Moved { change, is_group, target, name, key, .. } = moved;
    let what = if *is_group { "group " } else { "" };
    let id = if **target == **name { String::new() } else { format!(" ({})", medium.name(target)) };
    let key = if key.is_empty() { String::new() } else { format!(", {}", medium.sentence(key)) };
    format!("{} {what}{}{id}{key}: {}", medium.numbers(&[*change]), medium.name(name), detail(moved, medium))
}

/// What is wrong, as a sentence without a full stop.
fn detail(moved: &Moved, medium: Medium) -> String {
    let Moved { key, before, after, found, why, .. } = moved;
    let planned = match (&**key, before, after) {
        ("", ..) | (_, None, None) => String::new(),
        ("members", Some(leaver), None) => format!("{} was to leave, but ", medium.name(leaver)),
        ("members", _, Some(joiner)) => format!("{} was to join, but ", medium.name(joiner)),
        (_, Some(before), Some(after)) => {
            format!("{} was to become {}, but ", medium.value(before), medium.value(after))
        }
        (_, None, Some(after)) => format!("{} was to be set, but ", medium.value(after)),
        (_, Some(before), None) => format!("{} was to be cleared, but ", medium.value(before)),
    };
    let now = match why {
        Why::OtherValue if &**key == "members" => {
            let who = found.as_deref().map_or_else(|| "somebody".to_owned(), |who| medium.name(who));
            format!("{who} has joined it since, and it was to be deleted")
        }
        Why::OtherValue => match found {
            Some(found) => format!("it is {} now", medium.value(found)),
            None => "it is not set now".to_owned(),
        },
        Why::NotAsked => "the roster and its policy no longer ask for that".to_owned(),
        Why::AskedOtherwise(other) => format!("the roster asks for {} now", medium.value(other)),
        Why::Gone => "it is no longer there".to_owned(),
        Why::Protected => "the policy protects it now".to_owned(),
        Why::Inactive => "the account is deactivated now".to_owned(),
        Why::TakenBy(holder) => format!("{} holds that now", medium.sentence(holder)),
        Why::Needs(other) => {
            format!("this needs another change, which the plan does not have: {}", medium.sentence(other))
        }
        Why::OtherRequest => {
            "its request would be another one now: a value that it has to repeat has changed, or the \
                              plan was altered or made by another version of rosterctl"
                .to_owned()
        }
    };
    planned + &now
}
