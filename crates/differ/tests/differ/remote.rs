//! A small model of the service, written from the fact sheet and sharing no code with the differ: it refuses whatever
//! the sheet says, or may be read to say, that Slack refuses.

use model::Texts;
use model::attribute::{Attribute, Dialect, Value};
use model::change::Change;
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::{Action, Edit, GroupId, GroupRef, UserId, UserRef};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) bot: bool,
    pub(crate) active: bool,
    pub(crate) guest: bool,
    pub(crate) values: BTreeMap<Attribute, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Team {
    pub(crate) name: String,
    /// Ids; those that are no accounts are foreign.
    pub(crate) members: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) accounts: BTreeMap<String, Account>,
    pub(crate) groups: BTreeMap<String, Team>,
    /// Ids of what was created, by `@user:NAME` and `@group:NAME`.
    pub(crate) created: BTreeMap<String, String>,
}

/// What must hold besides: who stays deactivated, who must have left which groups before being deactivated, and who is
/// to be a full member before joining one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) stays_inactive: BTreeSet<String>,
    pub(crate) must_leave: BTreeSet<(String, String)>,
    pub(crate) full_members: BTreeSet<String>,
    /// Accounts whose second address nobody manages: it may stay when it becomes the first one, too.
    pub(crate) undeclared_second: BTreeSet<String>,
}

impl Account {
    pub(crate) fn set(&mut self, attribute: Attribute, value: &str) {
        self.values.insert(attribute, value.to_owned());
    }

    pub(crate) fn get(&self, attribute: Attribute) -> Option<&str> {
        self.values.get(&attribute).map(String::as_str)
    }
}

/// An account with a userName and an address.
pub(crate) fn account(name: &str, email: &str) -> Account {
    let mut account = Account { active: true, ..Account::default() };
    account.set(Attribute::UserName, name);
    account.set(Attribute::Email, email);
    account
}

impl Remote {
    pub(crate) fn account(&mut self, id: &str) -> &mut Account {
        self.accounts.get_mut(id).expect("an account of this id")
    }

    pub(crate) fn group(&mut self, id: &str) -> &mut Team {
        self.groups.get_mut(id).expect("a group of this id")
    }

    pub(crate) fn add(&mut self, id: &str, account: Account) {
        self.accounts.insert(id.to_owned(), account);
    }

    pub(crate) fn add_group(&mut self, id: &str, name: &str, members: &[&str]) {
        let members = members.iter().map(ToString::to_string).collect();
        self.groups.insert(id.to_owned(), Team { name: name.to_owned(), members });
    }

    pub(crate) fn directory(&self) -> Directory {
        self.directory_in(&mut |_| {})
    }

    /// The directory with users and groups in the order that `shuffle` makes of positions.
    pub(crate) fn directory_in(&self, shuffle: &mut dyn FnMut(&mut Vec<usize>)) -> Directory {
        let users: Vec<User> = self.accounts.iter().map(|(id, account)| user(id, account)).collect();
        let groups: Vec<RawGroup> = self
            .groups
            .iter()
            .map(|(id, team)| RawGroup {
                id: GroupId::new(id.as_str()),
                display_name: team.name.as_str().into(),
                members: {
                    let members: Vec<std::sync::Arc<str>> =
                        team.members.iter().map(|member| member.as_str().into()).collect();
                    shuffled(&members, shuffle)
                },
            })
            .collect();
        Directory::new(Dialect::Slack, shuffled(&users, shuffle), shuffled(&groups, shuffle))
    }

