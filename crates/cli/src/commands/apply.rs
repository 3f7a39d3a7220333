//! `rosterctl apply`.

use super::carry_out::{self, carry_out, end_of, not_approved, unseen};
use super::plan::{make, show};
use super::{Outcome, load_roster, runtime, show_mistakes};
use crate::arguments::{ApplyArguments, Format, ViewArguments};
use crate::failure::{Exit, Failure};
use crate::file::open_rewindable;
use crate::journal::{self, Length, Recording};
use crate::lock::Lock;
use crate::target;
use crate::terminal::{Terminal, unless_unread};
use anyhow::Context as _;
use jiff::Timestamp;
use model::directory::Directory;
use model::plan::{self, Plan};
use model::roster::Roster;
use model::stale::Progress;
use reconciler::guard;
use reconciler::planner::Context;
use reconciler::run::RosterGoal;
use reconciler::saved::{MAX_BYTES, ResumeError, Resumed, SavedGoal, SavedPlan};
use std::fs::File;
use std::io::{self, stdout};
use std::path::Path;

/// What to tell whoever approved the whole of a plan and now meets the rest of it.
const REST_IS_ANOTHER: &str = "; what an interrupted run has left is another plan, and passes by the approval of the whole only \
                               where that was saved: `plan --out FILE`, then `apply --plan FILE --approve DIGEST`";

pub(super) fn run(terminal: Terminal, arguments: &ApplyArguments) -> Outcome {
    let mut saved = arguments.plan.as_deref().map(read_plan).transpose()?;
    let roster = load_roster(terminal, arguments.view.format, &arguments.roster)?;
    runtime()?.block_on(apply(terminal, arguments, &roster, saved.as_mut()))
}

fn read_plan(path: &Path) -> Result<SavedPlan<File>, Failure> {
    let file = open_rewindable(path, MAX_BYTES)?;
    Ok(SavedPlan::read(file).with_context(|| format!("{} cannot be applied", path.display()))?)
}

async fn apply(
    terminal: Terminal,
    arguments: &ApplyArguments,
    roster: &Roster,
    mut saved: Option<&mut SavedPlan<File>>,
) -> Outcome {
    let format = arguments.view.format;
    let mut target = target::connect(&arguments.target).await?;
    // The token of one service is not to be shown to another.
    if let Some(saved) = saved.as_deref() {
        let dialect = arguments.target.dialect.into();
        if let Err(error) = saved.check_service(target.url(), dialect) {
            return not_resumed(terminal, format, saved, roster, error);
        }
    }
    let workspace = roster.workspace.as_ref().map(|name| &*name.value);
    let _lock = Lock::take_or_fail(target.url(), workspace, "apply")?;
    let directory = target.read(terminal).await?;
    let now = Timestamp::now();
    let journal = arguments.journal.journal.as_deref();
    let seen = journal.map(Length::of).unwrap_or_default();
    let context = Context {
        target: target.url().map(str::to_owned),
        now,
        only: arguments.narrow.only.clone(),
        recent: journal::recent(journal, target.url(), workspace, now)?,
        budget: arguments.target.budget,
    };
    let (mut plan, progress, whole) = match &mut saved {
        None => (make(terminal, format, roster, &directory, &context)?, None, None),
        Some(saved) => match saved.resume(roster, &directory, &context) {
            Ok(Resumed { plan, progress, whole }) => (plan, Some(progress), whole),
            Err(error) => return not_resumed(terminal, format, saved, roster, error),
        },
    };
    let show_all =
        |plan: &Plan| show_rest(terminal, &arguments.view, plan, progress.as_ref(), roster, &directory);
    // Nothing can be above a limit where nothing is done.
    if plan.changeset.is_empty() {
        unless_unread(show_all(&plan))?;
        let is_blocked = saved.is_none() && plan.outcome() == plan::Outcome::Block;
        return Ok(if is_blocked { Exit::Blocked } else { Exit::Done });
    }
    let given = arguments.consent.approve.as_deref();
    let approval = given.map(|given| guard::approve(&mut plan.verdicts, &plan.digest, given)).transpose();
    let is_approved = match approval {
        Ok(lifted) => lifted.is_some_and(|lifted| lifted > 0),
        Err(wrong) => {
            unless_unread(show_all(&plan))?;
            let mut failure = not_approved(&plan, wrong);
            if let (Exit::Blocked, None, Some(hint)) = (failure.exit, &saved, &mut failure.hint) {
                hint.push_str(REST_IS_ANOTHER);
            }
            return Err(failure);
        }
    };
    if plan.outcome() == plan::Outcome::Block {
        unless_unread(show_all(&plan))?;
        return Ok(Exit::Blocked);
    }
    // The JSON of an applied plan is part of the run's own document, so that stdout holds one document and not two.
    if format != Format::Json {
        show_all(&plan).map_err(unseen)?;
    }
    drop(directory);
    // A plan that was saved and looked at is its own consent.
    let asks = saved.is_none() && !arguments.consent.yes;
    if asks && format == Format::Json {
        return Err(Failure::usage("--format json shows no plan to say yes to, and --yes was not given")
            .hint("nothing was changed; look at what `plan` prints, then run the same command with --yes"));
    }
    if asks && !target.aside(async { is_confirmed(terminal, &plan) }).await? {
        terminal.status("Nothing was changed.\n");
        return Ok(Exit::Error);
    }
    let recording = journal.map(|path| Recording::open(path, seen)).transpose()?;
    let journaled = recording.as_ref().map(|recording| recording.journaled(is_approved, None));
    let report = match saved {
        Some(_) => {
            let changes = whole.as_ref().unwrap_or(&plan.changeset.changes);
            carry_out(terminal, &target, &SavedGoal { changes, roster }, journaled, &plan).await
        }
        None => {
            carry_out(terminal, &target, &RosterGoal { roster, context: &context }, journaled, &plan).await
        }
    };
    let sources = Some(&roster.sources);
    let printed = match format {
        Format::Text => terminal.result(&report::run::text(&plan, &report, sources, terminal.style())),
        Format::Markdown => terminal.result(&report::run::markdown(&plan, &report, sources)),
        Format::Json => document(progress.as_ref(), |out| report::run::json(&plan, &report, sources, out)),
    };
    if let Some(Progress { elsewhere: 1.., .. }) = progress {
        terminal.status("\nThe roster asks for more than this plan has: plan again to see the rest.\n");
    }
    end_of(&report, printed)
}

