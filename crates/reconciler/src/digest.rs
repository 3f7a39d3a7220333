//! SHA-256 digests of what a plan was made from and of the plan itself (design §5).

use crate::snapshot::Content;
use model::change::Change;
use model::directory::Directory;
use model::place::Sources;
use model::plan::{Encoded, FORMAT};
use model::roster::Roster;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::io::{self, BufWriter, Write as _};

/// The digests of what a plan is made from.
pub(crate) struct Ground {
    /// [`of_roster`].
    pub(crate) roster: String,
    /// Of the directory, by its [`Content`].
    pub(crate) directory: String,
}

impl Ground {
    pub(crate) fn of(roster: &Roster, directory: &Directory) -> Self {
        Self { roster: of_roster(&roster.sources), directory: of_json(&Content(directory)) }
    }
}

/// The digest of a roster's files: their texts in order. How the files are called does not matter.
pub fn of_roster(sources: &Sources) -> String {
    let mut hasher = Sha256::new();
    for (_, source) in sources.iter() {
        // The length keeps two files apart from one that holds both.
        hasher.update((source.text.len() as u64).to_be_bytes());
        hasher.update(source.text.as_bytes());
    }
    hex(&hasher.finalize())
}

/// The digest of anything by its JSON form.
pub fn of_json(value: &impl Serialize) -> String {
    let mut hasher = Sha256::new();
    // JSON comes in scraps, and hashing takes blocks.
    let mut sink = BufWriter::with_capacity(16 << 10, HashWriter(&mut hasher));
    // Hashing cannot fail, and none of our types fails to serialise; a failure would only shorten what is hashed.
    if let Err(error) =
        serde_json::to_writer(&mut sink, value).map_err(io::Error::from).and_then(|()| sink.flush())
    {
        tracing::error!(%error, "a digest is incomplete");
    }
    drop(sink);
    hex(&hasher.finalize())
}

/// The digest of a plan: format version, workspace, and of every change method, path, body, before and after.
pub fn of_plan<'a>(
    workspace: Option<&str>,
    changes: impl Iterator<Item = (&'a Change, &'a Encoded)>,
) -> String {
    let mut hasher = Sha256::new();
    let mut part = |json: String| {
        hasher.update((json.len() as u64).to_be_bytes());
        hasher.update(json.as_bytes());
    };
    part(serde_json::json!([FORMAT, workspace]).to_string());
    for (change, encoded) in changes {
        let request = &encoded.request;
        part(request.method.as_str().to_owned());
        part(request.path.clone());
        part(request.body.as_ref().map_or_else(String::new, |body| canonical(body.get())));
        part(serde_json::Value::Object(change.before()).to_string());
        part(serde_json::Value::Object(change.after()).to_string());
    }
    hex(&hasher.finalize())
}

/// A body without what two writers of the same JSON may write differently: white space and escapes.
pub(crate) fn canonical(body: &str) -> String {
    serde_json::from_str::<serde_json::Value>(body)
        .map_or_else(|_| body.to_owned(), |value| value.to_string())
}

struct HashWriter<'h>(&'h mut Sha256);

impl io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let written = write!(text, "{byte:02x}");
        debug_assert!(written.is_ok(), "writing to a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::place::Source;

    #[test]
    fn a_roster_cut_differently_into_files_has_another_digest_and_a_renamed_file_has_the_same() {
        let sources = |files: &[(&str, &str)]| {
            let mut all = Sources::default();
            for (path, text) in files {
                all.push(Source { path: (*path).into(), text: (*text).into() });
            }
            of_roster(&all)
        };
        assert_eq!(sources(&[("a", "xy")]), sources(&[("b", "xy")]));
        assert_ne!(sources(&[("a", "xy")]), sources(&[("a", "x"), ("b", "y")]));
    }
}
