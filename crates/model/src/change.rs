//! Changes: what takes the directory to the roster, one SCIM request each.

use crate::attribute::{Attribute, Value};
use crate::names::{GroupId, UserId, UserName};
use crate::place::Place;
use crate::time;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json};
use std::fmt;

/// A change, by position in [`Changeset::changes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeId(pub u32);

impl ChangeId {
    /// The position as a number to index with.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// The ordered changes from a directory to a roster. A change stands after everything it waits for.
#[derive(Debug, Clone, Default)]
pub struct Changeset {
    /// The changes in the order in which they are shown, and done when one at a time.
    pub changes: Vec<Change>,
}

impl Changeset {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// The changes with their ids.
    pub fn iter(&self) -> impl Iterator<Item = (ChangeId, &Change)> {
        self.changes
            .iter()
            .enumerate()
            .map(|(i, change)| (ChangeId(u32::try_from(i).unwrap_or(u32::MAX)), change))
    }
}

/// An account: one that exists, or one that an earlier change creates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserRef {
    /// By the service's id.
    Existing(UserId),
    /// By the userName of the roster entry it is created from. Shown as `@user:NAME` until the id is known.
    New(UserName),
}

impl fmt::Display for UserRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing(id) => write!(f, "{id}"),
            Self::New(name) => write!(f, "@user:{name}"),
        }
    }
}

/// A group: one that exists, or one that an earlier change creates.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupRef {
    /// By the service's id.
    Existing(GroupId),
    /// By its displayName. Shown as `@group:NAME` until the id is known.
    New(Box<str>),
}

impl fmt::Display for GroupRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Existing(id) => write!(f, "{id}"),
            Self::New(name) => write!(f, "@group:{name}"),
        }
    }
}

/// One SCIM request on one resource.
#[derive(Debug, Clone)]
pub struct Change {
    /// What is done.
    pub action: Action,
    /// What people call the resource: a userName as the roster (or, unlisted, the directory) has it, or a displayName.
    pub name: Box<str>,
    /// The roster entry it comes from; `None` for what the roster does not list.
    pub origin: Option<Place>,
    /// What must be over before it starts.
    pub waits_for: Vec<Dependency>,
}

/// An earlier change that a change waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dependency {
    /// The earlier change.
    pub on: ChangeId,
    /// What if it fails.
    pub need: Need,
}

/// What a change needs of one that it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// It must have succeeded, or this change is skipped.
    Success,
    /// It must be over, whatever came of it. A group's change then goes without a member who could not be created or
    /// reactivated, and a leaver is deactivated though leaving a group failed: taking away never waits for giving.
    End,
}

/// What a change does.
#[derive(Debug, Clone)]
pub enum Action {
    /// POST of a user. The edits have no `before`; `active` is among them.
    CreateUser {
        /// The entry's userName, by which other changes refer to the account.
        user_name: UserName,
        /// Everything the account is to have.
        edits: Vec<Edit>,
    },
    /// PATCH of a user.
    UpdateUser {
        /// The account; a new one when its creation had to be split in two.
        id: UserRef,
        /// What changes, in the order of [`Attribute`].
        edits: Vec<Edit>,
        /// Live values of attributes that share a SCIM attribute with one of the edits and stay as they are: the other
        /// phone, the other address, the rest of the postal address. A dialect may have to send them again.
        siblings: Vec<(Attribute, Box<str>)>,
    },
    /// POST of a group.
    CreateGroup {
        /// Its name.
        display_name: Box<str>,
        /// Its members, at most 5,000; further ones follow by [`Action::UpdateGroup`].
        members: Vec<UserRef>,
    },
    /// PATCH of a group.
    UpdateGroup {
        /// The group; a new one when its members exceed one request.
        id: GroupRef,
        /// The name before and after.
        rename: Option<Rename>,
        /// Who joins.
        add: Vec<UserRef>,
        /// Who leaves.
        remove: Vec<UserId>,
    },
    /// DELETE of a group.
    DeleteGroup {
        /// The group.
        id: GroupId,
        /// Its members before, who stay in the workspace.
        members: Vec<UserId>,
    },
}

/// A group's change of name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rename {
    /// The name it bears.
    pub before: Box<str>,
    /// The name it is to bear.
    pub after: Box<str>,
    /// Whether `after` only frees the old name for another group and gives way to the roster's name later on.
    pub temporary: bool,
    /// Every member once this change is done: what a PUT must carry where a service does not rename by PATCH (sheet
    /// S11: a GAP).
    pub members_after: Vec<UserRef>,
}

/// One attribute's change.
#[derive(Debug, Clone)]
pub struct Edit {
    /// The attribute.
    pub attribute: Attribute,
    /// The value before; `None` when nothing is set, or the account does not exist yet. For `manager` this is what the
    /// service answered; for `active` and `guest`, `"true"` or `"false"`.
    pub before: Option<Box<str>>,
    /// The value after; `None` clears.
    pub after: Option<Value<UserRef>>,
    /// For a slot in the `rfc` dialect, the filter that picks its live element; see
    /// [`crate::directory::User::selectors`].
    pub selector: Option<Box<str>>,
    /// Whether the value only frees the old one for another account and gives way to the roster's value later on.
    pub temporary: bool,
    /// The roster line that asks for it; `None` for an unlisted account.
    pub origin: Option<Place>,
}