    /// Carries out a change, or says why the service would not.
    pub(crate) fn apply(&mut self, change: &Change, rules: &Rules) -> Result<(), String> {
        match &change.action {
            Action::CreateUser { user_name, edits } => {
                let key = format!("@user:{user_name}");
                let id = format!("N-{user_name}");
                self.created.insert(key, id.clone());
                check(!self.accounts.contains_key(&id), "created twice")?;
                check(
                    edits.iter().all(|edit| edit.before.is_none() && !edit.temporary),
                    "a creation has no before",
                )?;
                let mut account = Account::default();
                for edit in edits {
                    self.write(&mut account, edit)?;
                }
                let both =
                    account.get(Attribute::UserName).is_some() && account.get(Attribute::Email).is_some();
                check(account.active && both, "a creation needs active, userName and e-mail")?;
                self.accounts.insert(id, account);
            }
            Action::UpdateUser { id, edits, siblings } => self.update_user(id, edits, siblings, rules)?,
            Action::CreateGroup { display_name, members } => {
                let id = format!("NS-{display_name}");
                self.created.insert(format!("@group:{display_name}"), id.clone());
                check(members.len() <= 5_000, "too many members")?;
                let mut team = Team { name: display_name.to_string(), members: BTreeSet::new() };
                for member in members {
                    self.join(&mut team, member, rules)?;
                }
                self.groups.insert(id, team);
            }
            Action::UpdateGroup { id, rename, add, remove } => {
                let id = match id {
                    GroupRef::Existing(id) => id.to_string(),
                    new @ GroupRef::New(_) => {
                        self.created.get(&new.to_string()).ok_or("no such group")?.clone()
                    }
                };
                check(add.len() + remove.len() <= 5_000, "too many members")?;
                check(rename.is_some() || !add.is_empty() || !remove.is_empty(), "an empty request")?;
                let mut team = self.groups.get(&id).ok_or("no such group")?.clone();
                for member in remove {
                    check(team.members.remove(member.as_str()), "leaves a group without being in it")?;
                }
                for member in add {
                    self.join(&mut team, member, rules)?;
                }
                if let Some(rename) = rename {
                    check(*team.name == *rename.before, "another name before")?;
                    team.name = rename.after.to_string();
                    let after: Result<BTreeSet<String>, String> =
                        rename.members_after.iter().map(|user| self.resolve(user)).collect();
                    check(after? == team.members, "members_after is not the members after")?;
                }
                self.groups.insert(id, team);
            }
            Action::DeleteGroup { id, members } => {
                let team = self.groups.remove(id.as_str()).ok_or("no such group")?;
                let named: BTreeSet<String> = members.iter().map(ToString::to_string).collect();
                let accounts = team.members.into_iter().filter(|member| self.accounts.contains_key(member));
                check(named == accounts.collect(), "other members before deletion")?;
            }
        }
        self.check_unique()
    }

    fn update_user(
        &mut self,
        id: &UserRef,
        edits: &[Edit],
        siblings: &[(Attribute, Box<str>)],
        rules: &Rules,
    ) -> Result<(), String> {
        let id = self.resolve(id)?;
        let mut account = self.accounts.get(&id).ok_or("no such user")?.clone();
        check(!edits.is_empty(), "an empty request")?;
        check(edits.is_sorted_by_key(|edit| edit.attribute), "edits out of order")?;
        let activity =
            edits.iter().find(|edit| edit.attribute == Attribute::Active).and_then(|edit| edit.after.clone());
        if activity == Some(Value::Flag(false)) {
            check(edits.len() == 1, "a leaver's PATCH carries nothing else")?;
            for (group, member) in rules.must_leave.iter().filter(|(_, member)| *member == id) {
                let still = self.groups.get(group).is_some_and(|team| team.members.contains(member));
                check(!still, "deactivated before leaving a group")?;
            }
        }
        if !account.active && activity != Some(Value::Flag(true)) {
            let names = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
            let gives_up = edits.iter().all(|edit| names.contains(&edit.attribute));
            check(gives_up && rules.stays_inactive.contains(&id), "a deactivated account is changed")?;
        }
        for (attribute, value) in siblings {
            check(account.get(*attribute) == Some(value), "a sibling that is not live")?;
        }
        for edit in edits {
            let live = match edit.attribute {
                Attribute::Active => Some(account.active.to_string()),
                Attribute::Guest => Some(account.guest.to_string()),
                other => account.get(other).map(ToOwned::to_owned),
            };
            check(
                edit.before.as_deref() == live.as_deref(),
                &format!("{:?} was not so before", edit.attribute),
            )?;
        }
        for edit in edits {
            self.write(&mut account, edit)?;
        }
        let twice = account.get(Attribute::Email) == account.get(Attribute::SecondaryEmail);
        check(!twice || rules.undeclared_second.contains(&id), "an address is in both slots")?;
        self.accounts.insert(id, account);
        Ok(())
    }

