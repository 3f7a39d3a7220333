//! Undoing a run: from its journal and the live directory to the plan that takes back what it did.
//!
//! The state before the run, of exactly the resources and attributes that the run changed, is written down as a roster
//! and planned like any other: order, minimality and guards are those of every plan.
//!
//! # Flow
//! 1. `effects`: what the run did to each resource, all its changes taken together; temporary values vanish in it.
//! 2. `fence`: who and what is left alone, being protected, unmanaged or a bot.
//! 3. `people`, `groups`: what is to be taken back: what is still as the run left it. What somebody has changed since is
//!    theirs. `handback` and `settle`: which names and addresses can be given back.
//! 4. `assembly`: the roster that wants all this, and nothing else.
//!
//! # Guarantees
//! * Nothing is changed that the run did not change, and nothing that has been changed since; but an account that the run
//!   created gives up a name or an address that somebody is to have again.
//! * Undone twice, a run is undone once: the second plan is empty, whatever became of the first.
//! * A run that was cut short, or that failed in part, is undone as far as it went. What may have happened counts.
//! * Whatever is not undone is in the plan's notes.

mod assembly;
mod effects;
mod fence;
mod goal;
mod groups;
mod handback;
mod notes;
mod people;
mod settle;

use crate::planner::{self, Context};
use assembly::assemble;
use effects::{Deed, Effects};
use fence::Fence;
use model::change::Action;
use model::diagnostic::Diagnostic;
use model::directory::Directory;
use model::journal::{EndingKind, PastRun};
use model::place::{Place, Source, SourceId, Sources};
use model::plan::{Note, Plan};
use model::policy::Policy;
use model::roster::Roster;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

pub use goal::RevertGoal;

/// What bounds a revert besides what is live.
#[derive(Debug, Clone, Copy)]
pub enum Bounds<'a> {
    /// A roster: its policy, its workspace, and the people whom it lists with `managed: false`.
    Roster(&'a Roster),
    /// A policy alone, with the file that its places refer to, if it has one.
    Policy(&'a Policy, &'a Sources),
}

impl<'a> Bounds<'a> {
    fn policy(self) -> &'a Policy {
        match self {
            Self::Roster(roster) => &roster.policy,
            Self::Policy(policy, _) => policy,
        }
    }

    fn sources(self) -> &'a Sources {
        match self {
            Self::Roster(roster) => &roster.sources,
            Self::Policy(_, sources) => sources,
        }
    }

    fn roster(self) -> Option<&'a Roster> {
        match self {
            Self::Roster(roster) => Some(roster),
            Self::Policy(..) => None,
        }
    }
}

/// The plan that undoes a run.
#[derive(Debug, Clone)]
#[must_use]
pub struct Reverted {
    /// The plan. Its notes begin with what is not undone.
    pub plan: Plan,
    /// What it is made from: a roster that wants the state before the run, of what the run changed. Its places refer to
    /// the journal.
    pub roster: Roster,
    /// What is not undone, and why; most important first.
    pub not_undone: Vec<Note>,
}

/// Why a run cannot be undone.
#[derive(Debug, thiserror::Error)]
pub enum RevertError {
    /// The run wrote to another service.
    #[error("the run wrote to {}, and this is {}", shown(.run.as_deref()), shown(.live.as_deref()))]
    OtherTarget {
        /// The run's service, as a URL; `None` for a simulator inside the process.
        run: Option<Box<str>>,
        /// The service that is to be written to.
        live: Option<Box<str>>,
    },
    /// The run wrote to another workspace.
    #[error("the run wrote to the workspace {run}, and the accounts here belong to {}", .live.join(", "))]
    OtherWorkspace {
        /// The run's workspace.
        run: Box<str>,
        /// The workspaces that live accounts name.
        live: Vec<String>,
    },
    /// Identities are in doubt, so nothing can be planned.
    #[error("nothing can be planned")]
    Conflicts {
        /// What is in doubt.
        conflicts: Vec<Diagnostic>,
        /// What the places of the conflicts refer to.
        sources: Sources,
    },
}

fn shown(target: Option<&str>) -> &str {
    target.unwrap_or("a simulator inside rosterctl")
}

