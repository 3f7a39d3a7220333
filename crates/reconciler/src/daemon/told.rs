//! What was told last, so that a round that says the same again can say it in one line.

use crate::digest;
use model::diagnostic::Diagnostic;
use model::plan::{Outcome, Plan};

/// A digest of what the last round that came as far as planning had to tell.
#[derive(Default)]
pub(super) struct Told(Option<String>);

impl Told {
    /// Whether a plan has the changes and verdicts of the one before.
    ///
    /// Guards that let it pass, and the sentences in which the others count the whole, do not matter: somebody who
    /// joins elsewhere changes them, and the plan remains what it was.
    pub(super) fn again(&mut self, plan: &Plan, will_run: bool) -> bool {
        let judged: Vec<_> = plan
            .verdicts
            .iter()
            .filter(|verdict| verdict.outcome != Outcome::Pass)
            .map(|v| (v.guard, v.outcome, v.measured, v.recent, v.limit, &v.resources))
            .collect();
        self.replace(digest::of_json(&(&plan.digest, judged, will_run)))
    }

    /// Whether the conflicts are those of the round before.
    pub(super) fn again_conflicts(&mut self, list: &[Diagnostic]) -> bool {
        let all: Vec<_> = list.iter().map(|conflict| (conflict.code, &conflict.message)).collect();
        self.replace(digest::of_json(&all))
    }

    fn replace(&mut self, next: String) -> bool {
        let same = self.0.as_ref() == Some(&next);
        self.0 = Some(next);
        same
    }
}
