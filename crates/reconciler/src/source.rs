//! Reading a roster's files.

use model::load::{self, Loaded, MAX_FILE_BYTES, MAX_TOTAL_BYTES, Rejected};
use model::place::Source;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Why a roster's files could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The operating system refused.
    #[error("cannot read {path}: {error}")]
    Io {
        /// What was to be read.
        path: String,
        /// What the operating system says.
        error: io::Error,
    },
    /// A folder without a single roster file.
    #[error("{0} holds no *.yaml or *.yml file")]
    NoFiles(String),
    /// Not text.
    #[error("{0} is not UTF-8 text")]
    NotText(String),
    /// Larger than any roster should be.
    #[error("{path} is larger than {} MiB, more than rosterctl reads", limit / (1 << 20))]
    TooLarge {
        /// The file or folder.
        path: String,
        /// The most it may have, in bytes.
        limit: usize,
    },
    /// Folders nested beyond any reason, or links that lead in a circle.
    #[error("{0} is nested too deeply")]
    TooDeep(String),
}

/// The files that a roster is made of, as they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The roster's own.
    pub roster: Vec<Source>,
    /// The policy, where it comes from a file of its own.
    pub policy: Option<Source>,
}

impl Files {
    /// Reads a roster and its policy file.
    ///
    /// # Errors
    /// As [`read_roster`].
    pub fn read(roster: &Path, policy: Option<&Path>) -> Result<Self, SourceError> {
        Ok(Self { roster: read_roster(roster)?, policy: policy.map(read_file).transpose()? })
    }

    /// The roster that they make.
    ///
    /// # Errors
    /// As [`load::load`].
    pub fn load(self) -> Result<Loaded, Box<Rejected>> {
        load::load(self.roster, self.policy)
    }
}

/// How deep folders may be nested below the roster's. Deeper is a mistake or a circle of links.
const MAX_DEPTH: usize = 32;

/// Reads the roster at `path`: a file, or every `*.yaml` and `*.yml` below a folder, in the byte order of their paths.
/// Parts of a path that begin with a dot are passed over, links to files are followed (design §3, "A folder").
///
/// # Errors
/// When anything cannot be read, is not UTF-8, or exceeds [`MAX_FILE_BYTES`] or, all together, [`MAX_TOTAL_BYTES`].
pub fn read_roster(path: &Path) -> Result<Vec<Source>, SourceError> {
    let metadata = fs::metadata(path).map_err(|error| io_error(path, error))?;
    let files = if metadata.is_dir() {
        let mut files = Vec::new();
        collect(path, 0, &mut files)?;
        files.sort();
        if files.is_empty() {
            return Err(SourceError::NoFiles(path.display().to_string()));
        }
        files
    } else {
        vec![path.to_path_buf()]
    };
    let mut total = 0;
    let mut sources = Vec::with_capacity(files.len());
    for file in files {
        let source = read_file(&file)?;
        total += source.text.len();
        if total > MAX_TOTAL_BYTES {
            return Err(SourceError::TooLarge { path: path.display().to_string(), limit: MAX_TOTAL_BYTES });
        }
        sources.push(source);
    }
    Ok(sources)
}

/// Reads one file as text.
///
/// # Errors
/// As [`read_roster`].
pub fn read_file(path: &Path) -> Result<Source, SourceError> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| io_error(path, error))?;
    // What a device or a growing file says of its size is not believed, only allowed for: one byte more shows the end.
    let size = file.metadata().map_or(0, |metadata| metadata.len()).min(MAX_FILE_BYTES as u64);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    // Reading stops just past the limit, so that a device or a growing file cannot fill the memory.
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| io_error(path, error))?;
    if bytes.len() > MAX_FILE_BYTES {
        return Err(SourceError::TooLarge { path: name, limit: MAX_FILE_BYTES });
    }
    let text = String::from_utf8(bytes).map_err(|_| SourceError::NotText(name.clone()))?;
    Ok(Source { path: name, text })
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), SourceError> {
    if depth > MAX_DEPTH {
        return Err(SourceError::TooDeep(folder.display().to_string()));
    }
    for entry in fs::read_dir(folder).map_err(|error| io_error(folder, error))? {
        let entry = entry.map_err(|error| io_error(folder, error))?;
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let kind = entry.file_type().map_err(|error| io_error(&path, error))?;
        if kind.is_dir() {
            collect(&path, depth + 1, files)?;
        } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            // A link to a folder is passed over: only links to files are followed.
            let metadata = fs::metadata(&path).map_err(|error| io_error(&path, error))?;
            if metadata.is_file() {
                files.push(path);
            }
        }
    }
    Ok(())
}

fn io_error(path: &Path, error: io::Error) -> SourceError {
    SourceError::Io { path: path.display().to_string(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_read_in_path_order_without_hidden_parts_and_other_files() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        for name in ["b.yaml", "a/z.yml", ".git/config.yaml", "a/.hidden.yaml", "notes.md"] {
            write(name);
        }
        let texts: Vec<_> = read_roster(folder.path()).unwrap().into_iter().map(|s| s.text).collect();
        assert_eq!(texts, ["a/z.yml", "b.yaml"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_are_followed_and_links_to_folders_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        fs::write(elsewhere.path().join("people"), "linked").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("people"), folder.path().join("people.yaml"))
            .unwrap();
        std::os::unix::fs::symlink(folder.path(), folder.path().join("circle")).unwrap();
        let texts: Vec<_> = read_roster(folder.path()).unwrap().into_iter().map(|s| s.text).collect();
        assert_eq!(texts, ["linked"]);
    }

    #[test]
    fn an_empty_folder_a_missing_file_and_bytes_that_are_no_text_are_errors_that_name_the_path() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read_roster(folder.path()), Err(SourceError::NoFiles(_))));
        let file = folder.path().join("r.yaml");
        assert!(read_roster(&file).unwrap_err().to_string().contains("r.yaml"));
        fs::write(&file, b"\xff\xfe").unwrap();
        assert!(matches!(read_roster(&file), Err(SourceError::NotText(_))));
    }
}