/// Makes the plan that undoes `run`.
///
/// `attempts` are the runs that were to undo it before, of which nothing need be left: [`attempts`] finds them. `journal`
/// is the file that the run is in: the changes' origins are its lines. A run without a target, of a simulator,
/// may be undone on a simulator only; any run may be rehearsed on one.
///
/// # Errors
/// When the run is of another service or workspace than the directory; or when who is who is in doubt, which takes a
/// journal that was edited, since everybody is named by id.
pub fn plan(
    run: &PastRun,
    attempts: &[&PastRun],
    journal: &Source,
    bounds: Bounds<'_>,
    directory: &Directory,
    context: &Context,
) -> Result<Reverted, RevertError> {
    check_target(run, context.target.as_deref())?;
    check_workspace(run, directory)?;
    let mut sources = bounds.sources().clone();
    let lines = lines(journal, run, sources.push(journal.clone()));
    let attempted: Vec<Deed<'_>> = attempts.iter().flat_map(|attempt| deeds(attempt, &lines)).collect();
    let effects = Effects::of(&deeds(run, &lines).collect::<Vec<_>>(), &attempted, directory);
    let fence = Fence::new(bounds.policy(), bounds.roster(), &effects, directory);
    let mut notes = notes::none();
    let mut assembled = assemble(bounds, directory, &effects, &fence, &mut notes);
    assembled.roster.sources = sources;
    let roster = &assembled.roster;

    let mut plan = match planner::plan(roster, directory, context) {
        Ok(plan) => plan,
        Err(conflicts) => {
            return Err(RevertError::Conflicts { conflicts, sources: assembled.roster.sources });
        }
    };
    for change in &mut plan.changeset.changes {
        if let Action::DeleteGroup { id, .. } = &change.action {
            change.origin = assembled.deletions.get(id).copied();
        }
    }
    assembled.note_what_deactivation_leaves(&plan.changeset, directory, &mut notes);
    let not_undone = notes.finish();
    // Whom this roster lists beside those it changes, and whom it cannot list, is nothing that anybody wrote.
    plan.notes.retain(|note| !matches!(note.code, "unmanaged" | "unlisted" | "kept-members"));
    plan.notes.splice(0..0, not_undone.iter().cloned());
    Ok(Reverted { plan, roster: assembled.roster, not_undone })
}

/// The runs on the same service that were to undo `run`, or to undo that, in the order of the journal.
pub fn attempts<'h>(history: &'h [PastRun], run: &PastRun) -> Vec<&'h PastRun> {
    let mut undone: HashSet<&str> = HashSet::from([&*run.id]);
    let mut found = Vec::new();
    for later in history {
        let is_one = later.undoes.as_deref().is_some_and(|earlier| undone.contains(earlier));
        if is_one && later.target == run.target {
            undone.insert(&later.id);
            found.push(later);
        }
    }
    found
}

/// What a run may have done.
fn deeds<'r>(run: &'r PastRun, lines: &'r HashMap<usize, Place>) -> impl Iterator<Item = Deed<'r>> {
    let changes = run.changes.iter().filter(|change| change.may_have_happened());
    changes.map(|change| Deed {
        kind: change.kind,
        target: &change.target,
        name: &change.name,
        before: &change.before,
        after: &change.after,
        id: change.created.as_deref(),
        is_seen: change.ending == Some(EndingKind::Took),
        place: lines.get(&change.number).copied().unwrap_or_default(),
    })
}

/// Whether a run can be undone on the service at `live`, as far as that can be told before anything is asked of it. `None` is
/// a simulator, on which any run may be rehearsed.
///
/// # Errors
/// [`RevertError::OtherTarget`].
pub fn check_target(run: &PastRun, live: Option<&str>) -> Result<(), RevertError> {
    let bare = |url: &str| url.trim_end_matches('/').to_owned();
    match live {
        Some(live) if run.target.as_deref().map(bare) != Some(bare(live)) => {
            Err(RevertError::OtherTarget { run: run.target.clone(), live: Some(live.into()) })
        }
        _ => Ok(()),
    }
}

fn check_workspace(run: &PastRun, directory: &Directory) -> Result<(), RevertError> {
    let live = directory.workspaces();
    match &run.workspace {
        Some(workspace)
            if !live.is_empty() && !live.iter().any(|name| name.eq_ignore_ascii_case(workspace)) =>
        {
            Err(RevertError::OtherWorkspace {
                run: workspace.clone(),
                live: live.into_iter().map(str::to_owned).collect(),
            })
        }
        _ => Ok(()),
    }
}

/// Where the journal says what a run was about to do, by the number of the change.
fn lines(journal: &Source, run: &PastRun, source: SourceId) -> HashMap<usize, Place> {
    #[derive(Deserialize)]
    struct Line<'a> {
        #[serde(borrow)]
        run: Cow<'a, str>,
        change: usize,
    }
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let mut start = 0;
    let mut found = HashMap::new();
    for (at, whole) in journal.text.split_inclusive('\n').enumerate() {
        let text = whole.trim();
        if text.contains(&*run.id)
            && let Ok(line) = serde_json::from_str::<Line<'_>>(text)
            && line.run == run.id.as_ref()
        {
            let place =
                Place { source, line: small(at + 1), column: 1, start: small(start), len: small(text.len()) };
            // The intent of a change comes before its outcome.
            found.entry(line.change).or_insert(place);
        }
        start += whole.len();
    }
    found
}
