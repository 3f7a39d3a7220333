//! What the run that undoes another is to arrive at.

use super::Reverted;
use crate::planner::Context;
use crate::progress::describe;
use crate::run::{Goal, Missing};
use differ::Options;
use model::change::{Action, Change, UserRef};
use model::directory::Directory;
use model::names::UserId;
use model::plan::Plan;
use model::roster::Roster;
use std::collections::{BTreeSet, HashMap};

/// What a revert's plan was to bring about, and no more: people who come to a group meanwhile, or make one, do not make it
/// a failure.
pub struct RevertGoal<'a> {
    roster: &'a Roster,
    context: &'a Context,
    planned: HashMap<Resource, Moves>,
}

/// A user or a group by the name that changes of it bear.
type Resource = (bool, Box<str>);

/// Who is to join and who is to leave a group.
#[derive(Default)]
struct Moves {
    joins: BTreeSet<UserId>,
    leaves: BTreeSet<UserId>,
}

impl<'a> RevertGoal<'a> {
    /// The goal of carrying out what [`super::plan`] has made in the same context.
    pub fn new(reverted: &'a Reverted, context: &'a Context) -> Self {
        let Reverted { plan, roster, not_undone: _ } = reverted;
        Self { roster, context, planned: planned(plan) }
    }

    /// What is left of a change, once what others have done meanwhile is taken out; `None` when nothing is.
    fn ours(&self, mut change: Change) -> Option<Change> {
        let moves = self.planned.get(&resource(&change))?;
        if let Action::UpdateGroup { rename, add, remove, .. } = &mut change.action {
            add.retain(|user| matches!(user, UserRef::Existing(id) if moves.joins.contains(id)));
            remove.retain(|id| moves.leaves.contains(id));
            if rename.is_none() && add.is_empty() && remove.is_empty() {
                return None;
            }
        }
        Some(change)
    }
}

impl Goal for RevertGoal<'_> {
    fn missing(&self, directory: &Directory) -> Result<Vec<Missing>, String> {
        let options = Options { now: self.context.now, only: &self.context.only };
        let diff = differ::diff(self.roster, directory, &options).map_err(|conflicts| {
            conflicts.into_iter().map(|conflict| conflict.message).collect::<Vec<_>>().join("; ")
        })?;
        let ours = diff.changeset.changes.into_iter().filter_map(|change| self.ours(change));
        let missing = ours.map(|change| {
            let line = describe(&change);
            let (is_group, name) = resource(&change);
            Missing { is_group, name, line }
        });
        Ok(missing.collect())
    }
}

fn planned(plan: &Plan) -> HashMap<Resource, Moves> {
    let mut planned: HashMap<Resource, Moves> = HashMap::new();
    for change in &plan.changeset.changes {
        let moves = planned.entry(resource(change)).or_default();
        let (joins, leaves) = match &change.action {
            Action::CreateGroup { members, .. } => (members.as_slice(), &[][..]),
            Action::UpdateGroup { add, remove, .. } => (add.as_slice(), remove.as_slice()),
            _ => continue,
        };
        moves.leaves.extend(leaves.iter().cloned());
        moves.joins.extend(joins.iter().filter_map(|user| match user {
            UserRef::Existing(id) => Some(id.clone()),
            UserRef::New(_) => None,
        }));
    }
    planned
}

fn resource(change: &Change) -> Resource {
    let is_group = matches!(
        change.action,
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. }
    );
    (is_group, change.name.clone())
}
