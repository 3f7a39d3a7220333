//! Many small runs within 24 hours get no more done than the limits allow one plan, and a run that is interrupted and
//! finished counts nothing twice.

use crate::world::{Deed, World, deed, policy, world};
use model::plan::{Outcome, Verdict};
use model::policy::Limit;
use model::roster::Roster;
use proptest::prelude::*;
use reconciler::guard::{Guard, Recent, judge};
use std::collections::{BTreeMap, BTreeSet};

fn blocks(verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| verdict.outcome == Outcome::Block)
}

/// What was done in all, counted without the guards.
#[derive(Default)]
struct Total {
    by_kind: BTreeMap<&'static str, BTreeSet<String>>,
    /// Memberships that ended while their group went on, by group.
    removed: BTreeMap<String, BTreeSet<String>>,
    /// Groups that lost their last member and are still without.
    empty: BTreeSet<String>,
}

impl Total {
    fn count(&mut self, deed: &Deed, before: &World, after: &World) {
        let mut one = |kind, what: String| {
            self.by_kind.entry(kind).or_default().insert(what);
        };
        match deed {
            Deed::Create(id) => one("createUsers", id.clone()),
            Deed::Deactivate(id) => one("deactivateUsers", id.clone()),
            Deed::Email(id, _) => one("changeEmails", id.clone()),
            Deed::UserName(id) => one("changeUserNames", id.clone()),
            Deed::Guest(id) => one("convertGuests", id.clone()),
            Deed::Remove(at, id) => {
                one("removeMembers", format!("{at} {id}"));
                self.removed.entry(at.clone()).or_default().insert(id.clone());
                if after.groups[at].is_empty() {
                    self.empty.insert(at.clone());
                }
            }
            Deed::Delete(at) => {
                one("deleteGroups", at.clone());
                for id in &before.groups[at] {
                    one("removeMembers", format!("{at} {id}"));
                }
                self.empty.remove(at);
            }
            Deed::Add(at, _) => {
                self.empty.remove(at);
            }
            Deed::NewGroup(_) | Deed::Reactivate(_) => {}
        }
    }

    fn assert_within(&self, roster: &Roster, start: &World) {
        let limits = roster.policy.limits;
        let allowed =
            |limit: Limit, whole: usize| (whole * limit.percent as usize / 100).max(limit.at_least as usize);
        let groups = start.groups.len();
        for (kind, limit, whole) in [
            ("deactivateUsers", limits.deactivate_users, start.active()),
            ("createUsers", limits.create_users, start.active()),
            ("changeEmails", limits.change_emails, start.active()),
            ("changeUserNames", limits.change_user_names, start.active()),
            ("convertGuests", limits.convert_guests, start.active()),
            ("removeMembers", limits.remove_members, start.memberships()),
            ("deleteGroups", limits.delete_groups, groups),
        ] {
            let done = self.by_kind.get(kind).map_or(0, BTreeSet::len);
            assert!(done <= allowed(limit, whole), "{kind}: {done} of {whole}, {limit:?}");
        }
        for (at, removed) in &self.removed {
            let whole = start.groups.get(at).map_or(0, BTreeSet::len);
            let limit = limits.remove_members_per_group;
            assert!(removed.len() <= allowed(limit, whole), "{at}: {} of {whole}, {limit:?}", removed.len());
        }
        let empty = self.empty.len();
        assert!(
            empty <= allowed(limits.empty_groups, groups),
            "{empty} groups are empty: {:?}",
            limits.empty_groups
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn many_small_runs_get_no_more_done_than_one_plan_may(
        start in world(),
        roster in policy(),
        runs in prop::collection::vec((prop::collection::vec(deed(), 1..6), any::<bool>()), 1..40),
    ) {
        let (mut world, mut recent, mut total) = (start.clone(), Recent::default(), Total::default());
        for (deeds, drops_memberships) in runs {
            let mut later = world.clone();
            let mut done = Vec::new();
            for deed in deeds {
                if world.allows(&deed) && later.allows(&deed) && deed.fits(&done) {
                    later.apply(&deed);
                    done.push(deed);
                }
            }
            let changeset = world.changeset(&done);
            if blocks(&judge(&roster, &world.directory(), &changeset, &recent, Vec::new())) {
                continue;
            }
            for deed in &done {
                world.record(deed, &mut recent);
                let before = world.clone();
                world.apply(deed);
                total.count(deed, &before, &world);
            }
            // What Slack may do of its own accord is only warned of.
            for id in done.iter().filter(|_| drops_memberships).filter_map(Deed::deactivates) {
                for members in world.groups.values_mut() {
                    members.remove(id);
                }
            }
            total.assert_within(&roster, &start);
        }
    }

    #[test]
    fn an_interrupted_run_that_is_finished_counts_nothing_twice(
        start in world(),
        roster in policy(),
        deeds in prop::collection::vec((deed(), 0_u8..3), 1..40),
    ) {
        let mut planned = start.clone();
        let mut plan: Vec<(Deed, u8)> = Vec::new();
        for (deed, fate) in deeds {
            if start.allows(&deed) && planned.allows(&deed) && deed.fits(plan.iter().map(|(other, _)| other)) {
                planned.apply(&deed);
                plan.push((deed, fate));
            }
        }
        let whole = start.changeset(plan.iter().map(|(deed, _)| deed));
        let at_first = judge(&roster, &start.directory(), &whole, &Recent::default(), Vec::new());

        let (mut world, mut recent, mut left) = (start.clone(), Recent::default(), Vec::new());
        for (deed, fate) in &plan {
            // Done; sent without an answer, and perhaps not done; not sent.
            match fate {
                0 => {
                    start.record(deed, &mut recent);
                    world.apply(deed);
                }
                1 => {
                    start.record(deed, &mut recent);
                    left.push(deed);
                }
                _ => left.push(deed),
            }
        }
        assert!(left.iter().all(|deed| world.allows(deed)));
        let rest = judge(&roster, &world.directory(), &world.changeset(left), &recent, Vec::new());
        for guard in Guard::ALL.iter().map(|guard| guard.name()) {
            let of = |verdicts: &[Verdict]| {
                let of_it = verdicts.iter().filter(|verdict| verdict.guard == guard);
                of_it.max_by_key(|verdict| verdict.outcome).cloned()
            };
            let (Some(first), Some(rest)) = (of(&at_first), of(&rest)) else { continue };
            prop_assert!(rest.outcome <= first.outcome, "{:?} became {:?}", first, rest);
            let by_group = guard == Guard::RemoveMembersPerGroup.name();
            let counted = first.measured.is_some() && guard != Guard::EmailDomains.name();
            if counted && !by_group && guard != Guard::BrokenSource.name() {
                prop_assert_eq!(rest.measured, first.measured, "{}", guard);
            }
            if counted && !by_group {
                prop_assert_eq!(rest.limit, first.limit, "{}", guard);
            }
        }
    }
}