/// Tells why a saved plan is not applied.
fn not_resumed(
    terminal: Terminal,
    format: Format,
    saved: &SavedPlan<File>,
    roster: &Roster,
    error: ResumeError,
) -> Outcome {
    match error {
        ResumeError::Stale(moved) => {
            unless_unread(match format {
                Format::Text => terminal.result(&report::saved::stale(&moved, terminal.style())),
                Format::Markdown => terminal.result(&report::saved::stale_markdown(&moved)),
                Format::Json => report::saved::stale_json(saved.digest(), &moved, stdout().lock()),
            })?;
            Ok(Exit::Stale)
        }
        ResumeError::Conflicts(conflicts) => {
            show_mistakes(terminal, format, &conflicts, &roster.sources)?;
            Err(anyhow::anyhow!("nothing can be planned; nothing was changed").into())
        }
        error @ (ResumeError::File(_)
        | ResumeError::OtherTarget { .. }
        | ResumeError::OtherWorkspace { .. }
        | ResumeError::OtherDialect(_)) => Err(Failure::from(error).hint("nothing was changed")),
    }
}

/// Prints a plan, or what is left of a saved one.
fn show_rest(
    terminal: Terminal,
    view: &ViewArguments,
    plan: &Plan,
    progress: Option<&Progress>,
    roster: &Roster,
    directory: &Directory,
) -> io::Result<()> {
    let Some(progress) = progress else { return show(terminal, view, plan, roster, directory) };
    if view.format == Format::Json {
        return document(Some(progress), |out| report::plan::json(plan, Some(&roster.sources), out));
    }
    terminal.result(&report::saved::progress(progress))?;
    if plan.changeset.is_empty() {
        return Ok(());
    }
    terminal.result("\n")?;
    show(terminal, view, plan, roster, directory)
}

/// Prints the one document of a command, which says where it is about the rest of a saved plan.
fn document(
    progress: Option<&Progress>,
    write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut out = io::BufWriter::new(stdout().lock());
    if let Some(progress) = progress {
        return report::saved::json_with_progress(progress, out, write);
    }
    write(&mut out)?;
    io::Write::flush(&mut out)
}

/// Asks a person whether the plan may be applied.
fn is_confirmed(terminal: Terminal, plan: &Plan) -> Result<bool, Failure> {
    carry_out::ask(terminal, plan)?.ok_or_else(|| {
        Failure::usage("nobody is there to confirm the plan, and --yes was not given")
            .hint("nothing was changed; look at the plan above, then run the same command with --yes")
    })
}
