//! A directory as a file: what `snapshot --out` writes and `plan --against` reads.
//!
//! The keys of a user are those of a roster, so that the file can be read by people, compared by `diff`, and used as
//! the seed of a simulator.

use model::attribute::{Attribute, Dialect};
use model::directory::{AccountKind, Directory, Group, RawGroup, User};
use model::names::{GroupId, UserId};
use serde::de::{SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::{fmt, io};

/// What the `format` key of a snapshot says.
pub const FORMAT: &str = "rosterctl-snapshot";
/// The version this code writes, and the only one it reads.
pub const VERSION: u32 = 1;

/// Why a snapshot could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// Not JSON, or not of the shape of a snapshot.
    #[error("not a snapshot: {0}")]
    Json(#[from] serde_json::Error),
    /// Another kind of file.
    #[error("not a snapshot: `format` must be \"{FORMAT}\"; make one with `rosterctl snapshot --out FILE`")]
    Format,
    /// Written by another version.
    #[error("this snapshot has version {0}; this rosterctl reads version {VERSION}: take it anew")]
    Version(u64),
    /// Two accounts or two groups with one id.
    #[error("the id {0} occurs twice")]
    Twice(String),
}

/// Writes a snapshot of `directory`, one account or group a line. `write_json` writes one JSON value: a snapshot may
/// be shown on a terminal, and what keeps hostile names from acting there is the business of whoever shows it.
///
/// # Errors
/// When `out` cannot be written.
pub fn write<W: io::Write + ?Sized>(
    directory: &Directory,
    target: Option<&str>,
    out: &mut W,
    write_json: impl Fn(&mut W, &Value) -> io::Result<()>,
) -> io::Result<()> {
    write!(out, "{{\n\"format\":\"{FORMAT}\",\"version\":{VERSION},\n\"target\":")?;
    write_json(out, &json!(target))?;
    write!(out, ",\"dialect\":")?;
    write_json(out, &json!(directory.dialect))?;
    write!(out, ",\n\"users\":[")?;
    for (i, user) in directory.users.iter().enumerate() {
        write!(out, "{}", if i > 0 { ",\n" } else { "\n" })?;
        write_json(out, &user_json(user))?;
    }
    write!(out, "\n],\n\"groups\":[")?;
    for (i, group) in directory.groups.iter().enumerate() {
        write!(out, "{}", if i > 0 { ",\n" } else { "\n" })?;
        write_json(out, &group_json(directory, group))?;
    }
    writeln!(out, "\n]\n}}")
}

/// Reads a snapshot.
///
/// # Errors
/// When it is not one, is of another version, or names an id twice.
pub fn read(text: &str) -> Result<(Directory, Option<String>), SnapshotError> {
    let header: Header = serde_json::from_str(text)?;
    if header.format.as_deref() != Some(FORMAT) {
        return Err(SnapshotError::Format);
    }
    if header.version != u64::from(VERSION) {
        return Err(SnapshotError::Version(header.version));
    }
    let body: Body = serde_json::from_str(text)?;
    let ids = || body.users.iter().map(user_id).chain(body.groups.iter().map(|group| group.id.as_str()));
    let mut seen = HashSet::new();
    if let Some(twice) = ids().find(|id| !seen.insert(*id)) {
        return Err(SnapshotError::Twice(twice.to_owned()));
    }
    drop(seen);
    Ok((Directory::new(body.dialect, body.users, body.groups), header.target))
}

/// A directory's content for a digest: accounts and groups by ascending id, so that the order in which a service
/// happens to list them does not matter.
pub(crate) struct Content<'a>(pub(crate) &'a Directory);

impl Serialize for Content<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("users", &Sorted { items: &self.0.users, id: user_id, json: user_json })?;
        let json = |group: &Group| group_json(self.0, group);
        map.serialize_entry("groups", &Sorted { items: &self.0.groups, id: group_id, json })?;
        map.end()
    }
}

