//! How much a roster demands of a world, counted without the client: whether a guard was right to block.

use crate::census::{Account, Census};
use crate::simulation::ledger::Whole;
use crate::truth::{accounts_of, groups_of};
use model::attribute::Value;
use model::policy::{Limit, Limits, UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::roster::{UserEntry, Wish};
use model::{Attribute, Roster};
use std::collections::{BTreeMap, BTreeSet};

/// What taking a world to a roster takes, at the most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Accounts to be deactivated.
    pub deactivated: BTreeSet<String>,
    /// People to be created, by userName.
    pub created: BTreeSet<String>,
    /// Accounts whose primary address is to change.
    pub emails: BTreeSet<String>,
    /// Accounts whose userName is to change.
    pub user_names: BTreeSet<String>,
    /// Accounts to be made guests or members.
    pub guests: BTreeSet<String>,
    /// Memberships to end: group and account.
    pub removed: BTreeSet<(String, String)>,
    /// Groups that may lose their last member: all that lose any.
    pub emptied: BTreeSet<String>,
    /// Groups to be deleted.
    pub deleted: BTreeSet<String>,
    /// Whether a deactivated account would be written that the roster names by one of its names alone.
    pub doubtful_identity: bool,
    /// Where the others are to go: how many active people the roster lists, and how many there are.
    pub listed: Option<(usize, usize)>,
}

impl Demand {
    /// What it takes from `now` to `roster`; `untouched` is the world without what the client did, by which people and
    /// groups are told.
    pub fn of(roster: &Roster, now: &Census, protected: &BTreeSet<String>) -> Self {
        let mut demand = Self::default();
        let accounts = accounts_of(roster, now, now);
        let mut listed: BTreeSet<&str> = BTreeSet::new();
        for (entry, id) in roster.users.iter().zip(&accounts) {
            let Some(id) = id else {
                if entry.managed && entry.active.value {
                    demand.created.insert(entry.user_name.value.to_string());
                }
                continue;
            };
            listed.insert(id);
            let Some(account) = now.accounts.get(id) else { continue };
            if entry.managed && !protected.contains(id) && !account.bot {
                demand.person(entry, id, account);
            }
        }
        for (id, account) in &now.accounts {
            let stays =
                listed.contains(id.as_str()) || account.bot || protected.contains(id) || !account.active;
            if !stays && roster.policy.unlisted.users == UnlistedUsers::Deactivate {
                demand.deactivated.insert(id.clone());
            }
        }
        let active = roster.users.iter().filter(|entry| entry.active.value).count();
        let people = now.accounts.values().filter(|account| account.active && !account.bot).count();
        demand.listed =
            (roster.policy.unlisted.users == UnlistedUsers::Deactivate).then_some((active, people));
        demand.groups(roster, now, protected, &accounts);
        demand
    }

    fn person(&mut self, entry: &UserEntry, id: &str, account: &Account) {
        let held = |attribute| account.values.get(&attribute).map(String::as_str).unwrap_or_default();
        let renamed = !held(Attribute::UserName).eq_ignore_ascii_case(entry.user_name.value.as_str());
        let moved = !held(Attribute::Email).eq_ignore_ascii_case(&entry.email.value);
        if account.active && !entry.active.value {
            self.deactivated.insert(id.to_owned());
        }
        if renamed {
            self.user_names.insert(id.to_owned());
        }
        if moved {
            self.emails.insert(id.to_owned());
        }
        if let Some(setting) = entry.setting(Attribute::Guest) {
            let wanted = matches!(setting.wish, Wish::Set(Value::Flag(true)));
            if wanted != account.guest {
                self.guests.insert(id.to_owned());
            }
        }
        let by_id = entry.id.is_some();
        self.doubtful_identity |= !account.active && !by_id && (renamed || moved);
    }

