//! `rosterctl plan`.

use super::{Outcome, leave, load_roster, runtime, show_mistakes};
use crate::arguments::{DEFAULT_TARGET, Format, PlanArguments, ViewArguments};
use crate::failure::{Exit, Failure};
use crate::file::write_whole;
use crate::journal;
use crate::target;
use crate::terminal::{Terminal, unless_unread};
use anyhow::Context as _;
use jiff::Timestamp;
use model::directory::Directory;
use model::names::UserId;
use model::plan::{self, Plan};
use model::roster::Roster;
use model::{Dialect, beside};
use reconciler::guard;
use reconciler::planner::{self, Context};
use reconciler::snapshot::{self, Snapshot};
use reconciler::source;
use report::harmless;
use scim_adapter::Budget;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

pub(super) fn run(terminal: Terminal, arguments: &PlanArguments) -> Outcome {
    let load = || load_roster(terminal, arguments.view.format, &arguments.roster);
    let (roster, directory, target, redacted) = if let Some(path) = &arguments.against {
        let (snapshot, roster) = beside(|| read_snapshot(path), load);
        let (roster, snapshot) = (roster?, snapshot?);
        let target = snapshot.target.clone();
        let (directory, note) = snapshot.reveal(&roster, &arguments.narrow.only);
        (roster, directory, target, note)
    } else {
        let roster = load()?;
        let (directory, target) = runtime()?.block_on(async {
            let target = target::connect(&arguments.target).await?;
            let directory = target.read(terminal).await?;
            Ok::<_, Failure>((directory, target.url().map(str::to_owned)))
        })?;
        (roster, directory, target, None)
    };
    let now = Timestamp::now();
    let workspace = roster.workspace.as_ref().map(|name| &*name.value);
    let recent = journal::recent(arguments.journal.journal.as_deref(), target.as_deref(), workspace, now)?;
    let only = arguments.narrow.only.clone();
    let context = Context { target, now, only, recent, budget: arguments.target.budget };
    let mut plan = make(terminal, arguments.view.format, &roster, &directory, &context)?;
    plan.notes.splice(..0, redacted);
    // First of all, since whoever reads what is printed may stop reading.
    if let Some(path) = &arguments.out {
        save(path, &plan, &roster)?;
    }
    unless_unread(show(terminal, &arguments.view, &plan, &roster, &directory))?;
    if let Some(path) = &arguments.out {
        terminal.status(&how_to_apply(path, arguments, &plan));
    }
    let exit = if plan.outcome() == plan::Outcome::Block {
        Exit::Blocked
    } else if arguments.detailed_exitcode && !plan.changeset.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    };
    leave((plan, roster, directory));
    Ok(exit)
}

fn read_snapshot(path: &Path) -> Result<Snapshot, Failure> {
    let file = source::read_file(path)?;
    Ok(snapshot::read(&file.text).with_context(|| path.display().to_string())?)
}

/// Saves a plan, in the very bytes of `--format json`.
fn save(path: &Path, plan: &Plan, roster: &Roster) -> Result<(), Failure> {
    let written = write_whole(path, |out| report::plan::json(plan, Some(&roster.sources), out));
    Ok(written.with_context(|| format!("cannot write {}", path.display()))?)
}

/// The command that applies a plan as it was made: to the same service, by the same policy, with the same journal.
fn how_to_apply(path: &Path, arguments: &PlanArguments, plan: &Plan) -> String {
    let saved = format!("Saved this plan to {}.", word(path));
    let mut command = format!("rosterctl apply --plan {}", word(path));
    let mut when = "It is applied by";
    if plan.outcome() == plan::Outcome::Block {
        let mut verdicts = plan.verdicts.clone();
        let may_pass = guard::approve(&mut verdicts, &plan.digest, &plan.digest).is_ok()
            && verdicts.iter().all(|verdict| verdict.outcome != plan::Outcome::Block);
        if !may_pass {
            return format!("{saved} It is blocked, and no approval lets it pass.\n");
        }
        let _ = write!(command, " --approve {}", plan.digest);
        when = "It is blocked; who may approve it applies it by";
    }
    let target = &arguments.target;
    // The service of the snapshot, where the plan was made against one.
    let service = plan.target.as_deref().filter(|url| *url != DEFAULT_TARGET).map(Path::new);
    let dialect = (plan.dialect == Dialect::Rfc).then_some(Path::new("rfc"));
    let budget = (target.budget != Budget::WHOLE).then(|| target.budget.to_string());
    for (flag, value) in [
        ("--target", service),
        ("--simulate", target.simulate.as_deref()),
        ("--dialect", dialect),
        ("--token-file", target.token_file.as_deref()),
        ("--ca-file", target.ca_file.as_deref()),
        ("--budget", budget.as_deref().map(Path::new)),
        ("--journal", arguments.journal.journal.as_deref()),
        ("--policy", arguments.roster.policy.as_deref()),
    ] {
        if let Some(value) = value {
            let _ = write!(command, " {flag} {}", word(value));
        }
    }
    let _ = write!(command, " {}", word(&arguments.roster.roster));
    format!("{saved} {when}\n  {command}\n")
}

/// A path, or whatever else was typed, as one word of a shell.
fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=:,@%".contains(c);
    let quoted = if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    };
    harmless::terminal(&quoted)
}

/// Makes a plan; conflicts of identity are shown like the mistakes of a roster, which they are.
pub(super) fn make(
    terminal: Terminal,
    format: Format,
    roster: &Roster,
    directory: &Directory,
    context: &Context,
) -> Result<Plan, Failure> {
    match planner::plan(roster, directory, context) {
        Ok(plan) => Ok(plan),
        Err(conflicts) => {
            show_mistakes(terminal, format, &conflicts, &roster.sources)?;
            Err(anyhow::anyhow!("nothing can be planned; nothing was changed").into())
        }
    }
}

/// Prints a plan.
pub(super) fn show(
    terminal: Terminal,
    view: &ViewArguments,
    plan: &Plan,
    roster: &Roster,
    directory: &Directory,
) -> std::io::Result<()> {
    let names = |id: &str| {
        let user = directory.user(directory.find(&UserId::new(id))?)?;
        Some(user.user_name().to_owned()).filter(|name| !name.is_empty())
    };
    let options = report::plan::Options {
        style: terminal.style(),
        width: None,
        full: view.full,
        verbose: terminal.verbose,
        names: &names,
    };
    let sources = Some(&roster.sources);
    match view.format {
        Format::Text if view.diff => terminal.result(&report::plan::diff(plan, sources, &options)),
        Format::Text => terminal.result(&report::plan::text(plan, sources, &options)),
        Format::Markdown => terminal.result(&report::plan::markdown(plan, sources, &options)),
        Format::Json => {
            // Standard output by itself looks for the end of a line in every scrap of JSON.
            let mut out = BufWriter::new(std::io::stdout().lock());
            report::plan::json(plan, sources, &mut out)?;
            out.flush()
        }
    }
}
