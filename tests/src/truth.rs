//! Whether the world is as a roster says, and everything else as it was before: judged from two censuses, without the
//! client's reading, matching, comparing or decoding.

use crate::census::{Account, Census};
use jiff::Timestamp;
use model::attribute::Value;
use model::policy::UnlistedMembers;
use model::roster::{EntryIndex, GroupEntry, UserEntry, Wish};
use model::{Attribute, Roster, UserName};
use std::collections::{BTreeMap, BTreeSet};

/// What the judge has to know besides the roster.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terms<'a> {
    /// Ids of accounts and groups that must not change in any way.
    pub protected: &'a [&'a str],
    /// Attributes that are written at creation only, as the policy of the roster has it.
    pub on_create: &'a [Attribute],
    /// Whether deactivated people lose their memberships, so that groups nobody listed lose them too.
    pub leavers_leave_groups: bool,
    /// Whether the policy deactivates who is not listed.
    pub unlisted_leave: bool,
    /// Whether the policy deletes groups that are not listed.
    pub unlisted_groups_go: bool,
}

/// Everything in which `after` is not what `roster` made of `before`, one line each.
pub fn departures(roster: &Roster, before: &Census, after: &Census, terms: &Terms<'_>) -> Vec<String> {
    let judge = Judge { roster, before, after, terms, accounts: accounts_of(roster, before, after) };
    let mut found = Vec::new();
    judge.people(&mut found);
    judge.unlisted(&mut found);
    judge.groups(&mut found);
    found
}

/// Which account each entry of the roster is, by the ladder of design §3: id, primary address, userName.
pub(crate) fn accounts_of(roster: &Roster, before: &Census, after: &Census) -> Vec<Option<String>> {
    let value = |account: &Account, attribute, text: &str| {
        account.values.get(&attribute).is_some_and(|value| value.eq_ignore_ascii_case(text))
    };
    let mut claimed: BTreeSet<&str> =
        roster.users.iter().filter_map(|user| Some(user.id.as_ref()?.value.as_str())).collect();
    let mut found: Vec<Option<String>> = vec![None; roster.users.len()];
    for rung in [None, Some(Attribute::Email), Some(Attribute::UserName)] {
        for (at, entry) in roster.users.iter().enumerate() {
            if found[at].is_some() {
                continue;
            }
            found[at] = match (rung, &entry.id) {
                (None, Some(id)) => Some(id.value.as_str().to_owned()),
                (None, None) | (Some(_), Some(_)) => None,
                (Some(attribute), None) => {
                    let wanted = match attribute {
                        Attribute::Email => &*entry.email.value,
                        _ => entry.user_name.value.as_str(),
                    };
                    let mut accounts = before.accounts.iter();
                    let account = accounts.find(|(id, account)| {
                        !claimed.contains(id.as_str()) && value(account, attribute, wanted)
                    });
                    if let Some((id, _)) = account {
                        claimed.insert(id);
                    }
                    account.map(|(id, _)| id.clone())
                }
            };
        }
    }
    // Who has no account yet is to be made, and is then found by name.
    let made = |entry: &UserEntry| {
        let is_new = |(id, account): &(&String, &Account)| {
            !before.accounts.contains_key(*id)
                && value(account, Attribute::UserName, entry.user_name.value.as_str())
        };
        after.accounts.iter().find(is_new).map(|(id, _)| id.clone())
    };
    found.into_iter().zip(&roster.users).map(|(id, entry)| id.or_else(|| made(entry))).collect()
}

struct Judge<'a> {
    roster: &'a Roster,
    before: &'a Census,
    after: &'a Census,
    terms: &'a Terms<'a>,
    accounts: Vec<Option<String>>,
}

