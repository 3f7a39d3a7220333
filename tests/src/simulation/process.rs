//! One process of the client's: what `apply`, or `plan --out` and `apply --plan`, do from their start to their end.

use super::disk::{Disk, Notebook, SavedFile};
use super::line::Line;
use super::sabotage::{Anything, Forgetful, Sabotage, Saboteur};
use super::service::Service;
use jiff::{SignedDuration, Timestamp};
use model::plan::Outcome;
use model::run::{Ending, ReadBack, RunReport};
use model::{Dialect, Directory, Plan, Roster};
use reconciler::guard;
use reconciler::journal::{self, Journal, Journaled};
use reconciler::planner::{self, Context};
use reconciler::run::{Goal, RosterGoal, Run, Stop};
use reconciler::saved::{ResumeError, SavedGoal, SavedPlan};
use scim_adapter::{Budget, Pacer, Reader, Transport, Writer};
use std::collections::BTreeSet;
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::time::Instant;

/// How a process ended.
#[derive(Debug)]
pub enum End {
    /// The directory could not be read.
    Unread(String),
    /// The journal could not be read.
    BadJournal(String),
    /// The roster could not be planned.
    Conflicts(Vec<String>),
    /// A guard blocked.
    Blocked(Box<Plan>),
    /// There was nothing to do.
    Nothing,
    /// A plan was saved.
    Saved,
    /// A saved plan was stale.
    Stale(String),
    /// A plan was carried out.
    Done(Box<Done>),
    /// The process died.
    Died,
}

/// A plan that was carried out.
#[derive(Debug)]
pub struct Done {
    /// The plan.
    pub plan: Plan,
    /// What is said of it.
    pub report: RunReport,
    /// What it is about.
    pub scope: Scope,
    /// Whether limits were passed by consent.
    pub approved: bool,
}

/// What a plan is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All that the roster says, whatever others do meanwhile.
    Roster,
    /// What differed from the roster when the run began.
    Differences,
    /// A part of what differed.
    Part,
}

impl End {
    /// In a few words.
    pub fn told(&self) -> String {
        match self {
            Self::Unread(why) => format!("could not read: {why}"),
            Self::BadJournal(why) => format!("could not read the journal: {why}"),
            Self::Conflicts(conflicts) => format!("could not plan: {}", conflicts.join("; ")),
            Self::Blocked(plan) => format!("blocked by {:?}", blocking(plan)),
            Self::Nothing => "nothing to do".to_owned(),
            Self::Saved => "saved a plan".to_owned(),
            Self::Stale(why) => format!("stale: {why}"),
            Self::Died => "died".to_owned(),
            Self::Done(done) => {
                let failed = failures(&done.report).count();
                let read_back = match &done.report.read_back {
                    ReadBack::InSync => "in sync".to_owned(),
                    ReadBack::Differs(lines) => format!("differs: {}", lines.join("; ")),
                    ReadBack::Unknown(why) => format!("unknown: {why}"),
                };
                let stopped = done.report.stopped.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
                let approved = if done.approved { ", approved" } else { "" };
                let changes = done.plan.changeset.changes.len();
                format!("{changes} changes{approved}, {failed} failed, {read_back}{stopped}")
            }
        }
    }
}

/// The guards that block a plan.
pub fn blocking(plan: &Plan) -> BTreeSet<&str> {
    let blocks = plan.verdicts.iter().filter(|verdict| verdict.outcome == Outcome::Block);
    blocks.map(|verdict| verdict.guard).collect()
}

/// How the changes ended that did not take.
pub fn failures(report: &RunReport) -> impl Iterator<Item = &Ending> {
    let endings = report.outcomes.iter().map(|outcome| &outcome.ending);
    endings.filter(|ending| !matches!(ending, Ending::Took { .. } | Ending::Pending { .. }))
}

/// What a person does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// `apply`.
    Apply,
    /// `plan --out`, or `apply --plan` where there is a saved plan.
    ByFile,
}

