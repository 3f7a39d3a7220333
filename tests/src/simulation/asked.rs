//! Whether everything the client did was asked for by the roster, at every moment and not at the end alone.

use super::faults::Fate;
use super::ledger::{Cause, Effect, Entry};
use super::service::Sent;
use crate::census::{Account, Census, Group};
use crate::truth::{accounts_of, groups_of, holds};
use http::Method;
use model::attribute::Value;
use model::policy::{AttributeMode, UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::roster::{UserEntry, Wish};
use model::{Attribute, Roster};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Attributes that Slack keeps in one place and writes as a whole: whoever writes one writes its neighbours, too
/// (sheet S11).
const FAMILIES: [&[Attribute]; 2] = [
    &[
        Attribute::StreetAddress,
        Attribute::Locality,
        Attribute::Region,
        Attribute::PostalCode,
        Attribute::Country,
    ],
    &[Attribute::Phone, Attribute::MobilePhone],
];

/// What the judge knows of the world.
pub struct Scene<'a> {
    /// The roster.
    pub roster: &'a Roster,
    /// The world as it would be without the client.
    pub untouched: &'a Census,
    /// The world as it is.
    pub now: &'a Census,
    /// Ids that must not change.
    pub protected: &'a BTreeSet<String>,
    /// The requests.
    pub log: &'a [Sent],
    /// Whom the client deactivated, whatever has become of them since.
    pub deactivated: BTreeSet<String>,
    /// What others did.
    pub others: Vec<&'a Entry>,
}

/// By how much a group may be shown as it was (sheet S14, the longest setting of the switch `group-read-delay`).
pub const GROUP_LAG: Duration = Duration::from_secs(3);

impl Scene<'_> {
    /// Whether a request was carried out long after it had been sent.
    fn is_late(&self, entry: &Entry) -> bool {
        let Cause::Client(number) = entry.cause else { return false };
        self.log.get(number).is_some_and(|sent| matches!(sent.fate, Fate::Late { .. } | Fate::Slow { .. }))
    }

    fn is_group_request(&self, number: usize) -> bool {
        self.log.get(number).is_some_and(|sent| sent.target.starts_with("/Groups"))
    }
}

/// The memberships that nobody could have known of who replaced a whole list: group, account, and whether it is there
/// now.
pub fn overrun(scene: &Scene<'_>, entries: &[Entry]) -> Vec<(String, String, bool)> {
    let judge = Judge::new(scene);
    let mut found = Vec::new();
    for entry in entries.iter().filter(|entry| entry.cause.is_client()) {
        if let Effect::Group(before, after) = &entry.effect {
            let changed = before.members.symmetric_difference(&after.members);
            let overrun = changed.filter(|member| judge.is_overrun(entry, member));
            found.extend(
                overrun.map(|member| (entry.id.clone(), member.clone(), after.members.contains(member))),
            );
        }
    }
    found
}

/// What nobody asked for among what the client did, one line each.
pub fn unasked(scene: &Scene<'_>, entries: &[Entry]) -> Vec<String> {
    let judge = Judge::new(scene);
    entries
        .iter()
        .filter(|entry| entry.cause.is_client())
        .filter_map(|entry| judge.complaint(entry))
        .collect()
}

struct Judge<'a> {
    scene: &'a Scene<'a>,
    accounts: Vec<Option<String>>,
    groups: Vec<Option<String>>,
}

impl<'a> Judge<'a> {
    fn new(scene: &'a Scene<'a>) -> Self {
        Self {
            scene,
            accounts: accounts_of(scene.roster, scene.untouched, scene.now),
            groups: groups_of(scene.roster.groups.as_deref().unwrap_or_default(), scene.untouched),
        }
    }
}