impl Judge<'_> {
    fn account(&self, person: EntryIndex) -> Option<&str> {
        self.accounts[person.get()].as_deref()
    }

    fn is_protected(&self, id: &str) -> bool {
        self.terms.protected.contains(&id)
    }

    fn people(&self, found: &mut Vec<String>) {
        for (at, entry) in self.roster.users.iter().enumerate() {
            let name = &entry.user_name.value;
            let Some(id) = &self.accounts[at] else {
                // A leaver who never had an account is given none.
                if entry.active.value && entry.managed {
                    found.push(format!("{name} has no account"));
                }
                continue;
            };
            let Some(now) = self.after.accounts.get(id) else {
                found.push(format!("{name}: the account {id} is gone"));
                continue;
            };
            let then = self.before.accounts.get(id);
            if !entry.managed || self.is_protected(id) {
                if then != Some(now) {
                    found.push(format!("{name} is not managed and has changed"));
                }
                continue;
            }
            if now.active != entry.active.value {
                found.push(format!("{name}: active is {}", now.active));
            }
            if entry.active.value {
                self.person(entry, then, now, found);
            } else {
                self.leaver(name, then, now, found);
            }
        }
    }

    fn person(&self, entry: &UserEntry, then: Option<&Account>, now: &Account, found: &mut Vec<String>) {
        let name = &entry.user_name.value;
        for attribute in Attribute::all() {
            let held = now.values.get(&attribute).map(String::as_str);
            let untouched =
                || then.is_some_and(|then| then.values.get(&attribute).map(String::as_str) == held);
            let on_create_only =
                self.terms.on_create.contains(&attribute) || attribute == Attribute::ProfileUrl;
            let right = match attribute {
                Attribute::Active => true,
                Attribute::UserName => held == Some(name.as_str()),
                Attribute::Email => held.is_some_and(|held| held.eq_ignore_ascii_case(&entry.email.value)),
                Attribute::Guest => match entry.setting(attribute).map(|setting| &setting.wish) {
                    Some(wish) => now.guest == !matches!(wish, Wish::Clear | Wish::Set(Value::Flag(false))),
                    None => then.map_or(!now.guest, |then| then.guest == now.guest),
                },
                _ if on_create_only && then.is_some() => untouched(),
                _ => match entry.setting(attribute).map(|setting| &setting.wish) {
                    Some(Wish::Clear) => held.is_none(),
                    Some(Wish::Set(wanted)) => self.holds(attribute, wanted, held),
                    // A guest's expiry goes with the guest; a new account gets Slack's defaults.
                    None => {
                        then.is_none() || untouched() || (attribute == Attribute::GuestExpires && !now.guest)
                    }
                },
            };
            if !right {
                let before = then.and_then(|then| then.values.get(&attribute));
                found.push(format!("{name}: {} is {held:?} (before: {before:?})", attribute.key()));
            }
        }
    }

    fn holds(&self, attribute: Attribute, wanted: &Value<EntryIndex>, held: Option<&str>) -> bool {
        holds(attribute, wanted, held, |person| self.account(person).map(str::to_owned))
    }

    /// A leaver keeps everything, but gives up a name or address that somebody else of the roster wants.
    fn leaver(&self, name: &UserName, then: Option<&Account>, now: &Account, found: &mut Vec<String>) {
        let Some(then) = then else {
            found.push(format!("{name} is inactive and was given an account"));
            return;
        };
        let wanted = |text: &str| {
            self.roster.users.iter().any(|entry| {
                entry.email.value.eq_ignore_ascii_case(text)
                    || entry.user_name.value.as_str().eq_ignore_ascii_case(text)
                    || matches!(entry.setting(Attribute::SecondaryEmail).map(|setting| &setting.wish),
                        Some(Wish::Set(Value::Text(second))) if second.eq_ignore_ascii_case(text))
            })
        };
        for attribute in Attribute::all() {
            let (then, now) = (then.values.get(&attribute), now.values.get(&attribute));
            let gives_up =
                matches!(attribute, Attribute::UserName | Attribute::Email | Attribute::SecondaryEmail)
                    && then.is_some_and(|then| wanted(then));
            if then != now && !gives_up {
                found.push(format!(
                    "{name} is inactive and {} went from {then:?} to {now:?}",
                    attribute.key()
                ));
            }
        }
    }

    fn unlisted(&self, found: &mut Vec<String>) {
        let listed: BTreeSet<&str> = self.accounts.iter().flatten().map(String::as_str).collect();
        for (id, then) in self.before.accounts.iter().filter(|(id, _)| !listed.contains(id.as_str())) {
            let leaves = self.terms.unlisted_leave && !then.bot && !self.is_protected(id);
            let expected = Account { active: then.active && !leaves, ..then.clone() };
            if self.after.accounts.get(id) != Some(&expected) {
                found.push(format!("the unlisted account {id} has changed"));
            }
        }
        let nobodys = |id: &&String| !self.before.accounts.contains_key(*id) && !listed.contains(id.as_str());
        for id in self.after.accounts.keys().filter(nobodys) {
            found.push(format!("the account {id} was made for nobody"));
        }
    }

    fn groups(&self, found: &mut Vec<String>) {
        let entries = self.roster.groups.as_deref().unwrap_or_default();
        let found_by = groups_of(entries, self.before);
        for (entry, id) in entries.iter().zip(&found_by) {
            let name = &*entry.display_name.value;
            let then = id.as_ref().and_then(|id| self.before.groups.get(id));
            let now = match id {
                Some(id) => self.after.groups.get(id),
                None => self.after.group(name),
            };
            let Some(now) = now else {
                found.push(format!("there is no group {name}"));
                continue;
            };
            if id.as_deref().is_some_and(|id| self.is_protected(id)) {
                if Some(now) != then {
                    found.push(format!("the protected group {name} has changed"));
                }
                continue;
            }
            if now.name != name {
                found.push(format!("the group {name} is called {}", now.name));
            }
            let expected = self.members(entry, then.map(|group| &group.members));
            // Who is never written and deactivated can be taken into no group, and stays where he is.
            let is_fixed = |id: &&String| self.is_fixed(id);
            // Where unlisted members are kept, whoever was in it may be (design §3).
            let kept = then.map(|group| &group.members);
            let kept = kept.filter(|_| self.roster.policy.unlisted.members == UnlistedMembers::Keep);
            let is_kept = |id: &&String| kept.is_some_and(|kept| kept.contains(*id));
            let surplus = now.members.difference(&expected);
            let extra: Vec<_> = surplus.filter(|id| !is_fixed(id) && !is_kept(id)).collect();
            let is_leaver = |id: &&String| kept.is_some() && self.is_to_leave(id);
            let lacking = expected.difference(&now.members);
            let missing: Vec<_> = lacking.filter(|id| !is_fixed(id) && !is_leaver(id)).collect();
            if !extra.is_empty() || !missing.is_empty() {
                found.push(format!("the group {name} has {extra:?} too many and lacks {missing:?}"));
            }
        }
        let listed: BTreeSet<&String> = found_by.iter().flatten().collect();
        for (id, then) in self.before.groups.iter().filter(|(id, _)| !listed.contains(id)) {
            if self.terms.unlisted_groups_go && !self.is_protected(id) {
                if self.after.groups.contains_key(id) {
                    found.push(format!("the unlisted group {} is still there", then.name));
                }
                continue;
            }
            let now = self.after.groups.get(id);
            let same = now.is_some_and(|now| {
                now.name == then.name && now.members == self.without_leavers(&then.members)
            });
            if !same {
                found.push(format!("the unlisted group {} has changed", then.name));
            }
        }
        let made = self.after.groups.iter().filter(|(id, _)| !self.before.groups.contains_key(*id));
        let wanted = found_by.iter().filter(|id| id.is_none()).count();
        if made.clone().count() > wanted {
            found.push(format!("{} groups were made where {wanted} were wanted", made.count()));
        }
    }

    fn members(&self, entry: &GroupEntry, then: Option<&BTreeSet<String>>) -> BTreeSet<String> {
        let nobody = BTreeSet::new();
        let then = then.unwrap_or(&nobody);
        let Some(members) = &entry.members else { return self.without_leavers(then) };
        let listed = members.list.iter().filter_map(|member| self.account(member.user)).map(str::to_owned);
        let keep = self.roster.policy.unlisted.members == UnlistedMembers::Keep;
        let stays = |id: &&String| {
            let account = self.before.accounts.get(*id);
            let active = |census: &Census| census.accounts.get(*id).is_some_and(|account| account.active);
            let leaves = active(self.before) && !active(self.after);
            let unmanaged = self.accounts.iter().position(|account| account.as_ref() == Some(*id));
            let unmanaged = unmanaged.is_some_and(|entry| !self.roster.users[entry].managed);
            (self.is_protected(id) && !unmanaged)
                || account.is_some_and(|account| account.bot)
                || (keep && !leaves)
        };
        listed.chain(then.iter().filter(stays).cloned()).collect()
    }

    /// Whether an account is one that the roster, or its policy, wants to be deactivated.
    fn is_to_leave(&self, id: &str) -> bool {
        let entry = self.accounts.iter().position(|account| account.as_deref() == Some(id));
        entry.map_or(self.terms.unlisted_leave, |entry| !self.roster.users[entry].active.value)
    }

    /// Whether an account is never written and deactivated.
    fn is_fixed(&self, id: &str) -> bool {
        let entry = self.accounts.iter().position(|account| account.as_deref() == Some(id));
        let written = entry.is_some_and(|entry| self.roster.users[entry].managed) && !self.is_protected(id);
        !written && entry.is_some() && self.after.accounts.get(id).is_some_and(|account| !account.active)
    }

    fn without_leavers(&self, members: &BTreeSet<String>) -> BTreeSet<String> {
        let stays = |id: &&String| {
            let active = |census: &Census| census.accounts.get(*id).is_some_and(|account| account.active);
            // Who was deactivated before the run keeps whatever memberships there were.
            !self.terms.leavers_leave_groups || active(self.after) || !active(self.before)
        };
        members.iter().filter(stays).cloned().collect()
    }
}

