//! Reading and writing files that matter.

use crate::failure::Failure;
use anyhow::Context as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Opens a file that can be read more than once. What comes through a pipe is put into a file without a name first, one
/// byte more than `limit` at the most: enough to see that it is too much.
pub(crate) fn open_rewindable(path: &Path, limit: u64) -> Result<File, Failure> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(context)?;
    if file.metadata().with_context(context)?.is_file() {
        return Ok(file);
    }
    let mut copy = tempfile::tempfile().with_context(context)?;
    io::copy(&mut file.take(limit + 1), &mut copy).with_context(context)?;
    Ok(copy)
}

/// Writes a file that is there whole or not at all, readable by its owner only: snapshots and
/// plans hold personal data. A link is followed, and what it leads to is replaced.
///
/// # Errors
/// When something else than a file stands in its place. A device or a pipe would otherwise be replaced by a file.
pub(crate) fn write_whole(
    path: &Path,
    content: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let path = place(path)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let file = tempfile::NamedTempFile::new_in(folder)?;
    let mut out = BufWriter::new(&file);
    content(&mut out)?;
    out.flush()?;
    drop(out);
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// Where the file is that a path names: there, or where a link leads.
fn place(path: &Path) -> io::Result<PathBuf> {
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(path.to_owned()),
        Err(error) => return Err(error),
    };
    if found.is_file() {
        return Ok(path.to_owned());
    }
    let nothing_there = || io::Error::new(io::ErrorKind::NotFound, "it is a link that leads nowhere");
    let real = fs::canonicalize(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => nothing_there(),
        _ => error,
    })?;
    if fs::metadata(&real)?.is_file() { Ok(real) } else { Err(io::Error::other("it is not a file")) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    use std::os::unix::net::UnixListener;

    fn write(path: &Path) -> io::Result<()> {
        write_whole(path, |out| out.write_all(b"new"))
    }

    #[test]
    fn follows_links_to_the_file_they_lead_to_and_keeps_them() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = elsewhere.path().join("file");
        fs::write(&file, "old").unwrap();
        let [far, near] = ["far", "near"].map(|name| folder.path().join(name));
        symlink(&file, &far).unwrap();
        symlink("far", &near).unwrap();
        write(&near).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(near.is_symlink() && far.is_symlink());
        fs::remove_file(&file).unwrap();
        assert_eq!(write(&near).unwrap_err().to_string(), "it is a link that leads nowhere");
        assert!(near.is_symlink() && fs::read_dir(folder.path()).unwrap().count() == 2);
    }

    #[test]
    fn replaces_nothing_that_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let [socket, link] = ["socket", "link"].map(|name| folder.path().join(name));
        let _listener = UnixListener::bind(&socket).unwrap();
        symlink(&socket, &link).unwrap();
        for path in [&*socket, &link, folder.path()] {
            assert_eq!(write(path).unwrap_err().to_string(), "it is not a file", "{}", path.display());
        }
        assert!(fs::symlink_metadata(&socket).unwrap().file_type().is_socket() && link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
