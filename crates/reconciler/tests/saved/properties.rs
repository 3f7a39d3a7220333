//! What holds of every saved plan, whatever became of the world since.

use crate::remote::{Remote, account};
use crate::trial::{Chance, Trial, content, for_saved, is_for_somebody_inactive, written};
use model::attribute::Attribute as A;
use model::change::{Action, Change, GroupRef, UserRef};
use model::policy::AttributeMode;
use reconciler::run::Goal;
use reconciler::saved::{ResumeError, SavedGoal};
use serde_json::Value;
use std::collections::BTreeSet;

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn changes(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()["changes"].take()
}

#[test]
fn resumed_where_nothing_has_happened_it_is_the_same_plan_in_the_same_order_with_the_same_digest() {
    for_saved(250, |trial, _| {
        let resumed = trial.left(&trial.remote)?;
        check(resumed.plan.digest == trial.plan.digest, "another digest")?;
        check(resumed.progress.done == 0, "something is said to be done")?;
        let (before, after) = (changes(&trial.text), changes(&written(&resumed.plan)));
        check(before == after, &format!("other changes: {after:#}"))
    });
}

#[test]
fn after_any_beginning_it_resumes_with_exactly_the_rest_and_arrives_where_the_whole_plan_would() {
    for_saved(300, |trial, chance| {
        let end = trial.end()?;
        let mut chance = Chance(chance.iter());
        let done = chance.pick(trial.changes().len() + 1);
        let mut remote = trial.remote.clone();
        trial.apply(&mut remote, &trial.changes()[..done])?;
        let resumed = trial.left(&remote)?;
        let counted = |changes: &[Change]| {
            changes.iter().filter(|change| !is_for_somebody_inactive(change, &end)).count()
        };
        let left = &resumed.plan.changeset.changes;
        check(counted(left) == counted(&trial.changes()[done..]), &format!("not the rest: {left:?}"))?;
        let all_count = trial.changes().iter().all(|change| !is_for_somebody_inactive(change, &end));
        let as_many = resumed.progress.done == done;
        check(as_many || !all_count, &format!("{} of {done} are done", resumed.progress.done))?;
        trial.apply(&mut remote, &resumed.plan.changeset.changes)?;
        check(content(&remote) == content(&end), "another end")?;
        nothing_is_left(trial, &remote)
    });
}

#[test]
fn whatever_failed_the_first_time_is_what_is_done_the_second_time() {
    for_saved(300, |trial, chance| {
        let end = trial.end()?;
        let mut remote = trial.remote.clone();
        let whole = trial.interrupted(&mut remote, |at| chance.get(at).is_some_and(|byte| byte % 3 == 0));
        let resumed = trial.left(&remote)?;
        check(resumed.progress.done >= whole, "something that was done is to be done again")?;
        trial.apply(&mut remote, &resumed.plan.changeset.changes)?;
        check(content(&remote) == content(&end), "another end")?;
        nothing_is_left(trial, &remote)
    });
}

fn nothing_is_left(trial: &Trial, remote: &Remote) -> Result<(), String> {
    let again = trial.left(remote)?;
    check(again.plan.changeset.is_empty(), &format!("left: {:?}", again.plan.changeset))?;
    check(again.progress.done == again.progress.changes, "not everything is said to be done")?;
    let goal = SavedGoal { changes: trial.changes(), roster: &trial.world.roster() };
    let missing = goal.missing(&remote.directory())?;
    check(missing.is_empty(), &format!("the goal is not met: {missing:?}"))
}

#[test]
fn the_goal_misses_exactly_what_is_left() {
    for_saved(200, |trial, chance| {
        let done = Chance(chance.iter()).pick(trial.changes().len() + 1);
        let mut remote = trial.remote.clone();
        trial.apply(&mut remote, &trial.changes()[..done])?;
        let goal = SavedGoal { changes: trial.changes(), roster: &trial.world.roster() };
        let missing: BTreeSet<_> =
            goal.missing(&remote.directory())?.into_iter().map(|one| (one.is_group, one.name)).collect();
        let end = trial.end()?;
        if trial.changes().iter().any(|change| is_for_somebody_inactive(change, &end)) {
            return Ok(());
        }
        let left: BTreeSet<_> = trial.changes()[done..]
            .iter()
            .map(|change| {
                let is_user = matches!(change.action, Action::CreateUser { .. } | Action::UpdateUser { .. });
                (!is_user, change.name.clone())
            })
            .collect();
        check(missing == left, &format!("missing {missing:?}, left {left:?}"))
    });
}

/// What a plan is about.
#[derive(Default)]
struct Subjects {
    attributes: BTreeSet<(String, A)>,
    memberships: BTreeSet<(String, String)>,
    deleted: BTreeSet<String>,
}

impl Subjects {
    fn of(trial: &Trial) -> Self {
        let mut all = Self::default();
        for change in trial.changes() {
            let target = change.target();
            match &change.action {
                Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
                    all.attributes.extend(edits.iter().map(|edit| (target.clone(), edit.attribute)));
                }
                Action::CreateGroup { members, .. } => {
                    all.memberships.extend(members.iter().map(|member| (target.clone(), member.to_string())));
                }
                Action::UpdateGroup { add, remove, .. } => {
                    let joins = add.iter().map(UserRef::to_string);
                    let all_of_them = joins.chain(remove.iter().map(ToString::to_string));
                    all.memberships.extend(all_of_them.map(|member| (target.clone(), member)));
                }
                Action::DeleteGroup { .. } => drop(all.deleted.insert(target)),
            }
        }
        all
    }
}

