//! The requests that make, change and delete groups.

use crate::groups::{GroupWork, Plan};
use crate::live::Live;
use crate::people::Scene;
use crate::steps::{Class, PeopleSteps, Step, StepId, Steps, Subject};
use crate::temporary::Temporaries;
use model::change::{Need, Rename};
use model::directory::UserIndex;
use model::roster::{EntryIndex, GroupEntry};
use model::{Action, GroupRef, UserId, UserRef};
use std::collections::{BTreeSet, HashMap};

/// The most members that one request adds and removes: Slack refuses above 15,000 and advises batches of 5,000 (sheet
/// S14), which is also the most that a user group may have.
pub(crate) const MEMBERS_PER_REQUEST: usize = 5_000;

/// Makes the steps of all groups and ties them to each other and to those of the people.
pub(crate) fn steps(
    scene: &Scene,
    plan: Plan,
    people: &PeopleSteps,
    steps: &mut Steps,
    names: &mut Temporaries,
) {
    let entries = scene.roster.groups.as_deref().unwrap_or_default();
    let through_temporary = circles(&plan);
    let Plan { work, deleted, takes } = plan;
    let mut made = GroupSteps { scene, people, steps, leaves: HashMap::new(), gives: HashMap::new() };
    let takers: Vec<StepId> = work
        .into_iter()
        .enumerate()
        .map(|(at, work)| {
            let entry = &entries[work.entry];
            let temporary =
                through_temporary.contains(&at).then(|| names.group_name(&target(scene.live, &work, entry)));
            made.change(&work, entry, temporary)
        })
        .collect();
    for (rank, group) in deleted.iter().enumerate() {
        made.delete(*group, entries.len() + rank);
    }
    let GroupSteps { leaves, gives, .. } = made;
    for (at, holder) in &takes {
        if let Some(giver) = gives.get(holder) {
            steps.wait(takers[*at], *giver, Need::Success);
        }
    }
    for (account, deactivation) in &people.deactivations {
        for leave in leaves.get(account).into_iter().flatten() {
            steps.wait(*deactivation, *leave, Need::End);
        }
    }
    for step in &mut steps.list {
        let removes = matches!(&step.action, Action::UpdateGroup { remove, .. } if !remove.is_empty());
        if removes && step.waits.is_empty() {
            step.class = Class::TakeAway;
        }
    }
}

fn target(live: &Live, work: &GroupWork, entry: &GroupEntry) -> String {
    match work.live {
        Some(group) => live.directory.groups[group].id.to_string(),
        None => entry.display_name.value.to_string(),
    }
}

/// Of every circle of groups that pass their names round, the first group: it goes through a temporary name. A name has
/// one holder and one taker, so that every circle is a simple one.
fn circles(plan: &Plan) -> BTreeSet<usize> {
    let by_live: HashMap<usize, usize> =
        plan.work.iter().enumerate().filter_map(|(at, work)| Some((work.live?, at))).collect();
    let mut next: Vec<Option<usize>> = vec![None; plan.work.len()];
    for (at, holder) in &plan.takes {
        if let Some(giver) = by_live.get(holder) {
            next[*at] = Some(*giver);
        }
    }
    let mut seen = vec![usize::MAX; next.len()];
    let mut found = BTreeSet::new();
    for start in 0..next.len() {
        let mut at = start;
        while seen[at] == usize::MAX {
            seen[at] = start;
            let Some(on) = next[at] else { break };
            at = on;
            if at == start {
                found.insert(start);
            }
        }
    }
    found
}

struct GroupSteps<'a> {
    scene: &'a Scene<'a>,
    people: &'a PeopleSteps,
    steps: &'a mut Steps,
    /// Per account, the steps that take it out of a group.
    leaves: HashMap<UserIndex, Vec<StepId>>,
    /// Per live group, the step that gives up its name.
    gives: HashMap<usize, StepId>,
}

