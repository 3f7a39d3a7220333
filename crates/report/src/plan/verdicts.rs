//! What the guards say, in the words that text and Markdown share.

use crate::words::{number, pick};
use model::plan::{Outcome, Plan, Verdict};
use std::collections::BTreeMap;

/// The guards of a plan that have nothing against it.
pub(super) struct Passing<'a> {
    verdicts: Vec<&'a Verdict>,
    guards: usize,
}

impl<'a> Passing<'a> {
    /// `None` where no guard passes.
    pub(super) fn of(plan: &'a Plan) -> Option<Self> {
        let mut worst: BTreeMap<&str, Outcome> = BTreeMap::new();
        for verdict in &plan.verdicts {
            let outcome = worst.entry(verdict.guard).or_insert(Outcome::Pass);
            *outcome = verdict.outcome.max(*outcome);
        }
        let passes = |verdict: &&Verdict| worst.get(verdict.guard) == Some(&Outcome::Pass);
        let verdicts: Vec<&Verdict> = plan.verdicts.iter().filter(passes).collect();
        (!verdicts.is_empty()).then_some(Self { verdicts, guards: worst.len() })
    }

    /// `all 14 pass` or `12 of 14 pass`.
    pub(super) fn summary(&self) -> String {
        match (self.verdicts.len(), self.guards) {
            (passing, all) if passing == all => format!("all {} pass", number(all)),
            (passing, all) => {
                format!("{} of {} {}", number(passing), number(all), pick(passing, "passes", "pass"))
            }
        }
    }

    /// Their verdicts: of guards that counted something, or of `all`.
    pub(super) fn verdicts(&self, all: bool) -> Vec<&'a Verdict> {
        let tells = |verdict: &&&Verdict| all || verdict.measured.is_some_and(|measured| measured > 0);
        self.verdicts.iter().filter(tells).copied().collect()
    }
}

/// `9 where 5 are allowed, 4 too many`; `None` where the guard is content with the number, or counts nothing.
pub(super) fn excess(verdict: &Verdict) -> Option<String> {
    let (measured, limit) = (verdict.measured?, verdict.limit?);
    if measured > limit {
        let excess = number(measured - limit);
        let allowed = pick(limit, "is allowed", "are allowed");
        return Some(format!("{} where {} {allowed}, {excess} too many", number(measured), number(limit)));
    }
    // A limit from below, as the broken source has it.
    let is_short = verdict.outcome == Outcome::Block && measured < limit;
    is_short.then(|| {
        let needed = pick(limit, "is needed", "are needed");
        format!("{} where at least {} {needed}", number(measured), number(limit))
    })
}
