//! `rosterctl revert`.

use super::carry_out::{ask, carry_out, end_of, not_approved, unseen};
use super::plan::show;
use super::{Outcome, load_roster, mistaken, runtime, show_mistakes};
use crate::arguments::{Format, RevertArguments, RosterArguments, ViewArguments};
use crate::failure::{Exit, Failure};
use crate::journal::{self, Length, Recording};
use crate::lock::Lock;
use crate::secret;
use crate::target;
use crate::terminal::{Terminal, unless_unread};
use anyhow::Context as _;
use jiff::Timestamp;
use model::directory::Directory;
use model::journal::{History, PastRun};
use model::load;
use model::place::{Source, Sources};
use model::plan::{self, Note};
use model::policy::Policy;
use model::roster::Roster;
use reconciler::guard;
use reconciler::journal::is_being_written;
use reconciler::planner::Context;
use reconciler::revert::{self, Bounds, RevertError, RevertGoal, Reverted};
use report::harmless;
use std::fmt::Write as _;
use std::io::stdout;
use std::path::Path;

/// How many notes are shown where there is nothing else to show.
const NOTES_SHOWN: usize = 50;

pub(super) fn run(terminal: Terminal, arguments: &RevertArguments) -> Outcome {
    let past = Past::read(terminal, arguments)?;
    // None where it is a simulator.
    let live = arguments.target.simulate.is_none().then(|| arguments.target.target.as_str());
    let run = past.choose(terminal, arguments.run.as_deref(), live)?;
    let given = Given::read(terminal, arguments)?;
    runtime()?.block_on(revert(terminal, arguments, &given, &past, run))
}

/// What bounds the revert, as the arguments name it.
enum Given {
    Roster(Box<Roster>),
    Policy(Policy, Sources),
}

impl Given {
    fn read(terminal: Terminal, arguments: &RevertArguments) -> Result<Self, Failure> {
        let format = arguments.view.format;
        match (&arguments.roster, &arguments.policy) {
            (Some(roster), policy) => {
                let files = RosterArguments { roster: roster.clone(), policy: policy.clone() };
                Ok(Self::Roster(Box::new(load_roster(terminal, format, &files)?)))
            }
            (None, Some(policy)) => match load::load_policy(secret::read_file(policy)?) {
                Ok((policy, sources)) => Ok(Self::Policy(policy, sources)),
                Err(rejected) => Err(mistaken(terminal, format, *rejected)?),
            },
            (None, None) => {
                terminal.status("No roster was given: nobody is protected, and the default limits hold.\n");
                Ok(Self::Policy(Policy::default(), Sources::default()))
            }
        }
    }

    fn bounds(&self) -> Bounds<'_> {
        match self {
            Self::Roster(roster) => Bounds::Roster(roster),
            Self::Policy(policy, sources) => Bounds::Policy(policy, sources),
        }
    }

    /// The workspace that the run of a plan would exclude others from.
    fn workspace(&self) -> Option<&str> {
        match self {
            Self::Roster(roster) => roster.workspace.as_ref().map(|name| &*name.value),
            Self::Policy(..) => None,
        }
    }
}

/// What the journals tell.
struct Past {
    /// The runs of the journal that holds the run; then those of the one that the revert is recorded in, where that is
    /// another one.
    history: History,
    /// How many of them are the former's.
    own: usize,
    /// How long the former was when it was read, and the one that the revert is recorded in.
    length: Length,
    other_length: Length,
    /// The journal as a file whose lines can be referred to.
    file: Source,
}

impl Past {
    fn read(terminal: Terminal, arguments: &RevertArguments) -> Result<Self, Failure> {
        let path = &arguments.journal_to_undo;
        if is_being_written(path) {
            return Err(Failure::from(anyhow::anyhow!("a run is being recorded in {}", path.display()))
                .hint("wait until it is over; nothing was changed"));
        }
        let length = Length::of(path);
        let other_length = arguments.journal.journal.as_deref().map(Length::of).unwrap_or_default();
        let mut history = journal::read_existing(path)?;
        if history.torn {
            terminal.status(
                "The last line of the journal is cut short, as when a machine dies; what it was to say is not known.\n",
            );
        }
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let own = history.runs.len();
        if let Some(other) = arguments.journal.journal.as_deref().filter(|other| !is_same_file(path, other)) {
            history.runs.extend(journal::read(other)?.unwrap_or_default().runs);
        }
        Ok(Self {
            history,
            own,
            length,
            other_length,
            file: Source { path: path.display().to_string(), text },
        })
    }

