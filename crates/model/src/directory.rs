//! The live state: every user and group that the service returned.

use crate::attribute::{Attribute, Dialect};
use crate::beside::in_parts;
use crate::key::Keys;
use crate::names::{GroupId, UserId, same_folded};
use crate::texts::Texts;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Everything a service holds, known to be whole.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    /// How the service speaks, which decides how its values compare.
    pub dialect: Dialect,
    /// Every account, deactivated ones and bots included, in the order the service gave them.
    pub users: Vec<User>,
    /// Every group.
    pub groups: Vec<Group>,
    ids: Keys,
}

/// An account, by position in [`Directory::users`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserIndex(pub u32);

impl UserIndex {
    /// The position as a number to index with.
    pub const fn get(self) -> usize {
        self.0 as usize
    }
}

/// What kind of account it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AccountKind {
    /// A person's.
    #[default]
    Person,
    /// An app's (sheet S5: bots stand among the users and cannot be deactivated).
    Bot,
}

/// A live account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The service's id for it.
    pub id: UserId,
    /// A person's or an app's.
    pub kind: AccountKind,
    /// Whether it may sign in.
    pub active: bool,
    /// Whether it is a guest.
    pub guest: bool,
    /// Text values that are set, never blank. `manager` is what the service answered, an id as a rule; `active` and
    /// `guest` are not repeated here.
    pub attributes: Texts,
    /// For a slot of a multi-valued attribute in the `rfc` dialect: the filter that picks its live element
    /// (`type eq "work"`), so that a change touches this element and no other.
    pub selectors: Texts,
}

impl User {
    /// A value, when one is set.
    pub fn get(&self, attribute: Attribute) -> Option<&str> {
        self.attributes.get(attribute)
    }

    /// The filter that picks the live element of a slot, in the `rfc` dialect.
    pub fn selector(&self, attribute: Attribute) -> Option<&str> {
        self.selectors.get(attribute)
    }

    /// The userName, or an empty text when the service gave none.
    pub fn user_name(&self) -> &str {
        self.get(Attribute::UserName).unwrap_or_default()
    }

    /// Whether it shows as it may after a change that did not ask for its deactivation: active, or a guest with an expiry,
    /// whom Slack deactivates by itself when the time has come.
    pub fn is_well(&self) -> bool {
        self.active || self.get(Attribute::GuestExpires).is_some()
    }

    /// Whether this account is the manager whom the service answered for somebody. Slack takes an id, a primary e-mail
    /// or a userName there, and which of the three it answers with is not known (sheet S6).
    pub fn is_meant_by(&self, manager: &str) -> bool {
        let mut names = [Attribute::Email, Attribute::UserName].into_iter().filter_map(|name| self.get(name));
        manager.trim() == self.id.as_str() || names.any(|name| same_folded(name, manager))
    }

    /// Given and family name joined; empty when neither is set.
    pub fn full_name(&self) -> String {
        let parts = [Attribute::GivenName, Attribute::FamilyName].map(|a| self.get(a).unwrap_or_default());
        parts.join(" ").trim().to_owned()
    }
}

/// A live group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The service's id for it.
    pub id: GroupId,
    /// Its name.
    pub display_name: Box<str>,
    /// Its members who are accounts of the directory, ascending, each once.
    pub members: Vec<UserIndex>,
    /// Member values that name no account of the directory (a nested group, an account this token cannot see). They
    /// are never touched.
    pub foreign_members: Vec<Box<str>>,
}

/// A group as it was read, its members still named by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawGroup {
    /// The service's id for it.
    pub id: GroupId,
    /// Its name.
    pub display_name: Box<str>,
    /// The `value` of every member. Who reads many groups has each text once.
    pub members: Vec<Arc<str>>,
}

/// The accounts of a directory whose groups are still to come, so that each group can be joined with them as it is
/// read: a million members named by id take ten times the room.
#[derive(Debug)]
pub struct Accounts {
    users: Vec<User>,
    ids: Keys,
}

impl Accounts {
    /// All accounts. Ids must be distinct; the reader makes sure of that.
    pub fn new(users: Vec<User>) -> Self {
        let ids = users.iter().map(|user| user.id.as_str()).collect();
        Self { users, ids }
    }

    /// A group with accounts in the place of ids.
    pub fn join(&self, raw: RawGroup) -> Group {
        let RawGroup { id, display_name, members } = raw;
        self.group(id, display_name, members.iter().map(|member| &**member))
    }

