//! A plan for people at a terminal and for the logs of CI.
//!
//! The order is the order of a reader's questions: what happens to whom, may it be applied, what exactly, what is not
//! done, how long does it take, and which plan is this.

use super::verdicts::{Passing, excess};
use super::wording::{
    Medium, Temporaries, View, estimate, existing_id, in_sync, is_implied, mark, more, noun, verb,
};
use super::{Counts, Options};
use crate::paint::{Style, Tone};
use crate::words::{count, number, pick};
use model::plan::{Encoded, Note, Outcome, Plan, Verdict};
use model::{Action, Change, ChangeKind, Sources};
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

/// How many changes of one kind are shown: a person still reads 200 lines, and nobody reads 100,000.
const CHANGES_SHOWN: usize = 200;

/// How many names of a list are shown.
const NAMES_SHOWN: usize = 20;

/// How many blocks or warnings of one guard are shown: a limit on each group may block for thousands of them.
const VERDICTS_SHOWN: usize = 20;

/// How many notes with the same code are shown.
const NOTES_SHOWN: usize = 20;

/// The whole plan as text, ending with a newline: first what happens in a few sentences, then verdicts that warn or
/// block, then change by change in the order of the plan, notes, the guards that pass, estimate, and last the digest.
///
/// Unless [`Options::full`] is set, at most 200 changes of one kind and 20 members of a group are shown; what is left out
/// is counted.
pub fn text(plan: &Plan, sources: Option<&Sources>, options: &Options<'_>) -> String {
    let view = View::new(plan, sources, options, Medium::Terminal);
    let mut parts = head(&view, options);
    if !plan.changeset.is_empty() {
        let temporaries = Temporaries::of(plan);
        let mut room = Room::new(options.full);
        let mut part = options.style.paint(Tone::Strong, "Changes") + "\n";
        for (index, change) in plan.changeset.changes.iter().enumerate() {
            if room.take(change.kind()) {
                write_change(&mut part, &view, options, &temporaries, index + 1, change);
            }
        }
        part.push_str(&room.rest(options.style));
        parts.push(part);
    }
    parts.extend(tail(&view, options));
    joined(&parts)
}

/// The parts of a page, those that are not empty, with a blank line between.
pub(super) fn joined(parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join("\n")
}

/// How many more changes of each kind may be shown, and how many were not.
pub(super) struct Room {
    full: bool,
    seen: BTreeMap<ChangeKind, usize>,
}

impl Room {
    pub(super) fn new(full: bool) -> Self {
        Self { full, seen: BTreeMap::new() }
    }

    /// Whether one more of this kind is shown.
    pub(super) fn take(&mut self, kind: ChangeKind) -> bool {
        let seen = self.seen.entry(kind).or_default();
        *seen += 1;
        self.full || *seen <= CHANGES_SHOWN
    }

    /// One line for each kind of which something was left out.
    pub(super) fn rest(&self, style: Style) -> String {
        let mut out = String::new();
        for (kind, seen) in &self.seen {
            let left_out = seen.saturating_sub(CHANGES_SHOWN);
            if !self.full && left_out > 0 {
                let (mark, tone) = mark(*kind);
                let _ = writeln!(
                    out,
                    "  {} ... {} (not shown here; --format json has every change)",
                    style.paint(tone, mark),
                    more(*kind, left_out)
                );
            }
        }
        out
    }
}

/// What happens in short, and what the guards say of it.
pub(super) fn head(view: &View<'_>, options: &Options<'_>) -> Vec<String> {
    let Plan { workspace, target, changeset, verdicts, .. } = view.plan;
    let style = options.style;
    let blocked = view.plan.outcome() == Outcome::Block;
    let mut first = String::new();
    if !changeset.is_empty() {
        let whose = match (workspace, target) {
            (Some(workspace), _) => format!("Plan for {}", view.medium.name(workspace)),
            (None, Some(target)) => format!("Plan for {}", view.medium.sentence(target)),
            (None, None) => "Plan".to_owned(),
        };
        first.push_str(&style.paint(Tone::Strong, &whose));
        if blocked {
            let _ = write!(first, ", {}", style.paint(Tone::Alarm, "BLOCKED"));
        }
        first.push_str(":\n");
        for line in Counts::of(view.plan).headline(view.medium) {
            let _ = writeln!(first, "{line}");
        }
    } else if blocked {
        first.push_str("There is nothing to change, but the roster cannot be applied as it is.\n");
    } else {
        let _ = writeln!(first, "{}", style.paint(Tone::Good, &in_sync(view.plan)));
    }
    let mut parts = vec![first];
    for outcome in [Outcome::Block, Outcome::Warn] {
        let listed: Vec<&Verdict> = verdicts.iter().filter(|v| v.outcome == outcome).collect();
        if listed.is_empty() {
            continue;
        }
        let reasons = count(listed.len(), "reason", "reasons");
        let (tone, heading) = match outcome {
            Outcome::Block => (Tone::Alarm, format!("BLOCKED: this plan cannot be applied, for {reasons}:")),
            Outcome::Warn | Outcome::Pass => (Tone::Caution, "Look at this before you apply it:".to_owned()),
        };
        let mut part = style.paint(tone, &heading) + "\n";
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for verdict in listed {
            let n = seen.entry(verdict.guard).or_default();
            *n += 1;
            if options.full || *n <= VERDICTS_SHOWN {
                write_verdict(&mut part, view, options, verdict);
            }
        }
        for (guard, n) in seen.into_iter().filter(|(_, n)| !options.full && *n > VERDICTS_SHOWN) {
            let _ = writeln!(part, "  {guard}: {} more like these", number(n - VERDICTS_SHOWN));
        }
        parts.push(part);
    }
    parts
}

