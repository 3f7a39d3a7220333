//! Whom and what a revert leaves alone, whatever the run did to them.

use super::effects::Effects;
use model::attribute::Attribute;
use model::directory::{AccountKind, Directory, User};
use model::names::{GroupId, UserId, fold};
use model::place::Located;
use model::policy::{Pattern, Policy, Protect};
use model::roster::Roster;
use std::collections::{HashMap, HashSet};

/// Why something is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fenced {
    /// The policy protects it.
    Protected,
    /// The roster lists the person with `managed: false`.
    Unmanaged,
    /// It is an app's.
    Bot,
}

/// Everything that is out of bounds.
///
/// A person may be known by other names live, before the run, and in the roster; the fence is around everybody whom any
/// of them names. Being too careful leaves a line in the notes, being too bold writes to somebody's account.
#[derive(Debug, Default)]
pub(super) struct Fence<'d> {
    users: HashMap<&'d UserId, Fenced>,
    groups: HashSet<&'d GroupId>,
    /// Patterns that name nobody and nothing, by any of these names.
    unmatched: Protect,
}

impl<'d> Fence<'d> {
    /// Builds the fence from a policy and, where there is one, from a roster's people.
    pub(super) fn new(
        policy: &Policy,
        roster: Option<&Roster>,
        effects: &Effects,
        directory: &'d Directory,
    ) -> Self {
        let mut fence = Self::default();
        fence.people(policy, roster, effects, directory);
        fence.crowd(policy, roster, effects, directory);
        for user in directory.users.iter().filter(|user| user.kind == AccountKind::Bot) {
            fence.users.insert(&user.id, Fenced::Bot);
        }
        fence
    }

    /// Whether, and why, an account is left alone.
    pub(super) fn user(&self, id: &UserId) -> Option<Fenced> {
        self.users.get(id).copied()
    }

    /// Whether a group is left alone.
    pub(super) fn protects_group(&self, id: &GroupId) -> bool {
        self.groups.contains(id)
    }

    /// The protection that the differ is to enforce once more: by id, since the names that were matched here need not
    /// be among those that it sees. Patterns that name nobody are kept, so that they block as they do any plan.
    pub(super) fn protect(&self) -> Protect {
        let exactly = |id: &str| Located::new(Pattern::new(id), model::Place::default());
        let mut users: Vec<&UserId> =
            self.users.iter().filter(|(_, why)| **why == Fenced::Protected).map(|(id, _)| *id).collect();
        users.sort_unstable();
        let mut groups: Vec<&GroupId> = self.groups.iter().copied().collect();
        groups.sort_unstable();
        Protect {
            users: users
                .into_iter()
                .map(|id| exactly(id.as_str()))
                .chain(self.unmatched.users.iter().cloned())
                .collect(),
            groups: groups
                .into_iter()
                .map(|id| exactly(id.as_str()))
                .chain(self.unmatched.groups.iter().cloned())
                .collect(),
        }
    }

    fn people(
        &mut self,
        policy: &Policy,
        roster: Option<&Roster>,
        effects: &Effects,
        directory: &'d Directory,
    ) {
        const NAMES: [Attribute; 3] = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
        let mut former: HashMap<&UserId, Vec<&str>> = HashMap::new();
        for touched in &effects.touched {
            let names = NAMES.iter().filter_map(|name| touched.attributes.get(name)?.before.as_deref());
            former.entry(&touched.id).or_default().extend(names);
        }
        let mut patterns = Patterns::new(&policy.protect.users);
        let mut by_name: HashMap<String, Vec<&'d User>> = HashMap::new();
        for user in &directory.users {
            let live = NAMES.iter().filter_map(|name| user.get(*name));
            let names: Vec<&str> = live
                .chain(former.get(&user.id).into_iter().flatten().copied())
                .chain([user.id.as_str()])
                .collect();
            if patterns.match_any(names.iter().copied()) {
                self.users.insert(&user.id, Fenced::Protected);
            }
            if roster.is_some() {
                for name in names {
                    by_name.entry(fold(name)).or_default().push(user);
                }
            }
        }
        for entry in roster.into_iter().flat_map(|roster| &roster.users) {
            let id = entry.id.as_ref().map(|id| id.value.as_str());
            let names = [Some(entry.user_name.value.as_str()), Some(&*entry.email.value), id];
            let is_protected = patterns.match_any(names.into_iter().flatten());
            if entry.managed && !is_protected {
                continue;
            }
            let why = if is_protected { Fenced::Protected } else { Fenced::Unmanaged };
            for user in names.into_iter().flatten().filter_map(|name| by_name.get(&fold(name))).flatten() {
                if self.users.get(&user.id) != Some(&Fenced::Protected) {
                    self.users.insert(&user.id, why);
                }
            }
        }
        self.unmatched.users = patterns.unmatched();
    }

