//! The loop of the daemon: one round after another, until it is told to end.
//!
//! A round is what `apply` does: read the directory, plan, judge, carry out, read back. The loop adds when the next one
//! begins, which roster is in force, and what need not be said twice. It prints nothing: whoever runs it is told of every
//! step as an [`Event`], and shows, counts or reports it.

mod pause;
mod roster;
mod round;
mod told;

pub use pause::{MAX_PAUSE, MIN_INTERVAL};
pub use roster::{Broken, RosterNews};
pub use round::RoundEnd;

use crate::guard::Recent;
use crate::journal::Journaled;
use crate::run;
use crate::source::{Files, SourceError};
use jiff::Timestamp;
use model::diagnostic::Diagnostic;
use model::directory::Directory;
use model::plan::Plan;
use model::roster::Roster;
use model::run::{RunReport, Stopped};
use pause::{Pauses, Standing};
use roster::{Desired, Refreshed};
use round::Round;
use scim_adapter::{Reader, Writer};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use told::Told;

/// What a daemon lives in: where its roster comes from, what it talks to, and who else is at work.
pub trait Environment {
    /// The right to be the only one who plans and writes.
    type Turn: Turn;

    /// The roster's files as they are now.
    ///
    /// # Errors
    /// When they cannot be read.
    fn files(&mut self) -> Result<Files, SourceError>;

    /// A connection for one round. It is asked for anew every round, so that a token that was exchanged is picked up.
    /// No request is sent.
    ///
    /// # Errors
    /// When there is none, for want of a token for instance.
    fn connect(&mut self) -> Result<Connection, Trouble>;

    /// Takes the turn for a round that may write. Does not wait.
    ///
    /// # Errors
    /// When another run has it, or when it cannot be told whether one has.
    fn take_turn(&mut self, roster: &Roster) -> Result<Self::Turn, NoTurn>;

    /// The present, by which a guest's expiry is judged.
    fn now(&self) -> Timestamp;

    /// What the runs of the last 24 hours did to this workspace of this service; nothing where no journal is kept.
    ///
    /// # Errors
    /// When the journal cannot be read. Nothing is planned then: the limits would not hold over time.
    fn recent(&mut self, target: Option<&str>, workspace: Option<&str>) -> Result<Recent, Trouble>;
}

/// The right to be the only one who plans and writes; it ends when this is dropped.
pub trait Turn {
    /// How the run of this turn is recorded, if it is. Asked for when there is something to write.
    ///
    /// # Errors
    /// When it cannot be recorded. Nothing is written then.
    fn journaled(&mut self) -> Result<Option<Journaled<'_>>, NoTurn>;
}

/// What a round talks to.
pub struct Connection {
    /// Reads.
    pub reader: Reader,
    /// Writes. Without, a round can only observe: nothing in the loop makes a writer.
    pub writer: Option<Writer>,
    /// The service's URL; `None` for a simulator inside the process.
    pub target: Option<String>,
}

/// Why a round cannot be done, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What happened, as one sentence without a full stop.
    pub why: String,
    /// What to do now, if anybody knows.
    pub hint: Option<String>,
}

/// Why a round may not begin, or not go on to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTurn {
    /// Another run is in progress: which, as one sentence without a full stop.
    Busy(String),
    /// Something else is in the way.
    Failed(Trouble),
}

/// What a daemon tells while it goes on.
pub enum Event<'a> {
    /// A round begins.
    RoundBegan {
        /// Its number, from 1.
        number: u64,
    },
    /// Something is new about the roster.
    Roster(RosterNews<'a>),
    /// A plan was made. What is said in [`Event::RoundEnded`] follows from it.
    Planned {
        /// The roster it was made from.
        roster: &'a Roster,
        /// The directory it was made from.
        directory: &'a Directory,
        /// The plan; in sync when it has no changes.
        plan: &'a Plan,
        /// Whether it is to be carried out: it is not when it has no changes, when it is blocked, and when the
        /// connection cannot write.
        will_run: bool,
        /// Whether the plan before it had the same changes and the same verdicts, so that nothing new can be said.
        repeated: bool,
    },
    /// Roster and directory contradict each other about who somebody is; nothing was planned.
    Conflicts {
        /// The roster.
        roster: &'a Roster,
        /// The contradictions.
        list: &'a [Diagnostic],
        /// Whether the round before met the same ones.
        repeated: bool,
    },
    /// A step of the run that carries out a plan.
    Run {
        /// The plan.
        plan: &'a Plan,
        /// The step.
        event: run::Event<'a>,
    },
    /// A run is over.
    Reported {
        /// The roster.
        roster: &'a Roster,
        /// The plan that was carried out.
        plan: &'a Plan,
        /// What came of it.
        report: &'a RunReport,
    },
    /// A round is over.
    RoundEnded {
        /// Its number.
        number: u64,
        /// What came of it.
        end: &'a RoundEnd,
        /// How long until the next one; `None` when there is none, because an end was asked for.
        pause: Option<Duration>,
    },
}

/// How a daemon ended that was asked to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Nothing that it wrote is in doubt.
    Clean,
    /// Its last run that may have written anything was stopped half-way or left something that is not confirmed, and no
    /// round since has found the directory as the roster says.
    Unconfirmed,
}

