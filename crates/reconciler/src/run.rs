//! Carrying out a plan: changes side by side where nothing orders them, past failures, and a read-back at the end.

use crate::journal::{Journaled, Recorder};
use crate::planner::Context;
use crate::progress::{at, describe};
use crate::sentinel;
use differ::Options;
use model::attribute::Dialect;
use model::change::{Action, Change, ChangeId, Edit, GroupRef, UserRef};
use model::directory::Directory;
use model::names::{UserId, fold};
use model::plan::Plan;
use model::roster::Roster;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport, Stopped};
use scim_adapter::{Reader, Writer, unmet};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

pub use crate::stop::Stop;

/// How long reading back waits, all in all, for the directory to show what was written. Slack deactivates with a
/// delay (sheet S13: tests there poll for 10 seconds) and shows a group's change some seconds late (sheet S14).
const READ_BACK_DEADLINE: Duration = Duration::from_mins(1);

/// How long reading back waits for what the service answered with success and then did not show. Most of it the service
/// has dropped; some of it is only later than an SDK's tests expect (sheet S14: three seconds for a group).
const UNSEEN_DEADLINE: Duration = Duration::from_secs(10);

/// The first pause between two reads of a read-back; each further one is twice as long, and the last read comes when
/// there is nothing more to wait for.
const READ_BACK_PAUSE: Duration = Duration::from_secs(1);

/// What a run tells while it goes on.
#[derive(Debug, Clone, Copy)]
pub enum Event<'a> {
    /// A change is about to be sent.
    Started(ChangeId),
    /// A change is over.
    Finished(&'a ChangeOutcome),
    /// All changes are over; the directory is being read.
    ReadingBack,
    /// The directory does not show everything yet; it is read again.
    Waiting {
        /// How many changes it does not show.
        missing: usize,
    },
}

/// What a run is to arrive at.
pub trait Goal: Sync {
    /// What of it a directory does not show yet.
    ///
    /// # Errors
    /// A sentence for people, when that cannot be told.
    fn missing(&self, directory: &Directory) -> Result<Vec<Missing>, String>;
}

/// Something that a directory does not show yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Whether it is of a group.
    pub is_group: bool,
    /// The userName or displayName that changes of it bear.
    pub name: Box<str>,
    /// What is missing, for people.
    pub line: String,
}

/// The whole of a roster, or what it was narrowed to.
pub struct RosterGoal<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// What the plan was made with.
    pub context: &'a Context,
}

impl Goal for RosterGoal<'_> {
    fn missing(&self, directory: &Directory) -> Result<Vec<Missing>, String> {
        let options = Options { now: self.context.now, only: &self.context.only };
        let line = |change: &Change| {
            let (is_group, name) = resource(change);
            Missing { is_group, name, line: describe(change) }
        };
        match differ::diff(self.roster, directory, &options) {
            Ok(diff) => Ok(diff.changeset.changes.iter().map(line).collect()),
            Err(conflicts) => {
                Err(conflicts.into_iter().map(|conflict| conflict.message).collect::<Vec<_>>().join("; "))
            }
        }
    }
}

/// One execution of a plan.
pub struct Run<'a> {
    /// Reads back.
    pub reader: &'a Reader,
    /// Writes.
    pub writer: &'a Writer,
    /// What the run is to arrive at.
    pub goal: &'a dyn Goal,
    /// How it is recorded, if it is.
    pub journal: Option<Journaled<'a>>,
    /// When this is told, no further change is started; those under way are waited for.
    pub stop: Stop,
}