/// What kind of change it is, as people count them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeKind {
    /// Somebody joins.
    CreateUser,
    /// Somebody comes back.
    ReactivateUser,
    /// Somebody's attributes change.
    UpdateUser,
    /// Somebody leaves.
    DeactivateUser,
    /// A group is new.
    CreateGroup,
    /// A group's name or members change.
    UpdateGroup,
    /// A group goes.
    DeleteGroup,
}

impl Change {
    /// Its kind.
    pub fn kind(&self) -> ChangeKind {
        match &self.action {
            Action::CreateUser { .. } => ChangeKind::CreateUser,
            Action::UpdateUser { edits, .. } => {
                match edits.iter().find(|e| e.attribute == Attribute::Active).and_then(|e| e.after.as_ref()) {
                    Some(Value::Flag(true)) => ChangeKind::ReactivateUser,
                    Some(_) => ChangeKind::DeactivateUser,
                    None => ChangeKind::UpdateUser,
                }
            }
            Action::CreateGroup { .. } => ChangeKind::CreateGroup,
            Action::UpdateGroup { .. } => ChangeKind::UpdateGroup,
            Action::DeleteGroup { .. } => ChangeKind::DeleteGroup,
        }
    }

    /// The resource as requests name it: an id, `@user:NAME` or `@group:NAME`.
    pub fn target(&self) -> String {
        match &self.action {
            Action::CreateUser { user_name, .. } => UserRef::New(user_name.clone()).to_string(),
            Action::UpdateUser { id, .. } => id.to_string(),
            Action::CreateGroup { display_name, .. } => GroupRef::New(display_name.clone()).to_string(),
            Action::UpdateGroup { id, .. } => id.to_string(),
            Action::DeleteGroup { id, .. } => id.to_string(),
        }
    }

    /// What must hold of the resource before the change, by roster key, as far as the change concerns it. Empty for a
    /// creation. Of a group's members only those who leave are named, under `members`.
    pub fn before(&self) -> Map<String, Json> {
        map(&Before(self))
    }

    /// What will hold of the resource after the change, in the form of [`Change::before`]. Empty for a deletion. Of a
    /// group's members only those who join are named.
    pub fn after(&self) -> Map<String, Json> {
        map(&After(self))
    }
}

fn map(side: &impl Serialize) -> Map<String, Json> {
    match serde_json::to_value(side) {
        Ok(Json::Object(map)) => map,
        _ => Map::new(),
    }
}

/// [`Change::before`], to be written without being built: a plan may have a million memberships.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a>(pub &'a Change);

impl Serialize for Before<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.action {
            Action::CreateUser { .. } | Action::CreateGroup { .. } => {}
            Action::UpdateUser { edits, .. } => {
                for edit in edits {
                    let key = edit.attribute.key();
                    match edit.before.as_deref() {
                        Some(text) if matches!(edit.attribute, Attribute::Active | Attribute::Guest) => {
                            map.serialize_entry(key, &(text == "true"))?;
                        }
                        text => map.serialize_entry(key, &text)?,
                    }
                }
            }
            Action::UpdateGroup { rename, remove, .. } => {
                if let Some(rename) = rename {
                    map.serialize_entry("displayName", &rename.before)?;
                }
                if !remove.is_empty() {
                    map.serialize_entry("members", remove)?;
                }
            }
            Action::DeleteGroup { members, .. } => {
                map.serialize_entry("displayName", &self.0.name)?;
                map.serialize_entry("members", members)?;
            }
        }
        map.end()
    }
}

/// [`Change::after`], to be written without being built.
#[derive(Debug, Clone, Copy)]
pub struct After<'a>(pub &'a Change);

impl Serialize for After<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match &self.0.action {
            Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
                for edit in edits {
                    let key = edit.attribute.key();
                    match &edit.after {
                        None => map.serialize_entry(key, &())?,
                        Some(Value::Flag(flag)) => map.serialize_entry(key, flag)?,
                        Some(Value::Text(text)) => map.serialize_entry(key, text.as_str())?,
                        Some(other) => map.serialize_entry(key, &other.text())?,
                    }
                }
            }
            Action::CreateGroup { display_name, members } => {
                map.serialize_entry("displayName", display_name)?;
                map.serialize_entry("members", &Refs(members))?;
            }
            Action::UpdateGroup { rename, add, .. } => {
                if let Some(rename) = rename {
                    map.serialize_entry("displayName", &rename.after)?;
                }
                if !add.is_empty() {
                    map.serialize_entry("members", &Refs(add))?;
                }
            }
            Action::DeleteGroup { .. } => {}
        }
        map.end()
    }
}

/// Accounts as requests name them. Each is one text, so that whoever writes texts with care sees it as a whole.
struct Refs<'a>(&'a [UserRef]);

impl Serialize for Refs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<P: fmt::Display> Value<P> {
    /// The value as it is sent where the wire wants text, and as people read it.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.to_string(),
            Self::Day(day) => time::day_text(*day),
            Self::Instant(instant) => time::instant_text(*instant),
            Self::Flag(flag) => flag.to_string(),
            Self::Person(person) => person.to_string(),
        }
    }
}
