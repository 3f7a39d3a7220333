//! The limits and the brakes, one by one.

use crate::company::*;
use model::attribute::{Attribute, Dialect};
use model::directory::Directory;
use model::plan::Outcome;
use model::roster::Roster;
use proptest::prelude::*;
use reconciler::guard::Guard;
use std::collections::BTreeSet;

#[test]
fn every_guard_says_something_of_every_plan_blocks_first() {
    let directory = company(100, &[("eng", 0..10)]);
    let text =
        format!("policy: {{ emailDomains: [acme.example] }}\nusers:\n{}", people(0..6, ", active: false"));
    for text in [text.clone(), format!("users:\n{}", people(0..1, ""))] {
        let verdicts = plan(&roster(&text), &directory).verdicts;
        let named: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.guard).collect();
        let domains = text.contains("emailDomains");
        let all = Guard::ALL.iter().filter(|guard| domains || **guard != Guard::EmailDomains);
        assert_eq!(named, all.map(|guard| guard.name()).collect());
        assert!(verdicts.is_sorted_by_key(|verdict| std::cmp::Reverse(verdict.outcome)));
        assert_eq!(domains, verdicts[0].outcome == Outcome::Block);
    }
}

#[test]
fn six_leavers_of_a_hundred_are_one_too_many_and_five_are_not() {
    let directory = company(100, &[]);
    let leavers = |n| roster(&format!("users:\n{}", people(0..n, ", active: false")));
    assert_eq!(blocks(&plan(&leavers(5), &directory)), []);
    let blocked = plan(&leavers(6), &directory);
    assert_eq!(blocks(&blocked), [("deactivateUsers", Some(6), Some(5))]);
    let verdict = says(&blocked.verdicts, "deactivateUsers");
    assert_eq!(verdict.message, "6 deactivations of 100 active people; the limit is 5 (2 %, at least 5)");
    assert_eq!(verdict.resources, ["p0", "p1", "p2", "p3", "p4", "p5"]);
    assert!(verdict.remedy.contains("--approve") && verdict.remedy.contains("policy.limits.deactivateUsers"));
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
fn a_swap_through_a_temporary_value_counts_its_two_people_once() {
    let directory = company(2, &[]);
    let swapped = "users:\n  - { id: U0, userName: p1, email: p0@acme.example }\n  \
                   - { id: U1, userName: p0, email: p1@acme.example }\n";
    let plan = plan(&roster(swapped), &directory);
    assert_eq!(plan.changeset.changes.len(), 3);
    assert_eq!(says(&plan.verdicts, "changeUserNames").measured, Some(2));
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
fn of_the_groups_that_lose_members_the_one_closest_to_its_limit_is_named() {
    let directory = company(30, &[("small", 0..4), ("large", 0..30)]);
    let text = format!(
        "users:\n{}groups:\n  - {{ displayName: large, members: [{}] }}\n  - {{ displayName: small, members: [p0, p1] }}\n",
        people(0..30, ""),
        (0..27).map(|n| format!("p{n}")).collect::<Vec<_>>().join(", "),
    );
    // 2 of 3 that are allowed are closer than 3 of 9.
    let plan = plan(&roster(&text), &directory);
    let verdict = says(&plan.verdicts, "removeMembersPerGroup");
    assert_eq!((verdict.outcome, verdict.measured, verdict.limit), (Outcome::Pass, Some(2), Some(3)));
    assert_eq!(verdict.message, "2 removals of 4 members of small; the limit is 3 (30 %, at least 3)");
    assert_eq!(says(&plan.verdicts, "removeMembers").resources, ["large", "small"]);
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
    let directory = Directory::new(Dialect::Slack, users, vec![group("S0", "eng", ["U0".to_owned()])]);
    let entry = "  - { userName: p5, email: p5@acme.example, guest: { expires: 1969-01-01 } }\n";
    let unsaid = roster(&format!("users:\n{entry}groups:\n  - displayName: eng\n    members: [p5]\n"));
    assert_eq!(blocks(&plan(&unsaid, &directory)), [("emptyGroups", Some(1), Some(0))]);
}

#[test]
fn deactivating_the_last_members_of_groups_that_nobody_lists_is_worth_a_warning() {
    let directory = company(40, &[("pair", 0..2), ("trio", 0..3), ("other", 20..22)]);
    let text = format!("users:\n{}", people(0..2, ", active: false"));
    let verdicts = plan(&roster(&text), &directory).verdicts;
    let verdict = says(&verdicts, "emptyGroups");
    assert_eq!((verdict.outcome, verdict.measured, verdict.limit), (Outcome::Warn, Some(0), Some(0)));
    assert_eq!(verdict.resources, ["pair"]);
}

#[test]
fn a_group_is_deleted_only_where_the_policy_allows_it() {
    let directory = company(3, &[("old", 0..1)]);
    let with = |limit: &str| {
        let policy = format!("policy: {{ unlisted: {{ groups: delete }}, limits: {{ {limit} }} }}");
        roster(&format!("{policy}\nusers:\n{}groups: []\n", people(0..1, "")))
    };
    let blocked = plan(&with(""), &directory);
    assert_eq!(blocks(&blocked), [("deleteGroups", Some(1), Some(0))]);
    assert!(!says(&blocked.verdicts, "deleteGroups").remedy.contains("--approve"));
    assert_eq!(blocks(&plan(&with("deleteGroups: 1"), &directory)), []);
}

fn with_workspaces(names: &[&str]) -> Directory {
    let users = names.iter().enumerate().map(|(n, workspace)| {
        let mut user = person(&format!("U{n}"), &format!("p{n}"));
        let url = format!("https://{workspace}.enterprise.slack.com/team/p{n}");
        user.attributes.set(Attribute::ProfileUrl, Some(&url));
        user
    });
    Directory::new(Dialect::Slack, users.collect(), Vec::new())
}

#[test]
fn a_roster_for_another_workspace_is_stopped() {
    let directory = company(3, &[]);
    let there = |name: &str| roster(&format!("workspace: {name}\nusers:\n{}", people(0..1, "")));
    assert_eq!(blocks(&plan(&there("Acme"), &directory)), []);
    assert_eq!(blocks(&plan(&there("acme-test"), &directory)), [("workspace", None, None)]);
}

#[test]
fn accounts_of_another_workspace_beside_the_right_one_may_be_there_and_may_not_be_touched() {
    let directory = with_workspaces(&["acme", "acme", "other"]);
    let titled = |n: usize| roster(&format!("workspace: acme\nusers:\n{}", people(n..n + 1, ", title: T")));
    let elsewhere = plan(&titled(0), &directory);
    assert_eq!(says(&elsewhere.verdicts, "workspace").outcome, Outcome::Warn);
    assert_eq!(blocks(&elsewhere), []);
    let touched = plan(&titled(2), &directory);
    assert_eq!(blocks(&touched), [("workspace", None, None)]);
    assert_eq!(says(&touched.verdicts, "workspace").resources, ["U2"]);
}

#[test]
fn a_roster_that_lists_a_fraction_of_the_company_is_a_broken_source_where_the_rest_would_leave() {
    let directory = company(100, &[]);
    let listing = |n, policy: &str| roster(&format!("{policy}\nusers:\n{}", people(0..n, "")));
    let deactivate = "policy: { unlisted: { users: deactivate }, limits: { deactivateUsers: 100% } }";
    assert_eq!(blocks(&plan(&listing(49, deactivate), &directory)), [("brokenSource", Some(49), Some(50))]);
    assert_eq!(blocks(&plan(&listing(50, deactivate), &directory)), []);
    assert_eq!(blocks(&plan(&listing(1, ""), &directory)), []);
    let alone = plan(&listing(1, deactivate), &directory);
    let message = &says(&alone.verdicts, "brokenSource").message;
    assert!(message.starts_with("the roster lists 1 active person of 100; "), "{message}");
}

/// The policy of `roster` as it would be with other domains than those by which the loader judged its entries.
fn with_domains(mut roster: Roster, domains: &[&str]) -> Roster {
    let place = roster.users[0].place;
    let located = domains.iter().map(|domain| model::place::Located::new((*domain).into(), place));
    roster.policy.email_domains = Some(located.collect());
    roster
}

#[test]
fn an_address_at_a_domain_that_is_not_listed_is_never_set_and_a_subdomain_is_another_domain() {
    let directory = company(3, &[]);
    let text = "users:\n  - { userName: p0, email: a@MAIL.acme.example }\n  - { userName: p1, email: \
                p1@acme.example, secondaryEmail: b@x.example }\n  - { userName: p2, email: c@Acme.Example }\n";
    let plan = plan(&with_domains(roster(text), &["acme.example"]), &directory);
    assert_eq!(blocks(&plan), [("emailDomains", Some(2), Some(0))]);
    let verdict = says(&plan.verdicts, "emailDomains");
    assert_eq!(verdict.resources, ["p0", "p1"]);
    assert!(verdict.message.contains("mail.acme.example, x.example"), "{}", verdict.message);
}

#[test]
fn addresses_that_stay_as_they_are_may_be_at_any_domain() {
    let directory = company(3, &[]);
    let text = format!("users:\n{}", people(0..3, ", title: T"));
    assert_eq!(blocks(&plan(&with_domains(roster(&text), &["other.example"]), &directory)), []);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

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
