//! What holds of every plan, tried on many worlds against the model of the service.

use crate::remote::{Account, Remote, Rules};
use crate::world::{NOW, World, diff};
use crate::worlds::{Scale, world};
use differ::{Diff, Options};
use model::attribute::{Attribute as A, Value};
use model::change::{Change, Need};
use model::policy::{AttributeMode, UnlistedMembers, UnlistedUsers};
use model::roster::Wish;
use model::{Action, UserRef};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::collections::BTreeSet;

const SCALE: Scale = Scale { people: 5, groups: 4, outsiders: true };

/// Enough people who pass names and addresses round that their circles are not cut by trying everything.
const CROWD: Scale = Scale { people: 16, groups: 2, outsiders: false };

/// Runs a property on many worlds that have a plan. Many worlds have none, since names are held by strangers; that
/// enough do have one is part of the test.
fn for_plans(cases: u32, scale: Scale, property: impl Fn(&Planned, u64) -> Result<(), String>) {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let (tried, planned) = (Cell::new(0_u32), Cell::new(0_u32));
    let genes = (prop::collection::vec(any::<u8>(), 0..scale.people * 40), any::<u64>());
    TestRunner::new(config)
        .run(&genes, |(genes, seed)| {
            tried.set(tried.get() + 1);
            let (world, remote) = world(&genes, scale);
            let Ok(diff) = world.diff(&remote) else { return Ok(()) };
            planned.set(planned.get() + u32::from(!diff.changeset.is_empty()));
            let planned = Planned { world, remote, diff };
            property(&planned, seed).map_err(|why| {
                let Planned { world, remote, diff } = &planned;
                let changes = crate::world::show(diff);
                let (entries, groups) = (&world.entries, &world.groups);
                TestCaseError::fail(format!("{why}\n{changes:#?}\n{entries:?}\n{groups:?}\n{remote:?}"))
            })
        })
        .unwrap();
    assert!(
        planned.get() * 5 > tried.get() * 2,
        "only {} of {} worlds have a plan",
        planned.get(),
        tried.get()
    );
}

/// A world and its plan.
struct Planned {
    world: World,
    remote: Remote,
    diff: Diff,
}

impl Planned {
    fn changes(&self) -> &[Change] {
        &self.diff.changeset.changes
    }

    /// The live id of an entry's account.
    fn account(&self, entry: usize) -> Option<String> {
        let directory = self.remote.directory();
        self.diff.matched.users[entry].map(|account| directory.user(account).unwrap().id.to_string())
    }

    fn group(&self, entry: usize) -> Option<String> {
        let directory = self.remote.directory();
        self.diff.matched.groups[entry].map(|group| directory.groups[group].id.to_string())
    }

    fn is_protected(&self, id: &str) -> bool {
        self.world.policy.protect.users.iter().any(|pattern| pattern.value.as_str() == id)
    }

    fn is_protected_group(&self, id: Option<&String>) -> bool {
        self.world
            .policy
            .protect
            .groups
            .iter()
            .any(|pattern| Some(pattern.value.as_str()) == id.map(String::as_str))
    }

    /// Whether the entry may be written, its account being this one.
    fn is_ours(&self, entry: usize) -> bool {
        self.world.entries[entry].managed && !self.account(entry).is_some_and(|id| self.is_protected(&id))
    }

    fn rules(&self) -> Rules {
        let mut rules = Rules::default();
        for (at, entry) in self.world.entries.iter().enumerate() {
            let Some(id) = self.account(at) else { continue };
            if !self.remote.accounts[&id].active && !entry.active {
                rules.stays_inactive.insert(id.clone());
            }
            if self.is_ours(at) && entry.settings.get(&A::Guest) == Some(&Wish::Clear) {
                rules.full_members.insert(id.clone());
            }
            if !entry.settings.contains_key(&A::SecondaryEmail) {
                rules.undeclared_second.insert(id);
            }
        }
        for (at, line) in self.world.groups.iter().flatten().enumerate() {
            let group = self.group(at);
            if line.members.is_none() || self.is_protected_group(group.as_ref()) {
                continue;
            }
            let Some(group) = group else { continue };
            for (id, account) in &self.remote.accounts {
                if !account.bot && !self.is_protected(id) {
                    rules.must_leave.insert((group.clone(), id.clone()));
                }
            }
        }
        rules
    }

    /// Whether the remote is what the roster says, as far as it is managed, and otherwise as it was.
    fn check_reached(&self, after: &Remote) -> Result<(), String> {
        let mut touched = BTreeSet::new();
        for (at, entry) in self.world.entries.iter().enumerate().filter(|(at, _)| self.is_ours(*at)) {
            let id = self.account(at).unwrap_or_else(|| format!("N-{}", entry.name));
            touched.insert(id.clone());
            let Some(account) = after.accounts.get(&id) else {
                check(!entry.active, "an active person has no account")?;
                continue;
            };
            check(account.active == entry.active, "activity")?;
            if entry.active {
                self.check_attributes(at, account, after)?;
            }
        }
        for (id, before) in &self.remote.accounts {
            let listed = (0..self.world.entries.len()).any(|at| self.account(at).as_ref() == Some(id));
            let mut expected = before.clone();
            let leaves = self.world.policy.unlisted.users == UnlistedUsers::Deactivate;
            if leaves && !listed && !before.bot && !self.is_protected(id) {
                expected.active = false;
            }
            check(touched.contains(id) || after.accounts.get(id) == Some(&expected), "a stranger changed")?;
        }
        self.check_groups(after)
    }