impl GroupSteps<'_> {
    /// Makes the steps of one group; returns the one that takes the group's name.
    fn change(&mut self, work: &GroupWork, entry: &GroupEntry, temporary: Option<Box<str>>) -> StepId {
        let mut removals = work.remove.as_slice();
        let mut joins = work.add.as_slice();
        let mut first = None;
        let mut last: Option<StepId> = None;
        loop {
            let leaving = take(&mut removals, MEMBERS_PER_REQUEST);
            let joining = take(&mut joins, MEMBERS_PER_REQUEST - leaving.len());
            let rename = if last.is_none() {
                self.first_rename(work, entry, temporary.as_deref(), leaving, joining)
            } else {
                None
            };
            let action = self.action(work, entry, last.is_none(), rename, (leaving, joining));
            let step = self.push(entry, work.entry, action);
            for account in leaving {
                self.leaves.entry(*account).or_default().push(step);
            }
            self.await_members(step, joining);
            if let Some(before) = last {
                // What does not exist cannot be changed; but a live group's members come and go independently.
                let need = if work.live.is_none() { Need::Success } else { Need::End };
                self.steps.wait(step, before, need);
            }
            first = first.or(Some(step));
            last = Some(step);
            if removals.is_empty() && joins.is_empty() {
                break;
            }
        }
        let (first, last) = (first.unwrap_or_default(), last.unwrap_or_default());
        if let (Some(live), true) = (work.live, work.renamed) {
            self.gives.insert(live, first);
        }
        let Some(before) = temporary else { return first };
        let members_after = self.members(work, &work.remove, &work.add);
        let rename =
            Rename { before, after: entry.display_name.value.clone(), temporary: false, members_after };
        let action = self.action(work, entry, false, Some(rename), (&[], &[]));
        let step = self.push(entry, work.entry, action);
        self.steps.wait(step, first, Need::Success);
        self.steps.wait(step, last, Need::End);
        // It names its members, too, and must go without those who did not become ready.
        self.await_members(step, &work.add);
        step
    }

    fn await_members(&mut self, step: StepId, joining: &[(EntryIndex, UserRef)]) {
        if joining.iter().any(|(member, _)| self.people.admits[member.get()].is_some()) {
            self.steps.list[step].waits.reserve(joining.len());
        }
        for (member, _) in joining {
            if let Some(admits) = self.people.admits[member.get()] {
                self.steps.wait(step, admits, Need::End);
            }
        }
    }

    fn first_rename(
        &self,
        work: &GroupWork,
        entry: &GroupEntry,
        temporary: Option<&str>,
        leaving: &[UserIndex],
        joining: &[(EntryIndex, UserRef)],
    ) -> Option<Rename> {
        let live = work.live.filter(|_| work.renamed)?;
        Some(Rename {
            before: self.scene.live.directory.groups[live].display_name.clone(),
            after: temporary.unwrap_or(&entry.display_name.value).into(),
            temporary: temporary.is_some(),
            members_after: self.members(work, leaving, joining),
        })
    }

    /// Every member after some have left and some have joined, those included who are no accounts of the directory.
    fn members(
        &self,
        work: &GroupWork,
        left: &[UserIndex],
        joined: &[(EntryIndex, UserRef)],
    ) -> Vec<UserRef> {
        let Some(group) = work.live.map(|live| &self.scene.live.directory.groups[live]) else {
            return Vec::new();
        };
        let left: BTreeSet<UserIndex> = left.iter().copied().collect();
        let staying = group.members.iter().filter(|member| !left.contains(member));
        let mut ids: Vec<UserId> = staying
            .map(|member| self.scene.live.user(*member).id.clone())
            .chain(group.foreign_members.iter().map(|value| UserId::new(value.clone())))
            .collect();
        ids.sort_unstable();
        ids.into_iter().map(UserRef::Existing).chain(joined.iter().map(|(_, user)| user.clone())).collect()
    }

    fn action(
        &self,
        work: &GroupWork,
        entry: &GroupEntry,
        is_first: bool,
        rename: Option<Rename>,
        (leaving, joining): (&[UserIndex], &[(EntryIndex, UserRef)]),
    ) -> Action {
        let add: Vec<UserRef> = joining.iter().map(|(_, user)| user.clone()).collect();
        let name = &entry.display_name.value;
        let id = match work.live {
            None if is_first => return Action::CreateGroup { display_name: name.clone(), members: add },
            None => GroupRef::New(name.clone()),
            Some(live) => GroupRef::Existing(self.scene.live.directory.groups[live].id.clone()),
        };
        let remove = leaving.iter().map(|account| self.scene.live.user(*account).id.clone()).collect();
        Action::UpdateGroup { id, rename, add, remove }
    }

    fn push(&mut self, entry: &GroupEntry, position: usize, action: Action) -> StepId {
        self.steps.push(Step {
            action,
            name: entry.display_name.value.clone(),
            origin: Some(entry.place),
            subject: Subject::Group(position),
            class: Class::Group,
            position,
            waits: Vec::new(),
        })
    }

    fn delete(&mut self, group: usize, position: usize) {
        let live = &self.scene.live.directory.groups[group];
        let mut members = live.members.clone();
        self.scene.live.sort_by_name(&mut members);
        let members = members.into_iter().map(|member| self.scene.live.user(member).id.clone()).collect();
        let step = self.steps.push(Step {
            action: Action::DeleteGroup { id: live.id.clone(), members },
            name: live.display_name.clone(),
            origin: None,
            subject: Subject::LiveGroup(group),
            class: Class::Delete,
            position,
            waits: Vec::new(),
        });
        self.gives.insert(group, step);
    }
}

/// Cuts off the front of a slice, at most so many.
fn take<'s, T>(rest: &mut &'s [T], most: usize) -> &'s [T] {
    let (front, back) = rest.split_at(most.min(rest.len()));
    *rest = back;
    front
}
