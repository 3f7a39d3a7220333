//! The command line, as typed.

use crate::failure::Exit;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use model::Dialect;
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

/// Which service.
#[derive(Debug, Args)]
#[command(next_help_heading = "Target")]
pub(crate) struct TargetArguments {
    /// The SCIM 2.0 service; plain http:// is accepted for loopback addresses only.
    #[arg(long, value_name = "URL", default_value = "https://api.slack.com/scim/v2")]
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
    /// Give up after this long, such as `90s` or `2h`: a read is abandoned, and a run starts no further change. There is
    /// no limit without: a first import may honestly take hours under Slack's limits.
    #[arg(long, value_name = "DURATION")]
    pub(crate) timeout: Option<humantime::Duration>,
    /// Run against a simulator of Slack inside this process, seeded from FILE (a seed or a snapshot); needs no token.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["target", "token_file", "ca_file"])]
    pub(crate) simulate: Option<PathBuf>,
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
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SnapshotArguments {
    #[command(flatten)]
    pub(crate) target: TargetArguments,
    /// The file to write; standard output if there is none.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
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
        match Self::try_parse() {
            Ok(arguments) => arguments,
            Err(error) => {
                let code = if error.use_stderr() { Exit::Usage as i32 } else { 0 };
                // Nothing can be done about a closed stream at this point.
                drop(error.print());
                // clap's own code for wrong usage is 2, which means pending changes here.
                std::process::exit(code)
            }
        }
    }

    /// The definition that help, completions and the manual page are made from.
    pub(crate) fn definition() -> clap::Command {
        Self::command()
    }
}