    fn check_attributes(&self, at: usize, account: &Account, after: &Remote) -> Result<(), String> {
        let entry = &self.world.entries[at];
        check(account.get(A::UserName) == Some(&entry.name), "userName")?;
        check(account.get(A::Email) == Some(&entry.email), "e-mail")?;
        let created = self.account(at).is_none();
        for (attribute, wish) in &entry.settings {
            if self.world.policy.attributes.get(*attribute) == AttributeMode::OnCreate && !created {
                continue;
            }
            let live = account.get(*attribute);
            let holds = match wish {
                Wish::Clear if *attribute == A::Guest => !account.guest,
                Wish::Clear => live.is_none(),
                Wish::Set(Value::Flag(flag)) => account.guest == *flag,
                Wish::Set(Value::Person(manager)) => {
                    let named = &self.world.entries[manager.get()].name;
                    let id = self.account(manager.get()).unwrap_or_else(|| format!("N-{named}"));
                    !after.accounts.contains_key(&id) || live == Some(&id)
                }
                Wish::Set(Value::Text(text)) => live == Some(&**text),
                Wish::Set(_) => true,
            };
            check(holds, &format!("{attribute:?} of {}", entry.name))?;
        }
        Ok(())
    }

    fn check_groups(&self, after: &Remote) -> Result<(), String> {
        for (at, line) in self.world.groups.iter().flatten().enumerate() {
            let live = self.group(at);
            if self.is_protected_group(live.as_ref()) {
                let live = live.unwrap_or_default();
                check(after.groups.get(&live) == self.remote.groups.get(&live), "a protected group changed")?;
                continue;
            }
            let before = live.as_ref().and_then(|id| self.remote.groups.get(id)).cloned().unwrap_or_default();
            let id = live.unwrap_or_else(|| format!("NS-{}", line.name));
            let team = after.groups.get(&id).ok_or("a group is missing")?;
            check(team.name == line.name, "a group's name")?;
            let mut expected = before.members.clone();
            if let Some(members) = &line.members {
                let keep = self.world.policy.unlisted.members == UnlistedMembers::Keep;
                expected.retain(|id| {
                    let Some(account) = self.remote.accounts.get(id) else { return true };
                    let leaves = account.active && !after.accounts[id].active;
                    account.bot || self.is_protected(id) || (keep && !leaves)
                });
                for name in members {
                    let entry = self.world.entries.iter().position(|entry| entry.name == *name).unwrap();
                    let id = self.account(entry).unwrap_or_else(|| format!("N-{name}"));
                    if before.members.contains(&id)
                        || after.accounts.get(&id).is_some_and(|account| account.active)
                    {
                        expected.insert(id);
                    }
                }
            }
            check(team.members == expected, &format!("the members of {}", line.name))?;
        }
        Ok(())
    }
}

fn check(holds: bool, what: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(format!("not as it is to be: {what}")) }
}

/// Small, seeded and good enough to shuffle by.
struct Dice(u64);

