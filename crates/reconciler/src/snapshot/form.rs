//! The JSON of a snapshot's accounts and groups.

use model::Texts;
use model::attribute::{Attribute, TABLE};
use model::directory::{AccountKind, Directory, Group, User, UserIndex};
use serde::ser::{SerializeMap, SerializeStruct};
use serde::{Serialize, Serializer};
use serde_json::Value;
use std::sync::LazyLock;

pub(super) fn user_json(user: &User) -> Value {
    serde_json::to_value(UserForm(user)).unwrap_or_default()
}

pub(super) fn group_json(directory: &Directory, group: &Group) -> Value {
    serde_json::to_value(GroupForm { directory, group }).unwrap_or_default()
}

/// An account under the keys of a roster.
struct UserForm<'a>(&'a User);

impl Serialize for UserForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let user = self.0;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("id", &user.id)?;
        if user.kind == AccountKind::Bot {
            map.serialize_entry("kind", "bot")?;
        }
        map.serialize_entry("active", &user.active)?;
        // Attributes are kept in an order in which those of one mapping follow each other.
        let attributes: Vec<(Attribute, &str)> = user.attributes.iter().collect();
        for together in attributes.chunk_by(|a, b| outer(a).is_some() && outer(a) == outer(b)) {
            match together {
                [(Attribute::GuestExpires, _), ..] | [] => {}
                [one @ (attribute, value), ..] => match outer(one) {
                    Some(key) => map.serialize_entry(key, &Inner(together))?,
                    None => map.serialize_entry(attribute.key(), value)?,
                },
            }
        }
        if user.guest {
            map.serialize_entry("guest", &Guest { expires: user.get(Attribute::GuestExpires) })?;
        }
        if !user.selectors.is_empty() {
            map.serialize_entry("selectors", &Selectors(&user.selectors))?;
        }
        map.end()
    }
}

/// The key that leads to the mapping which an attribute stands in.
fn outer((attribute, _): &(Attribute, &str)) -> Option<&'static str> {
    KEYS.get(*attribute as usize).and_then(|(outer, _)| *outer)
}

/// Of each attribute's key, the step that leads to a mapping, and the last one.
static KEYS: LazyLock<Vec<(Option<&str>, &str)>> = LazyLock::new(|| {
    let steps =
        |key: &'static str| key.split_once('.').map_or((None, key), |(outer, last)| (Some(outer), last));
    TABLE.iter().map(|row| steps(row.key)).collect()
});

/// The attributes of one mapping, by the last step of their keys.
struct Inner<'a>(&'a [(Attribute, &'a str)]);

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let last =
            |attribute: Attribute| KEYS.get(attribute as usize).map_or(attribute.key(), |(_, last)| last);
        serializer.collect_map(self.0.iter().map(|(attribute, value)| (last(*attribute), value)))
    }
}

#[derive(Serialize)]
struct Guest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
}

struct Selectors<'a>(&'a Texts);

impl Serialize for Selectors<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(attribute, filter)| (attribute.key(), filter)))
    }
}

/// A group, its members by ascending id.
struct GroupForm<'a> {
    directory: &'a Directory,
    group: &'a Group,
}

impl GroupForm<'_> {
    fn members(&self) -> Vec<&str> {
        let id = |index: &UserIndex| self.directory.user(*index).map(|user| user.id.as_str());
        let foreign = self.group.foreign_members.iter().map(|value| &**value);
        let mut all: Vec<&str> = self.group.members.iter().filter_map(id).chain(foreign).collect();
        all.sort_unstable();
        all
    }
}

impl Serialize for GroupForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut form = serializer.serialize_struct("Group", 3)?;
        form.serialize_field("id", &self.group.id)?;
        form.serialize_field("displayName", &self.group.display_name)?;
        form.serialize_field("members", &self.members())?;
        form.end()
    }
}
