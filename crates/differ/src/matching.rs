//! Identity: which account a person of the roster has, and which live group a group of the roster is.
//!
//! Every rung of the ladder (design §3, "Identity") is climbed by all entries before the next one, so that the order of
//! the file does not matter; an entry stops at the first rung that answers. Only an `id` takes its account out of the
//! rest: an account that one entry has by e-mail and another by userName is claimed twice, which is an error.

use crate::live::{Holder, Live, Space};
use model::attribute::Attribute;
use model::directory::UserIndex;
use model::names::{fold, folded};
use model::roster::{GroupEntry, UserEntry};
use model::{Diagnostic, Place, Roster, in_parts};
use std::ops::Range;

/// How an entry came by its account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rung {
    /// The roster names the account.
    Id,
    /// The account's primary address is the entry's.
    Email,
    /// The account's userName is the entry's.
    UserName,
}

/// Which accounts the people of the roster have.
pub(crate) struct People {
    /// Per entry.
    pub(crate) accounts: Vec<Option<(UserIndex, Rung)>>,
    /// Per account, the entry that has it.
    pub(crate) claimants: Vec<Option<usize>>,
}

impl People {
    /// The account of an entry.
    pub(crate) fn account(&self, entry: usize) -> Option<UserIndex> {
        self.accounts[entry].map(|(account, _)| account)
    }
}

/// Which live groups the groups of the roster are.
pub(crate) struct Groups {
    /// Per entry.
    pub(crate) live: Vec<Option<usize>>,
    /// Per live group, the entry that has it.
    pub(crate) claimants: Vec<Option<usize>>,
}

/// Gives every person of the roster at most one account.
pub(crate) fn people(roster: &Roster, live: &Live, errors: &mut Vec<Diagnostic>) -> People {
    let mut found = People {
        accounts: vec![None; roster.users.len()],
        claimants: vec![None; live.directory.users.len()],
    };
    for (at, entry) in roster.users.iter().enumerate() {
        let Some(id) = &entry.id else { continue };
        match live.directory.find(&id.value) {
            Some(account) => claim_account(roster, live, &mut found, at, (account, Rung::Id), errors),
            None => errors.push(
                Diagnostic::error(
                    "unknown-id",
                    id.place,
                    format!("{}: no account has the id {}", entry.user_name.value, id.value),
                )
                .help(
                    "take the id from the service; without `id` the account is found by e-mail or userName",
                ),
            ),
        }
    }
    // Only an id takes its account out of the rest (design §3): an account that one entry has by e-mail and another by
    // userName is claimed twice, and whose it is must be said, not guessed.
    let by_id = found.claimants.clone();
    for (rung, space, slot) in [
        (Rung::Email, Space::Addresses, Attribute::Email),
        (Rung::UserName, Space::UserNames, Attribute::UserName),
    ] {
        // Looked up for all beforehand, in parts: it takes longer than all the rest, and depends on no claim of this rung.
        let holders = |range: Range<usize>| -> Vec<&[Holder]> {
            let waiting = roster.users[range.clone()].iter().zip(&found.accounts[range]);
            let asked = waiting.map(|(entry, account)| match (account, rung) {
                (Some(_), _) => &[],
                (None, Rung::Email) => live.holders(space, &folded(&entry.email.value)),
                (None, _) => live.holders(space, entry.user_name.value.as_str()),
            });
            asked.collect()
        };
        let holders = in_parts(roster.users.len(), holders).concat();
        for ((at, entry), holders) in roster.users.iter().enumerate().zip(holders) {
            if entry.id.is_some() || found.accounts[at].is_some() {
                continue;
            }
            let answers: Vec<UserIndex> = holders
                .iter()
                .filter(|(account, at)| *at == slot && by_id[account.get()].is_none())
                .map(|(account, _)| *account)
                .collect();
            match answers.as_slice() {
                [] => {}
                [account] => claim_account(roster, live, &mut found, at, (*account, rung), errors),
                several => errors.push(ambiguous(entry, rung, several, live)),
            }
        }
    }
    found
}

fn claim_account(
    roster: &Roster,
    live: &Live,
    found: &mut People,
    at: usize,
    (account, rung): (UserIndex, Rung),
    errors: &mut Vec<Diagnostic>,
) {
    let entry = &roster.users[at];
    let place = rung_place(entry, rung);
    let name = &entry.user_name.value;
    if live.is_bot(account) {
        let message = format!("{name} is the {}, and bots are never managed", live.describe(account));
        errors.push(Diagnostic::error("bot", place, message).help("take the bot out of the roster"));
        return;
    }
    if let Some(other) = found.claimants[account.get()].and_then(|other| roster.users.get(other)) {
        let message = format!("{name} and {} are both the {}", other.user_name.value, live.describe(account));
        errors.push(
            Diagnostic::error("claimed-twice", place, message)
                .related(other.place, "the other entry")
                .help("give the one whose account it is an `id:` line with the account's id; the other then gets its own"),
        );
        return;
    }
    found.accounts[at] = Some((account, rung));
    found.claimants[account.get()] = Some(at);
}

