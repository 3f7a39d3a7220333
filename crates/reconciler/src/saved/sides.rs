//! `before` and `after` of a saved change, and the change that they describe.

use model::attribute::{Attribute, Value, ValueKind};
use model::change::{Action, Edit, GroupRef, Rename, UserRef};
use model::names::{GroupId, UserId, UserName};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// `before` or `after`, in the order of the file.
#[derive(Debug)]
pub(super) struct Side(Vec<(Box<str>, Item)>);

/// What may stand under one key.
#[derive(Debug)]
enum Item {
    Nothing,
    Flag(bool),
    Text(Box<str>),
    List(Vec<Box<str>>),
}

impl<'de> Deserialize<'de> for Side {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Side;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of roster keys")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Side, A::Error> {
                let mut items: Vec<(Box<str>, Item)> = Vec::new();
                while let Some((key, item)) = entries.next_entry::<Box<str>, Item>()? {
                    // There are a few dozen keys, so that anything longer is none of ours and ends here.
                    if items.len() > Attribute::all().count() || items.iter().any(|(other, _)| *other == key)
                    {
                        return Err(A::Error::custom(format!(
                            "the key {key:?} stands twice or is one too many"
                        )));
                    }
                    items.push((key, item));
                }
                Ok(Side(items))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneItem;
        impl<'de> Visitor<'de> for OneItem {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, true, false, null or a list of texts")
            }

            fn visit_unit<E>(self) -> Result<Item, E> {
                Ok(Item::Nothing)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Item, E> {
                Ok(Item::Flag(flag))
            }

            fn visit_str<E>(self, text: &str) -> Result<Item, E> {
                Ok(Item::Text(text.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut texts: A) -> Result<Item, A::Error> {
                let mut list = Vec::new();
                while let Some(text) = texts.next_element()? {
                    list.push(text);
                }
                Ok(Item::List(list))
            }
        }
        deserializer.deserialize_any(OneItem)
    }
}

/// Both sides of a change.
pub(super) struct Sides<'a> {
    pub(super) before: &'a Side,
    pub(super) after: &'a Side,
    /// The targets that the plan creates.
    pub(super) created: &'a HashSet<String>,
}