fn write_verdict(out: &mut String, view: &View<'_>, options: &Options<'_>, verdict: &Verdict) {
    // The message says how much of it is recent.
    let Verdict { guard, outcome, measured: _, recent: _, limit: _, message, resources, remedy } = verdict;
    let tone = if *outcome == Outcome::Block { Tone::Alarm } else { Tone::Caution };
    let _ = writeln!(out, "  {}: {}", options.style.paint(tone, guard), view.medium.sentence(message));
    if let Some(excess) = excess(verdict) {
        let _ = writeln!(out, "      {excess}");
    }
    if !resources.is_empty() {
        write_names(out, options, "      who:", 10, resources.iter().map(|name| view.medium.name(name)));
    }
    if !remedy.is_empty() {
        let _ = writeln!(out, "      what to do: {}", view.medium.sentence(remedy));
    }
}

/// Notes, then the guards that pass, estimate and digest, of which a plan without changes has no need.
pub(super) fn tail(view: &View<'_>, options: &Options<'_>) -> Vec<String> {
    let Plan { notes, changeset, digest, .. } = view.plan;
    let mut parts = Vec::new();
    if !notes.is_empty() {
        parts.push(notes_part(view, options, notes));
    }
    if let Some(passing) = Passing::of(view.plan).filter(|_| !changeset.is_empty() || options.verbose) {
        parts.push(guards_part(view, options, &passing));
    }
    if !changeset.is_empty() {
        let digest = view.medium.sentence(digest);
        parts.push(format!("{}.\nDigest of this plan: {digest}\n", estimate(view.plan)));
    }
    parts
}

/// How many guards pass, and a line for each of them that counted something; for every one when verbose.
fn guards_part(view: &View<'_>, options: &Options<'_>, passing: &Passing<'_>) -> String {
    let mut out = options.style.paint(Tone::Strong, &format!("Guards: {}", passing.summary())) + "\n";
    let shown = passing.verdicts(options.verbose);
    let width = shown.iter().map(|verdict| verdict.guard.len()).max().unwrap_or_default();
    for Verdict { guard, message, .. } in shown {
        let _ = writeln!(out, "  {guard:width$}  {}", view.medium.sentence(message));
    }
    out
}

fn notes_part(view: &View<'_>, options: &Options<'_>, notes: &[Note]) -> String {
    let mut out = options.style.paint(Tone::Strong, "Notes") + "\n";
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut codes = Vec::new();
    for Note { code, message } in notes {
        let n = seen.entry(code).or_insert_with(|| {
            codes.push(*code);
            0
        });
        *n += 1;
        if options.full || *n <= NOTES_SHOWN {
            let code = options.style.paint(Tone::Faint, &format!("[{code}]"));
            let _ = writeln!(out, "  {} {code}", view.medium.sentence(message));
        }
    }
    for code in codes {
        let left_out = seen.get(code).map_or(0, |n| n.saturating_sub(NOTES_SHOWN));
        if !options.full && left_out > 0 {
            let _ = writeln!(out, "  ... and {} more [{code}]", number(left_out));
        }
    }
    out
}

/// `~ #3 user bob changes  (U0BOB, roster.yaml:18)`.
pub(crate) fn title(view: &View<'_>, style: Style, number: usize, change: &Change) -> String {
    let kind = change.kind();
    let (mark, tone) = mark(kind);
    let id = existing_id(change).map(|id| view.medium.name(id));
    let origin = match change.origin {
        Some(place) => view.place(place),
        None => Some("not in the roster".to_owned()),
    };
    let about: Vec<String> = id.into_iter().chain(origin).collect();
    let about = if about.is_empty() { String::new() } else { format!("  ({})", about.join(", ")) };
    format!(
        "{} {} {} {} {}{}",
        style.paint(tone, mark),
        style.paint(Tone::Faint, &format!("#{number}")),
        noun(kind),
        style.paint(Tone::Strong, &view.medium.name(&change.name)),
        style.paint(tone, verb(change)),
        style.paint(Tone::Faint, &about)
    )
}

