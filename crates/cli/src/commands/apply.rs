//! `rosterctl apply`.

use super::plan::{make, show};
use super::{Outcome, load_roster, runtime, signalled};
use crate::arguments::{ApplyArguments, Format};
use crate::failure::{Exit, Failure};
use crate::target::{self, Target};
use crate::terminal::Terminal;
use jiff::Timestamp;
use model::plan::{self, Plan};
use model::roster::Roster;
use model::run::RunReport;
use reconciler::planner::Context;
use reconciler::run::{Event, Run};
use scim_adapter::Writer;
use tokio_util::sync::CancellationToken;

pub(super) fn run(terminal: Terminal, arguments: &ApplyArguments) -> Outcome {
    let roster = load_roster(terminal, arguments.view.format, &arguments.roster)?;
    runtime()?.block_on(apply(terminal, arguments, &roster))
}

async fn apply(terminal: Terminal, arguments: &ApplyArguments, roster: &Roster) -> Outcome {
    let target = target::connect(&arguments.target).await?;
    let directory = target.read(terminal).await?;
    let context = Context {
        target: target.url().map(str::to_owned),
        now: Timestamp::now(),
        only: arguments.narrow.only.clone(),
    };
    let plan = make(terminal, arguments.view.format, roster, &directory, &context)?;
    // The JSON of an applied plan is part of the run's own document, so that stdout holds one document and not two.
    let done = plan.changeset.is_empty() || plan.outcome() == plan::Outcome::Block;
    if arguments.view.format != Format::Json || done {
        show(terminal, &arguments.view, &plan, roster, &directory)?;
    }
    if plan.outcome() == plan::Outcome::Block {
        return Ok(Exit::Blocked);
    }
    if plan.changeset.is_empty() {
        return Ok(Exit::Done);
    }
    drop(directory);
    if !arguments.yes {
        let question = match plan.changeset.changes.len() {
            1 => "\nApply this change?".to_owned(),
            changes => format!("\nApply these {changes} changes?"),
        };
        match terminal.ask(&question)? {
            Some(true) => {}
            Some(false) => {
                terminal.status("Nothing was changed.\n");
                return Ok(Exit::Error);
            }
            None => {
                return Err(Failure::usage("nobody is there to confirm the plan, and --yes was not given")
                    .hint(
                        "nothing was changed; look at the plan above, then run the same command with --yes",
                    ));
            }
        }
    }
    let report = carry_out(terminal, &target, roster, &context, &plan).await;
    let sources = Some(&roster.sources);
    match arguments.view.format {
        Format::Text => terminal.result(&report::run::text(&plan, &report, sources, terminal.style()))?,
        Format::Markdown => terminal.result(&report::run::markdown(&plan, &report, sources))?,
        Format::Json => report::run::json(&plan, &report, sources, std::io::stdout().lock())?,
    }
    Ok(if report.is_success() {
        Exit::Done
    } else if report.wrote_anything() {
        Exit::Unconfirmed
    } else {
        Exit::Error
    })
}

async fn carry_out(
    terminal: Terminal,
    target: &Target,
    roster: &Roster,
    context: &Context,
    plan: &Plan,
) -> RunReport {
    let stop = CancellationToken::new();
    let signals = tokio::spawn(stop_on_signals(terminal, stop.clone()));
    let (timed_out, stop_in_time) = (target.timed_out(), stop.clone());
    let timer = tokio::spawn(async move {
        timed_out.await;
        terminal.status("\nThe time is up: changes under way are finished, no more are started.\n");
        stop_in_time.cancel();
    });
    let writer = Writer::new(target.reader().clone());
    let bar = terminal.bar(plan.changeset.changes.len() as u64);
    let run = Run { reader: target.reader(), writer: &writer, roster, context, stop };
    let report = run
        .carry_out(plan, |event| match event {
            Event::Started(_) => {}
            Event::Finished(outcome) => {
                let line = report::run::line(plan, outcome, terminal.error_style());
                bar.suspend(|| terminal.status(&line));
                bar.inc(1);
            }
            Event::ReadingBack => bar.set_message("reading back"),
            Event::Waiting { missing } => {
                bar.set_message(format!("reading back, {missing} not to be seen yet"));
            }
        })
        .await;
    bar.finish_and_clear();
    signals.abort();
    timer.abort();
    report
}

/// The first signal lets what is under way end and starts nothing more; the second ends the process at once.
async fn stop_on_signals(terminal: Terminal, stop: CancellationToken) {
    signalled().await;
    terminal.status(
        "\nStopping: changes under way are finished, no more are started. Interrupt again to abort.\n",
    );
    stop.cancel();
    signalled().await;
    terminal.status("\nAborted. What was under way may or may not have reached Slack; plan again to see.\n");
    #[expect(clippy::exit, reason = "the person asked twice, and nothing here is worth waiting for")]
    std::process::exit(Exit::Unconfirmed as i32);
}
