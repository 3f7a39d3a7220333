//! A plan as a comment on a pull request.
//!
//! A forge refuses a comment that is too long, and a comment cut in the middle of a tag swallows what follows. So every
//! part gets its share of the room before it is written, is written to fit, and says how much it leaves out.

use super::verdicts::{Passing, excess};
use super::wording::{Medium, Temporaries, View, estimate, in_sync, is_implied, mark, verb};
use super::{Counts, Options};
use crate::words::{count, folded, number, pick};
use model::plan::{Outcome, Plan, Verdict};
use model::{Action, Change, ChangeKind, Sources};
use std::fmt::Write as _;

/// The most bytes of a comment. GitHub's bound of 65,536 counts characters; bytes are never fewer.
pub(crate) const LIMIT: usize = 65_536;

/// Room for verdicts: some 50 of ordinary length.
const VERDICTS: usize = 16_000;

/// Room for notes: about as many.
const NOTES: usize = 8_000;

/// Room for the guards that pass: one line each, of which there are some fifteen.
const PASSING: usize = 8_000;

/// The most bytes of one line of a list. A longer one is somebody's trick, and is shown by its name alone.
const LINE: usize = 4_000;

/// How many names of a list are shown.
const NAMES_SHOWN: usize = 20;

/// How many lines a list may have to stand open from the start.
const OPEN: usize = 20;

/// The plan as Markdown for a comment on a pull request: whether it is blocked, counts, verdicts with their remedies, then
/// a folded list for each kind of change, those first that take away, notes, the guards that pass, estimate and digest.
///
/// Never longer than 65,536 characters, nor than as many bytes, whatever the plan; what does not fit is counted.
pub fn markdown(plan: &Plan, sources: Option<&Sources>, options: &Options<'_>) -> String {
    let view = View::new(plan, sources, options, Medium::Markdown);
    let tail = tail(&view);
    let mut page = Page::new(LIMIT.saturating_sub(tail.len()));
    page.push(&head(&view));
    write_verdicts(&mut page, &view);
    write_changes(&mut page, &view);
    let mut out = page.out;
    out.push_str(&tail);
    out
}

/// Text with a bound.
pub(crate) struct Page {
    pub(crate) out: String,
    bound: usize,
}

impl Page {
    pub(crate) const fn new(bound: usize) -> Self {
        Self { out: String::new(), bound }
    }

    /// How many bytes may follow.
    pub(crate) fn room(&self) -> usize {
        self.bound.saturating_sub(self.out.len())
    }

    /// Appends `text` if all of it fits.
    pub(crate) fn push(&mut self, text: &str) -> bool {
        let fits = text.len() <= self.room();
        if fits {
            self.out.push_str(text);
        }
        fits
    }

    /// Appends a folded list, in at most `share` bytes. Of each line `line` gives the whole form and a short one, for
    /// where the whole does not fit.
    pub(crate) fn push_list(
        &mut self,
        summary: &str,
        share: usize,
        lines: usize,
        line: impl FnMut(usize) -> (String, String),
    ) {
        self.push_details(lines <= OPEN, summary, share, lines, line);
    }

    /// Appends a list as [`Page::push_list`] does, which stands open from the start or not.
    fn push_details(
        &mut self,
        is_open: bool,
        summary: &str,
        share: usize,
        lines: usize,
        mut line: impl FnMut(usize) -> (String, String),
    ) {
        let open = if is_open { " open" } else { "" };
        let mut list = Self::new(share.min(self.room()));
        let close = "\n</details>\n\n";
        let rest =
            |n: usize| format!("\n... {} not shown; the JSON form has all of them.\n", number(n) + " more");
        let reserve = close.len() + rest(lines).len();
        list.bound = list.bound.saturating_sub(reserve);
        if !list.push(&format!("<details{open}>\n<summary>{summary}</summary>\n\n")) {
            return;
        }
        let mut shown = 0;
        while shown < lines {
            let (whole, short) = line(shown);
            let fits = whole.len() <= LINE && list.push(&whole);
            if !fits && !list.push(&short) {
                break;
            }
            shown += 1;
        }
        list.bound += reserve;
        if shown < lines {
            list.push(&rest(lines - shown));
        }
        list.push(close);
        self.out.push_str(&list.out);
    }
}

