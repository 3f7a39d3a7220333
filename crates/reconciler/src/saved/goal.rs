//! What a run of a saved plan is to arrive at.

use super::assess::is_group;
use super::effects::Effects;
use super::live::Live;
use super::people::People;
use crate::progress::describe;
use crate::run::{Goal, Missing};
use model::attribute::{Attribute, Writable};
use model::change::{Change, GroupRef, UserRef};
use model::directory::Directory;
use model::policy::AttributeMode;
use model::roster::Roster;
use std::collections::BTreeSet;

/// Everything that a saved plan brings about, and nothing else of the roster.
pub struct SavedGoal<'a> {
    /// The changes of the plan, all of them.
    pub changes: &'a [Change],
    /// The roster, whose policy says what of a new account can be made up for when the service has dropped it.
    pub roster: &'a Roster,
}

impl Goal for SavedGoal<'_> {
    fn missing(&self, directory: &Directory) -> Result<Vec<Missing>, String> {
        let line = |at: usize| {
            let change = self.changes.get(at)?;
            Some(Missing { is_group: is_group(change), name: change.name.clone(), line: describe(change) })
        };
        Ok(self.unmet(directory).into_iter().filter_map(line).collect())
    }
}

impl SavedGoal<'_> {
    /// The changes, by position, of which something does not hold.
    fn unmet(&self, directory: &Directory) -> BTreeSet<usize> {
        let live = Live::new(directory);
        let effects = Effects::of(self.changes);
        let people = People::by_names((self.changes, &effects), self.roster, &live);
        let modes = &self.roster.policy.attributes;
        let mut unmet = BTreeSet::new();
        for (user, attribute, course) in effects.users.iter() {
            let can_be_made_up_for = |attribute: Attribute| {
                attribute.row().writable == Writable::Always && modes.get(attribute) == AttributeMode::Enforce
            };
            let holds = people.account(user).is_some_and(|account| {
                live.has(account, attribute, course.last, |person| people.account(person))
                    || effects.has_left(user, account)
                    || effects.is_spare(user, account, attribute)
                    || (matches!(user, UserRef::New(_)) && !can_be_made_up_for(attribute))
            });
            if !holds {
                unmet.insert(course.end());
            }
        }
        for (id, group_effects) in &effects.groups {
            let group = match id {
                GroupRef::Existing(id) => live.group(id),
                GroupRef::New(name) => live.group_named(name).filter(|group| effects.keeps_name(&group.id)),
            };
            if let (Some((change, ..)), Some(_)) = (group_effects.deleted, group) {
                unmet.insert(change);
            }
            if let (Some(change), None) = (group_effects.created, group) {
                unmet.insert(change);
            }
            if let Some(name) = &group_effects.name
                && group.is_none_or(|group| group.display_name.trim() != name.last.trim())
            {
                unmet.insert(name.end());
            }
            for (member, change) in &group_effects.joins {
                let is_in = people
                    .account(member)
                    .zip(group)
                    .is_some_and(|(account, group)| live.is_member(group, &account.id));
                if !is_in {
                    unmet.insert(*change);
                }
            }
            for (member, change) in &group_effects.leaves {
                let has_left = live
                    .user(member)
                    .is_some_and(|account| effects.has_left(&UserRef::Existing((*member).clone()), account));
                if !has_left && group.is_some_and(|group| live.is_member(group, member)) {
                    unmet.insert(*change);
                }
            }
        }
        unmet
    }
}
