//! Where a plain service keeps its resources, and the questions between them.

use std::collections::HashMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::clean::invalid_value;
use super::resources::Document;
use super::schemas::{GROUPS, Kind, USERS};
use crate::errors::{Answered, Refusal};
use crate::seed::{Resources, SeedError};
use crate::slack::make_id;
use crate::slack::world::World;
use crate::table::Table;

/// Users and groups, with the indexes that keep every question cheap.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub users: Table<Document>,
    pub groups: Table<Document>,
    by_user_name: HashMap<String, String>,
    /// The ids of the groups that a member is in.
    memberships: HashMap<String, Vec<String>>,
    serial: u64,
}

impl Store {
    /// The users and groups of a seed.
    pub(crate) fn of_world(world: &World) -> Self {
        let mut store = Self::default();
        for user in world.users() {
            store.insert(&USERS, Document::of_user(user));
        }
        for group in world.groups() {
            let members = group.members.as_slice().iter().filter_map(|key| world.users.get(*key));
            let members = members.map(|user| user.id.clone()).collect();
            store.insert(&GROUPS, Document::of_group(&group.id, &group.display_name, group.created, members));
        }
        store
    }

    /// The resources of a state file.
    pub(crate) fn load(resources: &Resources) -> Result<Self, SeedError> {
        let mut store = Self::default();
        for (kind, raws) in [(&USERS, &resources.users), (&GROUPS, &resources.groups)] {
            for (at, raw) in raws.iter().enumerate() {
                let place = || format!("resources.{}[{at}]", kind.endpoint);
                let document = Document::from_raw(raw)
                    .ok_or_else(|| SeedError::Missing { place: place(), key: "id, meta" })?;
                if store.table(kind).key(&document.id).is_some() {
                    return Err(SeedError::Taken { place: place(), what: "id", value: document.id });
                }
                store.insert(kind, document);
            }
        }
        Ok(store)
    }

    pub(crate) fn table(&self, kind: &Kind) -> &Table<Document> {
        if kind.name == USERS.name { &self.users } else { &self.groups }
    }

    fn table_mut(&mut self, kind: &Kind) -> &mut Table<Document> {
        if kind.name == USERS.name { &mut self.users } else { &mut self.groups }
    }

    pub(crate) fn get(&self, kind: &Kind, id: &str) -> Answered<&Document> {
        let table = self.table(kind);
        let found = table.key(id).and_then(|key| table.get(key));
        found.ok_or_else(|| Refusal::rfc(404, None, format!("there is no {} {id}", kind.name)))
    }

    /// The user of that name, in any letter case.
    pub(crate) fn by_user_name(&self, name: &str) -> Option<&Document> {
        let id = self.by_user_name.get(&name.to_lowercase())?;
        self.users.key(id).and_then(|key| self.users.get(key))
    }

    /// Splits attributes from members and checks what concerns other resources: the name is free. Whether members
    /// exist is not asked: RFC 7643 §4.2 does not require it, and a client may add people before it makes them.
    pub(crate) fn close(
        &self,
        kind: &Kind,
        id: &str,
        mut attributes: Map<String, Value>,
    ) -> Answered<(Map<String, Value>, Vec<String>)> {
        if kind.name == USERS.name {
            let name = attributes.get("userName").and_then(Value::as_str).unwrap_or_default();
            if self.by_user_name.get(&name.to_lowercase()).is_some_and(|holder| holder != id) {
                return Err(Refusal::rfc(409, Some("uniqueness"), format!("the userName {name} is taken")));
            }
            return Ok((attributes, Vec::new()));
        }
        let members = match attributes.shift_remove("members") {
            Some(Value::Array(members)) => members,
            _ => Vec::new(),
        };
        let mut ids = Vec::with_capacity(members.len());
        let mut known = std::collections::HashSet::with_capacity(members.len());
        for member in &members {
            let Some(member) = member["value"].as_str() else {
                return Err(invalid_value("a member needs a value"));
            };
            if known.insert(member) {
                ids.push(member.to_owned());
            }
        }
        Ok((attributes, ids))
    }

