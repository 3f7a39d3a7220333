//! Reading a journal.

use super::course::{Course, Illegal};
use model::journal::{EndingKind, Event, FORMAT, History, PastChange, PastEnd, PastRun, Record};
use serde::Deserialize;
use serde_json::Map;
use std::collections::HashMap;

/// Why a journal cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// The very first line is no record.
    #[error("not a journal of rosterctl: line 1 is not a record ({0})")]
    NotAJournal(String),
    /// A line is of another version.
    #[error("line {line}: the journal's version is {version}, and this rosterctl reads version {FORMAT}")]
    Version {
        /// The line, from 1.
        line: usize,
        /// What it says.
        version: u64,
    },
    /// A line is no record. Only a last line, or one before the beginning of a run, may be cut short.
    #[error("line {line}: not a record ({why})")]
    Malformed {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
    /// A record may not stand where it does.
    #[error("line {line}: {why}")]
    Illegal {
        /// The line, from 1.
        line: usize,
        /// Why not.
        why: Illegal,
    },
}

/// Reads a journal. The memory it takes is proportional to its length.
///
/// Lines that are cut short are passed over where writers that died can have left them: at the very end, or right before
/// the beginning of a run.
///
/// # Errors
/// With the number of the first line that is not a record of this version or may not stand where it does. A journal that
/// was edited is not to be trusted in part.
pub fn read(journal: impl AsRef<[u8]>) -> Result<History, JournalError> {
    let mut reading = Reading::default();
    let lines = journal.as_ref().split(|byte| *byte == b'\n').enumerate();
    for (at, line) in lines.map(|(at, line)| (at + 1, line.trim_ascii())) {
        if !line.is_empty() {
            reading.line(at, line)?;
        }
    }
    reading.history.torn = reading.torn.is_some();
    Ok(reading.history)
}

#[derive(Default)]
struct Reading {
    course: Course,
    history: History,
    /// Where the changes of the last run stand, by their numbers.
    positions: HashMap<usize, usize>,
    /// A line that is cut short, after which only the beginning of a run may come.
    torn: Option<(usize, String)>,
}

/// What any version of a record says of itself.
#[derive(Deserialize)]
struct Head {
    v: u64,
}

impl Reading {
    fn line(&mut self, at: usize, line: &[u8]) -> Result<(), JournalError> {
        let record = match parse(at, line) {
            Ok(record) => record,
            // Several in a row where several writers died while they wrote the beginning of a run.
            Err(Unread::Torn(why)) => {
                self.torn.get_or_insert((at, why));
                return Ok(());
            }
            Err(Unread::Error(error)) => return Err(error),
        };
        if let Some((line, why)) = self.torn.take()
            && !matches!(record.event, Event::Begin { .. })
        {
            return Err(JournalError::Malformed { line, why });
        }
        self.course.step(&record).map_err(|why| match why {
            Illegal::Version(version) => JournalError::Version { line: at, version: version.into() },
            why => JournalError::Illegal { line: at, why },
        })?;
        self.take(record);
        Ok(())
    }

    /// Takes a record that is legal where it stands.
    fn take(&mut self, record: Record) {
        let Record { v: _, at, run: id, event } = record;
        if let Event::Begin { rosterctl, target, workspace, digest, approved, undoes, changes } = event {
            self.positions.clear();
            self.history.runs.push(PastRun {
                id,
                began: at,
                rosterctl,
                target,
                workspace,
                digest,
                approved,
                undoes,
                planned: changes,
                changes: Vec::new(),
                end: None,
            });
            return;
        }
        let Some(run) = self.history.runs.last_mut() else { return };
        match event {
            Event::Begin { .. } => {}
            Event::Intent { change: number, kind, target, name, before, after } => {
                self.positions.insert(number, run.changes.len());
                run.changes.push(PastChange {
                    number,
                    kind,
                    target,
                    name,
                    before,
                    after,
                    at,
                    ending: None,
                    detail: None,
                    created: None,
                });
            }
            Event::Skipped { change: number, kind, target, name, why } => {
                run.changes.push(PastChange {
                    number,
                    kind,
                    target,
                    name,
                    before: Map::new(),
                    after: Map::new(),
                    at,
                    ending: Some(EndingKind::Skipped),
                    detail: Some(why),
                    created: None,
                });
            }
            Event::Outcome { change, ending, detail, id } => {
                let position = self.positions.get(&change);
                if let Some(past) = position.and_then(|position| run.changes.get_mut(*position)) {
                    past.at = at;
                    past.ending = Some(ending);
                    past.detail = detail;
                    past.created = id.or(past.created.take());
                }
            }
            Event::End { success, read_back, stopped } => {
                run.end = Some(PastEnd { at, success, read_back, stopped });
            }
        }
    }
}

/// Why a line could not be read.
enum Unread {
    /// It begins like a record and is cut short.
    Torn(String),
    Error(JournalError),
}

fn parse(at: usize, line: &[u8]) -> Result<Record, Unread> {
    let error = match serde_json::from_slice::<Record>(line) {
        Ok(record) => return Ok(record),
        Err(error) => error,
    };
    if let Ok(Head { v: version }) = serde_json::from_slice(line)
        && version != u64::from(FORMAT)
    {
        return Err(Unread::Error(JournalError::Version { line: at, version }));
    }
    // A file system may have made the file longer and not have filled it when the machine died.
    let filled = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let filled = line.get(..filled).unwrap_or_default();
    let is_torn = filled.is_empty()
        || (filled.starts_with(b"{") && serde_json::from_slice::<Head>(filled).is_err_and(|e| e.is_eof()));
    // A record is a line of its own; which line of the journal it is stands elsewhere.
    let why = error.to_string().replace(" at line 1 column ", " at column ");
    Err(if is_torn {
        Unread::Torn(why)
    } else if at == 1 {
        Unread::Error(JournalError::NotAJournal(why))
    } else {
        Unread::Error(JournalError::Malformed { line: at, why })
    })
}
