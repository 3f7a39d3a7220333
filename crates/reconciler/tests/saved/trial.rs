//! Plans saved on generated worlds, and what may become of a world while its plan lies in a drawer.

use crate::remote::{Remote, Rules};
use crate::world::{NOW, World};
use crate::worlds::{Scale, world};
use model::change::{Action, Change, Need, UserRef};
use model::plan::Plan;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reconciler::planner::{self, Context};
use reconciler::saved::{ResumeError, Resumed, SavedPlan, SavedPlanError};
use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::Cursor;

/// A world, its plan, and the plan as it was saved.
pub(crate) struct Trial {
    pub(crate) world: World,
    pub(crate) remote: Remote,
    pub(crate) plan: Plan,
    pub(crate) text: String,
}

pub(crate) fn context() -> Context {
    Context { now: NOW.parse().unwrap(), ..Context::default() }
}

/// The plan as `rosterctl plan --out` writes it.
pub(crate) fn written(plan: &Plan) -> String {
    let mut text = Vec::new();
    report::plan::json(plan, None, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

pub(crate) fn read(text: impl Into<String>) -> Result<SavedPlan<Cursor<String>>, SavedPlanError> {
    SavedPlan::read(Cursor::new(text.into()))
}

impl Trial {
    pub(crate) fn new(world: World, remote: Remote, only: Vec<String>) -> Option<Self> {
        let context = Context { only, ..context() };
        let plan = planner::plan(&world.roster(), &remote.directory(), &context).ok()?;
        let text = written(&plan);
        Some(Self { world, remote, plan, text })
    }

    pub(crate) fn saved(&self) -> SavedPlan<Cursor<String>> {
        read(&self.text).unwrap()
    }

    pub(crate) fn changes(&self) -> &[Change] {
        &self.plan.changeset.changes
    }

    pub(crate) fn resume(&self, remote: &Remote) -> Result<Resumed, ResumeError> {
        self.saved().resume(&self.world.roster(), &remote.directory(), &context())
    }

    /// What is left on a remote on which the plan must not be stale.
    pub(crate) fn left(&self, remote: &Remote) -> Result<Resumed, String> {
        self.resume(remote).map_err(|error| format!("{error}: {error:?}"))
    }

    /// Everything that the plan's own order forbids a remote to refuse.
    pub(crate) fn rules(&self) -> Rules {
        let everybody: BTreeSet<String> = self.remote.accounts.keys().cloned().collect();
        Rules { stays_inactive: everybody.clone(), undeclared_second: everybody, ..Rules::default() }
    }

    /// Carries out changes one after the other.
    pub(crate) fn apply(&self, remote: &mut Remote, changes: &[Change]) -> Result<(), String> {
        for change in changes {
            remote
                .apply(change, &self.rules())
                .map_err(|why| format!("{} was refused: {why}", change.target()))?;
        }
        Ok(())
    }

    /// The remote once the whole plan has been carried out.
    pub(crate) fn end(&self) -> Result<Remote, String> {
        let mut remote = self.remote.clone();
        self.apply(&mut remote, self.changes())?;
        Ok(remote)
    }

    /// Carries out the changes that `fails` lets pass, as a run does: without what needs a failure's success, and groups
    /// without the members who did not become ready. Returns how many were carried out in full.
    pub(crate) fn interrupted(&self, remote: &mut Remote, fails: impl Fn(usize) -> bool) -> usize {
        let mut failed = BTreeSet::new();
        let mut whole = 0;
        for (at, change) in self.changes().iter().enumerate() {
            let lacks = |need| {
                change.waits_for.iter().filter(move |wait| wait.need == need).map(|wait| wait.on.get())
            };
            let mut change = change.clone();
            let unready: Vec<UserRef> = lacks(Need::End)
                .filter(|on| failed.contains(on))
                .filter_map(|on| match &self.changes()[on].action {
                    Action::CreateUser { user_name, .. } => Some(UserRef::New(user_name.clone())),
                    Action::UpdateUser { id, .. } => Some(id.clone()),
                    _ => None,
                })
                .collect();
            let mut is_whole = true;
            if let Action::CreateGroup { members: joins, .. } | Action::UpdateGroup { add: joins, .. } =
                &mut change.action
            {
                let before = joins.len();
                joins.retain(|member| !unready.contains(member));
                is_whole = joins.len() == before;
            }
            if let Action::UpdateGroup { rename: Some(rename), .. } = &mut change.action {
                rename.members_after.retain(|member| !unready.contains(member));
            }
            let idle = matches!(
                &change.action,
                Action::UpdateGroup { rename: None, add, remove, .. } if add.is_empty() && remove.is_empty()
            );
            let is_unable = lacks(Need::Success).any(|on| failed.contains(&on));
            if fails(at) || is_unable || idle || remote.apply(&change, &self.rules()).is_err() {
                failed.insert(at);
            } else {
                whole += usize::from(is_whole);
            }
        }
        whole
    }
}

/// What counts of a remote. Who is deactivated is left alone from then on, and keeps whatever name, address and groups
/// there were when that happened.
pub(crate) fn content(remote: &Remote) -> Remote {
    let mut content = Remote { created: std::collections::BTreeMap::new(), ..remote.clone() };
    for (id, account) in content.accounts.iter_mut().filter(|(_, account)| !account.active) {
        account.values.clear();
        for team in content.groups.values_mut() {
            team.members.remove(id);
        }
    }
    content
}

/// Whether a change is of no use once somebody is deactivated: it gives them their new name.
pub(crate) fn is_for_somebody_inactive(change: &Change, end: &Remote) -> bool {
    match &change.action {
        Action::UpdateUser { id, .. } => {
            end.accounts.get(&id.to_string()).is_some_and(|account| !account.active)
                && !change.after().contains_key("active")
        }
        _ => false,
    }
}

const SCALE: Scale = Scale { people: 5, groups: 4, outsiders: true };

/// Runs a property on many worlds that have a plan, with some random bytes to decide what happens to it.
pub(crate) fn for_saved(cases: u32, property: impl Fn(&Trial, &[u8]) -> Result<(), String>) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (tried, planned) = (Cell::new(0_u32), Cell::new(0_u32));
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    TestRunner::new(config)
        .run(&(bytes(SCALE.people * 40), bytes(64), any::<bool>()), |(genes, chance, narrowed)| {
            tried.set(tried.get() + 1);
            let (world, remote) = world(&genes, SCALE);
            let only: Vec<String> =
                world.entries.iter().map(|entry| entry.name.clone()).take(usize::from(narrowed)).collect();
            let Some(trial) = Trial::new(world, remote, only) else { return Ok(()) };
            if trial.changes().is_empty() {
                return Ok(());
            }
            planned.set(planned.get() + 1);
            property(&trial, &chance).map_err(|why| {
                let Trial { world, remote, plan, .. } = &trial;
                let changes: Vec<_> = plan.changeset.changes.iter().map(brief).collect();
                TestCaseError::fail(format!(
                    "{why}\n{changes:#?}\n{:#?}\n{:?}\n{remote:#?}",
                    world.entries, world.groups
                ))
            })
        })
        .unwrap();
    let (planned, tried) = (planned.get(), tried.get());
    assert!(planned * 3 > tried, "only {planned} of {tried} worlds have a plan");
}

fn brief(change: &Change) -> String {
    let waits: Vec<_> = change.waits_for.iter().map(|wait| (wait.on.get() + 1, wait.need)).collect();
    format!("{} {:?} -> {:?} {waits:?}", change.target(), change.before(), change.after())
}

/// Decides things out of random bytes, by zeros when they are used up.
pub(crate) struct Chance<'a>(pub(crate) std::slice::Iter<'a, u8>);

impl Chance<'_> {
    pub(crate) fn pick(&mut self, below: usize) -> usize {
        self.0.next().map_or(0, |byte| usize::from(*byte) % below.max(1))
    }
}