fn head(view: &View<'_>) -> String {
    let plan = view.plan;
    let whose = plan.workspace.as_ref().map_or_else(String::new, |w| format!(" for {}", view.medium.name(w)));
    let mut out = format!("### Plan{whose}\n\n");
    let blocked = plan.verdicts.iter().filter(|v| v.outcome == Outcome::Block).count();
    if blocked > 0 {
        let _ = writeln!(
            out,
            "**Blocked: this plan cannot be applied, for {}.**\n",
            count(blocked, "reason", "reasons")
        );
    }
    if plan.changeset.is_empty() {
        if blocked == 0 {
            let _ = writeln!(out, "{}\n", in_sync(plan));
        }
        return out;
    }
    let counts = Counts::of(plan);
    out.push_str("| | |\n| --- | ---: |\n");
    for (n, what) in [
        (counts.create_users, "People who join"),
        (counts.reactivate_users, "People who come back"),
        (counts.deactivate_users, "People who leave"),
        (counts.update_users, "People who change"),
        (counts.create_groups, "Groups that are new"),
        (counts.update_groups, "Groups that change"),
        (counts.delete_groups, "Groups that are deleted"),
        (counts.add_members, "Memberships that begin"),
        (counts.remove_members, "Memberships that end"),
    ] {
        if n > 0 {
            let _ = writeln!(out, "| {what} | {} |", number(n));
        }
    }
    out.push('\n');
    for line in counts.headline(view.medium) {
        let _ = writeln!(out, "{line}\n");
    }
    out
}

fn write_verdicts(page: &mut Page, view: &View<'_>) {
    let mut part = Page::new(VERDICTS.min(page.room() / 2));
    for outcome in [Outcome::Block, Outcome::Warn] {
        let listed: Vec<&Verdict> = view.plan.verdicts.iter().filter(|v| v.outcome == outcome).collect();
        if listed.is_empty() {
            continue;
        }
        let (heading, word) = match outcome {
            Outcome::Block => ("#### What blocks it\n\n", "**Blocked**"),
            Outcome::Warn | Outcome::Pass => ("#### What to look at\n\n", "Warning"),
        };
        part.push(heading);
        for (shown, verdict) in listed.iter().enumerate() {
            let short = format!("- {word} by the guard `{}`\n", verdict.guard);
            if !part.push(&full_verdict(view, word, verdict)) && !part.push(&short) {
                // The part is full; this line comes out of the room of the changes.
                let _ = writeln!(part.out, "- ... and {} more", number(listed.len() - shown));
                break;
            }
        }
        part.out.push('\n');
    }
    page.push(&part.out);
}

fn full_verdict(view: &View<'_>, word: &str, verdict: &Verdict) -> String {
    // The message says how much of it is recent.
    let Verdict { guard, outcome: _, measured: _, recent: _, limit: _, message, resources, remedy } = verdict;
    let mut out = format!("- {word} by the guard `{guard}`: {}", view.medium.sentence(message));
    if let Some(excess) = excess(verdict) {
        let _ = write!(out, " ({excess})");
    }
    out.push('\n');
    if !resources.is_empty() {
        let _ = writeln!(
            out,
            "  - Who: {}",
            folded(resources.iter().map(|name| view.medium.name(name)), NAMES_SHOWN)
        );
    }
    if !remedy.is_empty() {
        let _ = writeln!(out, "  - What to do: {}", view.medium.sentence(remedy));
    }
    out
}

/// The kinds of change in the order of the comment: what cannot be undone or takes something away comes first.
const ORDER: [ChangeKind; 7] = [
    ChangeKind::DeactivateUser,
    ChangeKind::DeleteGroup,
    ChangeKind::UpdateGroup,
    ChangeKind::UpdateUser,
    ChangeKind::ReactivateUser,
    ChangeKind::CreateGroup,
    ChangeKind::CreateUser,
];

fn write_changes(page: &mut Page, view: &View<'_>) {
    let changes = &view.plan.changeset.changes;
    let temporaries = Temporaries::of(view.plan);
    let mut lists: Vec<(ChangeKind, Vec<usize>)> = ORDER.map(|kind| (kind, Vec::new())).into();
    for (index, change) in changes.iter().enumerate() {
        let kind = change.kind();
        if let Some((_, list)) = lists.iter_mut().find(|(k, _)| *k == kind) {
            list.push(index);
        }
    }
    lists.retain(|(_, list)| !list.is_empty());
    // Short lists leave of their share to the long ones, wherever they stand.
    let mut by_length: Vec<usize> = (0..lists.len()).collect();
    by_length.sort_by_key(|i| lists.get(*i).map_or(0, |(_, list)| list.len()));
    let mut written: Vec<String> = vec![String::new(); lists.len()];
    let mut room = page.room();
    for (done, i) in by_length.iter().enumerate() {
        let (Some((kind, list)), Some(slot)) = (lists.get(*i), written.get_mut(*i)) else { continue };
        let share = room / (lists.len() - done);
        let mut part = Page::new(share);
        part.push_list(&heading(*kind, list.len()), share, list.len(), |at| {
            let found = list.get(at).and_then(|index| Some((*index, changes.get(*index)?)));
            found.map_or_else(Default::default, |(index, change)| {
                let short = format!("- {} {}\n", view.medium.name(&change.name), verb(change));
                (full_line(view, &temporaries, index, change), short)
            })
        });
        room -= part.out.len();
        *slot = part.out;
    }
    for list in written {
        page.push(&list);
    }
}

