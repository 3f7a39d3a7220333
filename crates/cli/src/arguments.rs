//! The command line, as typed.

use crate::failure::Exit;
use clap::builder::styling::{AnsiColor, Styles};
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::Dialect;
use report::harmless;
use scim_adapter::Budget;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use url::Url;

/// Slack's people and groups as code.
///
/// A YAML roster under review states who is in the workspace and in which groups. rosterctl reads the live state over
/// SCIM 2.0, shows the smallest ordered set of changes that makes Slack match, and applies it: from a pull request,
/// on merge, or by hand.
#[derive(Debug, Parser)]
#[command(name = "rosterctl", version, max_term_width = 100, styles = STYLES, after_help = AFTER_HELP)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) output: OutputArguments,
}

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const AFTER_HELP: &str = "\
Exit codes:
  0   done
  1   error, or the person said no
  2   changes are pending (only with `plan --detailed-exitcode`)
  3   blocked by a guard
  4   something was written and not all of it is confirmed
  5   the saved plan is stale: nothing was written
  64  wrong usage

Try it without Slack:
  rosterctl apply examples/acme --simulate examples/acme/slack.json";

/// How things are shown, for every command.
#[derive(Debug, Args)]
pub(crate) struct OutputArguments {
    /// When to use colour; `auto` means on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: ColorChoice,
    /// Log what is done to stderr; twice for every request. `RUST_LOG` overrides it.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ColorChoice {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check a roster and report every mistake in it; needs no network and no token.
    Validate(ValidateArguments),
    /// Show what would be changed, and change nothing.
    Plan(PlanArguments),
    /// Show what would be changed, ask, and change it.
    Apply(ApplyArguments),
    /// Make Slack match the roster again and again, until told to end.
    Daemon(DaemonArguments),
    /// Show the runs that a journal holds.
    History(HistoryArguments),
    /// Show what would undo a run of a journal, ask, and do it.
    Revert(RevertArguments),
    /// Write the live state to a file, for `plan --against`.
    Snapshot(SnapshotArguments),
    /// Serve a simulator of Slack's SCIM service.
    Sim(SimArguments),
    /// Print the JSON Schema of a roster, for editors.
    Schema,
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// Print the manual page, in roff; `rosterctl man | man -l -` shows it.
    Man,
}

impl Command {
    /// Leaves the journal out where the command runs against a simulator: a variable names it for the runs on the real
    /// service, and a rehearsal is none of these.
    fn rehearse_without_journal(&mut self) {
        let (target, journal) = match self {
            Self::Plan(arguments) => (&arguments.target, &mut arguments.journal),
            Self::Apply(arguments) => (&arguments.target, &mut arguments.journal),
            Self::Daemon(arguments) => (&arguments.target, &mut arguments.journal),
            Self::Revert(arguments) => (&arguments.target, &mut arguments.journal),
            _ => return,
        };
        if target.simulate.is_some() {
            journal.journal = None;
        }
    }
}

/// Which roster.
#[derive(Debug, Args)]
pub(crate) struct RosterArguments {
    /// The roster: a YAML file, or a folder whose *.yaml and *.yml files are read as one.
    #[arg(value_name = "ROSTER")]
    pub(crate) roster: PathBuf,
    /// Read the policy from this file instead of the roster, so that it can have reviewers of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

/// Slack's own address.
pub(crate) const DEFAULT_TARGET: &str = "https://api.slack.com/scim/v2";

/// Which service.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArguments {
    /// The SCIM 2.0 service; plain http:// is accepted for loopback addresses only.
    #[arg(long, value_name = "URL", default_value = DEFAULT_TARGET)]
    pub(crate) target: Url,
    /// How the service speaks: `slack`, or `rfc` for any service that keeps to RFC 7643 and 7644.
    #[arg(long, value_enum, default_value_t = DialectChoice::Slack)]
    pub(crate) dialect: DialectChoice,
    /// Read the token from this file instead of the variable `SLACK_SCIM_TOKEN`.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file besides the system's.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Give up after this long, such as `90s` or `2h`: reading is abandoned, and a run starts no further change. Changes
    /// under way, with the waits that the service asks for, and the reading back are still brought to their end. The time
    /// in which a question waits for its answer does not count. There is no limit without: a first import may honestly take hours under Slack's limits.
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<humantime::Duration>,
    /// The share of Slack's rate limits to use; the rest is left to other SCIM apps of the organisation.
    #[arg(long, value_name = "PERCENT", default_value = "100%", value_parser = budget)]
    pub(crate) budget: Budget,
    /// Run against a simulator of Slack inside this process, seeded from FILE (a seed or a snapshot); needs no token.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "token_file", "ca_file"])]
    pub(crate) simulate: Option<PathBuf>,
}

