//! A journal that is a file.

use super::history::{JournalError, read};
use super::{History, Journal};
use model::journal::{FORMAT, Record};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The longest journal that is read, in bytes: some 500,000 changes. Whoever has a longer one moves it away and begins a
/// new one.
pub const MAX_FILE_BYTES: u64 = 256 << 20;

/// Writes a record as one line of JSON. What keeps hostile names from acting when the file is shown is the business of
/// whoever knows how; no line break may come of it.
pub type WriteRecord = fn(&mut Vec<u8>, &Record) -> io::Result<()>;

/// A journal in a file, to which one process at a time appends.
///
/// # Guarantees
/// A file that it creates can be read by its owner only. Nothing that stands in the file is ever changed. While it is
/// open it is locked against other processes, as far as the file system knows locks. When [`Journal::append`] returns,
/// the records are on disk.
#[derive(Debug)]
pub struct FileJournal {
    write_record: WriteRecord,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Whether the file ends in the middle of a line.
    mid_line: bool,
    /// Whether a record may stand in the file that is not whole or not on disk.
    failed: bool,
}

/// Why a journal cannot be appended to.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder that is to hold it does not exist.
    #[error("its folder does not exist")]
    NoFolder,
    /// It is a folder, a device, or something else that keeps nothing.
    #[error("it is not a file")]
    NotAFile,
    /// Another process appends to it.
    #[error("another run is being recorded in it")]
    InUse,
    /// The file holds something else, or another version's journal.
    #[error("it is not a journal of this rosterctl's, and nothing was written to it")]
    NotAJournal,
    /// The operating system refuses.
    #[error("{0}")]
    Io(io::Error),
}

/// Why a file cannot be read as a journal.
#[derive(Debug, thiserror::Error)]
pub enum ReadFileError {
    /// The operating system refuses.
    #[error("{0}")]
    Io(io::Error),
    /// It is longer than [`MAX_FILE_BYTES`].
    #[error("it is longer than {} MiB, the most that is read: move it away, and a new one is begun", MAX_FILE_BYTES >> 20)]
    TooLong,
    /// It is no journal.
    #[error("{0}")]
    Journal(JournalError),
}

impl FileJournal {
    /// Opens the journal at `path` for appending; one that is not there is begun.
    ///
    /// # Errors
    /// When it cannot be opened for reading and writing, is in use, or is something else than a journal.
    pub fn open(path: &Path, write_record: WriteRecord) -> Result<Self, OpenError> {
        // Before it is opened: to open a pipe would wait for its reader.
        let is_new = match fs::metadata(path) {
            Ok(metadata) if !metadata.is_file() => return Err(OpenError::NotAFile),
            Ok(_) => false,
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            Err(error) => return Err(OpenError::Io(error)),
        };
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => OpenError::NoFolder,
            _ => OpenError::Io(error),
        })?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse,
            TryLockError::Error(error) => OpenError::Io(error),
        })?;
        if !begins_like_a_journal(&mut file).map_err(OpenError::Io)? {
            return Err(OpenError::NotAJournal);
        }
        let mid_line = ends_mid_line(&mut file).map_err(OpenError::Io)?;
        if is_new {
            sync_folder(path).map_err(OpenError::Io)?;
        }
        let state = Mutex::new(State { file, mid_line, failed: false });
        Ok(Self { write_record, state })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; if something did, `failed` says what is known.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for FileJournal {
    fn append(&self, records: &[Record]) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut state = self.state();
        if state.failed {
            return Err(io::Error::other("an earlier record could not be written"));
        }
        let mut lines = Vec::new();
        if state.mid_line {
            lines.push(b'\n');
        }
        for record in records {
            let start = lines.len();
            (self.write_record)(&mut lines, record)?;
            if lines.get(start..).unwrap_or_default().contains(&b'\n') {
                return Err(io::Error::other("a record would not be one line"));
            }
            lines.push(b'\n');
        }
        // What follows a record that is cut short would not be read.
        state.failed = true;
        state.file.write_all(&lines)?;
        state.file.sync_data()?;
        state.failed = false;
        state.mid_line = false;
        Ok(())
    }
}

/// Reads the journal at `path`; `None` when there is none.
///
/// # Errors
/// When the file cannot be read or is no journal.
pub fn read_file(path: &Path) -> Result<Option<History>, ReadFileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(ReadFileError::Io(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(ReadFileError::Io)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(ReadFileError::TooLong);
    }
    read(bytes).map(Some).map_err(ReadFileError::Journal)
}

/// Whether a process appends to the journal at `path` at this moment. Where that cannot be told, none does.
pub fn is_being_written(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Whether a file is empty or begins as every journal of this version does, perhaps cut short. Anything else is a file
/// that somebody named by mistake.
fn begins_like_a_journal(file: &mut File) -> io::Result<bool> {
    let start = format!("{{\"v\":{FORMAT},");
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    io::Read::by_ref(file).take(start.len() as u64).read_to_end(&mut head)?;
    Ok(start.as_bytes().starts_with(&head))
}

fn ends_mid_line(file: &mut File) -> io::Result<bool> {
    if file.seek(SeekFrom::End(0))? == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// Makes the name of a new file survive a crash, as the file's own flush does not.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
