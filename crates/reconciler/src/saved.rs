//! Saved plans: read with suspicion, compared with what is there now, and finished.
//!
//! A plan is saved as `docs/plan-format.md` describes it. What matters of it are its *effects*: this account is to have
//! this value, this person is to be in this group, this group is to go. Applying it again means: find the differences
//! between the roster and the directory anew, and keep exactly those that are effects of the plan. So a saved plan can
//! never do what the roster as it stands does not ask for, whoever wrote the file, and the roster can never do what was
//! not in the plan.
//!
//! # Guarantees
//! * Whatever [`SavedPlan::resume`] returns changes nothing but what the saved plan has, to the values it has.
//! * Every effect of the saved plan holds already, is in what it returns, or makes it an error that names it.
//!
//! # Caveats
//! Temporary values, by which two people swap their names, are no effects: they are the differ's business.

mod assess;
mod effects;
mod file;
mod goal;
mod live;
mod people;
mod rest;
mod resume;
mod sides;
mod strict;

pub use file::{MAX_BYTES, SavedPlanError};
pub use goal::SavedGoal;
pub use resume::{ResumeError, Resumed};

use model::attribute::Dialect;
use model::change::Change;
use model::plan::Request;

/// A plan as it was saved, found to be whole and unaltered.
///
/// Of its changes nothing is kept while nobody asks for them: those of a first import would take as much room again as
/// those that are made anew.
#[derive(Debug)]
pub struct SavedPlan<R> {
    file: R,
    about: About,
}

/// What a plan says beside its changes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct About {
    target: Option<String>,
    workspace: Option<String>,
    dialect: Dialect,
    digest: String,
    /// How many changes it has.
    changes: usize,
}

/// The changes of a saved plan.
///
/// The digest covers what a change does, and so does this: names, sources, verdicts and fallbacks of the file are not
/// kept, since nobody answers for them.
#[derive(Debug, Default)]
struct Contents {
    changes: Vec<Change>,
    /// Of the update of an account, its request; that of any other change was found to be the one that this rosterctl
    /// sends for it.
    requests: Vec<Option<Request>>,
}

impl<R> SavedPlan<R> {
    /// Its digest, 64 hexadecimal digits.
    pub fn digest(&self) -> &str {
        &self.about.digest
    }

    /// How many changes it has.
    pub fn changes(&self) -> usize {
        self.about.changes
    }
}