fn ambiguous(entry: &UserEntry, rung: Rung, accounts: &[UserIndex], live: &Live) -> Diagnostic {
    let by = if rung == Rung::Email { "e-mail" } else { "userName" };
    let all: Vec<String> = accounts.iter().map(|account| live.describe(*account)).collect();
    let message =
        format!("{} has more than one account with this {by}: {}", entry.user_name.value, all.join(" and "));
    Diagnostic::error("ambiguous-account", rung_place(entry, rung), message)
        .help("name the right one with an `id:` line in this entry")
}

fn rung_place(entry: &UserEntry, rung: Rung) -> Place {
    match rung {
        Rung::Id => entry.id.as_ref().map_or(entry.place, |id| id.place),
        Rung::Email => entry.email.place,
        Rung::UserName => entry.user_name.place,
    }
}

/// Gives every group of the roster at most one live group.
pub(crate) fn groups(roster: &Roster, live: &Live, errors: &mut Vec<Diagnostic>) -> Groups {
    let entries = roster.groups.as_deref().unwrap_or_default();
    let count = live.directory.groups.len();
    let mut found = Groups { live: vec![None; entries.len()], claimants: vec![None; count] };
    // `Live` has no index by group id: only the few entries that have an `id` would ask it.
    let mut by_id: Vec<usize> = (0..count).collect();
    by_id.sort_by(|a, b| live.directory.groups[*a].id.cmp(&live.directory.groups[*b].id));
    for (at, entry) in entries.iter().enumerate() {
        let Some(id) = &entry.id else { continue };
        match by_id.binary_search_by(|group| live.directory.groups[*group].id.cmp(&id.value)) {
            Ok(group) => claim_group(entries, live, &mut found, at, by_id[group], errors),
            Err(_) => errors.push(
                Diagnostic::error(
                    "unknown-id",
                    id.place,
                    format!("{}: no group has the id {}", entry.display_name.value, id.value),
                )
                .help("take the id from the service; without `id` the group is found by its displayName"),
            ),
        }
    }
    let before = found.claimants.clone();
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.id.is_none()) {
        let answers = unclaimed(live, &before, &entry.display_name.value);
        match answers.as_slice() {
            [] => {}
            [group] => claim_group(entries, live, &mut found, at, *group, errors),
            several => errors.push(ambiguous_group(entry, entry.display_name.place, several, live)),
        }
    }
    let before = found.claimants.clone();
    for (at, entry) in entries.iter().enumerate() {
        let borne = !live.groups_named(&fold(&entry.display_name.value)).is_empty();
        if entry.id.is_some() || found.live[at].is_some() || borne {
            continue;
        }
        let mut answers = Vec::new();
        for former in &entry.formerly {
            answers.extend(unclaimed(live, &before, &former.value));
            if let Some(other) = claimed_by_name(entries, live, &found, &former.value) {
                let message = format!(
                    "{} was formerly {}, but {} is in the roster too, and one live group cannot be both",
                    entry.display_name.value, former.value, other.display_name.value
                );
                errors.push(
                    Diagnostic::error("claimed-twice", former.place, message)
                        .related(other.place, "the other entry")
                        .help("say with an `id:` line which of the two the live group is"),
                );
            }
        }
        answers.dedup();
        match answers.as_slice() {
            [] => {}
            [group] => claim_group(entries, live, &mut found, at, *group, errors),
            several => errors.push(ambiguous_group(entry, entry.place, several, live)),
        }
    }
    found
}

fn unclaimed(live: &Live, claimants: &[Option<usize>], name: &str) -> Vec<usize> {
    live.groups_named(&fold(name)).iter().copied().filter(|group| claimants[*group].is_none()).collect()
}

/// The entry that claimed the live group of this name by that very name.
fn claimed_by_name<'a>(
    entries: &'a [GroupEntry],
    live: &Live,
    found: &Groups,
    name: &str,
) -> Option<&'a GroupEntry> {
    let folded = fold(name);
    live.groups_named(&folded)
        .iter()
        .filter_map(|group| entries.get(found.claimants[*group]?))
        .find(|entry| entry.id.is_none() && fold(&entry.display_name.value) == folded)
}

fn claim_group(
    entries: &[GroupEntry],
    live: &Live,
    found: &mut Groups,
    at: usize,
    group: usize,
    errors: &mut Vec<Diagnostic>,
) {
    let entry = &entries[at];
    if let Some(other) = found.claimants[group].and_then(|other| entries.get(other)) {
        let message = format!(
            "{} and {} are both the live group {}",
            entry.display_name.value, other.display_name.value, live.directory.groups[group].id
        );
        errors.push(
            Diagnostic::error("claimed-twice", entry.place, message)
                .related(other.place, "the other entry")
                .help("give each entry the `id` of its own group"),
        );
        return;
    }
    found.live[at] = Some(group);
    found.claimants[group] = Some(at);
}

fn ambiguous_group(entry: &GroupEntry, place: Place, groups: &[usize], live: &Live) -> Diagnostic {
    let all: Vec<String> = groups
        .iter()
        .map(|group| &live.directory.groups[*group])
        .map(|group| format!("{} ({})", group.id, group.display_name))
        .collect();
    let message =
        format!("{} may be more than one live group: {}", entry.display_name.value, all.join(" and "));
    Diagnostic::error("ambiguous-group", place, message)
        .help("name the right one with an `id:` line in this entry")
}
