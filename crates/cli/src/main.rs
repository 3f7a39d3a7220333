//! `rosterctl`: Slack's people and groups as code.

#![forbid(unsafe_code)]

mod arguments;
mod commands;
mod failure;
mod file;
mod journal;
mod lock;
mod secret;
mod simulator;
mod target;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(arguments::Arguments::read())
}
