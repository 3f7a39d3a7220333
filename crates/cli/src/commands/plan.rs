//! `rosterctl plan`.

use super::{Outcome, load_roster, runtime, show_mistakes};
use crate::arguments::{Format, PlanArguments, ViewArguments};
use crate::failure::{Exit, Failure};
use crate::target;
use crate::terminal::Terminal;
use anyhow::Context as _;
use jiff::Timestamp;
use model::directory::Directory;
use model::names::UserId;
use model::plan::{self, Plan};
use model::roster::Roster;
use reconciler::planner::{self, Context};
use reconciler::{snapshot, source};

pub(super) fn run(terminal: Terminal, arguments: &PlanArguments) -> Outcome {
    let roster = load_roster(terminal, arguments.view.format, &arguments.roster)?;
    let (directory, target) = match &arguments.against {
        Some(path) => {
            let file = source::read_file(path)?;
            snapshot::read(&file.text).with_context(|| path.display().to_string())?
        }
        None => runtime()?.block_on(async {
            let target = target::connect(&arguments.target).await?;
            let directory = target.read(terminal).await?;
            Ok::<_, Failure>((directory, target.url().map(str::to_owned)))
        })?,
    };
    let context = Context { target, now: Timestamp::now(), only: arguments.narrow.only.clone() };
    let plan = make(terminal, arguments.view.format, &roster, &directory, &context)?;
    show(terminal, &arguments.view, &plan, &roster, &directory)?;
    Ok(if plan.outcome() == plan::Outcome::Block {
        Exit::Blocked
    } else if arguments.detailed_exitcode && !plan.changeset.is_empty() {
        Exit::Pending
    } else {
        Exit::Done
    })
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
        Format::Json => report::plan::json(plan, sources, std::io::stdout().lock()),
    }
}