impl Judge<'_> {
    fn complaint(&self, entry: &Entry) -> Option<String> {
        let id = entry.id.as_str();
        if self.scene.is_late(entry) && !self.scene.protected.contains(id) {
            // It was asked for when it was sent.
            return None;
        }
        let is_dropped =
            matches!(&entry.effect, Effect::Group(before, after) if self.by_slack(before, after));
        if is_dropped && !matches!(entry.cause, Cause::Client(number) if self.scene.is_group_request(number))
        {
            return None;
        }
        if self.scene.protected.contains(id) {
            return Some(format!("{id} was touched, and must not be: {:?}", entry.effect));
        }
        match &entry.effect {
            Effect::AccountMade(account) => self.made(id, account),
            Effect::Account(both) => self.changed(id, &both.0, &both.1),
            Effect::GroupMade(group) => self.group_made(id, group),
            Effect::Group(before, after) => self.group_changed(entry, before, after),
            Effect::GroupGone(group) => self.group_gone(id, group),
        }
    }

    fn entry_of(&self, id: &str) -> Option<&UserEntry> {
        let at = self.accounts.iter().position(|account| account.as_deref() == Some(id))?;
        self.scene.roster.users.get(at)
    }

    fn made(&self, id: &str, account: &Account) -> Option<String> {
        let held = |attribute| account.values.get(&attribute).map(String::as_str).unwrap_or_default();
        let entry = self.scene.roster.users.iter().find(|entry| {
            entry.user_name.value.as_str() == held(Attribute::UserName)
                && entry.email.value.eq_ignore_ascii_case(held(Attribute::Email))
        });
        let Some(entry) = entry else { return Some(format!("{id} was made for nobody: {account:?}")) };
        if !entry.managed || !entry.active.value {
            return Some(format!("{id} was made for {}, who is to have none", entry.user_name.value));
        }
        for (attribute, value) in &account.values {
            let wish = entry.setting(*attribute).map(|setting| &setting.wish);
            let right = match (attribute, wish) {
                (Attribute::UserName | Attribute::Email | Attribute::Photo | Attribute::ProfileUrl, _)
                | (_, Some(Wish::Set(Value::Person(_)))) => true,
                (_, Some(Wish::Set(wanted))) => holds(*attribute, wanted, Some(value), |_| None),
                // What Slack fills in by itself (sheet S5, S6).
                (Attribute::DisplayName | Attribute::GivenName | Attribute::Timezone, _) => true,
                (_, Some(Wish::Clear) | None) => false,
            };
            if !right {
                return Some(format!("{id} was made with {} {value:?}, wished {wish:?}", attribute.key()));
            }
        }
        None
    }

    /// Whether somebody else of the roster wants this name or address.
    fn is_wanted(&self, text: &str, not_by: &UserEntry) -> bool {
        self.scene.roster.users.iter().any(|entry| {
            let second = entry.setting(Attribute::SecondaryEmail).map(|setting| &setting.wish);
            let second =
                matches!(second, Some(Wish::Set(Value::Text(second))) if second.eq_ignore_ascii_case(text));
            let own = entry.user_name == not_by.user_name;
            second
                || entry.email.value.eq_ignore_ascii_case(text)
                || (!own && entry.user_name.value.as_str().eq_ignore_ascii_case(text))
        })
    }

    fn changed(&self, id: &str, before: &Account, after: &Account) -> Option<String> {
        let leaves_only = Account { active: false, ..before.clone() } == *after;
        let Some(entry) = self.entry_of(id) else {
            let leave = self.scene.roster.policy.unlisted.users == UnlistedUsers::Deactivate;
            return (before.bot || !(leave && leaves_only))
                .then(|| format!("{id} is not listed, and was touched: {before:?} -> {after:?}"));
        };
        let name = &entry.user_name.value;
        if !entry.managed || before.bot {
            return Some(format!("{name} is not managed, and was touched"));
        }
        if before.active != after.active && after.active != entry.active.value {
            return Some(format!("{name} was made active: {}, and nobody asked for it", after.active));
        }
        if before.guest != after.guest {
            let wish = entry.setting(Attribute::Guest).map(|setting| &setting.wish);
            let wanted = matches!(wish, Some(Wish::Set(Value::Flag(true))));
            if wish.is_none() || wanted != after.guest || !entry.active.value {
                return Some(format!("{name} was made guest: {}, wished {wish:?}", after.guest));
            }
        }
        let keys: BTreeSet<Attribute> = before.values.keys().chain(after.values.keys()).copied().collect();
        keys.into_iter().find_map(|attribute| {
            let (then, now) = (before.values.get(&attribute), after.values.get(&attribute));
            let wrong = then != now && !self.is_asked(entry, attribute, (before, after));
            wrong.then(|| format!("{name}: {} went from {then:?} to {now:?}", attribute.key()))
        })
    }

    fn is_asked(
        &self,
        entry: &UserEntry,
        attribute: Attribute,
        (before, after): (&Account, &Account),
    ) -> bool {
        let (then, now) = (before.values.get(&attribute), after.values.get(&attribute));
        let gives_up = then.is_some_and(|then| self.is_wanted(then, entry) || is_temporary(then));
        match attribute {
            Attribute::UserName => {
                let arrives = now.is_some_and(|now| now == entry.user_name.value.as_str());
                (arrives && entry.active.value)
                    || (gives_up && (arrives || now.is_some_and(|now| is_temporary(now))))
            }
            Attribute::Email => {
                let arrives = now.is_some_and(|now| now.eq_ignore_ascii_case(&entry.email.value));
                (arrives && entry.active.value)
                    || (gives_up && (arrives || now.is_some_and(|now| is_temporary(now))))
            }
            Attribute::SecondaryEmail if gives_up => true,
            // It goes with the guest.
            Attribute::GuestExpires if before.guest && !after.guest => now.is_none(),
            _ if !entry.active.value => false,
            Attribute::Photo => entry.setting(attribute).is_some(),
            _ => {
                let mode = self.scene.roster.policy.attributes.get(attribute);
                if mode != AttributeMode::Enforce {
                    return false;
                }
                let account = |person: model::roster::EntryIndex| self.accounts[person.get()].clone();
                match entry.setting(attribute).map(|setting| &setting.wish) {
                    Some(Wish::Clear) if attribute == Attribute::DisplayName => true,
                    Some(Wish::Clear) => now.is_none(),
                    Some(Wish::Set(wanted)) => holds(attribute, wanted, now.map(String::as_str), account),
                    None => FAMILIES.iter().any(|family| {
                        family.contains(&attribute)
                            && family.iter().any(|other| entry.setting(*other).is_some())
                    }),
                }
            }
        }
    }

    fn group_made(&self, id: &str, group: &Group) -> Option<String> {
        let entries = self.scene.roster.groups.as_deref().unwrap_or_default();
        let Some(entry) = entries.iter().find(|entry| *entry.display_name.value == *group.name) else {
            return Some(format!("the group {id} ({}) was made, and nobody asked for it", group.name));
        };
        let listed: BTreeSet<&str> = entry
            .members
            .iter()
            .flat_map(|members| &members.list)
            .filter_map(|member| self.accounts[member.user.get()].as_deref())
            .collect();
        let stranger = group.members.iter().find(|member| !listed.contains(member.as_str()))?;
        Some(format!("the new group {} has {stranger}, whom it does not list", group.name))
    }

    /// Whether this is what Slack does to the memberships of whom it deactivates (sheet S13), whoever's groups they are.
    fn by_slack(&self, before: &Group, after: &Group) -> bool {
        let inactive = |id: &String| {
            let now = self.scene.now.accounts.get(id).is_some_and(|account| !account.active);
            now || self.scene.deactivated.contains(id)
        };
        before.name == after.name
            && after.members.is_subset(&before.members)
            && before.members.difference(&after.members).all(inactive)
    }

    /// Whether a PUT overran somebody whom others took in, or out, after the group had last been read: who replaces a
    /// whole list cannot know.
    fn is_overrun(&self, entry: &Entry, member: &str) -> bool {
        let Cause::Client(number) = entry.cause else { return false };
        let Some(put) = self.scene.log.get(number).filter(|sent| sent.method == Method::PUT) else {
            return false;
        };
        let sees = |sent: &&Sent| {
            sent.method == Method::GET && (sent.target == put.target || sent.target.starts_with("/Groups?"))
        };
        let Some(read) = self.scene.log[..number].iter().rev().find(sees) else { return true };
        // Nor can who was shown an old list.
        if matches!(read.fate, Fate::Stale { .. }) {
            return true;
        }
        self.scene.others.iter().rev().take_while(|other| other.at + GROUP_LAG >= read.at).any(|other| {
            matches!(&other.effect, Effect::Group(before, after)
                if other.id == entry.id && after.members.contains(member) != before.members.contains(member))
        })
    }

    fn group_changed(&self, entry: &Entry, before: &Group, after: &Group) -> Option<String> {
        let id = entry.id.as_str();
        let effect = entry;
        let left: Vec<&String> = before.members.difference(&after.members).collect();
        let joined: Vec<&String> = after.members.difference(&before.members).collect();
        let entries = self.scene.roster.groups.as_deref().unwrap_or_default();
        let at = self.groups.iter().position(|group| group.as_deref() == Some(id)).or_else(|| {
            let is_new = !self.scene.untouched.groups.contains_key(id);
            entries.iter().position(|entry| is_new && *entry.display_name.value == *after.name)
        });
        let Some(entry) = at.and_then(|at| entries.get(at)) else {
            return Some(format!("the group {id} ({}) is not listed, and was touched", before.name));
        };
        let name = &*entry.display_name.value;
        if before.name != after.name && *after.name != *name {
            let wanted = entries.iter().any(|other| *other.display_name.value == *before.name);
            if !wanted || !is_temporary(&after.name) {
                return Some(format!("the group {name} was renamed to {}", after.name));
            }
        }
        let Some(members) = &entry.members else {
            let same = left.is_empty() && joined.is_empty();
            return (!same).then(|| format!("the members of {name} are not managed, and changed"));
        };
        let listed: BTreeSet<&str> =
            members.list.iter().filter_map(|member| self.accounts[member.user.get()].as_deref()).collect();
        let is_stranger =
            |member: &&&String| !listed.contains(member.as_str()) && !self.is_overrun(effect, member);
        if let Some(stranger) = joined.iter().find(is_stranger) {
            return Some(format!("{stranger} joined {name}, which does not list them"));
        }
        left.iter().find_map(|member| {
            let account = self.scene.now.accounts.get(*member);
            let entry = self.entry_of(member);
            let protected = self.scene.protected.contains(*member) && entry.is_none_or(|entry| entry.managed);
            let stays = listed.contains(member.as_str()) || protected || account.is_some_and(|a| a.bot);
            let keep = self.scene.roster.policy.unlisted.members == UnlistedMembers::Keep;
            let leaves = match entry {
                Some(entry) => !entry.active.value,
                None => self.scene.roster.policy.unlisted.users == UnlistedUsers::Deactivate,
            };
            let wrong = (stays || (keep && !leaves)) && !self.is_overrun(effect, member);
            wrong.then(|| format!("{member} was taken out of {name}, and nobody asked for it"))
        })
    }

    fn group_gone(&self, id: &str, group: &Group) -> Option<String> {
        let delete = self.scene.roster.policy.unlisted.groups == UnlistedGroups::Delete
            && self.scene.roster.groups.is_some();
        let listed = self.groups.iter().any(|group| group.as_deref() == Some(id));
        (!delete || listed).then(|| format!("the group {id} ({}) was deleted", group.name))
    }
}

/// Whether a name or address is one that only cuts a circle. It is the client's own choice, and shows it.
fn is_temporary(text: &str) -> bool {
    text.starts_with("tmp-") || text.starts_with("rosterctl-tmp-") || text.contains("+rosterctl-")
}

/// Which people were created, and how often.
pub fn creations(entries: &[Entry]) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.cause.is_client()) {
        let name = match &entry.effect {
            Effect::AccountMade(account) => {
                account.values.get(&Attribute::UserName).cloned().unwrap_or_default()
            }
            Effect::GroupMade(group) => format!("group {}", group.name),
            _ => continue,
        };
        *found.entry(name).or_default() += 1;
    }
    found
}
