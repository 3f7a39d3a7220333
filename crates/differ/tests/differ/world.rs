//! Rosters built by hand, and the directory that each of them would be in sync with.

use crate::remote::{Account, Remote, Team};
use differ::{Diff, Options};
use model::attribute::{Attribute, Value};
use model::change::{Change, Need};
use model::directory::Directory;
use model::policy::{Pattern, Policy};
use model::roster::{EntryIndex, GroupEntry, Member, Members, Roster, Setting, UserEntry, Wish};
use model::{Action, Diagnostic, Located, Place, SourceId, Sources, UserId, UserName, UserRef};
use std::collections::{BTreeMap, BTreeSet};

/// The time at which every test takes place.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";

/// A person of a roster.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) id: Option<String>,
    pub(crate) managed: bool,
    pub(crate) active: bool,
    pub(crate) settings: BTreeMap<Attribute, Wish>,
    /// Attributes that come from `defaults`.
    pub(crate) inherited: BTreeSet<Attribute>,
}

/// A group of a roster.
#[derive(Debug, Clone)]
pub(crate) struct GroupLine {
    pub(crate) name: String,
    pub(crate) id: Option<String>,
    pub(crate) formerly: Vec<String>,
    pub(crate) members: Option<Vec<String>>,
}

/// A roster in the making.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    pub(crate) entries: Vec<Entry>,
    pub(crate) groups: Option<Vec<GroupLine>>,
    pub(crate) policy: Policy,
}

/// Somebody active, with an address of their own.
pub(crate) fn person(name: &str) -> Entry {
    Entry {
        name: name.to_owned(),
        email: format!("{name}@acme.example"),
        id: None,
        managed: true,
        active: true,
        settings: BTreeMap::new(),
        inherited: BTreeSet::new(),
    }
}

impl Entry {
    pub(crate) fn email(mut self, email: &str) -> Self {
        self.email = email.into();
        self
    }

    pub(crate) fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(crate) fn inactive(mut self) -> Self {
        self.active = false;
        self
    }

    pub(crate) fn unmanaged(mut self) -> Self {
        self.managed = false;
        self
    }

    pub(crate) fn text(mut self, attribute: Attribute, value: &str) -> Self {
        self.settings.insert(attribute, Wish::Set(Value::Text(value.into())));
        self
    }

    pub(crate) fn cleared(mut self, attribute: Attribute) -> Self {
        self.settings.insert(attribute, Wish::Clear);
        self
    }

    pub(crate) fn default_text(mut self, attribute: Attribute, value: &str) -> Self {
        self.inherited.insert(attribute);
        self.text(attribute, value)
    }

    pub(crate) fn manager(mut self, entry: u32) -> Self {
        self.settings.insert(Attribute::Manager, Wish::Set(Value::Person(EntryIndex(entry))));
        self
    }

    pub(crate) fn guest(mut self) -> Self {
        self.settings.insert(Attribute::Guest, Wish::Set(Value::Flag(true)));
        self
    }

    pub(crate) fn guest_until(mut self, expires: &str) -> Self {
        let at = expires.parse().expect("a timestamp");
        self.settings.insert(Attribute::GuestExpires, Wish::Set(Value::Instant(at)));
        self.guest()
    }

    pub(crate) fn full_member(mut self) -> Self {
        self.settings.insert(Attribute::Guest, Wish::Clear);
        self
    }
}

/// A group with these members.
pub(crate) fn group(name: &str, members: &[&str]) -> GroupLine {
    let members = Some(members.iter().map(ToString::to_string).collect());
    GroupLine { name: name.to_owned(), id: None, formerly: Vec::new(), members }
}

impl GroupLine {
    pub(crate) fn id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    pub(crate) fn formerly(mut self, name: &str) -> Self {
        self.formerly.push(name.to_owned());
        self
    }
}

impl World {
    pub(crate) fn of<const N: usize>(entries: [Entry; N]) -> Self {
        Self { entries: entries.into(), ..Self::default() }
    }