/// A process before it starts.
pub struct Process<'a> {
    /// The workspace.
    pub service: &'a Service,
    /// The roster.
    pub roster: &'a Roster,
    /// What is on disk.
    pub disk: &'a Disk,
    /// What it is to do.
    pub command: Command,
    /// Whether a person consents to limits that are passed.
    pub consents: bool,
    /// Of its chance.
    pub seed: u64,
    /// When the clock of the simulation began.
    pub start: (Instant, Timestamp),
    /// The bug in it.
    pub sabotage: Option<Sabotage>,
    /// The plan of the process before, which only a saboteur goes on with.
    pub memory: &'a Mutex<Option<Plan>>,
}

impl Process<'_> {
    /// What time it is.
    fn now(&self) -> Timestamp {
        let (start, time) = self.start;
        let passed = SignedDuration::try_from(start.elapsed()).unwrap_or_default();
        time.saturating_add(passed).unwrap_or(time)
    }

    /// Runs it to its end.
    pub async fn run(self, line: Line) -> End {
        let misled = self.sabotage.map(|sabotage| sabotage.roster(self.roster));
        let roster = misled.as_ref().unwrap_or(self.roster);
        let transport: Arc<dyn Transport> = match self.sabotage {
            Some(sabotage) => Arc::new(Saboteur::new(line, self.service.clone(), sabotage)),
            None => Arc::new(line),
        };
        let reader = Reader::new(transport, Dialect::Slack, Pacer::slack(Budget::WHOLE)).seeded(self.seed);
        let context = match self.context(roster) {
            Ok(context) => context,
            Err(why) => return End::BadJournal(why),
        };
        let remembered = self.memory().take().filter(|_| self.sabotage == Some(Sabotage::ResumesFromMemory));
        if let Some(plan) = remembered {
            let goal = RosterGoal { roster, context: &context };
            return self.carry_out(&reader, &goal, plan, (Scope::Roster, false)).await;
        }
        let directory = match reader.read_directory().await {
            Ok(directory) => directory,
            Err(error) => return End::Unread(error.to_string()),
        };
        let file = self.disk.saved().clone().filter(|_| self.command == Command::ByFile);
        match file {
            Some(file) => self.resume(&reader, roster, &directory, &context, file).await,
            None => self.apply(&reader, roster, &directory, &context).await,
        }
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn context(&self, roster: &Roster) -> Result<Context, String> {
        let now = self.now();
        let mut context = Context { now, ..Context::default() };
        if let Some(notebook) =
            self.disk.journal.as_ref().filter(|_| self.sabotage != Some(Sabotage::ForgetsYesterday))
        {
            notebook.open();
            let workspace = roster.workspace.as_ref().map(|name| &*name.value);
            let history = journal::read(notebook.text()).map_err(|error| error.to_string())?;
            context.recent = journal::recent(&history, None, workspace, now);
        }
        Ok(context)
    }

    async fn apply(&self, reader: &Reader, roster: &Roster, directory: &Directory, context: &Context) -> End {
        let mut plan = match planner::plan(roster, directory, context) {
            Ok(plan) => plan,
            Err(conflicts) => {
                return End::Conflicts(conflicts.into_iter().map(|conflict| conflict.message).collect());
            }
        };
        if let Some(sabotage) = self.sabotage {
            sabotage.plan(&mut plan);
        }
        let approved = self.consent(&mut plan);
        if plan.outcome() == Outcome::Block {
            return End::Blocked(Box::new(plan));
        }
        if plan.changeset.is_empty() {
            return End::Nothing;
        }
        if self.command == Command::ByFile {
            let mut text = Vec::new();
            report::plan::json(&plan, Some(&roster.sources), &mut text)
                .expect("a plan can be written to memory");
            let text = String::from_utf8(text).expect("JSON is UTF-8");
            *self.disk.saved() = Some(SavedFile { text, plan, tries: 0 });
            return End::Saved;
        }
        let goal = RosterGoal { roster, context };
        self.carry_out(reader, &goal, plan, (Scope::Roster, approved)).await
    }

    /// A person looks at a plan that is blocked and lets it pass.
    fn consent(&self, plan: &mut Plan) -> bool {
        if self.consents && self.sabotage == Some(Sabotage::ConsentsToEverything) {
            let approved = plan.outcome() == Outcome::Block;
            for verdict in &mut plan.verdicts {
                verdict.outcome = Outcome::Pass;
            }
            return approved;
        }
        let blocked = plan.outcome() == Outcome::Block;
        let digest = plan.digest.clone();
        blocked && self.consents && guard::approve(&mut plan.verdicts, &digest, &digest).is_ok()
    }

    async fn resume(
        &self,
        reader: &Reader,
        roster: &Roster,
        directory: &Directory,
        context: &Context,
        file: SavedFile,
    ) -> End {
        let give_up = file.tries >= 3;
        *self.disk.saved() = (!give_up).then(|| SavedFile { tries: file.tries + 1, ..file.clone() });
        let mut saved = match SavedPlan::read(Cursor::new(&file.text)) {
            Ok(saved) => saved,
            // A saboteur may have made a plan of what no plan can be.
            Err(error) if self.sabotage.is_some() => {
                *self.disk.saved() = None;
                return End::Stale(error.to_string());
            }
            Err(error) => panic!("a plan that was saved cannot be read: {error}"),
        };
        let resumed = match saved.resume(roster, directory, context) {
            _ if self.sabotage == Some(Sabotage::AppliesSavedPlanBlindly) => {
                let changes = file.plan.changeset.changes.clone();
                let goal = SavedGoal { changes: &changes, roster };
                return self.carry_out(reader, &goal, file.plan, (Scope::Part, false)).await;
            }
            Ok(resumed) => resumed,
            Err(ResumeError::Conflicts(conflicts)) => {
                return End::Conflicts(conflicts.into_iter().map(|conflict| conflict.message).collect());
            }
            Err(error) => {
                *self.disk.saved() = None;
                return End::Stale(error.to_string());
            }
        };
        let mut plan = resumed.plan;
        let covers_all = resumed.progress.elsewhere == 0;
        if plan.changeset.is_empty() {
            *self.disk.saved() = None;
            return if covers_all { End::Nothing } else { End::Saved };
        }
        let approved = self.consent(&mut plan);
        if plan.outcome() == Outcome::Block {
            return End::Blocked(Box::new(plan));
        }
        let changes = resumed.whole.unwrap_or_else(|| plan.changeset.changes.clone());
        let goal = SavedGoal { changes: &changes, roster };
        let scope = if covers_all { Scope::Differences } else { Scope::Part };
        let end = self.carry_out(reader, &goal, plan, (scope, approved)).await;
        if matches!(&end, End::Done(done) if done.report.is_success()) {
            *self.disk.saved() = None;
        }
        end
    }

    async fn carry_out(
        &self,
        reader: &Reader,
        goal: &dyn Goal,
        plan: Plan,
        (scope, approved): (Scope, bool),
    ) -> End {
        *self.memory() = Some(plan.clone());
        let writer = Writer::new(reader.clone());
        let clock = || self.now();
        let forgetful = self.disk.journal.as_ref().map(Forgetful);
        let notebook = self.disk.journal.as_ref();
        let forgets = self.sabotage == Some(Sabotage::RecordsNoIntent);
        let journal: Option<&dyn Journal> = match (&forgetful, notebook) {
            (Some(forgetful), _) if forgets => Some(forgetful),
            (_, Some(notebook)) => Some(notebook as &Notebook),
            _ => None,
        };
        let run = Run {
            reader,
            writer: &writer,
            goal: if self.sabotage == Some(Sabotage::SkipsComparison) { &Anything } else { goal },
            journal: journal.map(|journal| Journaled {
                journal,
                run: journal::run_id(self.now(), self.seed),
                approved,
                undoes: None,
                clock: &clock,
            }),
            stop: Stop::default(),
        };
        let mut report = run.carry_out(&plan, |_| {}).await;
        if let Some(sabotage) = self.sabotage {
            sabotage.report(&mut report);
        }
        self.memory().take();
        End::Done(Box::new(Done { plan, report, scope, approved }))
    }
}
