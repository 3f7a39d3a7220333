//! The roster in force, and what its files say now.

use super::Environment;
use crate::digest;
use crate::source::{Files, SourceError};
use model::diagnostic::Diagnostic;
use model::load::{Loaded, Rejected};
use model::roster::Roster;
use std::time::Duration;
use tokio::time::sleep;

/// How long files that changed must stay as they are before they are taken. A pull, a sync or an editor writes one file
/// after the other, and what has been written so far may well be a roster, of fewer people.
const SETTLE: Duration = Duration::from_secs(1);

/// How often files that keep changing are looked at before that is reported.
const LOOKS: u32 = 10;

/// What is new about a roster.
#[derive(Debug)]
pub enum RosterNews<'a> {
    /// It is in force from now on.
    InForce {
        /// The roster.
        roster: &'a Roster,
        /// What its author should know.
        warnings: &'a [Diagnostic],
    },
    /// Its files cannot be used. The last good one stays in force.
    Broken(&'a Broken),
    /// Its files, which could not be used, say again what is in force.
    GoodAgain,
}

/// Why a roster's files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// They cannot be read.
    #[error("{0}")]
    Unreadable(SourceError),
    /// They hold mistakes.
    #[error("{0}")]
    Mistaken(Box<Rejected>),
    /// They never stayed the same for long enough to be taken.
    #[error("the roster's files keep changing")]
    Restless,
}

/// What looking at the files came to.
pub(super) enum Refreshed {
    /// Nothing that was not known.
    Same,
    /// Another roster is in force, with these warnings.
    Changed(Vec<Diagnostic>),
    /// The roster in force is what the files say again.
    GoodAgain,
    /// The files cannot be used, for a reason that was not known.
    Broken(Broken),
}

/// The roster in force, and what its files were when somebody looked last.
pub(super) struct Desired {
    roster: Roster,
    /// The digest of the files it was made of.
    in_force: String,
    seen: Seen,
}

/// What somebody who looks at the files sees, in little.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Files with this digest.
    Files(String),
    /// Why they cannot be read.
    Unreadable(String),
    /// Files that were still changing.
    Restless,
}

impl Desired {
    /// The roster as the files have it at the start.
    pub(super) fn first(environment: &mut impl Environment) -> Result<(Self, Vec<Diagnostic>), Broken> {
        let files = environment.files().map_err(Broken::Unreadable)?;
        let in_force = digest_of(&files);
        let Loaded { roster, warnings } = files.load().map_err(Broken::Mistaken)?;
        let seen = Seen::Files(in_force.clone());
        Ok((Self { roster, in_force, seen }, warnings))
    }

    pub(super) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Whether the files are not what they were.
    pub(super) fn has_moved(&self, environment: &mut impl Environment) -> bool {
        look(environment).0 != self.seen
    }

    /// Looks at the files and takes the roster that they make, if they make one.
    pub(super) async fn refresh(&mut self, environment: &mut impl Environment) -> Refreshed {
        let (mut seen, mut files) = look(environment);
        if seen == self.seen {
            return Refreshed::Same;
        }
        let mut looks = 1;
        loop {
            sleep(SETTLE).await;
            let again = look(environment);
            if again.0 == seen {
                break;
            }
            (seen, files) = again;
            looks += 1;
            if looks >= LOOKS {
                let known = self.seen == Seen::Restless;
                self.seen = Seen::Restless;
                return if known { Refreshed::Same } else { Refreshed::Broken(Broken::Restless) };
            }
        }
        if seen == self.seen {
            return Refreshed::Same;
        }
        let in_force = match &seen {
            Seen::Files(digest) => digest.clone(),
            Seen::Unreadable(_) | Seen::Restless => String::new(),
        };
        // Files that cannot be used have never been in force, so what was seen before these was of no use.
        let known = in_force == self.in_force;
        self.seen = seen;
        if known {
            return Refreshed::GoodAgain;
        }
        match files.map_err(Broken::Unreadable).and_then(|files| files.load().map_err(Broken::Mistaken)) {
            Ok(Loaded { roster, warnings }) => {
                (self.roster, self.in_force) = (roster, in_force);
                Refreshed::Changed(warnings)
            }
            Err(broken) => Refreshed::Broken(broken),
        }
    }
}

fn look(environment: &mut impl Environment) -> (Seen, Result<Files, SourceError>) {
    let files = environment.files();
    let seen = match &files {
        Ok(files) => Seen::Files(digest_of(files)),
        Err(error) => Seen::Unreadable(error.to_string()),
    };
    (seen, files)
}

/// Paths count, since messages name them.
fn digest_of(files: &Files) -> String {
    let Files { roster, policy } = files;
    let roster: Vec<_> = roster.iter().map(|source| (&source.path, &source.text)).collect();
    digest::of_json(&(roster, policy.as_ref().map(|source| (&source.path, &source.text))))
}