    /// A group whose members have these ids.
    pub fn group<'m>(
        &self,
        id: GroupId,
        display_name: Box<str>,
        ids: impl ExactSizeIterator<Item = &'m str>,
    ) -> Group {
        let mut members = Vec::with_capacity(ids.len());
        let mut foreign_members = Vec::new();
        for (id, index) in self.ids.find_each(ids) {
            match index {
                Some(index) => members.push(UserIndex(index)),
                None => foreign_members.push(id.as_str().into()),
            }
        }
        members.sort_unstable();
        members.dedup();
        Group { id, display_name, members, foreign_members }
    }

    /// The accounts, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// The directory of these accounts and of groups that were joined with them.
    pub fn with_groups(self, dialect: Dialect, groups: Vec<Group>) -> Directory {
        Directory { dialect, users: self.users, groups, ids: self.ids }
    }
}

impl Directory {
    /// Joins users and groups. Ids must be distinct; the reader has made sure of that.
    pub fn new(dialect: Dialect, users: Vec<User>, groups: Vec<RawGroup>) -> Self {
        let accounts = Accounts::new(users);
        let groups = groups.into_iter().map(|group| accounts.join(group)).collect();
        accounts.with_groups(dialect, groups)
    }

    /// The account with this id.
    pub fn find(&self, id: &UserId) -> Option<UserIndex> {
        self.ids.find(id.as_str()).map(UserIndex)
    }

    /// The account at an index that this directory handed out.
    pub fn user(&self, index: UserIndex) -> Option<&User> {
        self.users.get(index.get())
    }

    /// All accounts with their indices.
    pub fn iter(&self) -> impl Iterator<Item = (UserIndex, &User)> {
        self.users.iter().enumerate().map(|(i, user)| (UserIndex(u32::try_from(i).unwrap_or(u32::MAX)), user))
    }

    /// How many active people there are: the whole that most limits are a share of. Bots do not count.
    pub fn active_people(&self) -> usize {
        self.users.iter().filter(|user| user.active && user.kind == AccountKind::Person).count()
    }

    /// How many memberships there are, all groups together.
    pub fn memberships(&self) -> usize {
        self.groups.iter().map(|group| group.members.len()).sum()
    }

    /// The workspaces that live people's profile URLs name (`https://ORG.enterprise.slack.com/team/…`, sheet S6), each
    /// once, in ascending order.
    pub fn workspaces(&self) -> Vec<&str> {
        let parts = in_parts(self.users.len(), |range| {
            let users = self.users.get(range).unwrap_or_default();
            let urls = users.iter().filter_map(|user| user.get(Attribute::ProfileUrl));
            let mut found = BTreeSet::new();
            // One by one, for collecting them would sort a list of all, and a healthy directory has one workspace.
            for workspace in urls.filter_map(workspace_of) {
                found.insert(workspace);
            }
            found
        });
        let found: BTreeSet<&str> = parts.into_iter().flatten().collect();
        found.into_iter().collect()
    }
}

/// The workspace that a profile URL of Slack's names; `None` for a URL of any other kind.
pub fn workspace_of(profile_url: &str) -> Option<&str> {
    let host = profile_url.strip_prefix("https://")?.split('/').next()?;
    let name = host.strip_suffix(".enterprise.slack.com").or_else(|| host.strip_suffix(".slack.com"))?;
    (!name.is_empty() && !name.contains('.')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_is_meant_by_the_id_the_name_and_the_address() {
        let user = User {
            id: UserId::new("U2"),
            kind: AccountKind::Person,
            active: true,
            guest: false,
            attributes: Texts::from([
                (Attribute::UserName, "Grace"),
                (Attribute::Email, "grace@acme.example"),
                (Attribute::SecondaryEmail, "hopper@acme.example"),
            ]),
            selectors: Texts::default(),
        };
        for manager in ["U2", " grace ", "GRACE@acme.example"] {
            assert!(user.is_meant_by(manager), "{manager}");
        }
        for manager in ["u2", "hopper", "hopper@acme.example", ""] {
            assert!(!user.is_meant_by(manager), "{manager}");
        }
    }

    #[test]
    fn the_workspace_is_read_from_a_slack_profile_url_and_from_no_other() {
        assert_eq!(workspace_of("https://acme.enterprise.slack.com/team/ada"), Some("acme"));
        assert_eq!(workspace_of("https://acme.slack.com/team/ada"), Some("acme"));
        assert_eq!(workspace_of("https://acme.example/ada"), None);
        assert_eq!(workspace_of("http://acme.slack.com/team/ada"), None);
    }
}