    /// Makes a resource.
    pub(crate) fn create(
        &mut self,
        kind: &Kind,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Answered<String> {
        let (attributes, members) = self.close(kind, "", attributes)?;
        self.serial += 1;
        let name = attributes
            .get("userName")
            .or(attributes.get("displayName"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let prefix = if kind.name == USERS.name { 'u' } else { 'g' };
        let mut salt = self.serial;
        let mut id = make_id(prefix, name, salt);
        while self.table(kind).key(&id).is_some() {
            salt += 1 << 32;
            id = make_id(prefix, name, salt);
        }
        self.insert(
            kind,
            Document { id: id.clone(), created: now, modified: now, version: 1, attributes, members },
        );
        Ok(id)
    }

    /// Stores changed attributes; a resource that is as it was keeps its version.
    pub(crate) fn update(
        &mut self,
        kind: &Kind,
        id: &str,
        attributes: Map<String, Value>,
        now: Timestamp,
    ) -> Answered<()> {
        let (attributes, members) = self.close(kind, id, attributes)?;
        let old = self.get(kind, id)?.clone();
        if old.attributes == attributes && old.members == members {
            return Ok(());
        }
        self.unindex(kind, &old);
        let new = Document { modified: now, version: old.version + 1, attributes, members, ..old };
        self.index(kind, &new);
        let table = self.table_mut(kind);
        if let Some(place) = table.key(id).and_then(|key| table.get_mut(key)) {
            *place = new;
        }
        Ok(())
    }

    /// Deletes a resource, and its memberships with it.
    pub(crate) fn delete(&mut self, kind: &Kind, id: &str) -> Answered<()> {
        let old = self.get(kind, id)?.clone();
        self.unindex(kind, &old);
        self.table_mut(kind).remove(id);
        for group in self.memberships.remove(id).unwrap_or_default() {
            if let Some(group) = self.groups.key(&group).and_then(|key| self.groups.get_mut(key)) {
                group.members.retain(|member| member != id);
            }
        }
        Ok(())
    }

    fn insert(&mut self, kind: &Kind, document: Document) {
        self.index(kind, &document);
        self.table_mut(kind).insert(&document.id.clone(), document);
    }

    fn index(&mut self, kind: &Kind, document: &Document) {
        if kind.name == USERS.name {
            self.by_user_name.insert(document.text("userName").to_lowercase(), document.id.clone());
        }
        for member in &document.members {
            self.memberships.entry(member.clone()).or_default().push(document.id.clone());
        }
    }

    fn unindex(&mut self, kind: &Kind, document: &Document) {
        if kind.name == USERS.name {
            self.by_user_name.remove(&document.text("userName").to_lowercase());
        }
        for member in &document.members {
            if let Some(groups) = self.memberships.get_mut(member) {
                groups.retain(|group| *group != document.id);
            }
        }
    }

    /// A member of a group: with a base, as in a response. The schema of RFC 7643 §8.7.1 has no `display` in it.
    pub(crate) fn member(&self, id: &str, base: Option<&str>) -> Value {
        let mut member = json!({ "value": id });
        let kind = match (self.users.key(id), self.groups.key(id)) {
            (Some(_), _) => &USERS,
            (None, Some(_)) => &GROUPS,
            (None, None) => return member,
        };
        if let Some(base) = base {
            member["$ref"] = format!("{base}/scim/v2/{}/{id}", kind.endpoint).into();
        }
        member["type"] = kind.name.into();
        member
    }

    /// Adds what the service knows of a manager: where they are, and their name (RFC 7643 §4.3).
    pub(crate) fn show_manager(&self, extension: &mut Value, base: &str) {
        let Some(id) = extension["manager"]["value"].as_str().map(ToOwned::to_owned) else { return };
        let Some(manager) = self.users.key(&id).and_then(|key| self.users.get(key)) else { return };
        extension["manager"]["$ref"] = format!("{base}/scim/v2/Users/{id}").into();
        let name = manager.text("displayName");
        if !name.is_empty() {
            extension["manager"]["displayName"] = name.into();
        }
    }

    /// The groups that somebody is in, as `groups` shows them.
    pub(crate) fn groups_of(&self, id: &str, base: &str) -> Vec<Value> {
        let groups = self.memberships.get(id).map(Vec::as_slice).unwrap_or_default();
        groups
            .iter()
            .filter_map(|group| self.groups.key(group).and_then(|key| self.groups.get(key)))
            .map(|group| {
                json!({
                    "value": group.id,
                    "$ref": format!("{base}/scim/v2/Groups/{}", group.id),
                    "display": group.text("displayName"),
                    "type": "direct",
                })
            })
            .collect()
    }

    pub(crate) fn users(&self, base: &str) -> Vec<Value> {
        self.users.iter().map(|(_, user)| user.body(&USERS, self, base)).collect()
    }

    pub(crate) fn groups(&self, base: &str) -> Vec<Value> {
        self.groups.iter().map(|(_, group)| group.body(&GROUPS, self, base)).collect()
    }

    pub(crate) fn raw_users(&self) -> Vec<Value> {
        self.users.iter().map(|(_, user)| user.raw()).collect()
    }

    pub(crate) fn raw_groups(&self) -> Vec<Value> {
        self.groups.iter().map(|(_, group)| group.raw()).collect()
    }
}
