//! The terminal: colour, what goes to which stream, progress, questions, logs.

use crate::arguments::{ColorChoice, OutputArguments};
use crate::failure::{Exit, Failure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::Severity;
use report::{Style, harmless};
use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// The process's standard streams and how to write to them. Results go to stdout; progress, questions, warnings and
/// errors to stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terminal {
    stdout: Style,
    stderr: Style,
    /// Whether progress can be shown.
    is_watched: bool,
    /// Whether to tell more than usual.
    pub(crate) verbose: bool,
}

impl Terminal {
    /// Looks at the streams and sets up logging.
    pub(crate) fn new(output: &OutputArguments) -> Self {
        let style = |is_terminal: bool| {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            match output.color {
                ColorChoice::Always => Style::Colour,
                ColorChoice::Auto if is_terminal && !plain => Style::Colour,
                ColorChoice::Auto | ColorChoice::Never => Style::Plain,
            }
        };
        let terminal = Self {
            stdout: style(io::stdout().is_terminal()),
            stderr: style(io::stderr().is_terminal()),
            is_watched: io::stderr().is_terminal(),
            verbose: output.verbose > 0,
        };
        let level = match output.verbose {
            // Libraries log errors that our own messages tell better.
            0 => "off,rosterctl=warn,reconciler=warn,scim_adapter=warn,slack_sim=warn",
            1 => "info",
            2 => "info,scim_adapter=debug,reconciler=debug",
            _ => "debug,scim_adapter=trace",
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(|| HarmlessLog)
            .with_ansi(false)
            .with_target(false)
            .init();
        terminal
    }

    /// How results are to look.
    pub(crate) fn style(self) -> Style {
        self.stdout
    }

    /// How what goes to stderr is to look.
    pub(crate) fn error_style(self) -> Style {
        self.stderr
    }

    /// Writes a result.
    #[allow(clippy::unused_self, reason = "only who holds the terminal may write to it")]
    pub(crate) fn result(self, text: &str) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }

    /// Writes to stderr. A closed stderr is no reason to end a run.
    #[allow(clippy::unused_self, reason = "only who holds the terminal may write to it")]
    pub(crate) fn status(self, text: &str) {
        drop(io::stderr().lock().write_all(text.as_bytes()));
    }

    /// Tells an error with its causes and what to do, and returns how the process is to end.
    pub(crate) fn fail(self, failure: &Failure) -> Exit {
        self.status(&report::message(Severity::Error, &failure.sentence(), self.stderr));
        if let Some(hint) = &failure.hint {
            self.status(&format!("  {}\n", harmless::terminal(hint)));
        }
        failure.exit
    }

    /// Whether somebody is there who could answer a question.
    pub(crate) fn is_attended(self) -> bool {
        io::stdin().is_terminal() && self.is_watched
    }

    /// Asks a question that only the word `yes` affirms. `None` when nobody is there to answer.
    pub(crate) fn ask(self, question: &str) -> io::Result<Option<bool>> {
        if !self.is_attended() {
            return Ok(None);
        }
        self.status(&format!("{question} Only 'yes' is accepted: "));
        let mut answer = String::new();
        io::stdin().lock().read_line(&mut answer)?;
        Ok(Some(answer.trim() == "yes"))
    }

    /// A line that shows that something is going on, on a terminal; nothing elsewhere.
    pub(crate) fn spinner(self, message: &'static str) -> ProgressBar {
        if !self.is_watched {
            return ProgressBar::hidden();
        }
        let spinner = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_message(message);
        spinner.enable_steady_tick(Duration::from_millis(120));
        spinner
    }

    /// A bar that counts to `length`, on a terminal; hidden elsewhere.
    pub(crate) fn bar(self, length: u64) -> ProgressBar {
        if !self.is_watched {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::stderr());
        let template = "{bar:30} {pos}/{len} changes, {elapsed} elapsed, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }
}

/// Passes over that nobody reads a result any more. For a command that has nothing left to do but to end as it would have:
/// `plan | head` is no failure, and a plan that is blocked is blocked whether or not it is read to its end.
pub(crate) fn unless_unread(printed: io::Result<()>) -> io::Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// The log, on stderr: an event to a line. Events repeat names, and what a service answered, as they came.
struct HarmlessLog;

impl Write for HarmlessLog {
    /// Takes one event, whole, as `tracing_subscriber` hands it over.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = harmless::terminal(text.trim_end_matches('\n')) + "\n";
        io::stderr().lock().write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