    fn groups(
        &mut self,
        roster: &Roster,
        now: &Census,
        protected: &BTreeSet<String>,
        accounts: &[Option<String>],
    ) {
        let Some(entries) = &roster.groups else { return };
        let ids = groups_of(entries, now);
        let leaving = self.deactivated.clone();
        for (entry, id) in entries.iter().zip(&ids) {
            let Some(group) = id.as_ref().and_then(|id| now.groups.get(id)) else { continue };
            let (Some(id), Some(members)) = (id, &entry.members) else { continue };
            if protected.contains(id) {
                continue;
            }
            let wanted: BTreeSet<&str> =
                members.list.iter().filter_map(|member| accounts[member.user.get()].as_deref()).collect();
            for member in group.members.iter().filter(|member| !wanted.contains(member.as_str())) {
                let bot = now.accounts.get(member).is_some_and(|account| account.bot);
                let keeps =
                    roster.policy.unlisted.members == UnlistedMembers::Keep && !leaving.contains(member);
                if !bot && !protected_person(protected, roster, accounts, member) && !keeps {
                    self.removed.insert((id.clone(), member.clone()));
                    self.emptied.insert(id.clone());
                }
            }
        }
        // Slack may take whom it deactivates out of every group (sheet S13).
        let loses =
            |group: &&String| now.groups[*group].members.iter().any(|member| leaving.contains(member));
        self.emptied.extend(now.groups.keys().filter(loses).cloned());
        if roster.policy.unlisted.groups == UnlistedGroups::Delete {
            let listed: BTreeSet<&String> = ids.iter().flatten().collect();
            for (id, group) in &now.groups {
                if !listed.contains(id) && !protected.contains(id) {
                    self.deleted.insert(id.clone());
                    self.removed.extend(group.members.iter().map(|member| (id.clone(), member.clone())));
                }
            }
        }
    }

    /// The guards that have a reason to block, `recent` being what counts besides.
    pub fn blocks(&self, limits: &Limits, whole: &Whole) -> BTreeSet<&'static str> {
        let mut found = BTreeSet::new();
        let mut check = |guard, measured: usize, limit: Limit, of: usize| {
            if measured > limit.of(of) {
                found.insert(guard);
            }
        };
        check("deactivateUsers", self.deactivated.len(), limits.deactivate_users, whole.active);
        check("createUsers", self.created.len(), limits.create_users, whole.active);
        check("changeEmails", self.emails.len(), limits.change_emails, whole.active);
        check("changeUserNames", self.user_names.len(), limits.change_user_names, whole.active);
        check("convertGuests", self.guests.len(), limits.convert_guests, whole.active);
        check("removeMembers", self.removed.len(), limits.remove_members, whole.memberships);
        check("emptyGroups", self.emptied.len(), limits.empty_groups, whole.group_count);
        check("deleteGroups", self.deleted.len(), limits.delete_groups, whole.group_count);
        let mut per_group: BTreeMap<&str, usize> = BTreeMap::new();
        for (group, _) in self.removed.iter().filter(|(group, _)| !self.deleted.contains(group)) {
            *per_group.entry(group).or_default() += 1;
        }
        for (group, removed) in per_group {
            let size = whole.groups.get(group).copied().unwrap_or_default();
            check("removeMembersPerGroup", removed, limits.remove_members_per_group, size);
        }
        if self.doubtful_identity {
            found.insert("identity");
        }
        // Whom today's runs deactivated was there when the day began.
        if self.listed.is_some_and(|(listed, people)| listed * 2 < people + self.deactivated.len()) {
            found.insert("brokenSource");
        }
        found
    }
}

/// Whether an account is protected by the policy, as against one that nobody manages.
fn protected_person(
    protected: &BTreeSet<String>,
    roster: &Roster,
    accounts: &[Option<String>],
    id: &str,
) -> bool {
    let entry = accounts.iter().position(|account| account.as_deref() == Some(id));
    let unmanaged = entry.is_some_and(|entry| !roster.users[entry].managed);
    protected.contains(id) && !unmanaged
}
