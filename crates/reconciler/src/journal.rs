//! The journal of runs: written while a run goes on, read for `history`, `revert` and limits over time.
//!
//! # What it promises
//! * A record of intent is on disk before its request is sent; a run whose journal fails sends nothing more.
//! * [`Course`] alone says which record may follow which, to the writer and to the reader.
//! * A machine that dies at any instant leaves a journal that can be read and appended to.
//!
//! # What it is not
//! No run needs it: the roster and the service are all that the next run goes by. It is not a log for debugging either.

mod course;
mod file;
mod history;
mod recent;
mod recorder;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::journal::Record;
use std::io;

pub use course::{Course, Illegal};
pub use file::{
    FileJournal, MAX_FILE_BYTES, OpenError, ReadFileError, WriteRecord, is_being_written, read_file,
};
pub use history::{JournalError, read};
pub use model::journal::{History, PastChange, PastEnd, PastRun};
pub use recent::recent;
pub(crate) use recorder::Recorder;

/// Where records go.
pub trait Journal: Send + Sync {
    /// Appends records, and returns when they are on disk.
    ///
    /// # Errors
    /// When they may not be there. A run then stops.
    fn append(&self, records: &[Record]) -> io::Result<()>;
}

/// How a run is recorded.
#[derive(Clone)]
pub struct Journaled<'a> {
    /// Where its records go.
    pub journal: &'a dyn Journal,
    /// The run's name, unique in its journal: [`run_id`].
    pub run: Box<str>,
    /// Whether a person let the plan pass limits that it is above.
    pub approved: bool,
    /// The run that this one undoes.
    pub undoes: Option<Box<str>>,
    /// Tells the time of a record.
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
}

/// A name for a run that begins at `now`: `20261123T144619Z-7f3a`. Names sort by time; `chance` keeps two runs of one
/// second apart, in its lowest 16 bits.
pub fn run_id(now: Timestamp, chance: u64) -> Box<str> {
    let time = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
    format!("{time}-{:04x}", chance & 0xffff).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_sort_by_time_and_are_short() {
        let at = |second| run_id(Timestamp::constant(second, 0), 0x1_7f3a);
        assert_eq!(&*at(1_795_445_179), "20261123T144619Z-7f3a");
        assert!(at(1_795_445_179) < at(1_795_445_180));
        assert!(at(0) < at(1_795_445_179));
    }
}
