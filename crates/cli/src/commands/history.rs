//! `rosterctl history`.

use super::Outcome;
use crate::arguments::{Format, HistoryArguments};
use crate::failure::{Exit, Failure};
use crate::journal::read_existing;
use crate::terminal::{Terminal, unless_unread};
use reconciler::journal::is_being_written;
use report::history::{self, Shown};
use std::io::{BufWriter, Write as _};

pub(super) fn run(terminal: Terminal, arguments: &HistoryArguments) -> Outcome {
    let path = &arguments.journal;
    // Looked at before the records: a run that ends in between has its end in them.
    let is_going_on = is_being_written(path);
    let history = read_existing(path)?;
    let run = match &arguments.run {
        None => history.runs.last(),
        Some(id) => Some(history.runs.iter().find(|run| *run.id == **id).ok_or_else(|| {
            Failure::from(anyhow::anyhow!("the journal has no run {id:?}"))
                .hint("without --run, all its runs are listed")
        })?),
    };
    let shown = Shown { history: &history, run, is_going_on };
    unless_unread(match arguments.format {
        Format::Text => terminal.result(&history::text(&shown, terminal.style())),
        Format::Markdown => terminal.result(&history::markdown(&shown)),
        Format::Json => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            history::json(&shown, &mut out).and_then(|()| out.flush())
        }
    })?;
    Ok(Exit::Done)
}
