//! Who and what the policy protects.

use crate::live::Live;
use crate::matching;
use model::attribute::Attribute;
use model::names::{fold, folded};
use model::plan::{Outcome, Verdict};
use model::policy::Pattern;
use model::roster::UserEntry;
use model::{Located, Place, Roster};
use std::collections::HashMap;
use std::iter;

/// The protected resources, on both sides.
pub(crate) struct Protection {
    /// Per entry of the roster.
    pub(crate) entries: Vec<bool>,
    /// Per account of the directory.
    pub(crate) accounts: Vec<bool>,
    /// Per group of the roster.
    pub(crate) group_entries: Vec<bool>,
    /// Per group of the directory.
    pub(crate) groups: Vec<bool>,
    /// Per file of the roster, where its `defaults` begin; empty when no entry is protected.
    defaults: Vec<Option<u32>>,
}

impl Protection {
    /// Finds what the patterns name, by its live names and by the roster's: an entry and its account are one. A
    /// pattern that names nobody blocks, since a typo must not unprotect.
    pub(crate) fn new(
        roster: &Roster,
        live: &Live,
        people: &matching::People,
        groups: &matching::Groups,
        verdicts: &mut Vec<Verdict>,
    ) -> Self {
        let directory = live.directory;
        let mut patterns = Patterns::new(&roster.policy.protect.users);
        let mut accounts: Vec<bool> = directory
            .users
            .iter()
            .map(|user| {
                let names = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
                let names = names.into_iter().filter_map(|name| user.get(name));
                patterns.matches(iter::once(user.id.as_str()).chain(names))
            })
            .collect();
        let mut entries: Vec<bool> = roster
            .users
            .iter()
            .map(|entry| {
                let id = entry.id.as_ref().map(|id| id.value.as_str());
                let names = [Some(entry.user_name.value.as_str()), Some(&*entry.email.value), id];
                patterns.matches(names.into_iter().flatten())
            })
            .collect();
        patterns.report("person", verdicts);
        for (at, entry) in entries.iter_mut().enumerate() {
            if let Some(account) = people.account(at) {
                let account = &mut accounts[account.get()];
                *account |= *entry;
                *entry = *account;
            }
        }

        let listed = roster.groups.as_deref().unwrap_or_default();
        let mut patterns = Patterns::new(&roster.policy.protect.groups);
        let mut live_groups: Vec<bool> = directory
            .groups
            .iter()
            .map(|group| patterns.matches([&*group.display_name, group.id.as_str()].into_iter()))
            .collect();
        let mut group_entries: Vec<bool> = listed
            .iter()
            .map(|entry| {
                let id = entry.id.as_ref().map(|id| id.value.as_str());
                patterns.matches([Some(&*entry.display_name.value), id].into_iter().flatten())
            })
            .collect();
        patterns.report("group", verdicts);
        for (at, entry) in group_entries.iter_mut().enumerate() {
            if let Some(group) = groups.live[at] {
                live_groups[group] |= *entry;
                *entry = live_groups[group];
            }
        }
        // Looking for them takes a walk through the whole roster, which only the protected are worth.
        let is_needed = entries.contains(&true);
        let sources = roster.sources.iter().filter(|_| is_needed);
        let defaults = sources.map(|(_, source)| defaults_start(&source.text)).collect();
        Self { entries, accounts, group_entries, groups: live_groups, defaults }
    }

    /// Whether a place is the entry's own line, rather than one of its file's `defaults`, above or below it.
    pub(crate) fn is_own(&self, entry: &UserEntry, place: Place) -> bool {
        let own = entry.place;
        let defaults = self.defaults.get(own.source.0 as usize).copied().flatten();
        let below = defaults.is_some_and(|start| own.start < start && start <= place.start);
        place.source == own.source && own.start <= place.start && !below
    }
}

/// Where the top-level key `defaults` of a roster file stands.
fn defaults_start(text: &str) -> Option<u32> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start_matches(['"', '\'']).starts_with("defaults") {
            return u32::try_from(start).ok();
        }
        start += line.len();
    }
    None
}

/// The verdict on a roster line that would change what is protected.
pub(crate) fn contradiction(name: &str, what: &str) -> Verdict {
    Verdict {
        guard: "protect",
        outcome: Outcome::Block,
        measured: None,
        recent: None,
        limit: None,
        message: format!("{name} is protected, and the roster would {what}"),
        resources: vec![name.to_owned()],
        remedy: "make the roster say what is live, or take the name out of `policy.protect`".to_owned(),
    }
}

/// Patterns, those without a `*` in a map: a long list of names must not be walked for every account.
struct Patterns<'a> {
    all: &'a [Located<Pattern>],
    exact: HashMap<String, usize>,
    wild: Vec<usize>,
    hit: Vec<bool>,
}

impl<'a> Patterns<'a> {
    fn new(all: &'a [Located<Pattern>]) -> Self {
        let mut exact = HashMap::new();
        let mut wild = Vec::new();
        for (at, pattern) in all.iter().enumerate() {
            let text = pattern.value.as_str();
            if text.contains('*') {
                wild.push(at);
            } else {
                exact.entry(fold(text)).or_insert(at);
            }
        }
        Self { all, exact, wild, hit: vec![false; all.len()] }
    }

    /// Whether a pattern fits one of the names. Every pattern that fits is remembered as one that names somebody.
    fn matches<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let mut any = false;
        for name in names {
            if let Some(at) = self.exact.get(&*folded(name)) {
                self.hit[*at] = true;
                any = true;
            }
            for at in &self.wild {
                if self.all[*at].value.matches(name) {
                    self.hit[*at] = true;
                    any = true;
                }
            }
        }
        any
    }

    fn report(&self, what: &str, verdicts: &mut Vec<Verdict>) {
        for (at, pattern) in self.all.iter().enumerate() {
            let text = pattern.value.as_str();
            let first = self.exact.get(&fold(text)).copied().unwrap_or(at);
            if !self.hit[at] && !self.hit[first] {
                verdicts.push(Verdict {
                    guard: "protect",
                    outcome: Outcome::Block,
                    measured: None,
                    recent: None,
                    limit: None,
                    message: format!("the policy protects {text}, and no {what} of the directory or the roster is called that"),
                    resources: vec![text.to_owned()],
                    remedy: "correct the spelling, or take the line out of `policy.protect`".to_owned(),
                });
            }
        }
    }
}