    fn crowd(
        &mut self,
        policy: &Policy,
        roster: Option<&Roster>,
        effects: &Effects,
        directory: &'d Directory,
    ) {
        if policy.protect.groups.is_empty() {
            return;
        }
        let former: HashMap<&GroupId, &str> = effects
            .touched_groups
            .iter()
            .filter_map(|group| Some((&group.id, &*group.display_name.as_ref()?.before)))
            .collect();
        let mut patterns = Patterns::new(&policy.protect.groups);
        let mut by_name: HashMap<String, Vec<&'d GroupId>> = HashMap::new();
        for group in &directory.groups {
            let names: Vec<&str> = [&*group.display_name, group.id.as_str()]
                .into_iter()
                .chain(former.get(&group.id).copied())
                .collect();
            if patterns.match_any(names.iter().copied()) {
                self.groups.insert(&group.id);
            }
            for name in names {
                by_name.entry(fold(name)).or_default().push(&group.id);
            }
        }
        for entry in roster.into_iter().flat_map(|roster| roster.groups.iter().flatten()) {
            let id = entry.id.as_ref().map(|id| id.value.as_str());
            let names = [Some(&*entry.display_name.value), id];
            if patterns.match_any(names.into_iter().flatten()) {
                let formerly = entry.formerly.iter().map(|name| &*name.value);
                let names = names.into_iter().flatten().chain(formerly);
                self.groups.extend(names.filter_map(|name| by_name.get(&fold(name))).flatten().copied());
            }
        }
        self.unmatched.groups = patterns.unmatched();
    }
}

/// Patterns, those without a `*` in a map: a long list of names must not be walked for every account.
struct Patterns<'p> {
    all: &'p [Located<Pattern>],
    exact: HashMap<String, Vec<usize>>,
    wild: Vec<usize>,
    hit: Vec<bool>,
}

impl<'p> Patterns<'p> {
    fn new(all: &'p [Located<Pattern>]) -> Self {
        let mut exact: HashMap<String, Vec<usize>> = HashMap::new();
        let mut wild = Vec::new();
        for (at, pattern) in all.iter().enumerate() {
            if pattern.value.as_str().contains('*') {
                wild.push(at);
            } else {
                exact.entry(fold(pattern.value.as_str())).or_default().push(at);
            }
        }
        Self { all, exact, wild, hit: vec![false; all.len()] }
    }

    /// Whether a pattern fits one of the names.
    fn match_any<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> bool {
        if self.all.is_empty() {
            return false;
        }
        let mut found = false;
        for name in names {
            let exact = self.exact.get(&fold(name)).into_iter().flatten().copied();
            let wild = self
                .wild
                .iter()
                .copied()
                .filter(|at| self.all.get(*at).is_some_and(|p| p.value.matches(name)));
            for at in exact.chain(wild) {
                found = true;
                if let Some(hit) = self.hit.get_mut(at) {
                    *hit = true;
                }
            }
        }
        found
    }

    fn unmatched(&self) -> Vec<Located<Pattern>> {
        self.all.iter().zip(&self.hit).filter(|(_, hit)| !**hit).map(|(pattern, _)| pattern.clone()).collect()
    }
}
