//! What came of a plan when it was carried out.

use crate::change::ChangeId;
use std::fmt;

/// How one change of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeOutcome {
    /// The change.
    pub change: ChangeId,
    /// How it ended.
    pub ending: Ending,
}

/// The ways in which a change can end (design §6, "Nothing hidden").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// The service's answer shows what the change was to bring about.
    Took {
        /// What had to be done differently from the plan's first choice: the fallback that was sent, a member left out.
        remark: Option<String>,
    },
    /// The service accepted it, and what it brings about is not to be seen yet (sheet S13: deactivation has a delay).
    Pending {
        /// What is awaited.
        what: String,
    },
    /// The service answered with success, and nothing changed.
    WithoutEffect {
        /// What did not change.
        what: String,
    },
    /// The service refused it, or no answer could be had.
    Refused {
        /// The reason, for people: status, the service's code, what to do.
        why: String,
        /// Whether the service may have carried out some of it all the same: then it is in doubt rather than refused.
        may_have_written: bool,
    },
    /// It was not tried, because something it needs failed or the run was stopped.
    Skipped {
        /// The reason, for people.
        why: String,
    },
}

impl Ending {
    /// Whether any of it may have been written.
    pub fn may_have_written(&self) -> bool {
        match self {
            Self::Took { .. } | Self::Pending { .. } | Self::WithoutEffect { .. } => true,
            Self::Refused { may_have_written, .. } => *may_have_written,
            Self::Skipped { .. } => false,
        }
    }
}

/// What reading back showed after the last write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadBack {
    /// The directory now matches the roster.
    InSync,
    /// It does not, and these changes would still be needed: one line each, for people.
    Differs(Vec<String>),
    /// It could not be read, and why.
    Unknown(String),
}

/// A run from its first write to its read-back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunReport {
    /// How each change ended, in the order of the changeset.
    pub outcomes: Vec<ChangeOutcome>,
    /// What reading back showed.
    pub read_back: ReadBack,
    /// Why it started no further change before all had had their turn, if it did not.
    pub stopped: Option<Stopped>,
    /// How long it took, in seconds.
    pub seconds: u64,
}

/// Why a run started no further change (design §6, "Nothing hidden").
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// Somebody asked for it.
    OnRequest,
    /// The time that it was given was up.
    TimedOut,
    /// An account turned inactive though nobody asked for it. Those who are updated after it may be next.
    TurnedInactive {
        /// The userName, as the plan has it.
        name: Box<str>,
    },
    /// The service answered several changes with success and did not carry them out.
    WithoutEffect,
    /// What was done could not be recorded any more.
    JournalFailed {
        /// The reason, for people.
        why: String,
    },
}

impl ReadBack {
    /// Takes in what is not as it was to be, besides what is known of that.
    pub fn add(&mut self, line: String) {
        match self {
            Self::Differs(lines) => lines.push(line),
            Self::InSync => *self = Self::Differs(vec![line]),
            Self::Unknown(_) => {}
        }
    }
}

impl fmt::Display for Stopped {
    /// As a sentence without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OnRequest => f.write_str("the run was stopped on request"),
            Self::TimedOut => f.write_str("the run was stopped because its time was up"),
            Self::TurnedInactive { name } => {
                write!(f, "the run was stopped because {name:?} turned inactive though nobody asked for it")
            }
            Self::WithoutEffect => f.write_str(
                "the run was stopped because the service accepts changes without carrying them out",
            ),
            Self::JournalFailed { why } => {
                write!(f, "the run was stopped because its journal cannot be written: {why}")
            }
        }
    }
}

impl RunReport {
    /// Whether everything took, the directory matches the roster, and nothing stopped the run.
    pub fn is_success(&self) -> bool {
        self.stopped.is_none()
            && self.read_back == ReadBack::InSync
            && self.outcomes.iter().all(|o| matches!(o.ending, Ending::Took { .. } | Ending::Pending { .. }))
    }

    /// Whether anything may have been written.
    pub fn wrote_anything(&self) -> bool {
        self.outcomes.iter().any(|outcome| outcome.ending.may_have_written())
    }
}
