//! The state of an organisation, with the indexes that keep every question cheap.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;
use tokio::time::Instant;

use super::names::make_id;
use super::user::User;
use crate::switches::{Keep, Switches};
use crate::table::{Key, Table};

/// A group of people.
#[derive(Debug, Clone)]
pub struct Group {
    /// Slack's id, `S…`.
    pub id: String,
    /// `meta.created`.
    pub created: Timestamp,
    /// `displayName`.
    pub display_name: String,
    /// Made by Slack, such as "Team Admins": SCIM cannot change it (S14).
    pub auto_generated: bool,
    /// Linked to channels: it cannot be deleted (S14).
    pub linked_to_channels: bool,
    pub(crate) members: Members,
    /// What reads still show, until when (S14, "Consistency").
    pub(crate) stale: Option<Stale>,
}

/// A group as it was.
#[derive(Debug, Clone)]
pub(crate) struct Stale {
    pub until: Instant,
    pub display_name: String,
    pub members: Vec<Key>,
}

/// The members of a group in the order in which they came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Members {
    order: Vec<Key>,
    set: HashSet<Key>,
}

impl Members {
    pub(crate) fn as_slice(&self) -> &[Key] {
        &self.order
    }

    pub(crate) fn contains(&self, user: Key) -> bool {
        self.set.contains(&user)
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Appends a member; `false` if it was there.
    pub(crate) fn add(&mut self, user: Key) -> bool {
        let new = self.set.insert(user);
        if new {
            self.order.push(user);
        }
        new
    }

    /// Takes out all who are in `gone`.
    pub(crate) fn remove_all(&mut self, gone: &HashSet<Key>) {
        self.order.retain(|user| !gone.contains(user));
        self.set.retain(|user| !gone.contains(user));
    }
}

impl FromIterator<Key> for Members {
    fn from_iter<I: IntoIterator<Item = Key>>(users: I) -> Self {
        let mut members = Self::default();
        for user in users {
            members.add(user);
        }
        members
    }
}

/// What will happen by itself.
#[derive(Debug, Clone)]
enum Due {
    Deactivate(Key),
    Photo(Key, Option<String>),
}

/// The people, groups and names of an organisation.
#[derive(Debug, Default)]
pub struct World {
    /// The org in `https://<org>.enterprise.slack.com` (S6).
    pub(crate) org: String,
    /// Channel names: they share one namespace with userNames (S17).
    pub(crate) channels: HashSet<String>,
    /// The e-mail domains that the org has claimed; looked at under the switch `domain-claim` alone.
    pub(crate) domains: HashSet<String>,
    pub(crate) users: Table<User>,
    pub(crate) groups: Table<Group>,
    by_user_name: HashMap<String, Key>,
    by_email: HashMap<String, Key>,
    group_names: HashMap<String, usize>,
    /// The groups of each user, by key.
    memberships: Vec<Vec<Key>>,
    due: BTreeMap<(Instant, u64), Due>,
    serial: u64,
    /// Whether a custom profile field exists (S5). Such fields never go away again.
    pub(crate) profile_fields: bool,
    pub(crate) creations: usize,
}

fn fold(text: &str) -> String {
    text.to_lowercase()
}

impl World {
    /// The user with this id or userName.
    pub fn user(&self, who: &str) -> Option<&User> {
        self.user_key(who).and_then(|key| self.users.get(key))
    }

    /// Everybody, in the order of creation.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.users.iter().map(|(_, user)| user)
    }

    /// The group with this id or name.
    pub fn group(&self, which: &str) -> Option<&Group> {
        self.group_key(which).and_then(|key| self.groups.get(key))
    }

