//! What the last 24 hours' runs did counts.

use crate::company::*;
use model::attribute::Dialect;
use model::directory::Directory;
use model::names::{GroupId, UserId};
use model::plan::Outcome;
use reconciler::guard::Recent;

fn users(range: std::ops::Range<usize>) -> impl Iterator<Item = UserId> {
    range.map(|n| UserId::new(format!("U{n}")))
}

/// The company after the people of `left` have been deactivated.
fn without(directory: &Directory, left: std::ops::Range<usize>) -> Directory {
    let mut users = directory.users.clone();
    left.for_each(|n| users[n].active = false);
    Directory::new(Dialect::Slack, users, Vec::new())
}

#[test]
fn leavers_of_the_last_24_hours_count_with_those_of_the_plan() {
    let directory = without(&company(100, &[]), 0..4);
    let recent = Recent { deactivated: users(0..4).collect(), ..Recent::default() };
    let leavers = |n| roster(&format!("users:\n{}", people(0..n, ", active: false")));
    assert_eq!(blocks(&plan_after(&leavers(5), &directory, recent.clone())), []);
    let blocked = plan_after(&leavers(6), &directory, recent);
    assert_eq!(blocks(&blocked), [("deactivateUsers", Some(6), Some(5))]);
    let verdict = says(&blocked.verdicts, "deactivateUsers");
    assert_eq!(
        verdict.message,
        "2 deactivations, after 4 in the last 24 hours, of 100 active people (24 hours ago); the limit is 5 (2 %, at \
         least 5)"
    );
    assert_eq!(verdict.recent, Some(4));
    assert_eq!(verdict.resources, ["p4", "p5"]);
    assert!(verdict.remedy.starts_with("wait until"), "{}", verdict.remedy);
}

#[test]
fn a_plan_that_does_nothing_of_a_kind_is_not_blocked_for_what_others_did() {
    let directory = without(&company(100, &[]), 0..9);
    let recent = Recent { deactivated: users(0..9).collect(), ..Recent::default() };
    let plan = plan_after(&roster(&format!("users:\n{}", people(10..12, ", title: T"))), &directory, recent);
    assert_eq!(plan.changeset.changes.len(), 2);
    assert_eq!(blocks(&plan), []);
    let verdict = says(&plan.verdicts, "deactivateUsers");
    assert_eq!((verdict.outcome, verdict.measured, verdict.recent), (Outcome::Pass, Some(9), Some(9)));
}

#[test]
fn what_is_written_again_counts_once() {
    let recent = Recent { deactivated: users(0..3).collect(), ..Recent::default() };
    let plan = plan_after(
        &roster(&format!("users:\n{}", people(0..5, ", active: false"))),
        &company(100, &[]),
        recent,
    );
    let verdict = says(&plan.verdicts, "deactivateUsers");
    assert_eq!((verdict.measured, verdict.recent, verdict.limit), (Some(5), None, Some(5)));
}

#[test]
fn a_creation_whose_answer_was_lost_is_one_and_an_account_of_the_same_name_beside_the_first_is_two() {
    let text = "users:\n  - { userName: new, email: new@acme.example }\n";
    let created = |id: Option<&str>| Recent {
        created: [("new".into(), id.map(UserId::new))].into(),
        ..Recent::default()
    };
    let measured = |id: Option<&str>| {
        let plan = plan_after(&roster(text), &company(3, &[]), created(id));
        says(&plan.verdicts, "createUsers").measured
    };
    assert_eq!(measured(None), Some(1));
    assert_eq!(measured(Some("UGONE")), Some(1));
    assert_eq!(measured(Some("U2")), Some(2));
}

#[test]
fn a_group_is_measured_by_what_it_was_24_hours_ago() {
    // Of ten members three have left and ninety have come since.
    let members = (3..100).map(|n| format!("U{n}"));
    let directory =
        Directory::new(Dialect::Slack, company(100, &[]).users, vec![group("S0", "eng", members)]);
    let pair = |id| (GroupId::new("S0"), id);
    let removed: Recent = Recent { removed: users(0..3).map(pair).collect(), ..Recent::default() };
    let added = Recent { added: users(10..100).map(pair).collect(), ..removed.clone() };
    let list = (4..100).map(|n| format!("p{n}")).collect::<Vec<_>>().join(", ");
    let text =
        format!("users:\n{}groups:\n  - {{ displayName: eng, members: [{list}] }}\n", people(0..100, ""));
    let judged = |recent| {
        let plan = plan_after(&roster(&text), &directory, recent);
        let verdict = says(&plan.verdicts, "removeMembersPerGroup");
        (verdict.outcome, verdict.measured, verdict.limit)
    };
    assert_eq!(judged(removed), (Outcome::Pass, Some(4), Some(30)));
    assert_eq!(judged(added), (Outcome::Block, Some(4), Some(3)));
}

#[test]
fn a_group_that_was_emptied_of_late_counts() {
    let directory = company(40, &[("eng", 0..1), ("ops", 0..0)]);
    let text = "policy: { limits: { emptyGroups: 1, removeMembersPerGroup: 100% } }\nusers:\n  - { userName: p5, email: \
                p5@acme.example, active: false }\ngroups:\n  - { displayName: ops }\n  - { displayName: eng, members: [] }\n";
    let mut roster = roster(text);
    // The roster does not say so; what happens is as if it did.
    let recent = Recent { removed: [(GroupId::new("S1"), UserId::new("U7"))].into(), ..Recent::default() };
    let plan = plan_after(&roster, &directory, recent.clone());
    assert_eq!(says(&plan.verdicts, "emptyGroups").measured, Some(1));
    roster.groups = None;
    let changeset = &plan.changeset;
    let verdicts = reconciler::guard::judge(&roster, &directory, changeset, &recent, Vec::new());
    let verdict = says(&verdicts, "emptyGroups");
    assert_eq!((verdict.outcome, verdict.measured, verdict.recent), (Outcome::Block, Some(2), Some(1)));
}
