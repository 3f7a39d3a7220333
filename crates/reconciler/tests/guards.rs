//! What the guards let through and what they stop (design §3), on whole plans made from YAML.

use model::attribute::{Attribute, Dialect};
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::load::load;
use model::names::{GroupId, UserId};
use model::place::Source;
use model::plan::{Outcome, Plan};
use model::roster::Roster;
use proptest::prelude::*;
use reconciler::planner::{self, Context};

fn roster(text: &str) -> Roster {
    let source = Source { path: "roster.yaml".into(), text: format!("version: 1\n{text}") };
    match load(vec![source], None) {
        Ok(loaded) => loaded.roster,
        Err(rejected) => unreachable!("{:#?}", rejected.diagnostics),
    }
}

/// `count` active people p0, p1, … with the groups given by the numbers of their members.
fn company(count: usize, groups: &[(&str, std::ops::Range<usize>)]) -> Directory {
    let users = (0..count)
        .map(|n| User {
            id: UserId::new(format!("U{n}")),
            kind: AccountKind::Person,
            active: true,
            guest: false,
            attributes: vec![
                (Attribute::UserName, format!("p{n}").into()),
                (Attribute::Email, format!("p{n}@acme.example").into()),
                (Attribute::ProfileUrl, format!("https://acme.enterprise.slack.com/team/p{n}").into()),
            ],
            selectors: Vec::new(),
        })
        .collect();
    let groups = groups
        .iter()
        .enumerate()
        .map(|(n, (name, members))| RawGroup {
            id: GroupId::new(format!("S{n}")),
            display_name: (*name).into(),
            members: members.clone().map(|m| format!("U{m}").into()).collect(),
        })
        .collect();
    Directory::new(Dialect::Slack, users, groups)
}

/// Entries for the people of `range`, each with `extra` lines.
fn people(range: std::ops::Range<usize>, extra: &str) -> String {
    entries(range, |n| format!("userName: p{n}, email: p{n}@acme.example{extra}"))
}

fn entries(range: std::ops::Range<usize>, entry: impl Fn(usize) -> String) -> String {
    range.map(|n| format!("  - {{ {} }}", entry(n))).collect::<Vec<_>>().join("\n") + "\n"
}

fn plan(roster: &Roster, directory: &Directory) -> Plan {
    match planner::plan(roster, directory, &Context::default()) {
        Ok(plan) => plan,
        Err(conflicts) => unreachable!("{conflicts:#?}"),
    }
}

/// The guards that block, with what they measured and allow.
fn blocks(plan: &Plan) -> Vec<(&str, Option<usize>, Option<usize>)> {
    plan.verdicts
        .iter()
        .filter(|v| v.outcome == Outcome::Block)
        .map(|v| (v.guard, v.measured, v.limit))
        .collect()
}

#[test]
fn six_leavers_of_a_hundred_are_one_too_many_and_five_are_not() {
    let directory = company(100, &[]);
    let leavers = |n| roster(&format!("users:\n{}", people(0..n, ", active: false")));
    assert_eq!(blocks(&plan(&leavers(5), &directory)), []);
    assert_eq!(blocks(&plan(&leavers(6), &directory)), [("deactivateUsers", Some(6), Some(5))]);
}

#[test]
fn creations_renames_and_address_changes_have_limits_of_their_own() {
    let directory = company(20, &[]);
    let joiners = entries(0..51, |n| format!("userName: n{n}, email: n{n}@acme.example"));
    let joining = roster(&format!("users:\n{joiners}"));
    assert_eq!(blocks(&plan(&joining, &directory)), [("createUsers", Some(51), Some(50))]);

    let renamed = entries(0..6, |n| format!("userName: r{n}, email: p{n}@acme.example"));
    assert_eq!(
        blocks(&plan(&roster(&format!("users:\n{renamed}")), &directory)),
        [("changeUserNames", Some(6), Some(5))]
    );

    let moved = entries(0..6, |n| format!("userName: p{n}, email: r{n}@acme.example"));
    assert_eq!(
        blocks(&plan(&roster(&format!("users:\n{moved}")), &directory)),
        [("changeEmails", Some(6), Some(5))]
    );
}

#[test]
fn a_limit_on_the_whole_does_not_hide_what_happens_inside_one_group() {
    let directory = company(40, &[("eng", 0..10), ("all", 0..40)]);
    let text = format!(
        "users:\n{}groups:\n  - displayName: eng\n    members: [p0, p1, p2, p3, p4, p5]\n",
        people(0..6, "")
    );
    // 4 of 50 memberships are within 10; 4 of this group's 10 members are more than 3.
    assert_eq!(blocks(&plan(&roster(&text), &directory)), [("removeMembersPerGroup", Some(4), Some(3))]);
}

