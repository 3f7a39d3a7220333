//! A plan as unified diffs, one for each change.

use super::Options;
use super::text::{Room, head, joined, tail, title};
use super::wording::{Medium, View};
use crate::paint::Tone;
use crate::words::number;
use model::{Action, Attribute, Change, ChangeKind, Edit, Sources, UserId, UserRef};
use similar::{ChangeTag, TextDiff};
use std::fmt::Write as _;

/// How many members on each side of a group's diff are shown.
const MEMBERS_SHOWN: usize = 100;

/// The plan with a unified diff in place of each change's list of values: the resource's state before and after, as a
/// roster would put it, as far as the change concerns it. Head and tail are those of [`super::text()`].
pub fn diff(plan: &model::Plan, sources: Option<&Sources>, options: &Options<'_>) -> String {
    let view = View::new(plan, sources, options, Medium::Diff);
    let mut parts = head(&view, options);
    let mut room = Room::new(options.full);
    for (index, change) in plan.changeset.changes.iter().enumerate() {
        if room.take(change.kind()) {
            let mut part = title(&view, options.style, index + 1, change);
            part.push('\n');
            write_diff(&mut part, &view, options, change);
            parts.push(part);
        }
    }
    parts.push(room.rest(options.style));
    parts.extend(tail(&view, options));
    joined(&parts)
}

fn write_diff(out: &mut String, view: &View<'_>, options: &Options<'_>, change: &Change) {
    let style = options.style;
    let (from, to) = match change.kind() {
        ChangeKind::CreateUser | ChangeKind::CreateGroup => ("/dev/null", "roster"),
        ChangeKind::DeleteGroup => ("directory", "/dev/null"),
        _ => ("directory", "roster"),
    };
    let _ = writeln!(out, "{}", style.paint(Tone::Loss, &format!("--- {from}")));
    let _ = writeln!(out, "{}", style.paint(Tone::Gain, &format!("+++ {to}")));
    for Part { before, after } in parts(view, options, change) {
        let (before, after): (Vec<&str>, Vec<&str>) =
            (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
        for line in TextDiff::from_slices(&before, &after).iter_all_changes() {
            let (sign, tone) = match line.tag() {
                ChangeTag::Delete => ("-", Some(Tone::Loss)),
                ChangeTag::Insert => ("+", Some(Tone::Gain)),
                ChangeTag::Equal => (" ", None),
            };
            let text = format!("{sign}{}", line.value());
            let _ = writeln!(out, "{}", tone.map_or_else(|| text.clone(), |tone| style.paint(tone, &text)));
        }
    }
}

/// The lines of one attribute before and after. Each is compared for itself, so that its two values stand together.
struct Part {
    before: Vec<String>,
    after: Vec<String>,
}

impl Part {
    fn new(before: Option<String>, after: Option<String>) -> Self {
        Self { before: before.into_iter().collect(), after: after.into_iter().collect() }
    }

    fn same(line: String) -> Self {
        Self::new(Some(line.clone()), Some(line))
    }
}

fn parts(view: &View<'_>, options: &Options<'_>, change: &Change) -> Vec<Part> {
    let named = |key: &str, name: &str| format!("{key}: {}", view.medium.name(name));
    let most = if options.full { usize::MAX } else { MEMBERS_SHOWN };
    let accounts = |ids: &[UserId]| items(ids.iter().map(|id| view.account(id.as_str())), most);
    let people = |users: &[UserRef]| items(users.iter().map(|user| view.person(user)), most);
    let mut parts = Vec::new();
    match &change.action {
        Action::CreateUser { user_name, edits } => {
            parts.push(Part::new(None, Some(named("userName", user_name.as_str()))));
            let rest = edits.iter().filter(|edit| edit.attribute != Attribute::UserName);
            parts.extend(rest.map(|edit| Part::new(None, Some(line(edit, &view.wanted_value(edit))))));
        }
        Action::UpdateUser { edits, .. } => {
            if edits.iter().all(|edit| edit.attribute != Attribute::UserName) {
                parts.push(Part::same(named("userName", &change.name)));
            }
            for edit in edits {
                let (old, new) = view.values(edit);
                let before = edit.before.is_some().then(|| line(edit, &old));
                let remark = if edit.temporary { "  # for a while" } else { "" };
                let after = edit.after.is_some().then(|| line(edit, &new) + remark);
                parts.push(Part::new(before, after));
            }
        }
        Action::CreateGroup { display_name, members } => {
            parts.push(Part::new(None, Some(named("displayName", display_name))));
            parts.push(Part::new(None, Some(heading(members.len()))));
            parts.push(Part { before: Vec::new(), after: people(members) });
        }
        Action::UpdateGroup { rename, add, remove, .. } => {
            parts.push(match rename {
                None => Part::same(named("displayName", &change.name)),
                Some(rename) => {
                    let remark = if rename.temporary { "  # for a while" } else { "" };
                    let after = named("displayName", &rename.after) + remark;
                    Part::new(Some(named("displayName", &rename.before)), Some(after))
                }
            });
            if !add.is_empty() || !remove.is_empty() {
                parts.push(Part::same("members:  # those who stay are not shown".to_owned()));
                // Nobody is in both lists, so there is nothing to align, which a diff of thousands would try at length.
                parts.push(Part { before: accounts(remove), after: Vec::new() });
                parts.push(Part { before: Vec::new(), after: people(add) });
            }
        }
        Action::DeleteGroup { members, .. } => {
            parts.push(Part::new(Some(named("displayName", &change.name)), None));
            parts.push(Part::new(Some(heading(members.len())), None));
            parts.push(Part { before: accounts(members), after: Vec::new() });
        }
    }
    parts
}

fn heading(members: usize) -> String {
    if members == 0 { "members: []".to_owned() } else { "members:".to_owned() }
}

fn line(edit: &Edit, value: &str) -> String {
    format!("{}: {value}", edit.attribute.key())
}

fn items(names: impl ExactSizeIterator<Item = String>, most: usize) -> Vec<String> {
    let more = names.len().saturating_sub(most);
    let mut lines: Vec<String> = names.take(most).map(|name| format!("  - {name}")).collect();
    if more > 0 {
        lines.push(format!("  # ... and {} more", number(more)));
    }
    lines
}