/// Whether a value that is held is the one that is wanted.
pub(crate) fn holds(
    attribute: Attribute,
    wanted: &Value<EntryIndex>,
    held: Option<&str>,
    account: impl Fn(EntryIndex) -> Option<String>,
) -> bool {
    let Some(held) = held else { return false };
    match wanted {
        // The service keeps a picture of its own.
        Value::Text(_) if attribute == Attribute::Photo => true,
        Value::Text(text) if attribute == Attribute::SecondaryEmail => held.eq_ignore_ascii_case(text),
        Value::Text(text) => held == &**text,
        Value::Day(day) => held.starts_with(&day.to_string()),
        Value::Instant(instant) => held.parse::<Timestamp>().is_ok_and(|held| held == *instant),
        Value::Flag(_) => true,
        Value::Person(person) => account(*person).as_deref() == Some(held),
    }
}

/// Which group each entry is, by the ladder of design §3: id, displayName, a former name that the group still bears.
pub(crate) fn groups_of(entries: &[GroupEntry], before: &Census) -> Vec<Option<String>> {
    let by_name: BTreeMap<String, &String> =
        before.groups.iter().map(|(id, group)| (group.name.to_lowercase(), id)).collect();
    let claimed: BTreeSet<&str> =
        entries.iter().filter_map(|entry| Some(entry.id.as_ref()?.value.as_str())).collect();
    let named =
        |name: &str| by_name.get(&name.to_lowercase()).copied().filter(|id| !claimed.contains(id.as_str()));
    entries
        .iter()
        .map(|entry| match &entry.id {
            Some(id) => Some(id.value.as_str().to_owned()),
            None => named(&entry.display_name.value)
                .or_else(|| entry.formerly.iter().find_map(|name| named(&name.value)))
                .cloned(),
        })
        .collect()
}