    /// All groups, in the order of creation.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().map(|(_, group)| group)
    }

    /// The userNames of a group's members, in the order in which they came.
    pub fn member_names(&self, group: &str) -> Vec<&str> {
        let members = self.group(group).map(|group| group.members.as_slice()).unwrap_or_default();
        members.iter().filter_map(|key| self.users.get(*key)).map(|user| user.user_name.as_str()).collect()
    }

    /// Changes a user behind SCIM's back, as a person in Slack's own pages would; `false` if there is nobody like that.
    /// The rules of SCIM do not apply.
    pub fn edit_user(&mut self, who: &str, edit: impl FnOnce(&mut User)) -> bool {
        let Some((key, mut user)) =
            self.user_key(who).and_then(|key| Some((key, self.users.get(key)?.clone())))
        else {
            return false;
        };
        edit(&mut user);
        user.deactivates = None;
        self.replace_user(key, user);
        true
    }

    /// Changes a group's name or marks behind SCIM's back; `false` if there is none like that.
    pub fn edit_group(&mut self, which: &str, edit: impl FnOnce(&mut Group)) -> bool {
        let Some((key, mut group)) =
            self.group_key(which).and_then(|key| Some((key, self.groups.get(key)?.clone())))
        else {
            return false;
        };
        edit(&mut group);
        self.replace_group(key, group);
        true
    }

    /// Sets a group's members, given by id or userName, behind SCIM's back; `false` if the group or one of them is
    /// unknown, and then nothing changes.
    pub fn set_members(&mut self, group: &str, members: &[&str]) -> bool {
        let keys: Option<Members> = members.iter().map(|who| self.user_key(who)).collect();
        let Some(keys) = keys else { return false };
        self.edit_group(group, |group| group.members = keys)
    }

    /// Adds an active member with a name and an e-mail behind SCIM's back; `None` if either is taken.
    pub fn add_user(&mut self, user_name: &str, email: &str) -> Option<&User> {
        if self.name_is_taken(user_name, None) || self.email_holder(email, None).is_some() {
            return None;
        }
        let mut user =
            User::blank(self.new_user_id('U', user_name), user_name.to_owned(), Timestamp::UNIX_EPOCH);
        email.clone_into(&mut user.email);
        let key = self.insert_user(user);
        self.users.get(key)
    }

    /// Deletes a group behind SCIM's back; `false` if there is none like that.
    pub fn delete_group(&mut self, which: &str) -> bool {
        let id = self.group(which).map(|group| group.id.clone());
        id.is_some_and(|id| self.remove_group(&id).is_some())
    }

    pub(crate) fn user_key(&self, who: &str) -> Option<Key> {
        self.users.key(who).or_else(|| self.by_user_name.get(&fold(who)).copied())
    }

    pub(crate) fn group_key(&self, which: &str) -> Option<Key> {
        self.groups
            .key(which)
            .or_else(|| self.groups.iter().find(|(_, group)| group.display_name == which).map(|(key, _)| key))
    }

    /// Whether a userName is in use, by an account, active or not, or by a channel (S6).
    pub(crate) fn name_is_taken(&self, user_name: &str, except: Option<Key>) -> bool {
        let name = fold(user_name);
        self.channels.contains(&name) || self.by_user_name.get(&name).is_some_and(|key| Some(*key) != except)
    }

    pub(crate) fn by_user_name(&self, user_name: &str) -> Option<Key> {
        self.by_user_name.get(&fold(user_name)).copied()
    }

    /// Who holds an address in either slot, deactivated accounts included (S6).
    pub(crate) fn email_holder(&self, email: &str, except: Option<Key>) -> Option<Key> {
        self.by_email.get(&fold(email)).copied().filter(|key| Some(*key) != except)
    }

    pub(crate) fn group_name_is_taken(&self, name: &str, except: Option<Key>) -> bool {
        let own = except
            .and_then(|key| self.groups.get(key))
            .is_some_and(|group| fold(&group.display_name) == fold(name));
        self.group_names.get(&fold(name)).copied().unwrap_or_default() > usize::from(own)
    }

    pub(crate) fn groups_of(&self, user: Key) -> &[Key] {
        self.memberships.get(user as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// An id for a user of this name that nobody has.
    pub(crate) fn new_user_id(&self, prefix: char, name: &str) -> String {
        free_id(prefix, name, &self.users)
    }

    /// An id for a group of this name that no group has.
    pub(crate) fn new_group_id(&self, name: &str) -> String {
        // A deleted group's name may come back, its id may not: the number of groups ever made is part of the id.
        free_id('S', &format!("{name}#{}", self.serial), &self.groups)
    }

    pub(crate) fn insert_user(&mut self, user: User) -> Key {
        self.profile_fields |= user.has_profile();
        let key = self.users.next_key();
        self.memberships.resize(self.memberships.len().max(key as usize + 1), Vec::new());
        self.index_user(key, &user);
        self.users.insert(&user.id.clone(), user)
    }

    /// Puts `user` in the place of the one with that key and keeps the indexes true.
    pub(crate) fn replace_user(&mut self, key: Key, user: User) {
        self.profile_fields |= user.has_profile();
        if let Some(old) = self.users.get(key) {
            let (name, emails) =
                (fold(&old.user_name), [Some(old.email.clone()), old.secondary_email.clone()]);
            self.by_user_name.remove(&name);
            for email in emails.into_iter().flatten() {
                self.by_email.remove(&fold(&email));
            }
        }
        self.index_user(key, &user);
        if let Some(place) = self.users.get_mut(key) {
            *place = user;
        }
    }

    fn index_user(&mut self, key: Key, user: &User) {
        self.by_user_name.insert(fold(&user.user_name), key);
        for email in [Some(&user.email), user.secondary_email.as_ref()].into_iter().flatten() {
            if !email.is_empty() {
                self.by_email.insert(fold(email), key);
            }
        }
    }

    pub(crate) fn insert_group(&mut self, group: Group) -> Key {
        self.serial += 1;
        *self.group_names.entry(fold(&group.display_name)).or_default() += 1;
        let members: Vec<Key> = group.members.as_slice().to_vec();
        let key = self.groups.insert(&group.id.clone(), group);
        for user in members {
            if let Some(groups) = self.memberships.get_mut(user as usize) {
                groups.push(key);
            }
        }
        key
    }

    /// Puts `group` in the place of the one with that key and keeps the indexes true.
    pub(crate) fn replace_group(&mut self, key: Key, group: Group) {
        let Some(old) = self.groups.get(key) else { return };
        let gone: Vec<Key> =
            old.members.as_slice().iter().copied().filter(|user| !group.members.contains(*user)).collect();
        let new: Vec<Key> =
            group.members.as_slice().iter().copied().filter(|user| !old.members.contains(*user)).collect();
        let old_name = fold(&old.display_name);
        self.forget_group_name(&old_name);
        *self.group_names.entry(fold(&group.display_name)).or_default() += 1;
        for user in gone {
            self.leave(user, key);
        }
        for user in new {
            if let Some(groups) = self.memberships.get_mut(user as usize) {
                groups.push(key);
            }
        }
        if let Some(place) = self.groups.get_mut(key) {
            *place = group;
        }
    }

    pub(crate) fn remove_group(&mut self, id: &str) -> Option<Group> {
        let (key, group) = self.groups.remove(id)?;
        self.forget_group_name(&fold(&group.display_name));
        for user in group.members.as_slice() {
            self.leave(*user, key);
        }
        Some(group)
    }

    fn forget_group_name(&mut self, name: &str) {
        if let Some(count) = self.group_names.get_mut(name) {
            *count -= 1;
            if *count == 0 {
                self.group_names.remove(name);
            }
        }
    }

    fn leave(&mut self, user: Key, group: Key) {
        if let Some(groups) = self.memberships.get_mut(user as usize) {
            groups.retain(|key| *key != group);
        }
    }

    /// Deactivates at `when`, or at once without one.
    pub(crate) fn deactivate(&mut self, key: Key, when: Option<Instant>, switches: &Switches) {
        let Some(user) = self.users.get_mut(key) else { return };
        if let Some(at) = when {
            user.deactivates = Some(at);
            self.schedule(at, Due::Deactivate(key));
        } else {
            user.active = false;
            user.deactivates = None;
            if switches.deactivated_memberships == Keep::Drop {
                self.drop_memberships(key);
            }
        }
    }

    fn drop_memberships(&mut self, user: Key) {
        let gone = HashSet::from([user]);
        let groups = self.memberships.get_mut(user as usize).map(std::mem::take).unwrap_or_default();
        for group in groups {
            if let Some(group) = self.groups.get_mut(group) {
                group.members.remove_all(&gone);
            }
        }
    }

    /// Has a photo hosted, or cleared, at `when`.
    pub(crate) fn schedule_photo(&mut self, key: Key, photo: Option<String>, when: Instant) {
        self.schedule(when, Due::Photo(key, photo));
    }

    fn schedule(&mut self, at: Instant, due: Due) {
        self.serial += 1;
        self.due.insert((at, self.serial), due);
    }

    /// Lets happen what is due by now.
    pub(crate) fn settle(&mut self, now: Instant, switches: &Switches) {
        while let Some(entry) = self.due.first_entry() {
            let at = entry.key().0;
            if at > now {
                break;
            }
            match entry.remove() {
                // A reactivation in between has called it off, a second DELETE may have put it off.
                Due::Deactivate(key)
                    if self.users.get(key).is_some_and(|user| user.deactivates == Some(at)) =>
                {
                    self.deactivate(key, None, switches);
                }
                Due::Deactivate(_) => {}
                Due::Photo(key, photo) => {
                    if let Some(user) = self.users.get_mut(key) {
                        user.photo = photo;
                    }
                }
            }
        }
    }
}

fn free_id<R>(prefix: char, name: &str, table: &Table<R>) -> String {
    let mut salt = 0;
    loop {
        let id = make_id(prefix, name, salt);
        if table.key(&id).is_none() {
            return id;
        }
        salt += 1;
    }
}