    pub(crate) fn groups<const N: usize>(mut self, groups: [GroupLine; N]) -> Self {
        self.groups = Some(groups.into());
        self
    }

    pub(crate) fn entry(&mut self, name: &str) -> &mut Entry {
        self.entries.iter_mut().find(|entry| entry.name == name).expect("an entry of this name")
    }

    pub(crate) fn protect_user(mut self, pattern: &str) -> Self {
        self.policy.protect.users.push(Located::new(Pattern::new(pattern), Place::default()));
        self
    }

    pub(crate) fn protect_group(mut self, pattern: &str) -> Self {
        self.policy.protect.groups.push(Located::new(Pattern::new(pattern), Place::default()));
        self
    }

    /// The roster. Every entry stands on a line of its own, `defaults` on the first.
    pub(crate) fn roster(&self) -> Roster {
        let users = self.entries.iter().enumerate().map(|(at, entry)| user_entry(at, entry)).collect();
        let groups = self.groups.as_ref().map(|groups| {
            groups
                .iter()
                .enumerate()
                .map(|(at, line)| self.group_entry(self.entries.len() + at, line))
                .collect()
        });
        let sources = Sources::default();
        Roster { workspace: None, policy: self.policy.clone(), users, groups, sources }
    }

    fn group_entry(&self, at: usize, line: &GroupLine) -> GroupEntry {
        let place = place(at);
        let index = |name: &String| {
            let user = self.entries.iter().position(|entry| entry.name == *name).expect("a listed member");
            Member { user: EntryIndex(u32::try_from(user).unwrap()), line: place.line }
        };
        GroupEntry {
            display_name: Located::new(line.name.as_str().into(), place),
            id: line.id.as_ref().map(|id| Located::new(model::GroupId::new(id.as_str()), place)),
            formerly: line.formerly.iter().map(|name| Located::new(name.as_str().into(), place)).collect(),
            members: line
                .members
                .as_ref()
                .map(|list| Members { list: list.iter().map(index).collect(), place }),
            place,
        }
    }

    /// The remote that this roster is in sync with: `U-NAME` and `S-NAME` are the ids.
    pub(crate) fn photograph(&self) -> Remote {
        let mut remote = Remote::default();
        for entry in &self.entries {
            let id = entry.id.clone().unwrap_or_else(|| format!("U-{}", entry.name));
            let mut account = Account { active: entry.active, ..Account::default() };
            account.values.insert(Attribute::UserName, entry.name.clone());
            account.values.insert(Attribute::Email, entry.email.clone());
            for (attribute, wish) in &entry.settings {
                let Wish::Set(value) = wish else { continue };
                let text = match value {
                    Value::Flag(flag) => {
                        account.guest = *flag;
                        continue;
                    }
                    Value::Person(manager) => {
                        let manager = &self.entries[manager.get()];
                        manager.id.clone().unwrap_or_else(|| format!("U-{}", manager.name))
                    }
                    Value::Text(text) => text.to_string(),
                    Value::Day(day) => format!("{day}T00:00:00Z"),
                    Value::Instant(at) => at.to_string(),
                };
                account.values.insert(*attribute, text);
            }
            remote.accounts.insert(id, account);
        }
        for line in self.groups.iter().flatten() {
            let id = line.id.clone().unwrap_or_else(|| format!("S-{}", line.name));
            let member = |name: &String| {
                let entry = self.entries.iter().find(|entry| entry.name == *name).expect("a listed member");
                entry.id.clone().unwrap_or_else(|| format!("U-{name}"))
            };
            let members = line.members.iter().flatten().map(member).collect();
            remote.groups.insert(id, Team { name: line.name.clone(), members });
        }
        remote
    }

    pub(crate) fn diff(&self, remote: &Remote) -> Result<Diff, Vec<Diagnostic>> {
        diff(&self.roster(), &remote.directory())
    }

    /// The changes against `remote`, one line each.
    pub(crate) fn changes(&self, remote: &Remote) -> Vec<String> {
        show(&self.diff(remote).expect("a plan"))
    }

