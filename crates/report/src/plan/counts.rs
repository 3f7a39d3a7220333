//! How much a plan does, in numbers and in a few sentences.

use super::wording::Medium;
use crate::words::{count, number, pick, series};
use model::plan::Plan;
use model::{Action, Attribute, ChangeKind, GroupRef, UserRef};
use serde::Serialize;
use std::collections::HashMap;

/// How many groups the headline names; the rest are counted.
const GROUPS_NAMED: usize = 4;

/// How many attributes the headline names.
const ATTRIBUTES_NAMED: usize = 6;

/// What a plan does, counted in people and groups. Each stands under one heading however many requests it takes: a new
/// account under the creations, a returner or leaver under those, everybody else under the updates.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Counts<'a> {
    /// Accounts created.
    pub(crate) create_users: usize,
    /// Guests among them.
    #[serde(skip)]
    pub(crate) create_guests: usize,
    /// Accounts reactivated.
    pub(crate) reactivate_users: usize,
    /// Accounts that change otherwise.
    pub(crate) update_users: usize,
    /// Accounts deactivated.
    pub(crate) deactivate_users: usize,
    /// Groups created.
    pub(crate) create_groups: usize,
    /// Groups renamed, or whose members change.
    pub(crate) update_groups: usize,
    /// Groups deleted.
    pub(crate) delete_groups: usize,
    /// Memberships that begin.
    pub(crate) add_members: usize,
    /// Memberships that end; those of a deleted group do not count.
    pub(crate) remove_members: usize,
    /// How many of `update_users` each attribute concerns, most first.
    #[serde(skip)]
    attributes: Vec<(Attribute, usize)>,
    /// The groups, those first with whom most happens.
    #[serde(skip)]
    groups: Vec<GroupTally<'a>>,
}

#[derive(Debug, Clone)]
struct GroupTally<'a> {
    name: &'a str,
    formerly: Option<&'a str>,
    kind: ChangeKind,
    gains: usize,
    losses: usize,
}

struct UserTally {
    kind: ChangeKind,
    /// One bit per attribute, by its position in the table.
    attributes: u64,
}

impl<'a> Counts<'a> {
    /// Counts what a plan does, in one pass.
    pub(crate) fn of(plan: &'a Plan) -> Self {
        let mut counts = Self::default();
        let mut users: HashMap<&str, UserTally> = HashMap::new();
        let mut at: HashMap<GroupKey<'a>, usize> = HashMap::new();
        let mut groups: Vec<GroupTally<'a>> = Vec::new();
        for change in &plan.changeset.changes {
            let mut tally = |key, gains, losses, formerly| {
                let index = *at.entry(key).or_insert_with(|| {
                    let kind = change.kind();
                    groups.push(GroupTally { name: &change.name, formerly: None, kind, gains: 0, losses: 0 });
                    groups.len() - 1
                });
                if let Some(tally) = groups.get_mut(index) {
                    tally.gains += gains;
                    tally.losses += losses;
                    tally.name = &change.name;
                    tally.formerly = tally.formerly.or(formerly);
                }
            };
            match &change.action {
                Action::CreateUser { edits, .. } => {
                    counts.create_users += 1;
                    counts.create_guests += usize::from(edits.iter().any(super::wording::makes_guest));
                }
                // The second half of a creation that had to be split is counted with the first.
                Action::UpdateUser { id: UserRef::New(_), .. } => {}
                Action::UpdateUser { id: UserRef::Existing(id), edits, siblings: _ } => {
                    let kind = change.kind();
                    let tally = users.entry(id.as_str()).or_insert(UserTally { kind, attributes: 0 });
                    if tally.kind == ChangeKind::UpdateUser {
                        tally.kind = kind;
                    }
                    for edit in edits.iter().filter(|edit| !edit.temporary) {
                        tally.attributes |= 1 << (edit.attribute as u64 % 64);
                    }
                }
                Action::CreateGroup { display_name, members } => {
                    tally(GroupKey::New(display_name), members.len(), 0, None);
                }
                Action::UpdateGroup { id, rename, add, remove } => {
                    let formerly = rename.as_ref().map(|rename| &*rename.before);
                    tally(GroupKey::of(id), add.len(), remove.len(), formerly);
                }
                Action::DeleteGroup { id, members: _ } => {
                    tally(GroupKey::Existing(id.as_str()), 0, 0, None);
                }
            }
        }
        counts.take_users(users.values());
        for group in &groups {
            counts.add_members += group.gains;
            counts.remove_members += group.losses;
            match group.kind {
                ChangeKind::CreateGroup => counts.create_groups += 1,
                ChangeKind::DeleteGroup => counts.delete_groups += 1,
                _ => counts.update_groups += 1,
            }
        }
        // A deletion cannot be undone, so no crowd of joiners may push it out of the headline.
        groups.sort_by_key(|g| (g.kind != ChangeKind::DeleteGroup, std::cmp::Reverse(g.gains + g.losses)));
        counts.groups = groups;
        counts
    }