impl Run<'_> {
    /// Carries out `plan` and reads back.
    ///
    /// # Flow
    /// 1. Every change whose dependencies are over is sent, up to `PER_KIND` of a kind at once.
    /// 2. A change that failed takes with it only those that need its success; a group's change goes without the
    ///    members who could not be created or reactivated.
    /// 3. When nothing is left, the directory is read and compared with the roster again, several times if need be, until it is in
    ///    sync or the deadline has passed.
    ///
    /// # Guarantees
    /// No change outside the plan is sent; no change is sent before what it waits for is over. A refusal never stops
    /// changes that do not need what was refused.
    /// With a journal, what is about to be sent is on disk before it is. Where the journal fails, or the service does
    /// harm, no further change is started and those under way are waited for: [`RunReport::stopped`].
    ///
    /// # Caveats
    /// Does not look at the plan's verdicts: whoever calls it has. A person whom somebody deactivates by hand in the very
    /// minutes in which the run updates them looks like a fault of the service's, and stops the run. Dropped half-way,
    /// the changes under way may have been carried out or not.
    pub async fn carry_out(&self, plan: &Plan, mut on_event: impl FnMut(Event<'_>)) -> RunReport {
        let started = Instant::now();
        let mut recorder = Recorder::new(self.journal.clone(), plan);
        let (mut outcomes, mut stopped) = self.send_all(plan, &mut recorder, &mut on_event).await;
        on_event(Event::ReadingBack);
        let (mut read_back, seen) = self.read_back(plan, &outcomes, &mut on_event).await;
        if let Some(seen) = seen {
            for change in sentinel::harmed(plan, &outcomes, &seen.directory) {
                stopped.get_or_insert_with(|| Stopped::TurnedInactive { name: change.name.clone() });
                if !seen.missing.contains(&resource(change)) {
                    read_back.add(format!("{} turned inactive, which nobody asked for", change.name));
                }
            }
            // What harms people is not confirmed by what the run was after.
            let is_harmed = matches!(stopped, Some(Stopped::TurnedInactive { .. }));
            confirm(plan, &mut outcomes, &seen, is_harmed, |change, outcome| {
                recorder.outcome(outcome.change.get() + 1, change, &outcome.ending, None);
            });
        }
        let seconds = started.elapsed().as_secs();
        let mut report = RunReport { outcomes, read_back, stopped, seconds };
        recorder.end(&report);
        if !recorder.commit() && report.stopped.is_none() {
            let why = recorder.failure().unwrap_or_default().to_owned();
            report.stopped = Some(Stopped::JournalFailed { why });
        }
        report
    }

    /// Reads the directory until it is in sync, until what is missing cannot come about by waiting, or the deadline.
    /// Also returns what it showed at last, where it could be read.
    async fn read_back(
        &self,
        plan: &Plan,
        outcomes: &[ChangeOutcome],
        on_event: &mut impl FnMut(Event<'_>),
    ) -> (ReadBack, Option<Seen>) {
        let now = Instant::now();
        // Until when it is worth waiting for what failed; for anything else, until the deadline.
        let mut until: BTreeMap<Resource, Instant> = BTreeMap::new();
        let failed: BTreeSet<ChangeId> = outcomes
            .iter()
            .filter(|outcome| matches!(outcome.ending, Ending::Refused { .. } | Ending::Skipped { .. }))
            .map(|outcome| outcome.change)
            .collect();
        // A group whose newcomer could not be created lacks them for good; the rest of it may be shown late.
        let lacks_for_good = |change: ChangeId| {
            let group = at(plan, change).filter(|change| resource(change).0);
            group.is_some_and(|group| group.waits_for.iter().any(|other| failed.contains(&other.on)))
        };
        for outcome in outcomes {
            let latest = match outcome.ending {
                Ending::Took { .. } | Ending::Pending { .. } if lacks_for_good(outcome.change) => {
                    now + UNSEEN_DEADLINE
                }
                Ending::Took { .. } | Ending::Pending { .. } => continue,
                Ending::WithoutEffect { .. } => now + UNSEEN_DEADLINE,
                Ending::Refused { .. } | Ending::Skipped { .. } => now,
            };
            if let Some(change) = at(plan, outcome.change) {
                let known = until.entry(resource(change)).or_insert(latest);
                *known = latest.min(*known);
            }
        }
        let deadline = now + READ_BACK_DEADLINE;
        let mut pause = READ_BACK_PAUSE;
        loop {
            let directory = match self.reader.read_directory().await {
                Ok(directory) => directory,
                Err(error) => return (ReadBack::Unknown(error.to_string()), None),
            };
            let missing = match self.goal.missing(&directory) {
                Ok(missing) => missing,
                Err(why) => return (ReadBack::Unknown(why), None),
            };
            if missing.is_empty() {
                return (ReadBack::InSync, Some(Seen { directory, missing: BTreeSet::new() }));
            }
            let missing: Vec<(Resource, String)> =
                missing.into_iter().map(|one| ((one.is_group, one.name), one.line)).collect();
            let latest =
                missing.iter().map(|(resource, _)| until.get(resource).copied().unwrap_or(deadline)).max();
            let left = latest.map(|latest| latest.saturating_duration_since(Instant::now()));
            let Some(left) = left.filter(|left| !left.is_zero() && !self.stop.is_cancelled()) else {
                let (resources, lines): (BTreeSet<_>, Vec<_>) = missing.into_iter().unzip();
                return (ReadBack::Differs(lines), Some(Seen { directory, missing: resources }));
            };
            on_event(Event::Waiting { missing: missing.len() });
            tokio::select! {
                () = tokio::time::sleep(pause.min(left)) => {}
                () = self.stop.cancelled() => {}
            }
            pause *= 2;
        }
    }
}

/// A user or a group by the name that the roster has for it. Ids would not do: what a run has created has none in its
/// plan.
type Resource = (bool, Box<str>);

fn resource(change: &Change) -> Resource {
    let is_group = matches!(
        change.action,
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. }
    );
    (is_group, change.name.clone())
}

