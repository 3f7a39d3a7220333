//! What a list of changes brings about, resource by resource, whatever requests it is cut into.

use model::attribute::{Attribute, Value};
use model::change::{Action, Change, Edit, GroupRef, UserRef};
use model::directory::User;
use model::names::{GroupId, UserId};
use std::collections::BTreeMap;

/// The effects of a list of changes.
#[derive(Debug, Default)]
pub(super) struct Effects<'a> {
    /// What becomes of accounts.
    pub(super) users: UserEffects<'a>,
    /// What becomes of each group.
    pub(super) groups: BTreeMap<GroupRef, GroupEffects<'a>>,
}

/// What becomes of the attributes of accounts, in the order of both.
#[derive(Debug, Default)]
pub(super) struct UserEffects<'a>(BTreeMap<UserRef, Vec<(Attribute, UserCourse<'a>)>>);

/// What becomes of an attribute of an account.
pub(super) type UserCourse<'a> = Course<Option<&'a Value<UserRef>>>;

impl<'a> UserEffects<'a> {
    /// What becomes of one attribute, if anything.
    pub(super) fn get(&self, user: &UserRef, attribute: Attribute) -> Option<&UserCourse<'a>> {
        let of_user = self.0.get(user)?;
        let at = of_user.binary_search_by_key(&attribute, |(other, _)| *other).ok()?;
        of_user.get(at).map(|(_, course)| course)
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&UserRef, Attribute, &UserCourse<'a>)> {
        let all = self.0.iter();
        all.flat_map(|(user, list)| list.iter().map(move |(attribute, course)| (user, *attribute, course)))
    }

    fn add(&mut self, at: usize, user: UserRef, edits: &'a [Edit]) {
        let of_user = self.0.entry(user).or_insert_with(|| Vec::with_capacity(edits.len()));
        for edit in edits {
            let after = edit.after.as_ref();
            match of_user.binary_search_by_key(&edit.attribute, |(attribute, _)| *attribute) {
                Err(place) => {
                    let course = Course::new(at, edit.before.clone(), after);
                    of_user.insert(place, (edit.attribute, course));
                }
                Ok(place) => {
                    let Some((_, course)) = of_user.get_mut(place) else { continue };
                    let before = course.last.map(|value| value.text().into());
                    course.go_on(at, before, after);
                }
            }
        }
    }
}

/// A value on its way through the changes: what it is at first, in between, and at last. Only the last one is an
/// effect; the others are temporary.
#[derive(Debug)]
pub(super) struct Course<T> {
    /// The changes; one, nearly always.
    pub(super) steps: Vec<Step>,
    /// The value at last, as the last change has it.
    pub(super) last: T,
}

/// A change that a value goes through.
#[derive(Debug)]
pub(super) struct Step {
    /// The change, by position.
    pub(super) change: usize,
    /// The value before it.
    pub(super) before: Option<Box<str>>,
}

impl<T> Course<T> {
    /// A course that begins with this change.
    fn new(change: usize, before: Option<Box<str>>, last: T) -> Self {
        Self { steps: vec![Step { change, before }], last }
    }

    /// Goes on to another value.
    fn go_on(&mut self, change: usize, before: Option<Box<str>>, last: T) {
        self.steps.push(Step { change, before });
        self.last = last;
    }

    /// The value at first.
    pub(super) fn first(&self) -> Option<Box<str>> {
        self.steps.first().and_then(|step| step.before.clone())
    }

    /// The last change.
    pub(super) fn end(&self) -> usize {
        self.steps.last().map(|step| step.change).unwrap_or_default()
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
        let active = self.users.get(user, Attribute::Active);
        active.is_some_and(|course| course.last == Some(&Value::Flag(false)))
    }

    fn add(&mut self, at: usize, change: &'a Change) {
        match &change.action {
            Action::CreateUser { user_name, edits } => {
                self.users.add(at, UserRef::New(user_name.clone()), edits);
            }
            Action::UpdateUser { id, edits, siblings: _ } => self.users.add(at, id.clone(), edits),
            Action::CreateGroup { display_name, members } => {
                let group = self.groups.entry(GroupRef::New(display_name.clone())).or_default();
                group.created = Some(at);
                group.joins.extend(members.iter().map(|member| (member, at)));
            }
            Action::UpdateGroup { id, rename, add, remove } => {
                let group = self.groups.entry(id.clone()).or_default();
                match (rename, &mut group.name) {
                    (Some(rename), Some(course)) => {
                        course.go_on(at, Some(course.last.into()), &rename.after);
                    }
                    (Some(rename), name) => {
                        *name = Some(Course::new(at, Some(rename.before.clone()), &rename.after));
                    }
                    (None, _) => {}
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
}
