//! One run at a time: two on one machine against one service exclude each other.
//!
//! A lock is the operating system's (`flock` on Unix), on a file in the folder for temporary files, so that it ends with
//! the process however that ends, and nobody ever has to remove a stale one. That folder is everybody's, and so is care:
//! nothing in it is believed, followed or overwritten that this program did not put there.

use crate::failure::Failure;
use jiff::{Timestamp, TimestampRound, Unit};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::{self, Write as _};
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// The most that is read of what a holder left in its file; it writes less than a hundred bytes.
const HOLDER_BYTES: u64 = 1_024;

/// How often a file is opened anew that was taken away between looking and locking.
const TRIES: u32 = 10;

/// The right to be the only one who plans and writes; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Shared on the service where the roster names a workspace, else exclusive.
    service: Held,
    /// Exclusive on the workspace at the service.
    workspace: Option<Held>,
}

/// Why a lock cannot be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LockError {
    /// Somebody else has it.
    #[error("another run against {target} is in progress{}", .holder.as_ref().map(|h| format!(" ({h})")).unwrap_or_default())]
    Held {
        /// The service.
        target: String,
        /// Who, where they could say so.
        holder: Option<Holder>,
    },
    /// The file cannot be used.
    #[error("cannot lock {}", path.display())]
    Io {
        /// The lock's file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        error: io::Error,
    },
    /// Something else is where the file should be.
    #[error("cannot lock {}: it is not a plain file that belongs to nothing else", .0.display())]
    NotAFile(PathBuf),
}

impl LockError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Held { .. } => "nothing was changed; wait for it to end, or end it",
            Self::Io { .. } => {
                "locks are kept in the folder for temporary files; TMPDIR may name another one, the same for everybody who \
                 runs rosterctl on this machine"
            }
            Self::NotAFile(_) => {
                "somebody has put something else in the place of a lock; find out who, and remove it"
            }
        }
    }
}

/// Who holds a lock, as they say themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pid: u32,
    command: String,
    since: Timestamp,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, command, since } = self;
        let whole = since.round(TimestampRound::new().smallest(Unit::Second)).unwrap_or(*since);
        write!(f, "pid {pid}, `{command}`, since {whole}")
    }
}

impl Lock {
    /// Takes the lock of a service for `command`, or says who has it. Does not wait.
    ///
    /// Slack has one address for all workspaces. Runs that name different workspaces may therefore go on side by side;
    /// a run that names none excludes every other one against the service.
    pub(crate) fn take(
        target: &str,
        workspace: Option<&str>,
        command: &'static str,
    ) -> Result<Self, LockError> {
        Self::take_in(&std::env::temp_dir(), target, workspace, command)
    }

    /// The same for a command that ends where it cannot be had. A simulator inside the process, which has no URL, is
    /// nobody else's.
    pub(crate) fn take_or_fail(
        target: Option<&str>,
        workspace: Option<&str>,
        command: &'static str,
    ) -> Result<Option<Self>, Failure> {
        let take = |target| {
            Self::take(target, workspace, command).map_err(|error| {
                let hint = error.hint();
                Failure::from(error).hint(hint)
            })
        };
        target.map(take).transpose()
    }