fn heading(kind: ChangeKind, n: usize) -> String {
    let (one, many) = match kind {
        ChangeKind::CreateUser => ("person joins", "people join"),
        ChangeKind::ReactivateUser => ("person comes back", "people come back"),
        ChangeKind::UpdateUser => ("change of people", "changes of people"),
        ChangeKind::DeactivateUser => ("person leaves", "people leave"),
        ChangeKind::CreateGroup => ("group is new", "groups are new"),
        ChangeKind::UpdateGroup => ("change of groups", "changes of groups"),
        ChangeKind::DeleteGroup => ("group is deleted", "groups are deleted"),
    };
    count(n, one, many)
}

/// `` - `#3` ~ `bob` changes: title `Engineer` → `Staff Engineer` (`roster.yaml:18`) ``.
fn full_line(view: &View<'_>, temporaries: &Temporaries<'_>, index: usize, change: &Change) -> String {
    let mut parts = Vec::new();
    match &change.action {
        Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
            for edit in edits.iter().filter(|edit| !is_implied(change, edit)) {
                let key = edit.attribute.key();
                let mut part = if change.kind() == ChangeKind::CreateUser {
                    format!("{key} {}", view.wanted_value(edit))
                } else {
                    let (before, after) = view.values(edit);
                    format!("{key} {before} → {after}")
                };
                if let Some(reason) = temporaries.of_edit(change, edit, view.medium) {
                    let _ = write!(part, " ({reason})");
                }
                parts.push(part);
            }
        }
        Action::CreateGroup { members, .. } => {
            parts.push(members_part(members.iter().map(|user| view.person(user)), "member:", "members:"));
        }
        Action::UpdateGroup { rename, add, remove, .. } => {
            if let Some(rename) = rename {
                let (before, after) = (view.medium.value(&rename.before), view.medium.value(&rename.after));
                let mut part = format!("name {before} → {after}");
                if rename.temporary {
                    let _ = write!(part, " ({})", temporaries.of_rename(change, &rename.before, view.medium));
                }
                parts.push(part);
            }
            parts.push(members_part(add.iter().map(|user| view.person(user)), "joins:", "join:"));
            parts.push(members_part(remove.iter().map(|id| view.account(id.as_str())), "leaves:", "leave:"));
        }
        Action::DeleteGroup { members, .. } => {
            parts.push(members_part(
                members.iter().map(|id| view.account(id.as_str())),
                "member stays:",
                "members stay:",
            ));
        }
    }
    parts.retain(|part| !part.is_empty());
    let (mark, _) = mark(change.kind());
    let mut out = format!(
        "- `{mark}` {} {} {}",
        view.medium.numbers(&[index + 1]),
        view.medium.name(&change.name),
        verb(change)
    );
    if !parts.is_empty() {
        let _ = write!(out, ": {}", parts.join("; "));
    }
    match change.origin {
        Some(place) => {
            if let Some(place) = view.place(place) {
                let _ = write!(out, " ({place})");
            }
        }
        None => out.push_str(" (not in the roster)"),
    }
    if let Some(waits) = view.waits(change, false) {
        let _ = write!(out, "; {waits}");
    }
    out.push('\n');
    out
}

fn members_part(names: impl ExactSizeIterator<Item = String>, one: &str, many: &str) -> String {
    match names.len() {
        0 => String::new(),
        n => format!("{} {} {}", number(n), pick(n, one, many), folded(names, NAMES_SHOWN)),
    }
}

fn tail(view: &View<'_>) -> String {
    let Plan { notes, changeset, digest, .. } = view.plan;
    let mut page = Page::new(NOTES + PASSING);
    if !notes.is_empty() {
        page.push_list(&count(notes.len(), "note", "notes"), NOTES, notes.len(), |at| {
            notes.get(at).map_or_else(Default::default, |note| {
                (
                    format!("- {} (`{}`)\n", view.medium.sentence(&note.message), note.code),
                    format!("- `{}`\n", note.code),
                )
            })
        });
    }
    if let Some(passing) = Passing::of(view.plan).filter(|_| !changeset.is_empty()) {
        let (summary, verdicts) = (format!("Guards: {}", passing.summary()), passing.verdicts(true));
        page.push_details(false, &summary, PASSING, verdicts.len(), |at| {
            verdicts.get(at).map_or_else(Default::default, |verdict| {
                (
                    format!("- `{}`: {}\n", verdict.guard, view.medium.sentence(&verdict.message)),
                    format!("- `{}`\n", verdict.guard),
                )
            })
        });
    }
    let mut out = page.out;
    if !changeset.is_empty() {
        let _ = writeln!(out, "{}.\n", estimate(view.plan));
        let _ = writeln!(out, "Digest of this plan: {}", view.medium.name(digest));
    }
    out
}
