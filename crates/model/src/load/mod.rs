//! Reading a roster: YAML text in, a [`Roster`] or all of its mistakes out.
//!
//! Flow: each file becomes parser events (`yaml`), each entry of its lists a small tree, each tree a draft
//! (`people`, `groups`, `policy`); when all files have been read, the drafts are compared with each other
//! (`check`). Files are read beside each other (`parallel`) and put together in their order. A mistake never ends this, except that nothing is read of a file after a place where its YAML breaks.
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
mod parallel;
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
use crate::policy::Policy;
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

/// Reads a policy file alone, where there is no roster.
///
/// # Errors
/// When anything is wrong with it. All mistakes are reported, up to a thousand.
pub fn load_policy(file: Source) -> Result<(Policy, Sources), Box<Rejected>> {
    let mut findings = Findings::default();
    let mut sources = Sources::default();
    let id = sources.push(file);
    let mut gathered = Gathered::default();
    if let Some(source) = sources.get(id) {
        file::policy_file(id, source, &mut gathered, &mut findings, &mut Budget::default());
    }
    if findings.has_errors() {
        return Err(Box::new(Rejected { sources, diagnostics: findings.into_sorted() }));
    }
    Ok((gathered.policy.unwrap_or_default(), sources))
}

/// Reads a roster from its files, in the order in which they are to be read, and from the policy file if there is one
/// (its own document: the keys of `policy` at the top level, and `version` if wanted).
///
/// # Errors
/// When anything is wrong with the roster. All mistakes are reported, up to a thousand.
pub fn load(files: Vec<Source>, policy: Option<Source>) -> Result<Loaded, Box<Rejected>> {
    let threads = parallel::threads(&files);
    load_on(threads, files, policy)
}

/// [`load`], so many files at a time.
fn load_on(threads: usize, files: Vec<Source>, policy: Option<Source>) -> Result<Loaded, Box<Rejected>> {
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
    let files: Vec<_> = sources.iter().take(roster_files).collect();
    parallel::roster_files(&files, threads, &mut gathered, &mut findings, &mut budget);
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What files of a roster may hold: what one says bears upon another, and mistakes come in any number.
    const PIECES: &[&str] = &[
        "users:\n- {userName: ada, email: ada@a.example, manager: bob}\n",
        "users:\n- {userName: bob, email: bob@a.example, title: \"🎉\"}\n",
        "users:\n- {userName: Ada, email: ada2@a.example}\n- {userName: 'b b', email: b}\n",
        "users:\n- {email: nobody@a.example, shoeSize: 3}\n",
        "groups:\n- {displayName: eng, members: [ada, bob, carol, eve]}\n",
        "groups:\n- {displayName: ops, members: [eve, ada, ada]}\n",
        "groups:\n- {displayName: Eng, members: [bob]}\n",
        "workspace: acme\n",
        "policy: {emailDomains: [a.example]}\n",
        "policy: {limits: {createUsers: many}}\n",
        "defaults: {manager: bob, title: x}\n",
        "users: 3\n",
        "a: [\n",
    ];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn however_many_files_are_read_at_a_time_the_outcome_is_the_same(
            files in prop::collection::vec((any::<bool>(), prop::collection::vec(0..PIECES.len(), 0..3), 0..400_usize), 1..8),
            threads in 2..5_usize,
        ) {
            let files: Vec<Source> = files.iter().enumerate().map(|(at, (version, pieces, mistakes))| {
                let mut text = String::from(if *version { "version: 1\n" } else { "version: 2\n" });
                text.extend(pieces.iter().map(|piece| PIECES[*piece]));
                if *mistakes > 300 {
                    text.extend((0..*mistakes).map(|at| format!("key{at}: 0\n")));
                }
                Source { path: format!("{at}.yaml"), text }
            }).collect();
            let one = load_on(1, files.clone(), None);
            let several = load_on(threads, files, None);
            prop_assert_eq!(format!("{one:?}"), format!("{several:?}"));
        }
    }
}
