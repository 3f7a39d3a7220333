//! The journal that a command line names.

use crate::failure::Failure;
use anyhow::Context as _;
use jiff::Timestamp;
use reconciler::guard::Recent;
use reconciler::journal::{self, FileJournal, History, JournalError, Journaled, OpenError, ReadFileError};
use report::harmless;
use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;

/// A journal that one run is recorded in. While it is kept, no other process can append to the file.
pub(crate) struct Recording {
    journal: FileJournal,
    run: Box<str>,
}

/// How long a journal is when its history is read. The limits of a plan that was made on that history hold over time only
/// as long as nobody adds to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Length(u64);

impl Length {
    /// To be taken before the history is read.
    pub(crate) fn of(path: &Path) -> Self {
        Self(std::fs::metadata(path).map_or(0, |metadata| metadata.len()))
    }
}

/// Another run has been recorded since the journal was read.
#[derive(Debug, thiserror::Error)]
#[error("another run was recorded in the journal {0} while this one was planned")]
pub(crate) struct Overtaken(String);

impl Recording {
    /// Opens the journal, which was so long when it was read, and gives the run a name.
    pub(crate) fn open(path: &Path, seen: Length) -> Result<Self, Failure> {
        let journal = FileJournal::open(path, |out, record| harmless::write_json(out, record));
        let journal = journal.map_err(|error| {
            let hint = match &error {
                OpenError::NoFolder => "make the folder first",
                OpenError::NotAFile => "--journal names a file, which is made if it does not exist",
                OpenError::InUse => "wait until that run is over, or give this one a journal of its own",
                OpenError::NotAJournal => "give --journal another file, or move this one away",
                OpenError::Io(_) => "no run goes without the journal that it was given; nothing was changed",
            };
            let error =
                anyhow::Error::from(error).context(format!("cannot write the journal {}", path.display()));
            Failure::from(error).hint(hint)
        })?;
        // Nobody else can add to it from now on.
        if Length::of(path) != seen {
            return Err(Failure::from(anyhow::Error::from(Overtaken(path.display().to_string())))
                .hint("nothing was changed; run the same command again"));
        }
        // The operating system's source of chance has a part in it.
        let chance = RandomState::new().hash_one(0);
        Ok(Self { journal, run: journal::run_id(Timestamp::now(), chance) })
    }

    /// How the run is recorded.
    pub(crate) fn journaled(&self, approved: bool, undoes: Option<&str>) -> Journaled<'_> {
        Journaled {
            journal: &self.journal,
            run: self.run.clone(),
            approved,
            undoes: undoes.map(Into::into),
            clock: &Timestamp::now,
        }
    }
}

/// Reads the journal; `None` when there is none.
pub(crate) fn read(path: &Path) -> Result<Option<History>, Failure> {
    journal::read_file(path).map_err(|error| {
        let hint = match &error {
            ReadFileError::Journal(JournalError::NotAJournal(_)) => {
                Some("a journal is a file that `apply --journal FILE` has made")
            }
            ReadFileError::Journal(JournalError::Malformed { .. } | JournalError::Illegal { .. }) => {
                Some("rosterctl only ever appends to a journal; if somebody altered this one, move it away, and a new one is begun")
            }
            ReadFileError::Journal(JournalError::Version { .. }) | ReadFileError::Io(_) | ReadFileError::TooLong => {
                None
            }
        };
        let error = anyhow::Error::from(error).context(format!("cannot read the journal {}", path.display()));
        Failure { hint: hint.map(str::to_owned), ..Failure::from(error) }
    })
}

/// What the journal's runs of the last 24 hours did to a service; nothing without a journal.
pub(crate) fn recent(
    path: Option<&Path>,
    target: Option<&str>,
    workspace: Option<&str>,
    now: Timestamp,
) -> Result<Recent, Failure> {
    let history = path.map(read).transpose()?.flatten();
    Ok(history.map(|history| journal::recent(&history, target, workspace, now)).unwrap_or_default())
}

/// Reads a journal that must be there.
pub(crate) fn read_existing(path: &Path) -> Result<History, Failure> {
    read(path)?.with_context(|| format!("there is no journal {}", path.display())).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_run_goes_on_a_history_that_others_have_added_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let seen = Length::of(&path);
        assert!(Recording::open(&path, seen).is_ok(), "nobody has begun one");
        std::fs::write(&path, "{\"v\":1,").unwrap();
        let failure = Recording::open(&path, seen).err().unwrap();
        assert!(failure.error.is::<Overtaken>(), "{}", failure.sentence());
        assert!(Recording::open(&path, Length::of(&path)).is_ok());
    }
}