fn user_id(user: &User) -> &str {
    user.id.as_str()
}

fn group_id(group: &Group) -> &str {
    group.id.as_str()
}

struct Sorted<'a, T, I, J> {
    items: &'a [T],
    id: I,
    json: J,
}

impl<T, I: Fn(&T) -> &str, J: Fn(&T) -> Value> Serialize for Sorted<'_, T, I, J> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items: Vec<&T> = self.items.iter().collect();
        items.sort_unstable_by(|a, b| (self.id)(a).cmp((self.id)(b)));
        let mut seq = serializer.serialize_seq(Some(items.len()))?;
        for item in items {
            seq.serialize_element(&(self.json)(item))?;
        }
        seq.end()
    }
}

fn user_json(user: &User) -> Value {
    let mut map = Map::new();
    map.insert("id".into(), json!(user.id));
    if user.kind == AccountKind::Bot {
        map.insert("kind".into(), json!("bot"));
    }
    map.insert("active".into(), json!(user.active));
    for (attribute, value) in &user.attributes {
        if *attribute != Attribute::GuestExpires {
            put(&mut map, attribute.key(), json!(value));
        }
    }
    if user.guest {
        let expires = user.get(Attribute::GuestExpires).map(|at| ("expires".to_owned(), json!(at)));
        map.insert("guest".into(), Value::Object(expires.into_iter().collect()));
    }
    if !user.selectors.is_empty() {
        let selectors =
            user.selectors.iter().map(|(attribute, filter)| (attribute.key().to_owned(), json!(filter)));
        map.insert("selectors".into(), Value::Object(selectors.collect()));
    }
    Value::Object(map)
}

/// Puts a value under a roster key, a dotted one into its mapping.
fn put(map: &mut Map<String, Value>, key: &str, value: Value) {
    match key.split_once('.') {
        None => drop(map.insert(key.to_owned(), value)),
        Some((outer, inner)) => {
            let nested = map.entry(outer.to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(nested) = nested {
                nested.insert(inner.to_owned(), value);
            }
        }
    }
}

fn group_json(directory: &Directory, group: &Group) -> Value {
    let mut members: Vec<&str> = group
        .members
        .iter()
        .filter_map(|&index| directory.user(index))
        .map(|user| user.id.as_str())
        .chain(group.foreign_members.iter().map(|value| &**value))
        .collect();
    members.sort_unstable();
    json!({ "id": group.id, "displayName": group.display_name, "members": members })
}

#[derive(Deserialize)]
struct Header {
    format: Option<String>,
    #[serde(default)]
    version: u64,
    target: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    dialect: Dialect,
    #[serde(deserialize_with = "users")]
    users: Vec<User>,
    #[serde(deserialize_with = "groups")]
    groups: Vec<RawGroup>,
}

fn users<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<User>, D::Error> {
    each(deserializer, StoredUser::into_user)
}

fn groups<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RawGroup>, D::Error> {
    each(deserializer, |stored: StoredGroup| RawGroup {
        id: GroupId::new(stored.id),
        display_name: stored.display_name,
        members: stored.members,
    })
}

/// Reads a list and turns each element into what is kept of it at once: a hundred thousand accounts in their stored
/// form would not fit beside themselves.
fn each<'de, D: Deserializer<'de>, S: Deserialize<'de>, T>(
    deserializer: D,
    keep: fn(S) -> T,
) -> Result<Vec<T>, D::Error> {
    struct Each<S, T>(fn(S) -> T);
    impl<'de, S: Deserialize<'de>, T> Visitor<'de> for Each<S, T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<T>, A::Error> {
            let mut kept = Vec::new();
            while let Some(stored) = list.next_element()? {
                kept.push((self.0)(stored));
            }
            Ok(kept)
        }
    }
    deserializer.deserialize_seq(Each(keep))
}

