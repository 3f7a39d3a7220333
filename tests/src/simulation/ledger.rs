//! What happened in the world and whose doing it was, taken down by the world itself.

use crate::census::{Account, Census, Group, account};
use model::Attribute;
use slack_sim::{Kind, Simulator, User};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio::time::Instant;

/// Whose doing something was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// A request of the client's: its position in the log of requests.
    Client(usize),
    /// Something that a request of the client's started and that took its time: a deactivation, a photo.
    Aftermath,
    /// Other people, or the service by itself.
    Others,
}

impl Cause {
    /// Whether the client has to answer for it.
    pub fn is_client(self) -> bool {
        self != Self::Others
    }
}

/// What happened to one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// An account was made.
    AccountMade(Account),
    /// An account changed.
    Account(Box<(Account, Account)>),
    /// A group was made.
    GroupMade(Group),
    /// A group changed: before and after.
    Group(Group, Group),
    /// A group was deleted.
    GroupGone(Group),
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry {
    /// When.
    pub at: Instant,
    /// Whose doing it was.
    pub cause: Cause,
    /// The resource.
    pub id: String,
    /// What happened to it.
    pub effect: Effect,
    /// The round in which the client's request for it was sent.
    pub round: usize,
}

/// How much there was of what limits are a share of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whole {
    /// Active accounts that are not bots'.
    pub active: usize,
    /// Memberships.
    pub memberships: usize,
    /// Groups.
    pub group_count: usize,
    /// The members of each group.
    pub groups: BTreeMap<String, usize>,
}

/// The record of a world.
#[derive(Debug)]
pub struct Ledger {
    users: BTreeMap<String, Arc<User>>,
    groups: BTreeMap<String, Group>,
    /// Everything that happened, in order.
    pub entries: Vec<Entry>,
    /// How much there was, and since when.
    pub wholes: Vec<(Instant, Whole)>,
    /// The world as it would be if the client had never done anything.
    pub untouched: Census,
    /// The round that goes on.
    pub round: usize,
    /// The last round that went by an earlier roster: what comes of it now is part of what there is.
    pub settled: usize,
    /// Per account, the round in which a photo was last sent.
    photos: BTreeMap<String, usize>,
    /// Per resource, the round in which the client last wrote to it.
    rounds: BTreeMap<String, usize>,
}

impl Ledger {
    /// The record of a world that begins.
    pub fn new(simulator: &Simulator) -> Self {
        let mut ledger = Self {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            entries: Vec::new(),
            wholes: Vec::new(),
            untouched: Census::take(simulator),
            round: 0,
            settled: 0,
            photos: BTreeMap::new(),
            rounds: BTreeMap::new(),
        };
        ledger.observe(simulator, Cause::Others, None);
        ledger.entries.clear();
        ledger.wholes.push((Instant::now(), ledger.whole()));
        ledger
    }

    /// Notes that a request of `round` is about to write to a resource.
    pub fn expects(&mut self, id: &str, round: usize, with_photo: bool) {
        self.rounds.insert(id.to_owned(), round);
        if with_photo {
            self.photos.insert(id.to_owned(), round);
        }
    }

    /// Takes down what has changed since the last look, as done by a request of `round` if it was one. Says whether
    /// anything has.
    pub fn observe(&mut self, simulator: &Simulator, cause: Cause, round: Option<usize>) -> bool {
        let now = Instant::now();
        let mut found: Vec<(String, Effect)> = Vec::new();
        simulator.look(|world| {
            for user in world.users() {
                match self.users.get_mut(&user.id) {
                    Some(known) if **known == *user => {}
                    Some(known) => {
                        let (before, after) = (account(known), account(user));
                        *known = Arc::new(user.clone());
                        // What is only under way changes nothing that can be seen.
                        if before != after {
                            found.push((user.id.clone(), Effect::Account(Box::new((before, after)))));
                        }
                    }
                    None => {
                        self.users.insert(user.id.clone(), Arc::new(user.clone()));
                        found.push((user.id.clone(), Effect::AccountMade(account(user))));
                    }
                }
            }
            let mut gone: BTreeSet<String> = self.groups.keys().cloned().collect();
            for group in world.groups() {
                gone.remove(&group.id);
                let names = world.member_names(&group.id);
                let members: BTreeSet<String> = names
                    .into_iter()
                    .filter_map(|name| world.user(name))
                    .map(|user| user.id.clone())
                    .collect();
                let now = Group { name: group.display_name.clone(), members };
                match self.groups.get_mut(&group.id) {
                    Some(known) if *known == now => {}
                    Some(known) => {
                        let before = std::mem::replace(known, now.clone());
                        found.push((group.id.clone(), Effect::Group(before, now)));
                    }
                    None => {
                        self.groups.insert(group.id.clone(), now.clone());
                        found.push((group.id.clone(), Effect::GroupMade(now)));
                    }
                }
            }
            for id in gone {
                if let Some(group) = self.groups.remove(&id) {
                    found.push((id, Effect::GroupGone(group)));
                }
            }
        });
        if found.is_empty() {
            return false;
        }
        self.wholes.push((now, self.whole()));
        for (id, effect) in found {
            // What comes late belongs to the round that asked for it.
            let round = match cause {
                Cause::Aftermath => {
                    let rounds = if is_photo(&effect) { &self.photos } else { &self.rounds };
                    rounds.get(&id).copied().unwrap_or(self.round)
                }
                Cause::Client(_) | Cause::Others => round.unwrap_or(self.round),
            };
            if matches!(effect, Effect::AccountMade(_)) {
                self.photos.insert(id.clone(), round);
            }
            if cause == Cause::Others || round <= self.settled {
                follow(&mut self.untouched, &id, &effect);
            }
            self.entries.push(Entry { at: now, cause, id, effect, round });
        }
        true
    }

