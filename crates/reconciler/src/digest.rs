//! SHA-256 digests of what a plan was made from and of the plan itself (design §5).

use crate::snapshot::Content;
use model::change::{After, Before, Change};
use model::directory::Directory;
use model::place::Sources;
use model::plan::{FORMAT, Request};
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
    changes: impl Iterator<Item = (&'a Change, &'a Request)>,
) -> String {
    let mut digest = OfPlan::new(workspace);
    for (change, request) in changes {
        digest.add(change, request);
    }
    digest.finish()
}

/// [`of_plan`], change by change.
pub(crate) struct OfPlan {
    hasher: Sha256,
    part: Vec<u8>,
}

impl OfPlan {
    pub(crate) fn new(workspace: Option<&str>) -> Self {
        let mut digest = Self { hasher: Sha256::new(), part: Vec::new() };
        digest.json(&(FORMAT, workspace));
        digest
    }

    pub(crate) fn add(&mut self, change: &Change, request: &Request) {
        self.text(request.method.as_str());
        self.text(&request.path);
        self.text(request.body.as_ref().map_or("", |body| body.get()));
        self.json(&Before(change));
        self.json(&After(change));
    }

    pub(crate) fn finish(self) -> String {
        hex(&self.hasher.finalize())
    }

    fn json(&mut self, value: &impl Serialize) {
        let mut part = std::mem::take(&mut self.part);
        part.clear();
        if let Err(error) = serde_json::to_writer(&mut part, value) {
            tracing::error!(%error, "a digest is incomplete");
        }
        self.bytes(&part);
        self.part = part;
    }

    fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The length keeps two parts apart from others that read the same when joined.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hasher.update((bytes.len() as u64).to_be_bytes());
        self.hasher.update(bytes);
    }
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