fn write_change(
    out: &mut String,
    view: &View<'_>,
    options: &Options<'_>,
    temporaries: &Temporaries<'_>,
    number: usize,
    change: &Change,
) {
    let _ = writeln!(out, "  {}", title(view, options.style, number, change));
    match &change.action {
        Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
            let shown: Vec<_> = edits.iter().filter(|edit| !is_implied(change, edit)).collect();
            let width = shown.iter().map(|edit| edit.attribute.key().len()).max().unwrap_or_default();
            for edit in shown {
                let key = edit.attribute.key();
                let value = if change.kind() == ChangeKind::CreateUser {
                    view.wanted_value(edit)
                } else {
                    let (before, after) = view.values(edit);
                    format!("{before} -> {after}")
                };
                let _ = write!(out, "        {key:width$}  {value}");
                if let Some(reason) = temporaries.of_edit(change, edit, view.medium) {
                    let _ = write!(out, "  ({reason})");
                }
                // An attribute that the entry itself does not state comes from `defaults`, which is worth a word.
                let elsewhere = edit.origin.filter(|place| {
                    options.verbose
                        || change.origin.is_some_and(|o| o.source != place.source || place.line < o.line)
                });
                if let Some(place) = elsewhere.and_then(|place| view.place(place)) {
                    out.push_str(&options.style.paint(Tone::Faint, &format!("  ({place})")));
                }
                out.push('\n');
            }
        }
        Action::CreateGroup { members, .. } => {
            write_members(out, options, "with", members.iter().map(|user| view.person(user)));
        }
        Action::UpdateGroup { rename, add, remove, .. } => {
            if let Some(rename) = rename {
                let (before, after) = (view.medium.value(&rename.before), view.medium.value(&rename.after));
                let _ = write!(out, "        name  {before} -> {after}");
                if rename.temporary {
                    let _ = write!(out, "  ({})", temporaries.of_rename(change, &rename.before, view.medium));
                }
                out.push('\n');
            }
            write_members(out, options, "join", add.iter().map(|user| view.person(user)));
            write_members(out, options, "leave", remove.iter().map(|id| view.account(id.as_str())));
        }
        Action::DeleteGroup { members, .. } => {
            write_members(out, options, "had", members.iter().map(|id| view.account(id.as_str())));
        }
    }
    if let Some(waits) = view.waits(change, options.full) {
        let _ = writeln!(out, "        {}", options.style.paint(Tone::Faint, &waits));
    }
    if options.verbose {
        write_requests(out, view, options.style, &view.plan.encode(change));
    }
}

fn write_requests(out: &mut String, view: &View<'_>, style: Style, encoded: &Encoded) {
    let request = |request: &model::plan::Request| {
        format!("{} {}", request.method.as_str(), view.medium.sentence(&request.path))
    };
    let _ = writeln!(
        out,
        "        {}",
        style.paint(Tone::Faint, &format!("request: {}", request(&encoded.request)))
    );
    for fallback in &encoded.fallbacks {
        let requests: Vec<String> = fallback.requests.iter().map(request).collect();
        let line = format!("or else: {} ({})", requests.join(", "), view.medium.sentence(&fallback.because));
        let _ = writeln!(out, "        {}", style.paint(Tone::Faint, &line));
    }
}

fn write_members(
    out: &mut String,
    options: &Options<'_>,
    verb: &str,
    names: impl ExactSizeIterator<Item = String>,
) {
    if names.len() == 0 {
        return;
    }
    let (mark, tone) = match verb {
        "leave" => ("- ", Tone::Loss),
        "join" => ("+ ", Tone::Gain),
        _ => ("", Tone::Strong),
    };
    let (n, plural) = (names.len(), pick(names.len(), "member", "members"));
    let lead = match verb {
        "with" => format!("with {} {plural}:", number(n)),
        "had" => format!("its {plural}, who {} in the workspace:", pick(n, "stays", "stay")),
        "join" => format!("{} {}:", number(n), pick(n, "joins", "join")),
        _ => format!("{} {}:", number(n), pick(n, "leaves", "leave")),
    };
    let columns = 8 + mark.len() + lead.len();
    let lead = format!("        {}{lead}", options.style.paint(tone, mark));
    write_names(out, options, &lead, columns, names);
}

/// A list of names after `lead`, which has `columns` columns without its colours. Where a width is given it is wrapped,
/// between names only: a name broken in two could begin a line with a workflow command.
fn write_names(
    out: &mut String,
    options: &Options<'_>,
    lead: &str,
    columns: usize,
    names: impl ExactSizeIterator<Item = String>,
) {
    let most = if options.full { usize::MAX } else { NAMES_SHOWN };
    let more = names.len().saturating_sub(most);
    let mut items: Vec<String> = names.take(most).collect();
    let last = items.len().saturating_sub(1);
    for item in items.iter_mut().take(last) {
        item.push(',');
    }
    if more > 0 {
        items.push(format!("and {} more", number(more)));
    }
    let indent = lead.len() - lead.trim_start().len() + 4;
    let mut column = columns;
    out.push_str(lead);
    for item in items {
        let chars = item.chars().count() + 1;
        if options.width.is_some_and(|width| column > columns && column + chars > width) {
            out.push('\n');
            out.push_str(&" ".repeat(indent - 1));
            column = indent;
        }
        out.push(' ');
        out.push_str(&item);
        column += chars;
    }
    out.push('\n');
}