/// Somebody else edits what the plan is not about: others' titles and cost centres, members of groups, new accounts.
fn drift_elsewhere(remote: &mut Remote, subjects: &Subjects, chance: &[u8]) {
    let mut chance = Chance(chance.iter());
    let accounts: Vec<String> = remote.accounts.keys().filter(|id| id.starts_with('U')).cloned().collect();
    for id in &accounts {
        for attribute in [A::Title, A::CostCenter] {
            if chance.pick(2) == 1 && !subjects.attributes.contains(&(id.clone(), attribute)) {
                remote.account(id).set(attribute, "drifted");
            }
        }
    }
    for at in 0..chance.pick(3) {
        remote.add(&format!("X{at}"), account(&format!("stranger{at}"), &format!("x{at}@acme.example")));
    }
    let groups: Vec<String> = remote.groups.keys().filter(|id| !id.starts_with('N')).cloned().collect();
    for group in groups.iter().filter(|group| !subjects.deleted.contains(*group)) {
        for id in accounts.iter().map(String::as_str).chain(["X0"]) {
            let is_planned = subjects.memberships.contains(&(group.clone(), id.to_owned()));
            let is_there = remote.accounts.contains_key(id);
            if is_planned || !is_there || chance.pick(4) != 1 {
                continue;
            }
            let members = &mut remote.group(group).members;
            if !members.remove(id) {
                members.insert(id.to_owned());
            }
        }
    }
}

#[test]
fn what_it_is_not_about_may_drift_and_stays_as_it_drifted() {
    for_saved(400, |trial, chance| {
        let subjects = Subjects::of(trial);
        let mut expected = trial.end()?;
        let mut remote = trial.remote.clone();
        // Half of the plan may be done before it happens.
        let done = Chance(chance.iter()).pick(trial.changes().len() + 1);
        trial.apply(&mut remote, &trial.changes()[..done])?;
        drift_elsewhere(&mut remote, &subjects, chance);
        drift_elsewhere(&mut expected, &subjects, chance);
        let resumed = trial.left(&remote)?;
        trial.apply(&mut remote, &resumed.plan.changeset.changes)?;
        check(
            content(&remote) == content(&expected),
            &format!("{:#?}\nis not\n{expected:#?}", content(&remote)),
        )
    });
}

#[test]
fn what_it_is_about_may_not_drift_and_is_named_when_it_does() {
    for_saved(400, |trial, chance| {
        let mut random = Chance(chance.iter());
        let change = &trial.changes()[random.pick(trial.changes().len())];
        let mut remote = trial.remote.clone();
        let (target, key) = match &change.action {
            Action::UpdateUser { id: UserRef::Existing(id), edits, .. } => {
                let edit = &edits[random.pick(edits.len())];
                let value = match edit.attribute {
                    A::UserName => "third",
                    A::Email | A::SecondaryEmail => "third@acme.example",
                    A::Active | A::Guest => return Ok(()),
                    _ => "a third value",
                };
                remote.account(id.as_str()).set(edit.attribute, value);
                (id.to_string(), edit.attribute.key())
            }
            Action::CreateUser { user_name, edits } => {
                // Somebody else has created the same person by hand.
                let text = |attribute| {
                    edits
                        .iter()
                        .find(|e| e.attribute == attribute)?
                        .after
                        .as_ref()
                        .map(model::attribute::Value::text)
                };
                let mut born = account(user_name.as_str(), &text(A::Email).unwrap());
                let free = trial.remote.accounts.values().all(|other| {
                    let taken = [A::UserName, A::Email, A::SecondaryEmail].map(|a| other.get(a));
                    !taken.contains(&Some(user_name.as_str())) && !taken.contains(&text(A::Email).as_deref())
                });
                let is_enforced = trial.world.policy.attributes.get(A::Title) == AttributeMode::Enforce;
                if text(A::Title).is_none() || !free || !is_enforced {
                    return Ok(());
                }
                born.set(A::Title, "a third value");
                remote.add("X0", born);
                (change.target(), "title")
            }
            Action::UpdateGroup { id: GroupRef::Existing(id), rename: Some(_), .. } => {
                remote.group(id.as_str()).name = "a third name".to_owned();
                (id.to_string(), "displayName")
            }
            Action::DeleteGroup { id, members } => {
                let joiner = trial
                    .remote
                    .accounts
                    .keys()
                    .find(|id| !members.iter().any(|member| member.as_str() == id.as_str()));
                let Some(joiner) = joiner else { return Ok(()) };
                remote.group(id.as_str()).members.insert(joiner.clone());
                (id.to_string(), "members")
            }
            _ => return Ok(()),
        };
        match trial.resume(&remote) {
            Err(ResumeError::Stale(moved)) => {
                let named = moved.iter().any(|one| *one.target == *target && *one.key == *key);
                check(named, &format!("{target} {key} is not named: {moved:#?}"))
            }
            other => Err(format!("{target} {key} has moved, and this came of it: {other:?}")),
        }
    });
}
