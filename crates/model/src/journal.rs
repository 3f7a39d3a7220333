//! The journal of runs: what was about to be done, and what came of it (design §6).
//!
//! A journal is JSON lines, one [`Record`] each, appended by one run after another (`docs/journal.md`). It is for audit,
//! for `revert`, and for limits that hold over several runs; a run itself never needs it. It holds what a roster holds,
//! names and addresses among them, and never a token. Which record may follow which is `reconciler::journal::Course`'s.

use crate::change::ChangeKind;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// The version of the journal's form, `docs/journal.md`. A reader refuses any other.
pub const FORMAT: u32 = 1;

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// [`FORMAT`].
    pub v: u32,
    /// When it was written.
    pub at: Timestamp,
    /// The run it belongs to.
    pub run: Box<str>,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What a line of a journal tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Event {
    /// A run begins. Nothing has been written to the service yet.
    Begin {
        /// The version of rosterctl.
        rosterctl: Box<str>,
        /// The service's URL; `None` for a simulator inside the process.
        target: Option<Box<str>>,
        /// The workspace the plan is for, if one is known.
        workspace: Option<Box<str>>,
        /// The digest of the plan.
        digest: Box<str>,
        /// Whether a person let this plan pass limits that it is above.
        approved: bool,
        /// The run that this one undoes.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        undoes: Option<Box<str>>,
        /// How many changes the plan has.
        changes: usize,
    },
    /// A change is about to be sent: from here on it may have happened.
    Intent {
        /// Its position in the plan, from 1.
        change: usize,
        /// What kind of change it is.
        kind: ChangeKind,
        /// The service's id of the resource; `@user:NAME` or `@group:NAME` for one that is created.
        target: Box<str>,
        /// The userName or displayName by which people know it.
        name: Box<str>,
        /// What holds before, by roster key, as in a plan.
        before: Map<String, Json>,
        /// What is to hold afterwards, by roster key, as in a plan.
        after: Map<String, Json>,
    },
    /// A change is over. One that was pending or had no effect may be told a second time: it took, as reading back has
    /// shown.
    Outcome {
        /// Its position in the plan, from 1.
        change: usize,
        /// How it ended; never [`EndingKind::Skipped`], which is an event of its own.
        ending: EndingKind,
        /// What there is to say of it.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        detail: Option<Box<str>>,
        /// The service's id of what a creation has created.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        id: Option<Box<str>>,
    },
    /// A change is not sent in this run.
    Skipped {
        /// Its position in the plan, from 1.
        change: usize,
        /// What kind of change it is.
        kind: ChangeKind,
        /// As in [`Event::Intent`].
        target: Box<str>,
        /// The userName or displayName by which people know it.
        name: Box<str>,
        /// Why not.
        why: Box<str>,
    },
    /// The run has come to its end and has read back.
    End {
        /// Whether everything took and the directory is as it was to be.
        success: bool,
        /// What reading back showed.
        read_back: ReadBackKind,
        /// Why the run started no further change before its end, if it did not.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        stopped: Option<Box<str>>,
    },
}

/// How a change ended, as [`crate::run::Ending`] has it. [`EndingKind::Doubtful`] is a refusal that may have written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum EndingKind {
    /// It is done.
    Took,
    /// It was accepted and is not to be seen yet.
    Pending,
    /// It was answered with success and did not happen.
    WithoutEffect,
    /// It was refused, and nothing of it happened.
    Refused,
    /// It failed, and some of it may have happened.
    Doubtful,
    /// It was never sent.
    Skipped,
}

/// What reading back showed, as [`crate::run::ReadBack`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReadBackKind {
    /// Everything is as it was to be.
    InSync,
    /// Something is not.
    Differs,
    /// The directory could not be read.
    Unknown,
}

/// A journal as it was read: its runs, oldest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct History {
    /// The runs, oldest first.
    pub runs: Vec<PastRun>,
    /// Whether the last line is cut short, as when a machine dies while it is written. What it was to say is not known.
    pub torn: bool,
}

/// A run as its journal tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct PastRun {
    /// Its name, unique in its journal.
    pub id: Box<str>,
    /// When it began.
    pub began: Timestamp,
    /// The version of rosterctl.
    pub rosterctl: Box<str>,
    /// The service's URL; `None` for a simulator inside the process.
    pub target: Option<Box<str>>,
    /// The workspace the plan was for, if one was known.
    pub workspace: Option<Box<str>>,
    /// The digest of the plan.
    pub digest: Box<str>,
    /// Whether a person let the plan pass limits that it was above.
    pub approved: bool,
    /// The run that this one undid.
    pub undoes: Option<Box<str>>,
    /// How many changes the plan had.
    pub planned: usize,
    /// The changes that were sent or skipped, in the order in which the journal has them.
    pub changes: Vec<PastChange>,
    /// How it ended; `None` when it was killed, or is not over.
    pub end: Option<PastEnd>,
}

/// One change of a past run.
#[derive(Debug, Clone, PartialEq)]
pub struct PastChange {
    /// Its position in the plan, from 1.
    pub number: usize,
    /// What kind of change it was.
    pub kind: ChangeKind,
    /// The service's id of the resource; `@user:NAME` or `@group:NAME` for one that the run created.
    pub target: Box<str>,
    /// The userName or displayName by which people knew it.
    pub name: Box<str>,
    /// What held before, by roster key, as in a plan. Empty for a change that was skipped.
    pub before: Map<String, Json>,
    /// What was to hold afterwards, by roster key, as in a plan. Empty for a change that was skipped.
    pub after: Map<String, Json>,
    /// When the journal last said something of it.
    pub at: Timestamp,
    /// How it ended; `None` when the run was killed while it was under way.
    pub ending: Option<EndingKind>,
    /// What there is to say of it.
    pub detail: Option<Box<str>>,
    /// The service's id of what a creation has created, where it is known.
    pub created: Option<Box<str>>,
}

/// How a run came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastEnd {
    /// When.
    pub at: Timestamp,
    /// Whether everything took, the directory was as it was to be, and nothing stopped the run.
    pub success: bool,
    /// What reading back showed.
    pub read_back: ReadBackKind,
    /// Why it started no further change before its end, if it did not.
    pub stopped: Option<Box<str>>,
}

impl PastRun {
    /// The service's ids of what it created, by `@user:NAME` and `@group:NAME`, as far as they are known.
    pub fn created(&self) -> HashMap<&str, &str> {
        let creations = self.changes.iter().filter(|change| change.creates());
        creations.filter_map(|change| Some((&*change.target, change.created.as_deref()?))).collect()
    }

    /// Whether anything of it may have reached the service.
    pub fn may_have_written(&self) -> bool {
        self.changes.iter().any(PastChange::may_have_happened)
    }
}

impl PastChange {
    /// Whether it may have been carried out, in whole or in part: all that is not known to have been refused or left.
    pub fn may_have_happened(&self) -> bool {
        match self.ending {
            None
            | Some(
                EndingKind::Took | EndingKind::Pending | EndingKind::WithoutEffect | EndingKind::Doubtful,
            ) => true,
            Some(EndingKind::Refused | EndingKind::Skipped) => false,
        }
    }

    /// Whether it makes something new.
    pub fn creates(&self) -> bool {
        matches!(self.kind, ChangeKind::CreateUser | ChangeKind::CreateGroup)
    }
}
