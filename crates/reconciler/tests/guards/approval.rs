//! One-time consent.

use crate::company::*;
use model::plan::{Outcome, Verdict};
use proptest::prelude::*;
use reconciler::guard::{Consent, Guard, WrongDigest, approve};

/// What issue 4 lets a person pass; written down here once more, so that nobody widens it by the way.
const APPROVABLE: [&str; 8] = [
    "deactivateUsers",
    "createUsers",
    "changeEmails",
    "changeUserNames",
    "convertGuests",
    "removeMembers",
    "removeMembersPerGroup",
    "emptyGroups",
];

#[test]
fn an_approved_plan_may_be_applied_and_says_that_it_was_approved() {
    let directory = company(20, &[]);
    let mut plan = plan(&roster(&format!("users:\n{}", people(0..9, ", active: false"))), &directory);
    assert_eq!(plan.outcome(), Outcome::Block);
    let given = format!("  {}\n", plan.digest.to_uppercase());
    assert_eq!(approve(&mut plan.verdicts, &plan.digest, &given), Ok(1));
    assert_eq!(plan.outcome(), Outcome::Warn);
    let verdict = says(&plan.verdicts, "deactivateUsers");
    assert_eq!((verdict.outcome, verdict.measured, verdict.limit), (Outcome::Warn, Some(9), Some(5)));
    assert!(verdict.message.ends_with("; this is above the limit, and was approved for this plan"));
    assert_eq!(verdict.remedy, "");
}

#[test]
fn the_guards_that_a_person_may_pass_are_the_limits_but_for_deletions() {
    let passable: Vec<&str> = Guard::ALL
        .iter()
        .filter(|guard| guard.consent() == Consent::Passes)
        .map(|guard| guard.name())
        .collect();
    assert_eq!(passable, APPROVABLE);
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let names: Vec<&'static str> = Guard::ALL.iter().map(|guard| guard.name()).chain(["unheardOf"]).collect();
    let outcome = prop::sample::select(vec![Outcome::Pass, Outcome::Warn, Outcome::Block]);
    let verdict = (prop::sample::select(names), outcome).prop_map(|(guard, outcome)| Verdict {
        guard,
        outcome,
        measured: None,
        recent: None,
        limit: None,
        message: "something".to_owned(),
        resources: Vec::new(),
        remedy: "something".to_owned(),
    });
    prop::collection::vec(verdict, 0..20)
}

/// Digests that are, and that are nearly, that of the plan.
fn given(digest: &str) -> impl Strategy<Value = String> + use<> {
    let digest = digest.to_owned();
    (0_usize..64, 0_usize..9, any::<char>()).prop_map(move |(at, how, c)| {
        let mut text: Vec<char> = digest.chars().collect();
        match how {
            0 => text[at] = c,
            1 => text.truncate(at),
            2 => text.push(c),
            3 => text.insert(at, ' '),
            4 => text[at] = if text[at] == '0' { '1' } else { '0' },
            5 => text.clear(),
            _ => {}
        }
        text.into_iter().collect()
    })
}

const DIGEST: &str = "07c19ed3600130747072c72502aa0d8418d75cd44ec06dbc81b392f8417d1a5a";

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_else_is_lifted_and_nothing_for_another_digest(before in verdicts(), given in given(DIGEST)) {
        let mut after = before.clone();
        let result = approve(&mut after, DIGEST, &given);
        if !given.trim().eq_ignore_ascii_case(DIGEST) {
            let is_digest = given.len() == 64 && given.chars().all(|c| c.is_ascii_hexdigit());
            prop_assert_eq!(matches!(result, Err(WrongDigest::OtherPlan { .. })), is_digest);
            prop_assert!(result.is_err());
            prop_assert_eq!(before, after);
            return Ok(());
        }
        let lifted = |v: &&Verdict| v.outcome == Outcome::Block && APPROVABLE.contains(&v.guard);
        prop_assert_eq!(result, Ok(before.iter().filter(lifted).count()));
        prop_assert!(after.is_sorted_by_key(|verdict| std::cmp::Reverse(verdict.outcome)));
        let mut expected: Vec<(&str, Outcome)> = before
            .iter()
            .map(|v| (v.guard, if lifted(&v) { Outcome::Warn } else { v.outcome }))
            .collect();
        let mut found: Vec<(&str, Outcome)> = after.iter().map(|v| (v.guard, v.outcome)).collect();
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}