    fn take_users<'t>(&mut self, users: impl Iterator<Item = &'t UserTally>) {
        let mut each = vec![0; Attribute::all().count()];
        for user in users {
            match user.kind {
                ChangeKind::ReactivateUser => self.reactivate_users += 1,
                ChangeKind::DeactivateUser => self.deactivate_users += 1,
                _ => {
                    self.update_users += 1;
                    for (bit, n) in each.iter_mut().enumerate() {
                        *n += usize::from(user.attributes >> bit & 1 == 1);
                    }
                }
            }
        }
        self.attributes = Attribute::all().zip(each).filter(|(_, n)| *n > 0).collect();
        self.attributes.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    }

    /// What happens, in a few sentences: people, kinds of change of groups, and the groups themselves. Empty for a plan without changes.
    pub(crate) fn headline(&self, medium: Medium) -> Vec<String> {
        let mut out = Vec::new();
        let people = self.people();
        if !people.is_empty() {
            out.push(format!("{}.", series(&people)));
        }
        let groups = self.kinds_of_groups();
        if !groups.is_empty() {
            out.push(format!("{}.", series(&groups)));
            out.push(format!("Groups: {}.", self.named_groups(medium)));
        }
        out
    }

    fn people(&self) -> Vec<String> {
        let guests = match self.create_guests {
            0 => String::new(),
            1 => " (1 as a guest)".to_owned(),
            n => format!(" ({} as guests)", number(n)),
        };
        let named: Vec<_> = self
            .attributes
            .iter()
            .take(ATTRIBUTES_NAMED)
            .map(|(a, n)| format!("{} {}", number(*n), a.key()))
            .collect();
        let more = if self.attributes.len() > ATTRIBUTES_NAMED { ", ..." } else { "" };
        let what = if named.is_empty() { String::new() } else { format!(" ({}{more})", named.join(", ")) };
        counted(
            "person",
            "people",
            &[
                (self.create_users, "joins", "join", &guests),
                (self.reactivate_users, "comes back", "come back", ""),
                (self.deactivate_users, "leaves", "leave", ""),
                (self.update_users, "changes", "change", &what),
            ],
        )
    }

    fn kinds_of_groups(&self) -> Vec<String> {
        counted(
            "group",
            "groups",
            &[
                (self.create_groups, "is new", "are new", ""),
                (self.update_groups, "changes", "change", ""),
                (self.delete_groups, "is deleted", "are deleted", ""),
            ],
        )
    }

    fn named_groups(&self, medium: Medium) -> String {
        let mut parts: Vec<String> =
            self.groups.iter().take(GROUPS_NAMED).map(|group| group.describe(medium)).collect();
        let more = self.groups.len().saturating_sub(GROUPS_NAMED);
        if more > 0 {
            parts.push(format!("{} below", count(more, "more group", "more groups")));
        }
        parts.join("; ")
    }
}

/// `3 people join`, `1 comes back`: the noun stands once, in front.
fn counted(one: &str, many: &str, parts: &[(usize, &str, &str, &str)]) -> Vec<String> {
    let mut out = Vec::new();
    for (n, verb_one, verb_many, remark) in parts.iter().filter(|(n, ..)| *n > 0) {
        let subject = if out.is_empty() { count(*n, one, many) } else { number(*n) };
        out.push(format!("{subject} {}{remark}", pick(*n, verb_one, verb_many)));
    }
    out
}

impl GroupTally<'_> {
    fn describe(&self, medium: Medium) -> String {
        let name = medium.name(self.name);
        match self.kind {
            ChangeKind::DeleteGroup => format!("{name} is deleted"),
            ChangeKind::CreateGroup => {
                format!("{name} is new with {}", count(self.gains, "member", "members"))
            }
            _ => {
                let mut parts = Vec::new();
                if let Some(formerly) = self.formerly {
                    parts.push(format!("is the new name of {}", medium.name(formerly)));
                }
                if self.gains > 0 {
                    parts.push(format!("gains {}", number(self.gains)));
                }
                if self.losses > 0 {
                    parts.push(format!("loses {}", number(self.losses)));
                }
                format!("{name} {}", series(&parts))
            }
        }
    }
}

#[derive(PartialEq, Eq, Hash)]
enum GroupKey<'a> {
    Existing(&'a str),
    New(&'a str),
}

impl<'a> GroupKey<'a> {
    fn of(group: &'a GroupRef) -> Self {
        match group {
            GroupRef::Existing(id) => Self::Existing(id.as_str()),
            GroupRef::New(name) => Self::New(name),
        }
    }
}
