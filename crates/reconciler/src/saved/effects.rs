//! What a list of changes brings about, resource by resource, whatever requests it is cut into.

use model::attribute::{Attribute, Value};
use model::change::{Action, Change, GroupRef, UserRef};
use model::directory::User;
use model::names::{GroupId, UserId};
use std::collections::BTreeMap;

/// The effects of a list of changes.
#[derive(Debug, Default)]
pub(super) struct Effects<'a> {
    /// What becomes of each attribute of an account.
    pub(super) users: BTreeMap<(UserRef, Attribute), Course<Option<&'a Value<UserRef>>>>,
    /// What becomes of each group.
    pub(super) groups: BTreeMap<GroupRef, GroupEffects<'a>>,
}

/// A value on its way through the changes: what it is at first, in between, and at last. Only the last one is an
/// effect; the others are temporary.
#[derive(Debug)]
pub(super) struct Course<T> {
    /// The value before the first change, and after each of them.
    pub(super) values: Vec<Option<Box<str>>>,
    /// The changes, by position.
    pub(super) changes: Vec<usize>,
    /// The value at last, as the last change has it.
    pub(super) last: T,
}

impl<T> Course<T> {
    /// The last change.
    pub(super) fn end(&self) -> usize {
        self.changes.last().copied().unwrap_or_default()
    }
}

/// What becomes of a group.
#[derive(Debug, Default)]
pub(super) struct GroupEffects<'a> {
    /// The change that makes it.
    pub(super) created: Option<usize>,
    /// Its name, where that changes.
    pub(super) name: Option<Course<&'a str>>,
    /// Who joins, by the change that adds them.
    pub(super) joins: BTreeMap<&'a UserRef, usize>,
    /// Who leaves, by the change that removes them.
    pub(super) leaves: BTreeMap<&'a UserId, usize>,
    /// The change that deletes it, its name, and its members before.
    pub(super) deleted: Option<(usize, &'a str, &'a [UserId])>,
}

impl<'a> Effects<'a> {
    /// Follows every value through the changes.
    pub(super) fn of(changes: &'a [Change]) -> Self {
        let mut effects = Self::default();
        for (at, change) in changes.iter().enumerate() {
            effects.add(at, change);
        }
        effects
    }

    /// Whether a live group is not about to give up its name in these changes, so that the name is another's.
    pub(super) fn keeps_name(&self, id: &GroupId) -> bool {
        let group = self.groups.get(&GroupRef::Existing(id.clone()));
        group.is_none_or(|group| group.name.is_none() && group.deleted.is_none())
    }

    /// Whether an account is one that these changes deactivate, and deactivated: nothing else of it matters any more,
    /// since accounts that stay inactive are left alone (design §3).
    pub(super) fn has_left(&self, user: &UserRef, account: &User) -> bool {
        !account.active && self.deactivates(user)
    }

    /// Whether a name or address belongs to an account that is to be inactive: it only changes because somebody else needs
    /// the old one, and it does not matter what becomes of it once nobody does.
    pub(super) fn is_spare(&self, user: &UserRef, account: &User, attribute: Attribute) -> bool {
        let is_name = matches!(attribute, Attribute::UserName | Attribute::Email | Attribute::SecondaryEmail);
        is_name && (!account.active || self.deactivates(user))
    }

    fn deactivates(&self, user: &UserRef) -> bool {
        let active = self.users.get(&(user.clone(), Attribute::Active));
        active.is_some_and(|course| course.last == Some(&Value::Flag(false)))
    }

    fn add(&mut self, at: usize, change: &'a Change) {
        match &change.action {
            Action::CreateUser { user_name, edits } => {
                self.edits(at, &UserRef::New(user_name.clone()), edits);
            }
            Action::UpdateUser { id, edits, siblings: _ } => self.edits(at, id, edits),
            Action::CreateGroup { display_name, members } => {
                let group = self.groups.entry(GroupRef::New(display_name.clone())).or_default();
                group.created = Some(at);
                group.joins.extend(members.iter().map(|member| (member, at)));
            }
            Action::UpdateGroup { id, rename, add, remove } => {
                let group = self.groups.entry(id.clone()).or_default();
                if let Some(rename) = rename {
                    let course = group.name.get_or_insert_with(|| Course {
                        values: vec![Some(rename.before.clone())],
                        changes: Vec::new(),
                        last: &rename.after,
                    });
                    course.values.push(Some(rename.after.clone()));
                    course.changes.push(at);
                    course.last = &rename.after;
                }
                group.joins.extend(add.iter().map(|member| (member, at)));
                group.leaves.extend(remove.iter().map(|member| (member, at)));
            }
            Action::DeleteGroup { id, members } => {
                let group = self.groups.entry(GroupRef::Existing(id.clone())).or_default();
                group.deleted = Some((at, &change.name, members));
            }
        }
    }

    fn edits(&mut self, at: usize, user: &UserRef, edits: &'a [model::Edit]) {
        for edit in edits {
            let course = self.users.entry((user.clone(), edit.attribute)).or_insert_with(|| Course {
                values: vec![edit.before.clone()],
                changes: Vec::new(),
                last: None,
            });
            course.values.push(edit.after.as_ref().map(|value| value.text().into()));
            course.changes.push(at);
            course.last = edit.after.as_ref();
        }
    }
}