/// A share such as `50%`.
fn budget(text: &str) -> Result<Budget, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.parse().ok());
    percent.and_then(Budget::percent).ok_or_else(|| "expected a percentage from 1% to 100%".to_owned())
}

/// A digest in full: somebody else could make a plan whose digest begins like it.
fn digest(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_owned())
    } else {
        Err("the digest of a plan has 64 hexadecimal digits, and all are needed")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectChoice {
    Slack,
    Rfc,
}

impl From<DialectChoice> for Dialect {
    fn from(choice: DialectChoice) -> Self {
        match choice {
            DialectChoice::Slack => Self::Slack,
            DialectChoice::Rfc => Self::Rfc,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs; docs/plan-format.md describes it.
    Json,
    /// For a pull-request comment.
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct ValidateArguments {
    #[command(flatten)]
    pub(crate) roster: RosterArguments,
    /// How to print what was found.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: FindingsFormat,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum FindingsFormat {
    /// For people: each mistake with its line underlined.
    #[default]
    Text,
    /// For programs.
    Json,
    /// For a pull-request comment.
    Markdown,
}

#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    #[command(flatten)]
    pub(crate) roster: RosterArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// Plan against a snapshot instead of a live service; needs no network and no token.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "dialect", "token_file", "ca_file", "timeout", "simulate"])]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) narrow: NarrowArguments,
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// Save the plan in this file, for `apply --plan`; readable by its owner only. A link is followed, and nothing but a
    /// file is replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) journal: JournalArguments,
    /// End with 2 when there are changes and with 0 only when there are none.
    #[arg(long)]
    pub(crate) detailed_exitcode: bool,
}

/// How a plan is shown.
#[derive(Debug, Args)]
pub(crate) struct ViewArguments {
    /// How to print the plan and, where it is applied, what came of it.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
    /// Show each resource as a unified diff.
    #[arg(long)]
    pub(crate) diff: bool,
    /// Show every change, however many there are.
    #[arg(long)]
    pub(crate) full: bool,
}

/// Whom a plan is about.
#[derive(Debug, Args)]
pub(crate) struct NarrowArguments {
    /// Narrow the plan to this user or group, by userName, e-mail, id or displayName, and to what it needs; may be
    /// repeated. Guards stay in force.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArguments {
    #[command(flatten)]
    pub(crate) roster: RosterArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[command(flatten)]
    pub(crate) narrow: NarrowArguments,
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    /// Apply this saved plan: exactly its changes, and only if each of them still fits what is there. Does not ask.
    #[arg(long, value_name = "FILE", conflicts_with = "only")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
    #[command(flatten)]
    pub(crate) journal: JournalArguments,
}

/// What lets a plan be applied.
#[derive(Debug, Args)]
pub(crate) struct ConsentArguments {
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Let the plan with this digest pass the limits that it is above, this once. Never passes `deleteGroups`, `protect`,
    /// a wrong workspace, a broken source, or doubts about who somebody is. A plan with another digest is not applied.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub(crate) approve: Option<String>,
}

/// Where runs are recorded.
#[derive(Debug, Args)]
pub(crate) struct JournalArguments {
    /// The journal of runs: what is done is appended, and what its runs of the last 24 hours did counts towards the
    /// limits. A plan only reads it. With --simulate, one that the variable names is left alone.
    #[arg(long, value_name = "FILE", env = "ROSTERCTL_JOURNAL")]
    pub(crate) journal: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DaemonArguments {
    #[command(flatten)]
    pub(crate) roster: RosterArguments,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// How long to pause between two rounds, such as `10m`; some of it by chance, so that daemons do not march in step.
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    pub(crate) interval: humantime::Duration,
    /// Plan every round and write nothing.
    #[arg(long)]
    pub(crate) observe: bool,
    #[command(flatten)]
    pub(crate) journal: JournalArguments,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// The journal.
    #[arg(value_name = "JOURNAL")]
    pub(crate) journal: PathBuf,
    /// Show this run change by change instead of the last one.
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct RevertArguments {
    /// The journal that holds the run. What undoes it is recorded there as well, unless --journal names another.
    #[arg(value_name = "JOURNAL")]
    pub(crate) journal_to_undo: PathBuf,
    /// The roster whose policy, protection and unmanaged people bound what may be undone; the default policy without.
    #[arg(value_name = "ROSTER")]
    pub(crate) roster: Option<PathBuf>,
    /// Read the policy from this file instead of the roster.
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Undo this run instead of the last one that changed anything and was not itself to undo another.
    #[arg(long, value_name = "ID")]
    pub(crate) run: Option<String>,
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    #[command(flatten)]
    pub(crate) view: ViewArguments,
    #[command(flatten)]
    pub(crate) consent: ConsentArguments,
    #[command(flatten)]
    pub(crate) journal: JournalArguments,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// The file to write; standard output if there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Hide e-mail addresses, postal addresses, phones and photos. A roster can still be planned against the file: people
    /// are found by hashes of their addresses, and what else is hidden is taken to be as the roster says.
    #[arg(long)]
    pub(crate) redact: bool,
}

#[derive(Debug, Args)]
#[command(after_long_help = crate::simulator::switches_help())]
pub(crate) struct SimArguments {
    /// The loopback address to listen on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: std::net::SocketAddr,
    /// What the simulated workspace holds at first (a seed or a snapshot); empty without.
    #[arg(long, value_name = "FILE")]
    pub(crate) seed: Option<PathBuf>,
    /// Keep what happens in this file, and go on from it the next time.
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// The only bearer token to accept; any is good without.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
    /// Be a plain RFC 7643/7644 server instead of Slack.
    #[arg(long)]
    pub(crate) rfc: bool,
    /// Turn a switch, see below; may be repeated.
    #[arg(long = "set", value_name = "NAME=VALUE")]
    pub(crate) switches: Vec<String>,
}

impl Arguments {
    /// Reads the process's arguments; prints help or complains and ends the process where that is called for.
    pub(crate) fn read() -> Self {
        match Self::try_read() {
            Ok(arguments) => arguments,
            Err(error) => {
                // Nothing can be done about a closed stream at this point.
                let code = if error.use_stderr() {
                    drop(complain(&error));
                    Exit::Usage as i32
                } else {
                    drop(error.print());
                    0
                };
                // clap's own code for wrong usage is 2, which means pending changes here.
                std::process::exit(code)
            }
        }
    }

    fn try_read() -> Result<Self, clap::Error> {
        let matches = Self::command().try_get_matches()?;
        let mut arguments =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut Self::command()))?;
        let given = matches.subcommand().map(|(_, given)| given);
        if given.is_some_and(|given| {
            given.try_contains_id("journal").is_ok()
                && given.value_source("journal") == Some(ValueSource::EnvVariable)
        }) {
            arguments.command.rehearse_without_journal();
        }
        Ok(arguments)
    }

    /// The definition that help, completions and the manual page are made from.
    pub(crate) fn definition() -> clap::Command {
        Self::command()
    }
}

/// Says what is wrong with the command line. It repeats what was typed, which a script may have taken from the name of a
/// file or a branch: where that could act, it is shown without colour, line by line, as other names are.
fn complain(error: &clap::Error) -> io::Result<()> {
    let is_plain =
        |argument: OsString| argument.to_str().is_some_and(|text| harmless::terminal(text) == text);
    if std::env::args_os().all(is_plain) {
        return error.print();
    }
    let shown: String = error
        .render()
        .to_string()
        .lines()
        .flat_map(|line| [harmless::terminal(line), "\n".to_owned()])
        .collect();
    io::stderr().lock().write_all(shown.as_bytes())
}