    fn whole(&self) -> Whole {
        let groups: BTreeMap<String, usize> =
            self.groups.iter().map(|(id, group)| (id.clone(), group.members.len())).collect();
        Whole {
            active: self.users.values().filter(|user| user.active && user.kind != Kind::Bot).count(),
            memberships: groups.values().sum(),
            group_count: groups.len(),
            groups,
        }
    }

    /// The most that there was of everything since an instant.
    pub fn most_since(&self, since: Instant) -> Whole {
        let before = self.wholes.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        let mut most = Whole::default();
        for (_, whole) in self.wholes.get(before..).unwrap_or_default() {
            most.active = most.active.max(whole.active);
            most.memberships = most.memberships.max(whole.memberships);
            most.group_count = most.group_count.max(whole.group_count);
            for (id, size) in &whole.groups {
                let known = most.groups.entry(id.clone()).or_default();
                *known = (*known).max(*size);
            }
        }
        most
    }

    /// The least that there was of everything since an instant.
    pub fn least_since(&self, since: Instant) -> Whole {
        let before = self.wholes.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        let recent = self.wholes.get(before..).unwrap_or_default();
        let mut least = recent.last().map(|(_, whole)| whole.clone()).unwrap_or_default();
        for (_, whole) in recent {
            least.active = least.active.min(whole.active);
            least.memberships = least.memberships.min(whole.memberships);
            least.group_count = least.group_count.min(whole.group_count);
            for (id, size) in &mut least.groups {
                *size = (*size).min(whole.groups.get(id).copied().unwrap_or_default());
            }
        }
        least
    }

    /// Whom the client has ever deactivated.
    pub fn deactivated(&self) -> BTreeSet<String> {
        let leaves = |entry: &&Entry| {
            matches!(&entry.effect, Effect::Account(both) if both.0.active && !both.1.active)
                && entry.cause.is_client()
        };
        self.entries.iter().filter(leaves).map(|entry| entry.id.clone()).collect()
    }

    /// Whether others changed anything since an instant.
    pub fn others_since(&self, since: Instant) -> bool {
        self.entries.iter().rev().take_while(|entry| entry.at >= since).any(|entry| !entry.cause.is_client())
    }
}

/// Whether nothing but a photo changed.
fn is_photo(effect: &Effect) -> bool {
    let Effect::Account(both) = effect else { return false };
    let without = |account: &Account| {
        let mut account = account.clone();
        account.values.remove(&Attribute::Photo);
        account
    };
    without(&both.0) == without(&both.1)
}

/// Lets a census go along with what others did.
fn follow(census: &mut Census, id: &str, effect: &Effect) {
    match effect {
        Effect::AccountMade(account) => drop(census.accounts.insert(id.to_owned(), account.clone())),
        Effect::Account(both) => {
            let (before, after) = &**both;
            let Some(account) = census.accounts.get_mut(id) else { return };
            if before.active != after.active {
                account.active = after.active;
            }
            if before.guest != after.guest {
                account.guest = after.guest;
            }
            let keys: BTreeSet<_> = before.values.keys().chain(after.values.keys()).copied().collect();
            for key in keys {
                match (before.values.get(&key), after.values.get(&key)) {
                    (old, new) if old == new => {}
                    (_, Some(new)) => drop(account.values.insert(key, new.clone())),
                    (_, None) => drop(account.values.remove(&key)),
                }
            }
        }
        Effect::GroupMade(group) => drop(census.groups.insert(id.to_owned(), group.clone())),
        Effect::Group(before, after) => {
            let Some(group) = census.groups.get_mut(id) else { return };
            if before.name != after.name {
                group.name.clone_from(&after.name);
            }
            for member in before.members.difference(&after.members) {
                group.members.remove(member);
            }
            group.members.extend(after.members.difference(&before.members).cloned());
        }
        Effect::GroupGone(_) => drop(census.groups.remove(id)),
    }
}