    fn write(&self, account: &mut Account, edit: &Edit) -> Result<(), String> {
        let value = match (&edit.after, edit.attribute) {
            (Some(Value::Flag(flag)), Attribute::Active) => {
                account.active = *flag;
                return Ok(());
            }
            (Some(Value::Flag(flag)), _) => {
                account.guest = *flag;
                return Ok(());
            }
            (Some(Value::Person(manager)), _) => Some(self.resolve(manager)?),
            (Some(other), _) => Some(other.text()),
            (None, _) => None,
        };
        if edit.attribute == Attribute::UserName {
            let name = value.as_deref().unwrap_or_default();
            check(model::UserName::parse(name).is_ok(), "a malformed userName")?;
        }
        match value {
            Some(value) => account.values.insert(edit.attribute, value),
            None if matches!(edit.attribute, Attribute::UserName | Attribute::Email) => {
                return Err("userName and e-mail cannot be cleared".to_owned());
            }
            None => account.values.remove(&edit.attribute),
        };
        Ok(())
    }

    fn resolve(&self, user: &UserRef) -> Result<String, String> {
        let name = user.to_string();
        let id = self.created.get(&name).unwrap_or(&name);
        let known = self.accounts.contains_key(id) || id.starts_with("foreign");
        if known { Ok(id.clone()) } else { Err(format!("{name} does not exist")) }
    }

    fn join(&self, team: &mut Team, member: &UserRef, rules: &Rules) -> Result<(), String> {
        let id = self.resolve(member)?;
        let account = self.accounts.get(&id).ok_or("joins without an account")?;
        check(account.active, "a deactivated member is added")?;
        check(
            !(account.guest && rules.full_members.contains(&id)),
            "a guest joins before being a full member",
        )?;
        check(team.members.insert(id), "joins a group twice")
    }

    /// No userName, address or group name twice, whatever slot, active or not.
    fn check_unique(&self) -> Result<(), String> {
        let mut names = BTreeSet::new();
        let mut addresses: BTreeMap<String, &str> = BTreeMap::new();
        for (id, account) in &self.accounts {
            let name = account.get(Attribute::UserName).unwrap_or_default().to_lowercase();
            check(names.insert(name), "a userName is held twice")?;
            for slot in [Attribute::Email, Attribute::SecondaryEmail] {
                let Some(address) = account.get(slot) else { continue };
                let other = addresses.insert(address.to_lowercase(), id);
                check(other.is_none_or(|other| other == id), "an address is held twice")?;
            }
        }
        let mut names = BTreeSet::new();
        for team in self.groups.values() {
            check(names.insert(team.name.to_lowercase()), "a group name is borne twice")?;
        }
        Ok(())
    }
}

fn check(holds: bool, otherwise: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn user(id: &str, account: &Account) -> User {
    let attributes = account.values.iter().map(|(attribute, value)| (*attribute, value.as_str())).collect();
    User {
        id: UserId::new(id),
        kind: if account.bot { AccountKind::Bot } else { AccountKind::Person },
        active: account.active,
        guest: account.guest,
        attributes,
        selectors: Texts::default(),
    }
}

fn shuffled<T: Clone>(items: &[T], shuffle: &mut dyn FnMut(&mut Vec<usize>)) -> Vec<T> {
    let mut positions = (0..items.len()).collect();
    shuffle(&mut positions);
    positions.into_iter().map(|at| items[at].clone()).collect()
}