    /// The codes and messages of the errors against `remote`.
    pub(crate) fn errors(&self, remote: &Remote) -> Vec<String> {
        let errors = self.diff(remote).expect_err("errors");
        errors.iter().map(|error| format!("{}: {}", error.code, error.message)).collect()
    }
}

pub(crate) fn diff(roster: &Roster, directory: &Directory) -> Result<Diff, Vec<Diagnostic>> {
    differ::diff(roster, directory, &Options { now: NOW.parse().unwrap(), only: &[] })
}

/// A line of its own for every entry; line 1 is for `defaults`.
fn place(at: usize) -> Place {
    let line = u32::try_from(at).unwrap() + 2;
    Place { source: SourceId(0), line, column: 1, start: line * 1000, len: 10 }
}

fn user_entry(at: usize, entry: &Entry) -> UserEntry {
    let place = place(at);
    let settings = entry.settings.iter().map(|(attribute, wish)| {
        let inherited = entry.inherited.contains(attribute);
        let place = if inherited {
            Place { line: 1, start: 10, ..place }
        } else {
            Place { start: place.start + 50, ..place }
        };
        Setting { attribute: *attribute, wish: wish.clone(), place }
    });
    UserEntry {
        user_name: Located::new(UserName::parse(&entry.name).unwrap(), place),
        email: Located::new(entry.email.as_str().into(), place),
        id: entry.id.as_ref().map(|id| Located::new(UserId::new(id.as_str()), place)),
        managed: entry.managed,
        active: Located::new(entry.active, place),
        settings: settings.collect(),
        place,
    }
}

/// A changeset, one line for each change: what it does, and the numbers of the changes it waits for, with `!` where they
/// must have succeeded. `~` before a value says that it is temporary.
pub(crate) fn show(diff: &Diff) -> Vec<String> {
    diff.changeset.changes.iter().map(show_change).collect()
}

fn show_change(change: &Change) -> String {
    let mut line = match &change.action {
        Action::CreateUser { edits, .. } => {
            let values = edits.iter().filter(|edit| edit.attribute != Attribute::Active).map(|edit| {
                format!(
                    "{}={}",
                    edit.attribute.key(),
                    edit.after.as_ref().map(Value::text).unwrap_or_default()
                )
            });
            format!("create {}: {}", change.name, values.collect::<Vec<_>>().join(" "))
        }
        Action::UpdateUser { id, edits, .. } => {
            let values = edits.iter().map(|edit| {
                let before = edit.before.as_deref().unwrap_or("-");
                let after = edit.after.as_ref().map_or_else(|| "-".to_owned(), Value::text);
                let mark = if edit.temporary { "~" } else { "" };
                format!("{} {before}>{mark}{after}", edit.attribute.key())
            });
            format!("{id}: {}", values.collect::<Vec<_>>().join(", "))
        }
        Action::CreateGroup { members, .. } => format!("create group {}:{}", change.name, plus(members)),
        Action::UpdateGroup { id, rename, add, remove } => {
            let rename = rename.as_ref().map_or_else(String::new, |rename| {
                let mark = if rename.temporary { "~" } else { "" };
                format!(" {}>{mark}{}", rename.before, rename.after)
            });
            let minus = signed(" -", remove.iter().map(ToString::to_string));
            format!("{id}:{rename}{minus}{}", plus(add))
        }
        Action::DeleteGroup { id, .. } => format!("delete {id}"),
    };
    if !change.waits_for.is_empty() {
        let waits = change.waits_for.iter().map(|wait| {
            let mark = if wait.need == Need::Success { "!" } else { "" };
            format!(" {}{mark}", wait.on.get())
        });
        line.push_str(" after");
        line.extend(waits);
    }
    line
}

fn plus(members: &[UserRef]) -> String {
    signed(" +", members.iter().map(ToString::to_string))
}

fn signed(sign: &str, names: impl Iterator<Item = String>) -> String {
    names.flat_map(|name| [sign.to_owned(), name]).collect()
}