impl Dice {
    fn below(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}

/// An order that the dependencies allow.
fn any_order(changes: &[Change], dice: &mut Dice) -> Vec<usize> {
    let mut order = Vec::new();
    let mut left: Vec<usize> = (0..changes.len()).collect();
    while !left.is_empty() {
        let ready: Vec<usize> = (0..left.len())
            .filter(|at| changes[left[*at]].waits_for.iter().all(|wait| order.contains(&wait.on.get())))
            .collect();
        order.push(left.remove(ready[dice.below(ready.len())]));
    }
    order
}

fn is_legal_in_any_order_and_reaches_the_roster(planned: &Planned, seed: u64) -> Result<(), String> {
    let rules = planned.rules();
    let mut dice = Dice(seed);
    for round in 0..4 {
        let changes = planned.changes();
        let order = if round == 0 { (0..changes.len()).collect() } else { any_order(changes, &mut dice) };
        let mut remote = planned.remote.clone();
        for at in order {
            remote.apply(&changes[at], &rules).map_err(|why| format!("change {at}: {why}"))?;
        }
        planned.check_reached(&remote)?;
        let second = planned.world.diff(&remote).map_err(|errors| format!("second plan: {errors:?}"))?;
        check(second.changeset.is_empty(), &format!("second plan: {:?}", crate::world::show(&second)))?;
    }
    Ok(())
}

#[test]
fn in_any_allowed_order_every_change_is_legal_and_the_roster_is_reached() {
    for_plans(800, SCALE, is_legal_in_any_order_and_reaches_the_roster);
}

#[test]
fn the_same_holds_where_many_people_pass_names_round() {
    for_plans(100, CROWD, is_legal_in_any_order_and_reaches_the_roster);
}

#[test]
fn a_change_stands_after_those_it_waits_for() {
    for_plans(300, SCALE, |planned, _| {
        let mut changes = planned.changes().iter().enumerate();
        let ordered = changes.all(|(at, change)| change.waits_for.iter().all(|wait| wait.on.get() < at));
        check(ordered, "the order")
    });
}

#[test]
fn the_same_input_in_any_order_of_the_service_gives_the_same_bytes() {
    for_plans(300, SCALE, |planned, seed| {
        let roster = planned.world.roster();
        let bytes = |diff: &Diff| format!("{:?} {:?} {:?}", diff.changeset, diff.verdicts, diff.notes);
        let expected = bytes(&planned.diff);
        let mut dice = Dice(seed);
        for _ in 0..4 {
            let shuffled = planned.remote.directory_in(&mut |positions| dice.shuffle(positions));
            let again = diff(&roster, &shuffled).map_err(|errors| format!("{errors:?}"))?;
            check(bytes(&again) == expected, "the bytes")?;
        }
        Ok(())
    });
}

#[test]
fn errors_are_the_same_in_any_order_of_the_service() {
    let config = ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(genes in prop::collection::vec(any::<u8>(), 0..200), seed in any::<u64>())| {
        let (world, remote) = world(&genes, SCALE);
        if let Err(errors) = world.diff(&remote) {
            prop_assert!(!errors.is_empty());
            let mut dice = Dice(seed);
            let shuffled = remote.directory_in(&mut |positions| dice.shuffle(positions));
            prop_assert_eq!(diff(&world.roster(), &shuffled).unwrap_err(), errors);
        }
    });
}

#[test]
fn when_one_change_fails_the_rest_stays_legal() {
    for_plans(300, SCALE, |planned, _| {
        let changes = planned.changes();
        for failing in 0..changes.len() {
            let mut rules = planned.rules();
            if !matches!(changes[failing].action, Action::CreateUser { .. } | Action::UpdateUser { .. }) {
                // Who could not be taken out of a group is deactivated all the same.
                rules.must_leave.clear();
            }
            let mut remote = planned.remote.clone();
            let mut skipped = BTreeSet::new();
            for (at, change) in changes.iter().enumerate() {
                let needs = |wait: &model::change::Dependency| {
                    wait.need == Need::Success && skipped.contains(&wait.on.get())
                };
                if at == failing || change.waits_for.iter().any(needs) {
                    skipped.insert(at);
                    if matches!(change.action, Action::UpdateGroup { .. }) {
                        rules.must_leave.clear();
                    }
                    continue;
                }
                let Some(change) = without_unready(change, changes, &skipped) else { continue };
                remote.apply(&change, &rules).map_err(|why| format!("{failing} failed, then {at}: {why}"))?;
            }
        }
        Ok(())
    });
}

/// A group's change without the members whom a failed change was to make ready for it, as whoever carries it out sends it.
fn without_unready(change: &Change, changes: &[Change], skipped: &BTreeSet<usize>) -> Option<Change> {
    let mut change = change.clone();
    let failed = change.waits_for.iter().filter(|wait| skipped.contains(&wait.on.get()));
    let unready: Vec<UserRef> = failed
        .filter_map(|wait| match &changes[wait.on.get()].action {
            Action::CreateUser { user_name, .. } => Some(UserRef::New(user_name.clone())),
            Action::UpdateUser { id, .. } => Some(id.clone()),
            _ => None,
        })
        .collect();
    match &mut change.action {
        Action::CreateGroup { members, .. } => members.retain(|user| !unready.contains(user)),
        Action::UpdateGroup { rename, add, remove, .. } => {
            add.retain(|user| !unready.contains(user));
            if let Some(rename) = rename {
                rename.members_after.retain(|user| !unready.contains(user));
            }
            if rename.is_none() && add.is_empty() && remove.is_empty() {
                return None;
            }
        }
        _ => {}
    }
    Some(change)
}

#[test]
fn a_narrowed_plan_is_legal_and_leaves_no_temporary_value() {
    for_plans(300, SCALE, |planned, seed| {
        let mut dice = Dice(seed);
        let Some(entry) = planned.world.entries.get(dice.below(planned.world.entries.len().max(1))) else {
            return Ok(());
        };
        let only = [entry.name.clone()];
        let options = Options { now: NOW.parse().unwrap(), only: &only };
        let diff = differ::diff(&planned.world.roster(), &planned.remote.directory(), &options)
            .map_err(|errors| format!("{errors:?}"))?;
        let rules = Rules { must_leave: BTreeSet::new(), ..planned.rules() };
        let mut remote = planned.remote.clone();
        for change in &diff.changeset.changes {
            remote.apply(change, &rules)?;
        }
        let temporary = remote.accounts.values().any(|account| {
            account.values.values().any(|value| value.starts_with("tmp-") || value.contains("+rosterctl-"))
        });
        check(!temporary, "a temporary value is left")
    });
}
