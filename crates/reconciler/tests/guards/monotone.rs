//! Who does more never gets a milder verdict.

use crate::company::{company, roster};
use crate::world::{Deed, World, deed, policy, world};
use model::directory::Directory;
use model::names::{GroupId, UserId};
use model::plan::{Outcome, Verdict};
use model::policy::Limit;
use model::roster::Roster;
use proptest::prelude::*;
use reconciler::guard::{Guard, Recent, judge};
use std::collections::{BTreeMap, BTreeSet};

/// The worst that each guard says, and the most it measured.
fn worst(verdicts: &[Verdict]) -> BTreeMap<&'static str, (Outcome, Option<usize>)> {
    let mut worst = BTreeMap::new();
    for verdict in verdicts {
        let slot = worst.entry(verdict.guard).or_insert((Outcome::Pass, None));
        *slot = (verdict.outcome.max(slot.0), verdict.measured.max(slot.1));
    }
    worst
}

fn judged(
    roster: &Roster,
    directory: &Directory,
    world: &World,
    deeds: &BTreeSet<Deed>,
    recent: &Recent,
) -> Vec<Verdict> {
    judge(roster, directory, &world.changeset(deeds), recent, Vec::new())
}

fn ids(most: usize) -> impl Strategy<Value = BTreeSet<UserId>> {
    let id =
        prop_oneof![(0_usize..26).prop_map(|n| format!("U{n}")), (0_usize..6).prop_map(|n| format!("N{n}")),];
    prop::collection::btree_set(id.prop_map(UserId::new), 0..most)
}

fn group_ids() -> impl Strategy<Value = BTreeSet<GroupId>> {
    prop::collection::btree_set((0_usize..7).prop_map(|n| GroupId::new(format!("S{n}"))), 0..3)
}

fn pairs() -> impl Strategy<Value = BTreeSet<(GroupId, UserId)>> {
    let pair = (0_usize..7, 0_usize..26)
        .prop_map(|(at, id)| (GroupId::new(format!("S{at}")), UserId::new(format!("U{id}"))));
    prop::collection::btree_set(pair, 0..12)
}

/// Anything that a journal may tell, whether it fits the directory or not.
fn recent() -> impl Strategy<Value = Recent> {
    let created = prop::collection::btree_map(
        (0_usize..6).prop_map(|n| format!("n{n}").into()),
        prop::option::of((0_usize..26).prop_map(|n| UserId::new(format!("U{n}")))),
        0..4,
    );
    let people = (ids(8), ids(4), created, ids(8), ids(8), ids(8));
    let groups = (pairs(), pairs(), group_ids(), group_ids());
    (people, groups).prop_map(|((deactivated, reactivated, created, emails, user_names, guests), groups)| {
        let (removed, added, deleted, created_groups) = groups;
        Recent {
            deactivated,
            reactivated,
            created,
            emails,
            user_names,
            guests,
            removed,
            added,
            deleted,
            created_groups,
        }
    })
}

fn all_of(a: &Recent, b: &Recent) -> Recent {
    let mut all = a.clone();
    all.deactivated.extend(b.deactivated.clone());
    all.created.extend(b.created.clone());
    all.emails.extend(b.emails.clone());
    all.user_names.extend(b.user_names.clone());
    all.guests.extend(b.guests.clone());
    all.removed.extend(b.removed.clone());
    all.deleted.extend(b.deleted.clone());
    all
}

#[test]
fn a_group_whose_last_member_is_deactivated_is_told_of_whether_or_not_that_member_is_taken_out_too() {
    let directory = company(3, &[("eng", 0..1)]);
    let mut roster = roster("users:\n  - { userName: p1, email: p1@acme.example }\n");
    roster.policy.limits.empty_groups = Limit { at_least: 1, percent: 0 };
    let world = World::of(["U0", "U1", "U2"], [("S0", "U0")]);
    let deactivate = Deed::Deactivate("U0".into());
    let remove = Deed::Remove("S0".into(), "U0".into());
    let outcome = |deeds: &[Deed]| {
        let deeds = deeds.iter().cloned().collect();
        worst(&judged(&roster, &directory, &world, &deeds, &Recent::default()))["emptyGroups"].0
    };
    assert_eq!(outcome(std::slice::from_ref(&remove)), Outcome::Pass);
    assert_eq!(outcome(std::slice::from_ref(&deactivate)), Outcome::Warn);
    assert_eq!(outcome(&[deactivate, remove]), Outcome::Warn);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn a_plan_that_takes_away_or_renames_or_creates_more_is_judged_no_more_mildly(
        world in world(),
        roster in policy(),
        recent in recent(),
        deeds in prop::collection::vec((deed(), any::<bool>()), 0..40),
    ) {
        let possible: Vec<_> = deeds.into_iter().filter(|(deed, _)| world.allows(deed)).collect();
        let more: BTreeSet<Deed> = possible.iter().map(|(deed, _)| deed.clone()).collect();
        // Both give alike: to take somebody else in is not to take away.
        let less: BTreeSet<Deed> =
            possible.iter().filter(|(deed, both)| *both || !deed.counts()).map(|(deed, _)| deed.clone()).collect();
        let directory = world.directory();
        let [less, more] = [less, more].map(|deeds| judged(&roster, &directory, &world, &deeds, &recent));
        let (less, more) = (worst(&less), worst(&more));
        for (guard, (outcome, measured)) in &less {
            prop_assert!(more[guard].0 >= *outcome, "{}: {:?}, then {:?}", guard, outcome, more[guard].0);
            // The group that comes closest to its limit need not be the one that loses most.
            if *guard != Guard::RemoveMembersPerGroup.name() {
                prop_assert!(more[guard].1 >= *measured, "{}", guard);
            }
        }
    }

    /// More of the same kind in the last 24 hours never helps a plan. (What was done of another kind says how much
    /// there was before, and may.)
    #[test]
    fn a_plan_after_runs_that_did_more_of_its_kind_is_judged_no_more_mildly(
        world in world(),
        roster in policy(),
        less in recent(),
        extra in recent(),
        deeds in prop::collection::btree_set(deed(), 0..30),
        kind in 0_usize..7,
    ) {
        let deeds: BTreeSet<Deed> = deeds.into_iter().filter(|deed| world.allows(deed)).collect();
        let none = Recent::default();
        let (extra, guards) = match kind {
            0 => (Recent { deactivated: extra.deactivated, ..none }, vec![Guard::DeactivateUsers]),
            1 => (Recent { created: extra.created, ..none }, vec![Guard::CreateUsers]),
            2 => (Recent { emails: extra.emails, ..none }, Guard::ALL.to_vec()),
            3 => (Recent { user_names: extra.user_names, ..none }, Guard::ALL.to_vec()),
            4 => (Recent { guests: extra.guests, ..none }, Guard::ALL.to_vec()),
            5 => (
                Recent { removed: extra.removed, ..none },
                vec![Guard::RemoveMembers, Guard::RemoveMembersPerGroup, Guard::EmptyGroups],
            ),
            _ => (Recent { deleted: extra.deleted, ..none }, vec![Guard::DeleteGroups]),
        };
        let more = all_of(&less, &extra);
        let directory = world.directory();
        let [less, more] = [less, more].map(|recent| judged(&roster, &directory, &world, &deeds, &recent));
        let (less, more) = (worst(&less), worst(&more));
        for guard in guards.into_iter().map(Guard::name).filter(|guard| less.contains_key(guard)) {
            prop_assert!(more[guard].0 >= less[guard].0, "{}: {:?}, then {:?}", guard, less[guard], more[guard]);
        }
    }
}