#[derive(Deserialize)]
struct StoredUser {
    id: String,
    #[serde(default)]
    kind: Option<String>,
    active: bool,
    #[serde(default)]
    guest: Option<Map<String, Value>>,
    #[serde(default)]
    selectors: Map<String, Value>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredGroup {
    id: String,
    display_name: Box<str>,
    members: Vec<Box<str>>,
}

impl StoredUser {
    fn into_user(self) -> User {
        let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(Into::into);
        let mut attributes = Vec::new();
        for (key, value) in &self.rest {
            match value {
                Value::Object(nested) => attributes.extend(nested.iter().filter_map(|(inner, value)| {
                    Some((Attribute::from_key(&format!("{key}.{inner}"))?, text(value)?))
                })),
                value => attributes.extend(Attribute::from_key(key).zip(text(value))),
            }
        }
        if let Some(guest) = &self.guest {
            attributes.extend(guest.get("expires").and_then(text).map(|at| (Attribute::GuestExpires, at)));
        }
        let selectors = self
            .selectors
            .iter()
            .filter_map(|(key, value)| Some((Attribute::from_key(key)?, text(value)?)))
            .collect();
        User {
            id: UserId::new(self.id),
            kind: if self.kind.as_deref() == Some("bot") { AccountKind::Bot } else { AccountKind::Person },
            active: self.active,
            guest: self.guest.is_some(),
            attributes,
            selectors,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn directory() -> Directory {
        let user = |id: &str, active, guest, attributes: &[(Attribute, &str)]| User {
            id: UserId::new(id),
            kind: AccountKind::Person,
            active,
            guest,
            attributes: attributes.iter().map(|(a, v)| (*a, Box::from(*v))).collect(),
            selectors: Vec::new(),
        };
        let mut bot = user("U3", true, false, &[(Attribute::UserName, "bot")]);
        bot.kind = AccountKind::Bot;
        let mut ada = user(
            "U1",
            true,
            false,
            &[
                (Attribute::UserName, "ada"),
                (Attribute::GivenName, "Ada"),
                (Attribute::Department, "Engines"),
                (Attribute::Locality, "London"),
            ],
        );
        ada.selectors = vec![(Attribute::Locality, "type eq \"work\"".into())];
        let kim = user(
            "U2",
            false,
            true,
            &[(Attribute::UserName, "kim"), (Attribute::GuestExpires, "2027-01-31T23:59:59Z")],
        );
        let group = RawGroup {
            id: GroupId::new("S1"),
            display_name: "eng".into(),
            members: vec!["U2".into(), "U1".into(), "S9".into()],
        };
        Directory::new(Dialect::Slack, vec![ada, kim, bot], vec![group])
    }

    #[test]
    fn what_is_written_is_read_back_whole() {
        let mut bytes = Vec::new();
        let target = Some("https://api.slack.com/scim/v2");
        write(&directory(), target, &mut bytes, |out, value| write!(out, "{value}")).unwrap();
        let (read, target) = read(std::str::from_utf8(&bytes).unwrap()).unwrap();
        assert_eq!(read.users, directory().users);
        assert_eq!(read.groups, directory().groups);
        assert_eq!(target.as_deref(), Some("https://api.slack.com/scim/v2"));
    }

    #[test]
    fn other_files_versions_and_double_ids_are_refused() {
        assert!(matches!(read("{}"), Err(SnapshotError::Format)));
        assert!(matches!(read("[]"), Err(SnapshotError::Json(_))));
        let newer = r#"{"format":"rosterctl-snapshot","version":2}"#;
        assert!(matches!(read(newer), Err(SnapshotError::Version(2))));
        let twice = r#"{"format":"rosterctl-snapshot","version":1,"dialect":"slack","groups":[],
            "users":[{"id":"U1","active":true},{"id":"U1","active":true}]}"#;
        assert!(matches!(read(twice), Err(SnapshotError::Twice(_))));
    }
}