    /// The run with this id; else the last one that may have written anything to this service and was not itself to undo
    /// another, so that a revert that was cut short can simply be run again.
    fn choose(&self, terminal: Terminal, id: Option<&str>, live: Option<&str>) -> Result<&PastRun, Failure> {
        let runs = self.history.runs.get(..self.own).unwrap_or_default();
        if let Some(id) = id {
            let run = runs.iter().find(|run| *run.id == *id).ok_or_else(|| {
                Failure::from(anyhow::anyhow!("the journal has no run {id:?}"))
                    .hint("`rosterctl history` lists its runs; nothing was changed")
            })?;
            revert::check_target(run, live).map_err(refused)?;
            return Ok(run);
        }
        let mut newest = None;
        for run in runs.iter().rev().filter(|run| run.may_have_written() && run.undoes.is_none()) {
            match (revert::check_target(run, live), newest) {
                (Ok(()), None) => return Ok(run),
                (Ok(()), Some(newest)) => {
                    terminal.status(&passed_over(newest));
                    return Ok(run);
                }
                (Err(_), _) => newest = newest.or(Some(run)),
            }
        }
        Err(match newest.map(|run| revert::check_target(run, live)) {
            Some(Err(elsewhere)) => refused(elsewhere),
            _ => {
                Failure::from(anyhow::anyhow!("no run of the journal changed anything that could be undone"))
                    .hint("a run that was itself to undo another is undone by naming it: --run ID")
            }
        })
    }
}

/// Which later run is not the one that is undone.
fn passed_over(run: &PastRun) -> String {
    let id = harmless::terminal(&run.id);
    match &run.target {
        Some(target) => format!(
            "Passing over the later run {id}, which wrote to {target}: `--run {id} --target {target}` undoes that one.\n",
            target = harmless::terminal(target)
        ),
        None => format!("Passing over the later run {id}, which wrote to a simulator inside rosterctl.\n"),
    }
}

/// A run that cannot be undone, with what may be done instead.
fn refused(error: RevertError) -> Failure {
    let hint = match &error {
        RevertError::OtherTarget { run: Some(run), .. } => {
            format!("nothing was changed; `--target {run}` undoes it there, and --run names another run")
        }
        RevertError::OtherTarget { run: None, .. } => {
            "nothing was changed; `--simulate SNAPSHOT` undoes it on a simulator, and --run names another run"
                .to_owned()
        }
        RevertError::OtherWorkspace { run, .. } => {
            format!("nothing was changed; the token of {run} undoes it there, and --run names another run")
        }
        RevertError::Conflicts { .. } => "nothing was changed".to_owned(),
    };
    Failure::from(error).hint(hint)
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    one.canonicalize().ok().zip(other.canonicalize().ok()).is_some_and(|(one, other)| one == other)
}

