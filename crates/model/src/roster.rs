//! The desired state: who is in the workspace and in which groups.

use crate::attribute::{Attribute, Value};
use crate::names::{GroupId, UserId, UserName};
use crate::place::{Located, Place, Sources};
use crate::policy::Policy;
use smol_str::SmolStr;

/// A roster that has been read and found to be without mistakes: every reference resolves, no name is given twice.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The workspace that live accounts must belong to, if the roster says so (design §3, the wrong-workspace brake).
    pub workspace: Option<Located<Box<str>>>,
    /// The rules.
    pub policy: Policy,
    /// The people, in the order of the files.
    pub users: Vec<UserEntry>,
    /// The groups; `None` when no file has a `groups` key, so that no group is managed.
    pub groups: Option<Vec<GroupEntry>>,
    /// The files it came from.
    pub sources: Sources,
}

/// A person of the roster, by position in [`Roster::users`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryIndex(pub u32);

impl EntryIndex {
    /// The position as a number to index with.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// One person of the roster.
#[derive(Debug, Clone)]
pub struct UserEntry {
    /// How the roster refers to the person, and the userName the account is to have.
    pub user_name: Located<UserName>,
    /// The primary address the account is to have, as written.
    pub email: Located<SmolStr>,
    /// The account, where the roster names it by Slack's own id.
    pub id: Option<Located<UserId>>,
    /// `false` for a person who may be referred to and is never written.
    pub managed: bool,
    /// Whether the account is to be active, with the place that said so or the entry's own.
    pub active: Located<bool>,
    /// Everything else that was declared, `defaults` included, in the order of [`Attribute`], each attribute once.
    /// `userName`, `email` and `active` are not repeated here.
    pub settings: Vec<Setting>,
    /// The entry.
    pub place: Place,
}

impl UserEntry {
    /// What the entry says of one attribute.
    pub fn setting(&self, attribute: Attribute) -> Option<&Setting> {
        self.settings
            .binary_search_by_key(&attribute, |s| s.attribute)
            .ok()
            .and_then(|at| self.settings.get(at))
    }
}

/// What a roster says of one attribute of one person.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The attribute.
    pub attribute: Attribute,
    /// What it is to be.
    pub wish: Wish,
    /// Where that was said (in `defaults`, perhaps).
    pub place: Place,
}

/// What an attribute is to be. What is absent from a roster has no wish and is not managed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// `null`: nothing.
    Clear,
    /// This value.
    Set(Value<EntryIndex>),
}

/// One group of the roster.
#[derive(Debug, Clone)]
pub struct GroupEntry {
    /// The name the group is to have, as written.
    pub display_name: Located<Box<str>>,
    /// The group, where the roster names it by Slack's own id.
    pub id: Option<Located<GroupId>>,
    /// Names it may still bear.
    pub formerly: Vec<Located<Box<str>>>,
    /// The members; `None` when the entry has no `members` key, so that membership is not managed.
    pub members: Option<Members>,
    /// The entry.
    pub place: Place,
}

/// The member list of a group.
#[derive(Debug, Clone, Default)]
pub struct Members {
    /// The members in the order of the file, each once.
    pub list: Vec<Member>,
    /// The list.
    pub place: Place,
}

/// One member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// The person.
    pub user: EntryIndex,
    /// The line that names the person, in the file of the group's entry.
    pub line: u32,
}

impl Roster {
    /// The person at an index that this roster handed out.
    pub fn user(&self, index: EntryIndex) -> Option<&UserEntry> {
        self.users.get(index.get())
    }
}
