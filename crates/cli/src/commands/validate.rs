//! `rosterctl validate`.

use super::{Outcome, leave, read_files};
use crate::arguments::{FindingsFormat, ValidateArguments};
use crate::failure::Exit;
use crate::terminal::{Terminal, unless_unread};
use model::load::{Loaded, Rejected};
use model::place::Sources;
use model::{Diagnostic, Roster};

pub(super) fn run(terminal: Terminal, arguments: &ValidateArguments) -> Outcome {
    match read_files(&arguments.roster)?.load() {
        Ok(Loaded { roster, warnings }) => {
            show(terminal, arguments.format, &warnings, &roster.sources)?;
            if arguments.format == FindingsFormat::Text {
                unless_unread(terminal.result(&summary(&roster)))?;
            }
            leave(roster);
            Ok(Exit::Done)
        }
        Err(rejected) => {
            let Rejected { sources, diagnostics } = *rejected;
            show(terminal, arguments.format, &diagnostics, &sources)?;
            Ok(Exit::Error)
        }
    }
}

fn show(
    terminal: Terminal,
    format: FindingsFormat,
    list: &[Diagnostic],
    sources: &Sources,
) -> Result<(), std::io::Error> {
    unless_unread(match format {
        FindingsFormat::Text => {
            terminal.status(&report::diagnostics(list, sources, terminal.error_style()));
            Ok(())
        }
        FindingsFormat::Markdown => terminal.result(&report::diagnostics_markdown(list, sources)),
        FindingsFormat::Json => report::diagnostics_json(list, sources, std::io::stdout().lock()),
    })
}

fn summary(roster: &Roster) -> String {
    let people = roster.users.len();
    let people = format!("{people} {}", if people == 1 { "person" } else { "people" });
    match roster.groups.as_ref().map(Vec::len) {
        None => format!("The roster is valid: {people}, groups not managed.\n"),
        Some(1) => format!("The roster is valid: {people} and 1 group.\n"),
        Some(groups) => format!("The roster is valid: {people} and {groups} groups.\n"),
    }
}