async fn revert(
    terminal: Terminal,
    arguments: &RevertArguments,
    given: &Given,
    past: &Past,
    run: &PastRun,
) -> Outcome {
    let view = &arguments.view;
    let mut target = target::connect(&arguments.target).await?;
    // From before the reading on: what is planned is what is there when it is done.
    let workspace = given.workspace().or(run.workspace.as_deref());
    let _lock = Lock::take_or_fail(target.url(), workspace, "revert")?;
    let directory = target.read(terminal).await?;
    let now = Timestamp::now();
    let context = Context {
        target: target.url().map(str::to_owned),
        now,
        recent: reconciler::journal::recent(&past.history, target.url(), workspace, now),
        budget: arguments.target.budget,
        ..Context::default()
    };
    let attempts = revert::attempts(&past.history.runs, run);
    let reverted = revert::plan(run, &attempts, &past.file, given.bounds(), &directory, &context);
    let mut reverted = match reverted {
        Ok(reverted) => reverted,
        Err(RevertError::Conflicts { conflicts, sources }) => {
            show_mistakes(terminal, view.format, &conflicts, &sources)?;
            return Err(anyhow::anyhow!("nothing can be planned; nothing was changed").into());
        }
        Err(error) => return Err(refused(error)),
    };
    reverted.plan.notes.insert(0, which(run));

    if reverted.plan.changeset.is_empty() {
        unless_unread(show_nothing(terminal, view, &reverted, &directory, run))?;
        let is_blocked = reverted.plan.outcome() == plan::Outcome::Block;
        return Ok(if is_blocked { Exit::Blocked } else { Exit::Done });
    }
    let mut approved = false;
    if let Some(digest) = &arguments.consent.approve {
        let plan = &mut reverted.plan;
        match guard::approve(&mut plan.verdicts, &plan.digest, digest) {
            Ok(passed) => approved = passed > 0,
            Err(wrong) => {
                unless_unread(show(terminal, view, &reverted.plan, &reverted.roster, &directory))?;
                return Err(not_approved(&reverted.plan, wrong));
            }
        }
    }
    let show_plan = || show(terminal, view, &reverted.plan, &reverted.roster, &directory);
    let is_blocked = reverted.plan.outcome() == plan::Outcome::Block;
    let yes = arguments.consent.yes;
    // With JSON nothing is shown before the end, and nobody is asked about what was not shown.
    let can_ask = terminal.is_attended() && view.format != Format::Json;
    if is_blocked || !(yes || can_ask) {
        unless_unread(show_plan())?;
        if is_blocked {
            return Ok(Exit::Blocked);
        }
        terminal.status("Nothing was changed. Run the same command with --yes to carry out this plan.\n");
        return Ok(Exit::Done);
    }
    // The JSON of a plan that is carried out is part of the run's own document, so that stdout holds one and not two.
    if view.format != Format::Json {
        show_plan().map_err(unseen)?;
    }
    if !yes && target.aside(async { ask(terminal, &reverted.plan) }).await? != Some(true) {
        terminal.status("Nothing was changed.\n");
        return Ok(Exit::Error);
    }
    drop(directory);
    // A rehearsal on a simulator is no part of the history of the service that the run wrote to.
    let is_rehearsal = target.url().is_none() && run.target.is_some();
    let same = (!is_rehearsal).then_some(&*arguments.journal_to_undo);
    let own = arguments.journal.journal.as_deref().map(|path| (path, past.other_length));
    let own = own.or(same.map(|path| (path, past.length)));
    let recording = own.map(|(path, seen)| Recording::open(path, seen)).transpose()?;
    let journaled = recording.as_ref().map(|recording| recording.journaled(approved, Some(&run.id)));
    let goal = RevertGoal::new(&reverted, &context);
    let Reverted { plan, roster, .. } = &reverted;
    let report = carry_out(terminal, &target, &goal, journaled, plan).await;
    let sources = Some(&roster.sources);
    let printed = match view.format {
        Format::Text => terminal.result(&report::run::text(plan, &report, sources, terminal.style())),
        Format::Markdown => terminal.result(&report::run::markdown(plan, &report, sources)),
        Format::Json => report::run::json(plan, &report, sources, stdout().lock()),
    };
    end_of(&report, printed)
}

/// Which run it is that the plan undoes.
fn which(run: &PastRun) -> Note {
    let happened = run.changes.iter().filter(|change| change.may_have_happened()).count();
    let changes = if happened == 1 { "1 change".to_owned() } else { format!("{happened} changes") };
    let undid = run.undoes.as_deref().map(|other| format!(", which was to undo {other}")).unwrap_or_default();
    Note {
        code: "undoes",
        message: format!(
            "undoes the run {}{undid}: it began at {:.0}, and {changes} of it happened or may have happened",
            run.id, run.began
        ),
    }
}

/// Says that nothing is left to undo, and what is left undone for good. What blocks is shown as a plan.
fn show_nothing(
    terminal: Terminal,
    view: &ViewArguments,
    reverted: &Reverted,
    directory: &Directory,
    run: &PastRun,
) -> std::io::Result<()> {
    let notes = &reverted.not_undone;
    if view.format == Format::Json || reverted.plan.outcome() == plan::Outcome::Block {
        return show(terminal, view, &reverted.plan, &reverted.roster, directory);
    }
    let mut text = String::new();
    let markdown = view.format == Format::Markdown;
    if markdown {
        let id = harmless::markdown_code(&run.id);
        let _ =
            writeln!(text, "### Nothing to undo\n\nOf the run {id} nothing is left that can be undone.\n");
    } else {
        let _ = writeln!(text, "Nothing is left to undo of the run {}.", harmless::terminal(&run.id));
    }
    for Note { code, message } in notes.iter().take(NOTES_SHOWN) {
        let _ = if markdown {
            writeln!(text, "- {} `{code}`", harmless::markdown(message))
        } else {
            writeln!(text, "  {} [{code}]", harmless::terminal(message))
        };
    }
    if let Some(more) = notes.len().checked_sub(NOTES_SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(
            text,
            "{}... and {more} more; --format json has them all",
            if markdown { "\n" } else { "  " }
        );
    }
    terminal.result(&text)
}