/// Rounds at an interval.
#[derive(Debug)]
pub struct Daemon {
    /// How long to pause between two rounds when all is well; at least [`MIN_INTERVAL`].
    pub interval: Duration,
    /// How long a round may take: a read is abandoned then, and a run starts no further change.
    pub timeout: Option<Duration>,
    /// From which the chance in the pauses comes.
    pub seed: u64,
    /// When this is cancelled, no further change is started; what is under way is waited for, and the daemon ends.
    pub stop: CancellationToken,
    /// Ends a pause early.
    pub wake: Arc<Notify>,
}

impl Daemon {
    /// Rounds until [`Daemon::stop`] is cancelled.
    ///
    /// # Flow
    /// 1. The roster is loaded. One that cannot be used ends the daemon before it has asked anything of anybody.
    /// 2. The first round begins at once, each further one after a pause of the interval, give or take a tenth.
    /// 3. Before each further round the roster's files are looked at. Others than before come into force once they have
    ///    stayed the same for a moment; files that cannot be used leave the last good roster in force.
    /// 4. After a round that was blocked, failed, or left something undone, the pause doubles with each such round, up to
    ///    an hour or the interval if that is longer; after a run that was stopped because the service deactivates people
    ///    unasked, it is as long as that at once. The next good round makes it the interval again. During a longer pause
    ///    the files are looked at every interval, and others than before end it.
    ///
    /// # Guarantees
    /// Rounds never overlap. Nothing is written without [`Connection::writer`], without the turn, or for a plan that a
    /// guard blocks. A round that did not go well is done again and never differently. Nothing is kept from round to
    /// round but the roster in force and digests of what was told last.
    ///
    /// # Errors
    /// When the roster cannot be used at the start: there is no last good one.
    pub async fn run<E: Environment>(
        &self,
        environment: &mut E,
        mut on_event: impl FnMut(Event<'_>),
    ) -> Result<Ended, Broken> {
        let (mut desired, warnings) = Desired::first(environment)?;
        on_event(Event::Roster(RosterNews::InForce { roster: desired.roster(), warnings: &warnings }));
        drop(warnings);
        let mut pauses = Pauses::new(self.interval, self.seed);
        let mut told = Told::default();
        let mut number: u64 = 1;
        let mut ended = Ended::Clean;
        loop {
            on_event(Event::RoundBegan { number });
            if number > 1 {
                self.refresh(&mut desired, environment, &mut on_event).await;
            }
            let round = Round {
                roster: desired.roster(),
                deadline: self.timeout.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit))),
                stop: &self.stop,
            };
            let end = round.run(environment, &mut told, &mut on_event).await;
            ended = match end {
                RoundEnd::InSync | RoundEnd::Applied { .. } => Ended::Clean,
                RoundEnd::Incomplete { wrote: true, .. } => Ended::Unconfirmed,
                _ => ended,
            };
            if self.stop.is_cancelled() {
                on_event(Event::RoundEnded { number, end: &end, pause: None });
                return Ok(ended);
            }
            let pause = pauses.after(standing(&end));
            on_event(Event::RoundEnded { number, end: &end, pause: Some(pause) });
            if !self.pause(pause, &desired, environment).await {
                return Ok(ended);
            }
            number += 1;
        }
    }

    /// Looks at the roster's files and takes what is new into force if it can be used.
    async fn refresh<E: Environment>(
        &self,
        desired: &mut Desired,
        environment: &mut E,
        on_event: &mut impl FnMut(Event<'_>),
    ) {
        let refreshed = tokio::select! {
            biased;
            () = self.stop.cancelled() => return,
            refreshed = desired.refresh(environment) => refreshed,
        };
        on_event(Event::Roster(match &refreshed {
            Refreshed::Same => return,
            Refreshed::Changed(warnings) => RosterNews::InForce { roster: desired.roster(), warnings },
            Refreshed::GoodAgain => RosterNews::GoodAgain,
            Refreshed::Broken(broken) => RosterNews::Broken(broken),
        }));
    }

    /// Waits until the next round is due; `false` when an end was asked for instead.
    async fn pause<E: Environment>(&self, length: Duration, desired: &Desired, environment: &mut E) -> bool {
        let over = sleep(length);
        tokio::pin!(over);
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return false,
                () = self.wake.notified() => return true,
                () = &mut over => return true,
                () = sleep(self.interval) => {
                    if desired.has_moved(environment) {
                        return true;
                    }
                }
            }
        }
    }
}

/// What a round means for the pause after it.
fn standing(end: &RoundEnd) -> Standing {
    match end {
        RoundEnd::InSync | RoundEnd::Drift { .. } | RoundEnd::Applied { .. } => Standing::Good,
        // Sheet S10: Slack once deactivated whoever was updated. Each try costs accounts, however few.
        RoundEnd::Incomplete { stopped: Some(Stopped::TurnedInactive { .. }), .. } => Standing::Alarming,
        RoundEnd::Blocked { .. }
        | RoundEnd::Conflicts
        | RoundEnd::Incomplete { .. }
        | RoundEnd::Failed(_) => Standing::Bad,
        // Somebody else is at work, which says nothing of how this daemon fares.
        RoundEnd::Busy(_) | RoundEnd::Stopped => Standing::Neither,
    }
}
