//! The commands, one file each, and what several of them share.

mod apply;
mod carry_out;
mod daemon;
mod history;
mod plan;
mod revert;
pub(crate) mod sim;
mod snapshot;
mod validate;

use crate::arguments::{Arguments, Command, Format, RosterArguments};
use crate::failure::{Exit, Failure};
use crate::secret;
use crate::terminal::{Terminal, unless_unread};
use anyhow::Context as _;
use clap_complete::generate;
use model::Diagnostic;
use model::load::{Loaded, Rejected};
use model::place::Sources;
use model::roster::Roster;
use reconciler::source::{Files, SourceError};
use std::process::ExitCode;

/// What a command comes to.
type Outcome = Result<Exit, Failure>;

/// Runs the command that was asked for.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let terminal = Terminal::new(&arguments.output);
    secret::remember(&arguments.command);
    let outcome = match arguments.command {
        Command::Validate(arguments) => validate::run(terminal, &arguments),
        Command::Plan(arguments) => plan::run(terminal, &arguments),
        Command::Apply(arguments) => apply::run(terminal, &arguments),
        Command::Daemon(arguments) => daemon::run(terminal, &arguments),
        Command::History(arguments) => history::run(terminal, &arguments),
        Command::Revert(arguments) => revert::run(terminal, &arguments),
        Command::Snapshot(arguments) => snapshot::run(terminal, &arguments),
        Command::Sim(arguments) => sim::run(terminal, &arguments),
        Command::Schema => schema(terminal),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            generate(shell, &mut Arguments::definition(), "rosterctl", &mut script);
            print_bytes(terminal, &script)
        }
        Command::Man => manual(terminal),
    };
    outcome.unwrap_or_else(|failure| terminal.fail(&failure)).into()
}

fn schema(terminal: Terminal) -> Outcome {
    let text = serde_json::to_string_pretty(&model::schema::json_schema())?;
    unless_unread(terminal.result(&(text + "\n")))?;
    Ok(Exit::Done)
}

fn manual(terminal: Terminal) -> Outcome {
    let mut page = Vec::new();
    clap_mangen::Man::new(Arguments::definition()).render(&mut page)?;
    print_bytes(terminal, &page)
}

fn print_bytes(terminal: Terminal, bytes: &[u8]) -> Outcome {
    unless_unread(terminal.result(&String::from_utf8_lossy(bytes)))?;
    Ok(Exit::Done)
}

/// Leaves what a command has worked with to the end of the process, which frees it at once; piece by piece, a roster of
/// 100,000 people takes a tenth of the time in which it was read.
fn leave<T>(what: T) {
    std::mem::forget(what);
}

/// The files that a roster's arguments name.
fn read_files(arguments: &RosterArguments) -> Result<Files, SourceError> {
    secret::read_files(&arguments.roster, arguments.policy.as_deref())
}

/// Loads a roster and tells its warnings; all its mistakes, and then a failure, if it has any.
fn load_roster(terminal: Terminal, format: Format, arguments: &RosterArguments) -> Result<Roster, Failure> {
    match read_files(arguments)?.load() {
        Ok(Loaded { roster, warnings }) => {
            terminal.status(&report::diagnostics(&warnings, &roster.sources, terminal.error_style()));
            Ok(roster)
        }
        Err(rejected) => Err(mistaken(terminal, format, *rejected)?),
    }
}

/// Shows the mistakes of a roster that cannot be used; the failure that they are.
fn mistaken(terminal: Terminal, format: Format, rejected: Rejected) -> std::io::Result<Failure> {
    let Rejected { sources, diagnostics } = rejected;
    show_mistakes(terminal, format, &diagnostics, &sources)?;
    Ok(anyhow::anyhow!("the roster has mistakes; nothing was read from Slack and nothing was changed").into())
}

/// Tells people on stderr why there is no plan. Who asked for another form than text reads stdout, and finds the same
/// there in that form.
fn show_mistakes(
    terminal: Terminal,
    format: Format,
    list: &[Diagnostic],
    sources: &Sources,
) -> std::io::Result<()> {
    terminal.status(&report::diagnostics(list, sources, terminal.error_style()));
    unless_unread(match format {
        Format::Text => Ok(()),
        Format::Markdown => terminal.result(&report::diagnostics_markdown(list, sources)),
        Format::Json => report::diagnostics_json(list, sources, std::io::stdout().lock()),
    })
}

/// A runtime for the commands that talk to a service.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    // Two threads, so that an embedded simulator answers while the client computes.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    Ok(runtime.context("cannot start the asynchronous runtime")?)
}

/// Waits for somebody to ask for an end: Ctrl-C or, as process managers and CI runners do it, SIGTERM.
async fn signalled() {
    #[cfg(unix)]
    if let Ok(mut signal) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        tokio::select! {
            _ = signal.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        return;
    }
    drop(tokio::signal::ctrl_c().await);
}
