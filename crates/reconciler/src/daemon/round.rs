//! One round: read, plan, judge, carry out, read back.

use super::told::Told;
use super::{Connection, Environment, Event, NoTurn, Trouble, Turn as _};
use crate::planner::{self, Context};
use crate::run::{RosterGoal, Run, Stop};
use model::directory::Directory;
use model::plan::{Outcome, Plan};
use model::roster::Roster;
use model::run::Stopped;
use scim_adapter::Reader;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// What came of a round.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoundEnd {
    /// The directory is as the roster says; nothing was written.
    InSync,
    /// The directory differs, or the roster is not one that may be applied, and this daemon only observes.
    Drift {
        /// How many changes would be needed.
        changes: usize,
        /// Whether a guard stops them.
        blocked: bool,
    },
    /// Everything took, and the directory is as the roster says.
    Applied {
        /// How many changes there were.
        changes: usize,
    },
    /// A guard stops the plan; nothing was written.
    Blocked {
        /// How many changes it has.
        changes: usize,
    },
    /// Roster and directory contradict each other; nothing was planned.
    Conflicts,
    /// Some changes did not take, or the directory is not as the roster says.
    Incomplete {
        /// Whether anything may have been written.
        wrote: bool,
        /// The limit of a round's time that ended it early.
        timed_out: Option<Duration>,
        /// Why it started no further change, if it did not.
        stopped: Option<Stopped>,
    },
    /// The service cannot be talked to, or its directory cannot be read. Nothing was written.
    Failed(Trouble),
    /// Another run is in progress, and which. Nothing was written.
    Busy(String),
    /// An end was asked for before anything was written.
    Stopped,
}

impl From<NoTurn> for RoundEnd {
    fn from(no_turn: NoTurn) -> Self {
        match no_turn {
            NoTurn::Busy(who) => Self::Busy(who),
            NoTurn::Failed(trouble) => Self::Failed(trouble),
        }
    }
}

/// What a round is done with.
pub(super) struct Round<'a> {
    pub(super) roster: &'a Roster,
    /// When it must be over, and after how long that is.
    pub(super) deadline: Option<(Instant, Duration)>,
    pub(super) stop: &'a CancellationToken,
}

impl Round<'_> {
    /// Does the round.
    pub(super) async fn run<E: Environment>(
        &self,
        environment: &mut E,
        told: &mut Told,
        on_event: &mut impl FnMut(Event<'_>),
    ) -> RoundEnd {
        let Connection { reader, writer, target } = match environment.connect() {
            Ok(connection) => connection,
            Err(trouble) => return RoundEnd::Failed(trouble),
        };
        // Whoever cannot write is in nobody's way.
        let turn = match writer.as_ref().map(|_| environment.take_turn(self.roster)).transpose() {
            Ok(turn) => turn,
            Err(no_turn) => return no_turn.into(),
        };
        let directory = match self.read(&reader).await {
            Ok(directory) => directory,
            Err(end) => return end,
        };
        let workspace = planner::workspace(self.roster, &directory);
        let recent = match environment.recent(target.as_deref(), workspace.as_deref()) {
            Ok(recent) => recent,
            Err(trouble) => return RoundEnd::Failed(trouble),
        };
        let context = Context {
            target,
            now: environment.now(),
            only: Vec::new(),
            recent,
            budget: reader.pacer().budget(),
        };
        let plan = match planner::plan(self.roster, &directory, &context) {
            Ok(plan) => plan,
            Err(list) => {
                let repeated = told.again_conflicts(&list);
                on_event(Event::Conflicts { roster: self.roster, list: &list, repeated });
                return RoundEnd::Conflicts;
            }
        };
        let changes = plan.changeset.changes.len();
        let blocked = plan.outcome() == Outcome::Block;
        let writer = writer.filter(|_| changes > 0 && !blocked);
        let repeated = told.again(&plan, writer.is_some());
        on_event(Event::Planned {
            roster: self.roster,
            directory: &directory,
            plan: &plan,
            will_run: writer.is_some(),
            repeated,
        });
        // A hundred thousand accounts need not be kept while their changes are sent, which may take hours.
        drop(directory);
        match (writer, turn) {
            (Some(writer), Some(mut turn)) if !self.stop.is_cancelled() => {
                let journal = match turn.journaled() {
                    Ok(journal) => journal,
                    Err(no_turn) => return no_turn.into(),
                };
                let goal = RosterGoal { roster: self.roster, context: &context };
                let stop = Stop::from(self.stop.child_token());
                let run = Run { reader: &reader, writer: &writer, goal: &goal, journal, stop };
                self.carry_out(&run, &plan, on_event).await
            }
            (Some(_), _) => RoundEnd::Stopped,
            (None, _) if changes == 0 && !blocked => RoundEnd::InSync,
            (None, None) => RoundEnd::Drift { changes, blocked },
            (None, Some(_)) => RoundEnd::Blocked { changes },
        }
    }

    async fn read(&self, reader: &Reader) -> Result<Directory, RoundEnd> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(RoundEnd::Stopped),
            () = self.timed_out() => {
                let limit = self.deadline.map(|(_, limit)| limit).unwrap_or_default();
                let why = format!("the directory could not be read within {} s", limit.as_secs_f64());
                Err(RoundEnd::Failed(Trouble { why, hint: None }))
            }
            directory = reader.read_directory() => directory.map_err(|error| {
                RoundEnd::Failed(Trouble { why: error.to_string(), hint: error.hint() })
            }),
        }
    }

    async fn carry_out(&self, run: &Run<'_>, plan: &Plan, on_event: &mut impl FnMut(Event<'_>)) -> RoundEnd {
        let mut timed_out = None;
        let report = {
            let running = run.carry_out(plan, |event| on_event(Event::Run { plan, event }));
            tokio::pin!(running);
            tokio::select! {
                biased;
                report = &mut running => report,
                () = self.timed_out() => {
                    run.stop.time_is_up();
                    timed_out = self.deadline.map(|(_, limit)| limit);
                    running.await
                }
            }
        };
        on_event(Event::Reported { roster: self.roster, plan, report: &report });
        if report.is_success() {
            return RoundEnd::Applied { changes: plan.changeset.changes.len() };
        }
        RoundEnd::Incomplete { wrote: report.wrote_anything(), timed_out, stopped: report.stopped }
    }

    /// Comes about when the time of the round is up; never where there is no limit.
    async fn timed_out(&self) {
        match self.deadline {
            Some((at, _)) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}
