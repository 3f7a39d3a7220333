//! Writing groups (S14).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::names::has_emoji;
use super::slots::{elements, text_of};
use super::world::{Group, Members, World};
use crate::errors::{Answered, Refusal};
use crate::scim::matching::member;
use crate::switches::{DuplicateName, Permission, Plan, Repeated, Switches};
use crate::table::Key;

/// S14: "max 15,000 users **per call** (`too_many_users`)".
const MOST_PER_CALL: usize = 15_000;

/// The ids in a list of members.
pub(crate) fn member_ids(value: &Value) -> Answered<Vec<String>> {
    let found = elements(value, true, "groups_invalid")?;
    if found.len() > MOST_PER_CALL {
        return Err(Refusal::code("too_many_users"));
    }
    let ids: Answered<Vec<Option<String>>> =
        found.iter().map(|element| text_of(element, "value", "groups_invalid")).collect();
    ids?.into_iter().map(|id| id.ok_or_else(|| Refusal::code("groups_invalid"))).collect()
}

/// A group being written, not yet stored.
pub(crate) struct GroupDraft<'a> {
    pub world: &'a World,
    pub switches: &'a Switches,
    pub key: Option<Key>,
    pub group: Group,
    /// How many members the request has listed.
    listed: usize,
}

impl<'a> GroupDraft<'a> {
    pub(crate) fn new(world: &'a World, switches: &'a Switches, key: Option<Key>, group: Group) -> Self {
        Self { world, switches, key, group, listed: 0 }
    }

    /// POST and PUT: the name must be there; members that are left out are none (S10).
    pub(crate) fn set_all(&mut self, body: &Map<String, Value>) -> Answered<()> {
        self.set_name(member(body, "displayName").unwrap_or(&Value::Null))?;
        self.replace_members(member(body, "members").unwrap_or(&Value::Null))
    }

    pub(crate) fn set_name(&mut self, value: &Value) -> Answered<()> {
        let name = match value {
            Value::String(text) => text.trim(),
            Value::Null => "",
            _ => return Err(Refusal::code("invalid_attribute_format")),
        };
        if name.is_empty() {
            return Err(Refusal::code("invalid_name_required"));
        }
        if has_emoji(name) {
            return Err(Refusal::code("invalid_emoji_not_allowed"));
        }
        let limit = self.switches.group_name_limit;
        if limit > 0 && name.chars().count() > limit {
            return Err(Refusal::code("invalid_name_maxlength"));
        }
        let like_a_channel = self.world.channels.contains(&name.to_lowercase());
        if like_a_channel && self.switches.group_named_as_channel == Permission::Refused {
            return Err(Refusal::code("name_already_exists"));
        }
        if self.world.group_name_is_taken(name, self.key) {
            match self.switches.duplicate_group_name {
                DuplicateName::Conflict => return Err(Refusal::code("name_already_exists")),
                DuplicateName::BadRequest => return Err(Refusal::code("name_already_exists").status(400)),
                DuplicateName::Allowed => {}
            }
        }
        name.clone_into(&mut self.group.display_name);
        Ok(())
    }

    pub(crate) fn replace_members(&mut self, value: &Value) -> Answered<()> {
        let keys = self.find(value)?;
        let new: Members = keys.iter().copied().collect();
        // Whoever is in already has been let in: only those who are new are looked at.
        for key in new.as_slice().iter().filter(|key| !self.group.members.contains(**key)) {
            self.may_join(*key)?;
        }
        self.group.members = new;
        Ok(())
    }

    pub(crate) fn add_members(&mut self, value: &Value) -> Answered<()> {
        for key in self.find(value)? {
            if !self.group.members.contains(key) {
                self.may_join(key)?;
                self.group.members.add(key);
            } else if self.switches.repeated_member == Repeated::Error {
                return Err(Refusal::code("group_members_create_failed"));
            }
        }
        Ok(())
    }

    /// Takes out those listed; who is not in it is no error but by the switch.
    pub(crate) fn remove_members(&mut self, value: &Value) -> Answered<()> {
        let keys: HashSet<Key> = self.find(value)?.into_iter().collect();
        let absent = keys.iter().any(|key| !self.group.members.contains(*key));
        if absent && self.switches.repeated_member == Repeated::Error {
            return Err(Refusal::code("no_such_group_members"));
        }
        self.group.members.remove_all(&keys);
        Ok(())
    }

    fn find(&mut self, value: &Value) -> Answered<Vec<Key>> {
        let ids = member_ids(value)?;
        self.listed += ids.len();
        if self.listed > MOST_PER_CALL {
            return Err(Refusal::code("too_many_users"));
        }
        // S11: "Unknown member id → `no_such_group_members`".
        ids.iter()
            .map(|id| self.world.users.key(id).ok_or_else(|| Refusal::code("no_such_group_members")))
            .collect()
    }

    fn may_join(&self, key: Key) -> Answered<()> {
        let Some(user) = self.world.users.get(key) else {
            return Err(Refusal::code("no_such_group_members"));
        };
        let guest = user.guest.is_some() && self.switches.guests_in_groups == Permission::Refused;
        if !user.active || user.deactivates.is_some() || guest {
            return Err(Refusal::code("unable_to_add_deleted_or_guest_to_group"));
        }
        Ok(())
    }

    /// Checks the whole; what is left is to store it.
    pub(crate) fn finish(self) -> Answered<(Option<Key>, Group)> {
        // S14: "15,000 'recommended' for IDP groups, 5,000 maximum for user groups (Business+)".
        let most = if self.switches.plan == Plan::BusinessPlus { 5_000 } else { 15_000 };
        let before = self
            .key
            .and_then(|key| self.world.groups.get(key))
            .map(|group| group.members.len())
            .unwrap_or_default();
        let now = self.group.members.len();
        if now > most && now > before {
            return Err(Refusal::code("group_member_max_exceeded"));
        }
        Ok((self.key, self.group))
    }
}

/// S14: "Groups not made by SCIM (auto-generated, e.g. 'Team Admins') can't be updated". No code is documented for it.
pub(crate) fn may_modify(group: &Group) -> Answered<()> {
    if group.auto_generated {
        Err(Refusal::code("permission_denied").with("(auto-generated group)"))
    } else {
        Ok(())
    }
}

/// DELETE of a group: for good (S14).
pub(crate) fn delete_group(world: &mut World, id: &str) -> Answered<()> {
    let group = world.groups.key(id).and_then(|key| world.groups.get(key));
    let group = group.ok_or_else(|| Refusal::code("no_such_group"))?;
    may_modify(group)?;
    if group.linked_to_channels {
        return Err(Refusal::code("idp_group_linked_to_channels"));
    }
    world.remove_group(id);
    Ok(())
}