/// What reading back showed at last.
struct Seen {
    directory: Directory,
    /// What the goal still lacks there.
    missing: BTreeSet<Resource>,
}

impl Seen {
    /// Whether what a change was to bring about is there, as far as that can be told of it alone. The goal may have ceased to
    /// ask for it: a person who has been deactivated since need not leave a group, nor give up a name.
    fn shows(&self, change: &Change, dialect: Dialect) -> bool {
        let user = |person: &UserRef| match person {
            UserRef::Existing(id) => self.directory.user(self.directory.find(id)?),
            UserRef::New(name) => {
                self.directory.users.iter().find(|user| fold(user.user_name()) == name.as_str())
            }
        };
        let is_manager =
            |person: &UserRef, manager: &str| user(person).is_some_and(|user| user.is_meant_by(manager));
        match &change.action {
            // What is written at creation alone is asked for by no later plan.
            Action::CreateUser { user_name, edits } => user(&UserRef::New(user_name.clone()))
                .is_some_and(|user| unmet(edits, user, dialect, is_manager).is_empty()),
            Action::UpdateUser { id: UserRef::Existing(id), edits, .. } => {
                let lasting: Vec<Edit> = edits.iter().filter(|edit| !edit.temporary).cloned().collect();
                let user = self.directory.find(id).and_then(|index| self.directory.user(index));
                user.is_some_and(|user| unmet(&lasting, user, dialect, is_manager).is_empty())
            }
            Action::UpdateGroup { id: GroupRef::Existing(id), remove, .. } => {
                let group = self.directory.groups.iter().find(|group| group.id == *id);
                let is_in = |user: &UserId| {
                    let index = self.directory.find(user);
                    index.zip(group).is_some_and(|(index, group)| group.members.binary_search(&index).is_ok())
                };
                !remove.iter().any(is_in)
            }
            _ => true,
        }
    }
}

/// What had not been seen has come about where the directory no longer lacks it.
fn confirm(
    plan: &Plan,
    outcomes: &mut [ChangeOutcome],
    seen: &Seen,
    is_harmed: bool,
    mut on_confirmed: impl FnMut(&Change, &ChangeOutcome),
) {
    for outcome in outcomes {
        let Some(change) = at(plan, outcome.change) else { continue };
        let unseen = match outcome.ending {
            Ending::Pending { .. } => true,
            Ending::WithoutEffect { .. } => !is_harmed && seen.shows(change, plan.dialect),
            Ending::Took { .. } | Ending::Refused { .. } | Ending::Skipped { .. } => false,
        };
        if unseen && !seen.missing.contains(&resource(change)) {
            outcome.ending = Ending::Took { remark: Some("seen when reading back".to_owned()) };
            on_confirmed(change, outcome);
        }
    }
}