#[test]
fn a_group_may_lose_its_last_member_only_if_the_roster_says_so() {
    let directory = company(10, &[("eng", 0..2)]);
    let said =
        roster(&format!("users:\n{}groups:\n  - displayName: eng\n    members: []\n", people(0..1, "")));
    assert_eq!(blocks(&plan(&said, &directory)), []);
    // p5 was to join and is a guest whose time is over, so nobody is left; the roster never said "nobody".
    let mut users = directory.users.clone();
    users[5].active = false;
    users[5].guest = true;
    let groups =
        vec![RawGroup { id: GroupId::new("S0"), display_name: "eng".into(), members: vec!["U0".into()] }];
    let directory = Directory::new(Dialect::Slack, users, groups);
    let entry = "  - { userName: p5, email: p5@acme.example, guest: { expires: 1969-01-01 } }\n";
    let unsaid = roster(&format!("users:\n{entry}groups:\n  - displayName: eng\n    members: [p5]\n"));
    assert_eq!(blocks(&plan(&unsaid, &directory)), [("emptyGroups", Some(1), Some(0))]);
}

#[test]
fn a_group_is_deleted_only_where_the_policy_allows_it() {
    let directory = company(3, &[("old", 0..1)]);
    let with = |limit: &str| {
        let policy = format!("policy: {{ unlisted: {{ groups: delete }}, limits: {{ {limit} }} }}");
        roster(&format!("{policy}\nusers:\n{}groups: []\n", people(0..1, "")))
    };
    assert_eq!(blocks(&plan(&with(""), &directory)), [("deleteGroups", Some(1), Some(0))]);
    assert_eq!(blocks(&plan(&with("deleteGroups: 1"), &directory)), []);
}

#[test]
fn a_roster_for_another_workspace_is_stopped() {
    let directory = company(3, &[]);
    let there = |name: &str| roster(&format!("workspace: {name}\nusers:\n{}", people(0..1, "")));
    assert_eq!(blocks(&plan(&there("acme"), &directory)), []);
    assert_eq!(blocks(&plan(&there("acme-test"), &directory)), [("workspace", None, None)]);
}

#[test]
fn a_roster_that_lists_a_fraction_of_the_company_is_a_broken_source_where_the_rest_would_leave() {
    let directory = company(100, &[]);
    let listing = |n, policy: &str| roster(&format!("{policy}\nusers:\n{}", people(0..n, "")));
    let deactivate = "policy: { unlisted: { users: deactivate }, limits: { deactivateUsers: 100% } }";
    assert_eq!(blocks(&plan(&listing(49, deactivate), &directory)), [("brokenSource", Some(49), Some(50))]);
    assert_eq!(blocks(&plan(&listing(50, deactivate), &directory)), []);
    assert_eq!(blocks(&plan(&listing(1, ""), &directory)), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A roster that lets more people go is never judged more mildly.
    #[test]
    fn more_leavers_never_get_a_milder_verdict(size in 1_usize..400, fewer in 0_usize..50, more in 0_usize..50) {
        let (fewer, more) = (fewer.min(size), (fewer + more).min(size));
        let directory = company(size, &[]);
        let outcome = |n: usize| {
            let entries = if n == 0 { people(0..1, "") } else { people(0..n, ", active: false") };
            plan(&roster(&format!("users:\n{entries}")), &directory).outcome()
        };
        prop_assert!(outcome(fewer) <= outcome(more));
    }

    /// Whatever the limits are, a plan that goes beyond one is blocked and a plan within is not.
    #[test]
    fn a_plan_is_blocked_exactly_beyond_its_limit(
        size in 1_usize..300, leavers in 1_usize..60, at_least in 0_u32..40, percent in 0_u32..30,
    ) {
        let leavers = leavers.min(size);
        let policy = format!("policy: {{ limits: {{ deactivateUsers: {{ atLeast: {at_least}, percent: {percent} }} }} }}");
        let roster = roster(&format!("{policy}\nusers:\n{}", people(0..leavers, ", active: false")));
        let allowed = (at_least as usize).max(size * percent as usize / 100);
        let outcome = plan(&roster, &company(size, &[])).outcome();
        prop_assert_eq!(outcome == Outcome::Block, leavers > allowed);
    }
}
