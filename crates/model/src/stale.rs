//! A saved plan against what is there now: how much of it is done, and what has moved since it was made.

use serde::Serialize;

/// How far a saved plan has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// How many changes the saved plan has.
    pub changes: usize,
    /// How many of them hold already.
    pub done: usize,
    /// How many changes would be needed besides, which the plan is not about and leaves alone.
    pub elsewhere: usize,
}

/// One thing that a saved plan was to change and that is no longer as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// The saved plan's change that was to do it, by its number, from 1.
    pub change: usize,
    /// Whether it is of a group.
    pub is_group: bool,
    /// The service's id of the account or group; `@user:NAME` or `@group:NAME` for one that was to be created.
    pub target: Box<str>,
    /// The userName or displayName by which people know it.
    pub name: Box<str>,
    /// The roster key concerned: of a user an attribute's, of a group `displayName` or `members`; empty where it is the
    /// whole account or group.
    pub key: Box<str>,
    /// What the plan found: a value; nothing where none was set.
    pub before: Option<Box<str>>,
    /// What the plan was to make of it; of `members`, the member.
    pub after: Option<Box<str>>,
    /// What is there now.
    pub found: Option<Box<str>>,
    /// What is wrong.
    pub why: Why,
}

/// Why something of a saved plan cannot be done any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// What is there is neither what the plan found nor what it was to bring about.
    OtherValue,
    /// Neither the roster nor its policy asks for it any more.
    NotAsked,
    /// The roster asks for something else now.
    AskedOtherwise(Box<str>),
    /// The account or group is no longer there.
    Gone,
    /// The policy protects it now.
    Protected,
    /// The account is deactivated, so that nothing else of it is changed.
    Inactive,
    /// Somebody else holds the name or address.
    TakenBy(Box<str>),
    /// It needs another change that the plan does not have.
    Needs(Box<str>),
    /// The request would be another one now: the plan was altered or made by another version of rosterctl, or the
    /// request has to repeat a value that has changed.
    OtherRequest,
}

impl Why {
    /// A stable name for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherValue => "otherValue",
            Self::NotAsked => "notAsked",
            Self::AskedOtherwise(_) => "askedOtherwise",
            Self::Gone => "gone",
            Self::Protected => "protected",
            Self::Inactive => "inactive",
            Self::TakenBy(_) => "takenBy",
            Self::Needs(_) => "needs",
            Self::OtherRequest => "otherRequest",
        }
    }
}
