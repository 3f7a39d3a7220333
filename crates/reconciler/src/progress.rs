//! Which changes of a run wait, which may start, and how the others ended.

use crate::schedule::{self, Schedule};
use model::change::{Action, Change, ChangeId, ChangeKind, Need, UserRef};
use model::plan::Plan;
use model::run::{ChangeOutcome, Ending};
use scim_adapter::RequestKind;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A plan as far as it has been carried out.
pub(crate) struct Progress<'p> {
    plan: &'p Plan,
    schedule: Schedule,
    pub(crate) outcomes: Outcomes,
}

/// How the changes ended so far.
pub(crate) struct Outcomes(Vec<Option<Ending>>);

impl<'p> Progress<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        let changes = &plan.changeset.changes;
        let schedule = Schedule::new(changes, schedule::kinds(plan));
        Self { plan, schedule, outcomes: Outcomes(vec![None; changes.len()]) }
    }

    /// Takes the change that is to start next, of those whose request and change `may_go`. It must be finished.
    pub(crate) fn next(&mut self, may_go: impl FnMut(RequestKind, ChangeKind) -> bool) -> Option<ChangeId> {
        self.schedule.next(may_go)
    }

    /// Records how a change that was started ended, and what follows from it for those that waited.
    pub(crate) fn finish(&mut self, id: ChangeId, ending: Ending, on_end: &mut impl FnMut(&ChangeOutcome)) {
        self.schedule.end(id);
        let mut over = vec![(id, ending)];
        while let Some((id, ending)) = over.pop() {
            if !self.outcomes.set(id, ending, on_end) {
                continue;
            }
            for freed in self.schedule.freed_by(id) {
                let Some(change) = at(self.plan, freed) else { continue };
                match self.outcomes.missing_need(change, self.plan) {
                    Some(why) => over.push((freed, Ending::Skipped { why })),
                    None => self.schedule.release(freed),
                }
            }
        }
    }

    /// Whether anything could start but for limits.
    pub(crate) fn has_ready(&self) -> bool {
        self.schedule.has_ready()
    }

    /// Whether anything has not started.
    pub(crate) fn is_waiting(&self) -> bool {
        self.schedule.is_waiting()
    }

    /// Gives up on everything that has not started.
    pub(crate) fn skip_rest(&mut self, why: &str, on_end: &mut impl FnMut(&ChangeOutcome)) {
        for id in self.schedule.give_up() {
            self.outcomes.set(id, Ending::Skipped { why: why.to_owned() }, on_end);
        }
    }
}

impl Outcomes {
    /// Records an ending; `false` when there was one already.
    fn set(&mut self, id: ChangeId, ending: Ending, on_end: &mut impl FnMut(&ChangeOutcome)) -> bool {
        match self.0.get_mut(id.get()) {
            Some(slot @ None) => {
                let outcome = ChangeOutcome { change: id, ending };
                on_end(&outcome);
                *slot = Some(outcome.ending);
                true
            }
            _ => false,
        }
    }

    /// Whether a change brought about what others need of it. A creation whose profile was dropped has still created.
    fn succeeded(&self, id: ChangeId, change: &Change) -> bool {
        let creates = matches!(change.action, Action::CreateUser { .. } | Action::CreateGroup { .. });
        match self.0.get(id.get()).and_then(Option::as_ref) {
            Some(Ending::Took { .. } | Ending::Pending { .. }) => true,
            Some(Ending::WithoutEffect { .. }) => creates,
            Some(Ending::Refused { .. } | Ending::Skipped { .. }) | None => false,
        }
    }

    /// Why a change whose dependencies are all over cannot be done.
    fn missing_need(&self, change: &Change, plan: &Plan) -> Option<String> {
        change.waits_for.iter().filter(|dependency| dependency.need == Need::Success).find_map(|dependency| {
            let needed = at(plan, dependency.on)?;
            (!self.succeeded(dependency.on, needed))
                .then(|| format!("it needs `{}`, which did not happen", describe(needed)))
        })
    }

    /// A group's change without the members who could not be made ready; anything else as it is. Nobody is taken out of a
    /// group whose only successors they were to be.
    pub(crate) fn without_failed<'c>(
        &self,
        id: ChangeId,
        change: &'c Change,
        plan: &Plan,
    ) -> (Cow<'c, Change>, Option<String>) {
        let mut gone: BTreeSet<UserRef> = BTreeSet::new();
        let mut names: Vec<&str> = Vec::new();
        for dependency in change.waits_for.iter().filter(|dependency| dependency.need == Need::End) {
            let Some(needed) = at(plan, dependency.on) else { continue };
            if self.succeeded(dependency.on, needed) {
                continue;
            }
            match &needed.action {
                Action::CreateUser { user_name, .. } => drop(gone.insert(UserRef::New(user_name.clone()))),
                Action::UpdateUser { id, .. } => drop(gone.insert(id.clone())),
                Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => {
                    continue;
                }
            }
            names.push(&needed.name);
        }
        if gone.is_empty() {
            return (Cow::Borrowed(change), None);
        }
        let mut reduced = change.clone();
        let dropped = match &mut reduced.action {
            Action::CreateGroup { members: list, .. } | Action::UpdateGroup { add: list, .. } => {
                let before = list.len();
                list.retain(|member| !gone.contains(member));
                before - list.len()
            }
            _ => 0,
        };
        if dropped == 0 {
            return (Cow::Borrowed(change), None);
        }
        let mut remark = format!("without {}", names.join(", "));
        // A limit holds over how many groups a run empties, and this one was judged as if it emptied none here.
        if let Action::UpdateGroup { add, remove, .. } = &mut reduced.action
            && add.is_empty()
            && plan.successions.contains(&id)
        {
            remove.clear();
            remark += "; nobody leaves it, since nobody would be left";
        }
        if let Action::UpdateGroup { rename: Some(rename), .. } = &mut reduced.action {
            rename.members_after.retain(|member| !gone.contains(member));
        }
        (Cow::Owned(reduced), Some(remark))
    }

    pub(crate) fn into_list(self) -> Vec<ChangeOutcome> {
        self.0
            .into_iter()
            .enumerate()
            .filter_map(|(i, ending)| {
                Some(ChangeOutcome { change: ChangeId(u32::try_from(i).ok()?), ending: ending? })
            })
            .collect()
    }
}

/// Whether nothing is left to send of a change, all those who were to join a group having failed.
pub(crate) fn is_idle(change: &Change) -> bool {
    matches!(&change.action, Action::UpdateGroup { rename: None, add, remove, .. } if add.is_empty() && remove.is_empty())
}

/// A change of the plan.
pub(crate) fn at(plan: &Plan, id: ChangeId) -> Option<&Change> {
    plan.changeset.changes.get(id.get())
}

/// One change in a few words: `update ada (title, manager)`.
pub(crate) fn describe(change: &Change) -> String {
    let what: Vec<String> = change.before().into_iter().chain(change.after()).map(|(key, _)| key).fold(
        Vec::new(),
        |mut keys, key| {
            if !keys.contains(&key) {
                keys.push(key);
            }
            keys
        },
    );
    let verb = match change.kind() {
        ChangeKind::CreateUser | ChangeKind::CreateGroup => return format!("create {}", change.name),
        ChangeKind::DeactivateUser => return format!("deactivate {}", change.name),
        ChangeKind::DeleteGroup => return format!("delete {}", change.name),
        ChangeKind::ReactivateUser => "reactivate",
        ChangeKind::UpdateUser | ChangeKind::UpdateGroup => "update",
    };
    format!("{verb} {} ({})", change.name, what.join(", "))
}