impl Sides<'_> {
    pub(super) fn create_user(&self) -> Result<Action, String> {
        if !self.before.0.is_empty() {
            return Err("a creation has no `before`".to_owned());
        }
        let mut edits = Vec::with_capacity(self.after.0.len());
        for (key, item) in &self.after.0 {
            let attribute = attribute(key)?;
            let after = Some(self.value(attribute, item)?.ok_or("a creation clears nothing")?);
            edits.push(edit(attribute, None, after));
        }
        in_order(&edits)?;
        let text = |attribute| match edits.iter().find(|edit| edit.attribute == attribute)?.after.as_ref()? {
            Value::Text(text) => Some(&**text),
            _ => None,
        };
        let name = text(Attribute::UserName).unwrap_or_default();
        let user_name = UserName::parse(name).map_err(|error| error.to_string())?;
        let active = edits
            .first()
            .is_some_and(|edit| edit.attribute == Attribute::Active && edit.after == Some(Value::Flag(true)));
        if user_name.as_str() != name || text(Attribute::Email).is_none() || !active {
            return Err("it creates no active account with a userName and an address".to_owned());
        }
        Ok(Action::CreateUser { user_name, edits })
    }

    pub(super) fn update_user(&self, id: UserRef) -> Result<Action, String> {
        if self.before.0.len() != self.after.0.len() || self.after.0.is_empty() {
            return Err("its `before` and `after` are of different attributes".to_owned());
        }
        let mut edits = Vec::with_capacity(self.after.0.len());
        for ((key, before), (same_key, after)) in self.before.0.iter().zip(&self.after.0) {
            if key != same_key {
                return Err("its `before` and `after` are of different attributes".to_owned());
            }
            let attribute = attribute(key)?;
            let before = self.value(attribute, before)?.map(|value| value.text().into());
            edits.push(edit(attribute, before, self.value(attribute, after)?));
        }
        in_order(&edits)?;
        Ok(Action::UpdateUser { id, edits, siblings: Vec::new() })
    }

    pub(super) fn create_group(&self) -> Result<Action, String> {
        let (name, members) = self.after.group()?;
        match name {
            Some(name) if self.before.0.is_empty() => {
                let members = members.iter().map(|text| member(text, self.created)).collect();
                Ok(Action::CreateGroup { display_name: name.into(), members })
            }
            _ => Err("a creation has a name and no `before`".to_owned()),
        }
    }

    pub(super) fn update_group(&self, id: GroupRef) -> Result<Action, String> {
        let ((name_before, leaves), (name_after, joins)) = (self.before.group()?, self.after.group()?);
        let rename = match (name_before, name_after) {
            (None, None) => None,
            (Some(before), Some(after)) => Some(Rename {
                before: before.into(),
                after: after.into(),
                temporary: false,
                members_after: Vec::new(),
            }),
            _ => return Err("a new name goes with the one before".to_owned()),
        };
        let add = joins.iter().map(|text| member(text, self.created)).collect();
        let remove = leaves.iter().map(|text| UserId::new(text.clone())).collect();
        Ok(Action::UpdateGroup { id, rename, add, remove })
    }

    /// The deletion, and the name of the group.
    pub(super) fn delete_group(&self, id: GroupId) -> Result<(Action, Box<str>), String> {
        let (name, members) = self.before.group()?;
        match name {
            Some(name) if self.after.0.is_empty() => {
                let members = members.iter().map(|text| UserId::new(text.clone())).collect();
                Ok((Action::DeleteGroup { id, members }, name.into()))
            }
            _ => Err("a deletion has a name before and no `after`".to_owned()),
        }
    }

    /// A value of the kind that the attribute takes.
    fn value(&self, attribute: Attribute, item: &Item) -> Result<Option<Value<UserRef>>, String> {
        match (attribute.row().kind, item) {
            (ValueKind::Flag, Item::Flag(flag)) => Ok(Some(Value::Flag(*flag))),
            (ValueKind::Flag, _) | (_, Item::Flag(_) | Item::List(_)) => {
                Err(format!("`{}` has a value of another kind", attribute.key()))
            }
            (_, Item::Nothing) => Ok(None),
            (ValueKind::Person, Item::Text(text)) => Ok(Some(Value::Person(member(text, self.created)))),
            (_, Item::Text(text)) => Ok(Some(Value::Text((&**text).into()))),
        }
    }
}

impl Side {
    /// A group's name and members.
    fn group(&self) -> Result<(Option<&str>, &[Box<str>]), String> {
        let (mut name, mut members) = (None, [].as_slice());
        for (key, item) in &self.0 {
            match (&**key, item) {
                ("displayName", Item::Text(text)) => name = Some(&**text),
                ("members", Item::List(list)) => members = list,
                _ => return Err(format!("a group has no such {key:?}")),
            }
        }
        Ok((name, members))
    }
}

fn attribute(key: &str) -> Result<Attribute, String> {
    Attribute::from_key(key).ok_or_else(|| format!("no attribute is called {key:?}"))
}

fn edit(attribute: Attribute, before: Option<Box<str>>, after: Option<Value<UserRef>>) -> Edit {
    Edit { attribute, before, after, selector: None, temporary: false, origin: None }
}

fn in_order(edits: &[Edit]) -> Result<(), String> {
    let sorted = edits.is_sorted_by(|a, b| a.attribute < b.attribute);
    if sorted { Ok(()) } else { Err("its attributes are not in order".to_owned()) }
}

/// An account as bodies name it: a placeholder is one only where the plan creates somebody of that name.
pub(super) fn member(text: &str, created: &HashSet<String>) -> UserRef {
    let name = text.strip_prefix("@user:").filter(|_| created.contains(text));
    match name.and_then(|name| UserName::parse(name).ok()) {
        Some(name) if text.ends_with(name.as_str()) => UserRef::New(name),
        _ => UserRef::Existing(UserId::new(text)),
    }
}
