//! Carrying out a plan at a terminal: asking first, showing what goes on, ending when told to.

use super::signalled;
use crate::failure::{Exit, Failure};
use crate::target::Target;
use crate::terminal::{Terminal, unless_unread};
use model::Dialect;
use model::plan::{Outcome, Plan};
use model::run::RunReport;
use reconciler::guard::WrongDigest;
use reconciler::journal::Journaled;
use reconciler::run::{Event, Goal, Run, Stop};
use reconciler::schedule::Timeline;
use scim_adapter::Writer;
use std::io;

/// Asks a person whether the plan may be applied; `None` when nobody is there.
pub(super) fn ask(terminal: Terminal, plan: &Plan) -> io::Result<Option<bool>> {
    let question = match plan.changeset.changes.len() {
        1 => "\nApply this change?".to_owned(),
        changes => format!("\nApply these {changes} changes?"),
    };
    terminal.ask(&question)
}

/// Carries out a plan and reads back. Shows each change as it ends; stops on signals and when the time is up.
pub(super) async fn carry_out(
    terminal: Terminal,
    target: &Target,
    goal: &dyn Goal,
    journal: Option<Journaled<'_>>,
    plan: &Plan,
) -> RunReport {
    let stop = Stop::default();
    let signals = tokio::spawn(stop_on_signals(terminal, stop.clone()));
    let (timed_out, stop_in_time) = (target.timed_out(), stop.clone());
    let timer = tokio::spawn(async move {
        timed_out.await;
        terminal.status("\nThe time is up: changes under way are finished, no more are started.\n");
        stop_in_time.time_is_up();
    });
    let writer = Writer::new(target.reader().clone());
    let bar = terminal.bar(plan.changeset.changes.len() as u64);
    // Only Slack's limits are known.
    let timeline =
        (plan.dialect == Dialect::Slack).then(|| Timeline::of(plan, target.reader().pacer().budget()));
    let time_left = |over: usize| {
        let left = timeline.as_ref().map(|timeline| timeline.left_after(over).as_secs());
        left.filter(|left| *left > 0).map(report::run::time_left).unwrap_or_default()
    };
    let mut over = 0;
    bar.set_message(time_left(over));
    let run = Run { reader: target.reader(), writer: &writer, goal, journal, stop };
    let report = run
        .carry_out(plan, |event| match event {
            Event::Started(_) => {}
            Event::Finished(outcome) => {
                let line = report::run::line(plan, outcome, terminal.error_style());
                bar.suspend(|| terminal.status(&line));
                bar.inc(1);
                over += 1;
                bar.set_message(time_left(over));
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

/// The digest that was approved is not that of this plan. Where no guard blocks the plan, none is what stops it.
pub(super) fn not_approved(plan: &Plan, wrong: WrongDigest) -> Failure {
    let (exit, hint) = if plan.outcome() == Outcome::Block {
        let own = &plan.digest;
        let hint = format!(
            "nothing was changed; look at this plan, and if it is to pass, approve it by its own digest: --approve {own}"
        );
        (Exit::Blocked, hint)
    } else {
        (
            Exit::Usage,
            "nothing was changed; no guard blocks this plan: look at it, and leave --approve out".to_owned(),
        )
    };
    Failure { exit, error: wrong.into(), hint: Some(hint) }
}

/// The plan is to be carried out, and nobody could read it. Who cannot be shown what will be done has not agreed to it.
pub(super) fn unseen(error: io::Error) -> Failure {
    Failure::from(anyhow::Error::from(error).context("the plan could not be shown"))
        .hint("nothing was changed: what nobody can read beforehand is not done")
}

/// How a command ends that has carried out a plan and `printed` what came of it. It tells of the run, whether or not that
/// could be read.
pub(super) fn end_of(report: &RunReport, printed: io::Result<()>) -> super::Outcome {
    let exit = if report.is_success() {
        Exit::Done
    } else if report.wrote_anything() {
        Exit::Unconfirmed
    } else {
        Exit::Error
    };
    unless_unread(printed).map(|()| exit).map_err(|error| {
        let error = anyhow::Error::from(error).context("the report of the run could not be printed");
        Failure { exit: exit.or_error(), error, hint: None }
    })
}

/// The first signal lets what is under way end and starts nothing more; the second ends the process at once.
async fn stop_on_signals(terminal: Terminal, stop: Stop) {
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