    fn take_in(
        folder: &Path,
        target: &str,
        workspace: Option<&str>,
        command: &'static str,
    ) -> Result<Self, LockError> {
        let target = target.trim_end_matches('/');
        let lock = |key: &str, sharing| Held::take(&folder.join(name_of(key)), sharing, target, command);
        match workspace {
            None => Ok(Self { service: lock(target, Sharing::Exclusive)?, workspace: None }),
            Some(workspace) => {
                let service = lock(target, Sharing::Shared)?;
                // A target holds no fragment, so that no other target has this key.
                let key = format!("{target}#{}", workspace.to_lowercase());
                Ok(Self { service, workspace: Some(lock(&key, Sharing::Exclusive)?) })
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.service.sign_off();
        if let Some(workspace) = &mut self.workspace {
            workspace.sign_off();
        }
    }
}

/// The file's name. A digest, since a URL may hold anything and be of any length.
fn name_of(key: &str) -> String {
    let digest = Sha256::digest(key.as_bytes());
    let mut name = String::from("rosterctl-");
    for byte in digest.iter().take(16) {
        let written = write!(name, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
    }
    name + ".lock"
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Shared,
    Exclusive,
}

/// A locked file.
#[derive(Debug)]
struct Held {
    file: File,
    /// Whether this process may say in the file who it is.
    signed: bool,
}

impl Held {
    fn take(path: &Path, sharing: Sharing, target: &str, command: &'static str) -> Result<Self, LockError> {
        let failed = |error| LockError::Io { path: path.to_owned(), error };
        for _ in 0..TRIES {
            let Some((mut file, writable)) = open(path)? else { continue };
            let locked = match sharing {
                Sharing::Shared => file.try_lock_shared(),
                Sharing::Exclusive => file.try_lock(),
            };
            match locked {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let target = target.to_owned();
                    return Err(LockError::Held { target, holder: read_holder(&mut file) });
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // A lock on a file that is no longer the one of this name would keep nobody out.
            if !is_still(path, &file).map_err(failed)? {
                continue;
            }
            let mut held = Self { file, signed: false };
            // Several share a file that is locked so, and only one could say who it is.
            if writable && sharing == Sharing::Exclusive {
                held.signed = held.sign(command).is_ok();
            }
            return Ok(held);
        }
        Err(failed(io::Error::other("it is replaced again and again")))
    }

    /// Says who holds the lock, for whoever is kept out by it.
    fn sign(&mut self, command: &str) -> io::Result<()> {
        let holder = json!({ "pid": std::process::id(), "command": command, "since": Timestamp::now() });
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(holder.to_string().as_bytes())
    }

    /// Takes back what was said, so that nobody is blamed for the lock of one who cannot write here. The file stays:
    /// removing it would let two processes hold locks on two files of the same name.
    fn sign_off(&mut self) {
        if self.signed {
            drop(self.file.set_len(0));
        }
    }
}

/// Opens a lock's file, making it where there is none; also whether it can be written. `None` when it came or went
/// meanwhile.
///
/// Anybody may put anything in the way. A link is not followed, neither in making nor in opening; a pipe is not waited
/// for; and what has another name elsewhere is not written.
fn open(path: &Path) -> Result<Option<(File, bool)>, LockError> {
    let failed = |error| LockError::Io { path: path.to_owned(), error };
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return create(path).map_err(failed),
        Err(error) => return Err(failed(error)),
    };
    if !found.is_file() {
        return Err(LockError::NotAFile(path.to_owned()));
    }
    let (file, writable) = match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => (file, true),
        // It is another user's. A lock needs no right to write.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => match File::open(path) {
            Ok(file) => (file, false),
            Err(error) => return Err(failed(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let opened = file.metadata().map_err(failed)?;
    if !is_same(&found, &opened) {
        return Ok(None);
    }
    if has_other_names(&opened) {
        return Err(LockError::NotAFile(path.to_owned()));
    }
    Ok(Some((file, writable)))
}

/// Makes a lock's file; `None` when somebody else was faster.
fn create(path: &Path) -> io::Result<Option<(File, bool)>> {
    // This alone does not follow a link that leads nowhere.
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => {
            let_others_lock(&file)?;
            Ok(Some((file, true)))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lets other users open the file, whatever this user's mask: they must be kept out of the service, not of the lock.
#[cfg(unix)]
fn let_others_lock(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn let_others_lock(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Whether `path` still leads to this file.
fn is_still(path: &Path, file: &File) -> io::Result<bool> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(is_same(&found, &file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(unix)]
fn has_other_names(file: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    file.nlink() > 1
}

/// Elsewhere the folder for temporary files is each user's own, and an open file cannot be replaced.
#[cfg(not(unix))]
fn is_same(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

#[cfg(not(unix))]
fn has_other_names(_file: &Metadata) -> bool {
    false
}

/// Who holds a file's lock, where that can be told. Whoever may write the file may have written anything.
fn read_holder(file: &mut File) -> Option<Holder> {
    let mut text = String::new();
    file.take(HOLDER_BYTES).read_to_string(&mut text).ok()?;
    let said: Value = serde_json::from_str(&text).ok()?;
    let command = said.get("command")?.as_str()?;
    let plain = (1..=20).contains(&command.len()) && command.bytes().all(|b| b.is_ascii_lowercase());
    Some(Holder {
        pid: u32::try_from(said.get("pid")?.as_u64()?).ok()?,
        command: plain.then(|| command.to_owned())?,
        since: said.get("since")?.as_str()?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLACK: &str = "https://api.slack.com/scim/v2";

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn take(folder: &tempfile::TempDir, target: &str, workspace: Option<&str>) -> Result<Lock, LockError> {
        Lock::take_in(folder.path(), target, workspace, "apply")
    }

    #[track_caller]
    fn assert_held(result: Result<Lock, LockError>) -> Option<Holder> {
        match result {
            Err(LockError::Held { holder, .. }) => holder,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn excludes_the_same_workspace_and_whoever_names_none() {
        let folder = folder();
        let acme = take(&folder, SLACK, Some("acme")).unwrap();
        assert_held(take(&folder, SLACK, Some("acme")));
        assert_held(take(&folder, SLACK, Some("ACME")));
        assert_held(take(&folder, "https://api.slack.com/scim/v2/", Some("acme")));
        assert_held(take(&folder, SLACK, None));
        let globex = take(&folder, SLACK, Some("globex")).unwrap();
        drop(take(&folder, "https://scim.example/v2", None).unwrap());
        drop(acme);
        assert_held(take(&folder, SLACK, None));
        drop(globex);
        let any = take(&folder, SLACK, None).unwrap();
        assert_held(take(&folder, SLACK, Some("acme")));
        drop(any);
        drop(take(&folder, SLACK, Some("acme")).unwrap());
    }

    #[test]
    fn says_who_has_it_and_nobody_once_it_is_free() {
        let folder = folder();
        let first = take(&folder, SLACK, Some("acme")).unwrap();
        let error = take(&folder, SLACK, Some("acme")).unwrap_err().to_string();
        let who = format!(
            "another run against {SLACK} is in progress (pid {}, `apply`, since 20",
            std::process::id()
        );
        assert!(error.starts_with(&who), "{error}");
        drop(first);
        for file in fs::read_dir(folder.path()).unwrap() {
            assert_eq!(fs::read(file.unwrap().path()).unwrap(), b"");
        }
    }

    #[test]
    fn is_not_left_behind_by_a_holder_who_could_not_sign_off() {
        let folder = folder();
        let path = folder.path().join(name_of(SLACK));
        fs::write(&path, r#"{"pid":4000000,"command":"apply","since":"2026-01-01T00:00:00Z"}"#).unwrap();
        drop(take(&folder, SLACK, None).unwrap());
    }

    #[test]
    fn believes_nothing_that_stands_in_the_file() {
        let folder = folder();
        let path = folder.path().join(name_of(SLACK));
        let good = r#"{"pid":7,"command":"apply","since":"2026-01-01T00:00:00Z"}"#;
        fs::write(&path, good).unwrap();
        let held = File::open(&path).unwrap();
        held.lock().unwrap();
        assert_eq!(assert_held(take(&folder, SLACK, None)).unwrap().pid, 7);
        let many = "9".repeat(1 << 20);
        for bad in [
            "",
            "{",
            "[]",
            &many,
            r#"{"pid":-1,"command":"apply","since":"2026-01-01T00:00:00Z"}"#,
            r#"{"pid":7,"command":"apply`\u001b[2J","since":"2026-01-01T00:00:00Z"}"#,
            r#"{"pid":7,"command":"apply","since":"yesterday"}"#,
        ] {
            fs::write(&path, bad).unwrap();
            assert_eq!(assert_held(take(&folder, SLACK, None)), None, "{bad:.40}");
        }
    }

    #[cfg(unix)]
    mod unix {
        use super::*;
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        use std::os::unix::net::UnixListener;

        #[test]
        fn follows_no_link_and_writes_nothing_through_one() {
            let (folder, elsewhere) = (folder(), folder());
            let path = folder.path().join(name_of(SLACK));
            let precious = elsewhere.path().join("precious");
            fs::write(&precious, "content").unwrap();
            symlink(&precious, &path).unwrap();
            assert!(matches!(take(&folder, SLACK, None), Err(LockError::NotAFile(_))));
            fs::remove_file(&path).unwrap();
            symlink(elsewhere.path().join("nothing"), &path).unwrap();
            assert!(matches!(take(&folder, SLACK, None), Err(LockError::NotAFile(_))));
            assert!(!elsewhere.path().join("nothing").exists());
            fs::remove_file(&path).unwrap();
            fs::hard_link(&precious, &path).unwrap();
            assert!(matches!(take(&folder, SLACK, None), Err(LockError::NotAFile(_))));
            assert_eq!(fs::read_to_string(&precious).unwrap(), "content");
        }

        #[test]
        fn is_not_stopped_by_a_folder_or_a_socket_in_its_place() {
            let folder = folder();
            let path = folder.path().join(name_of(SLACK));
            fs::create_dir(&path).unwrap();
            assert!(matches!(take(&folder, SLACK, None), Err(LockError::NotAFile(_))));
            fs::remove_dir(&path).unwrap();
            // No program is started to make a pipe: it would hold the locks of the other tests until it runs.
            let _socket = UnixListener::bind(&path).unwrap();
            assert!(matches!(take(&folder, SLACK, None), Err(LockError::NotAFile(_))));
        }

        #[test]
        fn others_may_lock_what_one_user_made() {
            let folder = folder();
            let path = folder.path().join(name_of(SLACK));
            drop(take(&folder, SLACK, None).unwrap());
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }

        #[test]
        fn a_file_that_may_only_be_read_is_locked_all_the_same() {
            let folder = folder();
            let path = folder.path().join(name_of(SLACK));
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
            let lock = take(&folder, SLACK, None).unwrap();
            assert_held(take(&folder, SLACK, None));
            drop(lock);
        }

        #[test]
        fn a_file_that_was_replaced_is_not_taken_for_the_lock() {
            let folder = folder();
            let path = folder.path().join(name_of(SLACK));
            let file = File::create(&path).unwrap();
            assert!(is_still(&path, &file).unwrap());
            fs::remove_file(&path).unwrap();
            assert!(!is_still(&path, &file).unwrap());
            fs::write(&path, "").unwrap();
            assert!(!is_still(&path, &file).unwrap());
        }
    }
}
