//! A workspace in the process, and the commands of a person who works on it.

use crate::carrier::InProcess;
use crate::census::Census;
use jiff::Timestamp;
use model::place::Source;
use model::plan::Plan;
use model::run::RunReport;
use model::{Dialect, Directory, Roster};
use reconciler::journal::Journaled;
use reconciler::planner::{self, Context};
use reconciler::run::{Goal, RosterGoal, Run, Stop};
use scim_adapter::{Budget, Pacer, ReadError, Reader, Transport, Writer};
use slack_sim::{Seed, Simulator, Switches};
use std::sync::Arc;

/// The present of every test: days, not hours, away from the dates in the rosters.
pub const NOW: Timestamp = Timestamp::constant(1_795_435_200, 0);

/// A simulated workspace and a client that talks to it.
pub struct Session {
    /// The workspace.
    pub simulator: Simulator,
    /// The client's reading half.
    pub reader: Reader,
    context: Context,
}

impl Session {
    /// A client of `simulator` that keeps to Slack's published rates, as the binary does.
    pub fn new(simulator: Simulator) -> Self {
        let carrier = InProcess::new(simulator.router());
        Self::over(simulator, carrier)
    }

    /// The same over a carrier of one's own.
    pub fn over(simulator: Simulator, carrier: impl Transport + 'static) -> Self {
        let (dialect, pacer) = match simulator.switches().dialect {
            slack_sim::Dialect::Slack => (Dialect::Slack, Pacer::slack(Budget::WHOLE)),
            slack_sim::Dialect::Rfc => (Dialect::Rfc, Pacer::unlimited()),
        };
        let reader = Reader::new(Arc::new(carrier), dialect, pacer).seeded(1);
        Self { simulator, reader, context: Context { now: NOW, ..Context::default() } }
    }

    /// A client of a workspace that begins as `seed` under `switches`.
    pub fn start(seed: &str, switches: Switches) -> Self {
        Self::new(workspace(seed, switches))
    }

    /// Reads the directory.
    ///
    /// # Errors
    /// When the directory cannot be read whole.
    pub async fn read(&self) -> Result<Directory, ReadError> {
        self.reader.read_directory().await
    }

    /// Plans on a directory that was read.
    ///
    /// # Errors
    /// The conflicts of identity, one sentence each.
    pub fn plan_on(&self, roster: &Roster, directory: &Directory) -> Result<Plan, Vec<String>> {
        planner::plan(roster, directory, &self.context)
            .map_err(|conflicts| conflicts.into_iter().map(|conflict| conflict.message).collect())
    }

    /// Reads and plans.
    ///
    /// # Errors
    /// What keeps the directory from being read, or the roster from being planned.
    pub async fn plan(&self, roster: &Roster) -> Result<Plan, String> {
        let directory = self.read().await.map_err(|error| error.to_string())?;
        self.plan_on(roster, &directory).map_err(|conflicts| conflicts.join("; "))
    }

    /// Carries out a plan and reads back.
    pub async fn carry_out(&self, roster: &Roster, plan: &Plan) -> RunReport {
        self.carry_out_recorded(roster, plan, None, Stop::default()).await
    }

    /// The same towards another goal than the roster.
    pub async fn carry_out_to(&self, goal: &dyn Goal, plan: &Plan) -> RunReport {
        let writer = Writer::new(self.reader.clone());
        let (journal, stop) = (None, Stop::default());
        Run { reader: &self.reader, writer: &writer, goal, journal, stop }.carry_out(plan, |_| {}).await
    }

    /// The same with a journal, until somebody stops it.
    pub async fn carry_out_recorded(
        &self,
        roster: &Roster,
        plan: &Plan,
        journal: Option<Journaled<'_>>,
        stop: Stop,
    ) -> RunReport {
        let writer = Writer::new(self.reader.clone());
        let run = Run {
            reader: &self.reader,
            writer: &writer,
            goal: &RosterGoal { roster, context: &self.context },
            journal,
            stop,
        };
        run.carry_out(plan, |_| {}).await
    }

    /// The world as the simulator has it.
    pub fn census(&self) -> Census {
        Census::take(&self.simulator)
    }
}

/// A workspace that begins as `seed` under `switches`.
pub fn workspace(seed: &str, switches: Switches) -> Simulator {
    let seed = Seed::parse(seed).unwrap();
    Simulator::new(&seed, switches).unwrap().with_time(NOW)
}

/// A roster of one file.
pub fn roster(text: &str) -> Roster {
    roster_of(vec![Source { path: "roster.yaml".to_owned(), text: text.to_owned() }])
}

/// A roster of several files.
pub fn roster_of(files: Vec<Source>) -> Roster {
    match model::load::load(files, None) {
        Ok(loaded) => loaded.roster,
        Err(rejected) => {
            let all: Vec<String> = rejected
                .diagnostics
                .iter()
                .map(|d| {
                    let place =
                        d.label.place.map(|place| rejected.sources.display(place)).unwrap_or_default();
                    format!("{place}: {}", d.message)
                })
                .collect();
            panic!("the test's roster has mistakes:\n{}", all.join("\n"))
        }
    }
}
