//! Reading a roster: YAML text in, a [`Roster`] or all of its mistakes out.
//!
//! Flow: each file becomes parser events (`yaml`), each entry of its lists a small tree, each tree a draft
//! (`people`, `groups`, `policy`); when all files have been read, the drafts are compared with each other
//! (`check`). A mistake never ends this, except that nothing is read of a file after a place where its YAML breaks.
//!
//! Guarantees: time in proportion to the text; memory in proportion to the text and to [`Roster`] itself; a
//! mistake is reported once, and not again by what follows from it.
//!
//! The parser's events are used directly rather than through serde, which stops at a file's first type error.

mod check;
mod codes;
mod fields;
mod file;
mod findings;
mod groups;
mod limits;
mod lines;
mod names;
mod node;
pub(crate) mod people;
pub(crate) mod policy;
mod references;
mod scalars;
mod syntax;
mod watch;
mod yaml;

pub use codes::CODES;
pub use limits::{MAX_FILE_BYTES, MAX_TOTAL_BYTES};

use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{Source, Sources};
use crate::roster::Roster;
use file::{Gathered, beginning};
use findings::Findings;
use node::Budget;

/// A roster that can be used.
#[derive(Debug)]
pub struct Loaded {
    /// The roster.
    pub roster: Roster,
    /// What its author should know, sorted by place; none of it is an error.
    pub warnings: Vec<Diagnostic>,
}

/// A roster that cannot be used, and everything that is wrong with it.
#[derive(Debug, thiserror::Error)]
#[error("the roster has {} mistake(s)", .diagnostics.iter().filter(|d| d.severity == Severity::Error).count())]
pub struct Rejected {
    /// The files, which the places of the diagnostics refer to: those of the roster, then the policy file.
    pub sources: Sources,
    /// The mistakes and warnings, sorted by place. At least one is an error.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a roster from its files, in the order in which they are to be read, and from the policy file if there is one
/// (its own document: the keys of `policy` at the top level, and `version` if wanted).
///
/// # Errors
/// When anything is wrong with the roster. All mistakes are reported, up to a thousand.
pub fn load(files: Vec<Source>, policy: Option<Source>) -> Result<Loaded, Box<Rejected>> {
    let mut findings = Findings::default();
    let mut sources = Sources::default();
    let roster_files = files.len();
    let has_policy_file = policy.is_some();
    for source in files.into_iter().chain(policy) {
        sources.push(source);
    }

    let total: usize = sources.iter().map(|(_, source)| source.text.len()).sum();
    if total > MAX_TOTAL_BYTES {
        let message =
            format!("the roster's files have {total} bytes together; at most {MAX_TOTAL_BYTES} are allowed");
        findings.error(codes::TOO_LARGE, beginning(crate::SourceId(0)), message, "none of them was read");
        return Err(Box::new(Rejected { sources, diagnostics: findings.into_sorted() }));
    }

    let mut gathered = Gathered::default();
    let mut budget = Budget::default();
    for (id, source) in sources.iter().take(roster_files) {
        file::roster_file(id, source, &mut gathered, &mut findings, &mut budget);
    }
    if let (true, Some((id, source))) = (has_policy_file, sources.iter().last()) {
        file::policy_file(id, source, &mut gathered, &mut findings, &mut budget);
    }
    let roster = check::check(gathered, &mut findings);

    let is_rejected = findings.has_errors();
    let diagnostics = findings.into_sorted();
    if is_rejected {
        return Err(Box::new(Rejected { sources, diagnostics }));
    }
    Ok(Loaded { roster: Roster { sources, ..roster }, warnings: diagnostics })
}
