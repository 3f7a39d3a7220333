//! Groups, and the policy.

use super::{Draw, ListedGroup, Person};
use crate::simulation::others::Reach;
use model::policy::Limits;
use serde_json::json;
use slack_sim::{Seed, SeedGroup};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const GROUPS: [&str; 7] = ["core", "sales", "ops", "legal", "design", "lab", "club"];

impl Draw {
    /// The groups of the workspace and of the roster, and the patterns of those that are protected.
    pub(super) fn groups(
        &mut self,
        seed: &mut Seed,
        protected: &mut BTreeSet<String>,
        reach: &mut Reach,
    ) -> (Option<Vec<ListedGroup>>, Vec<String>) {
        let count = self.rng.usize(2..=6);
        let mut groups: Vec<ListedGroup> = Vec::new();
        let mut patterns = Vec::new();
        let live_people: Vec<String> = seed.users.iter().map(|user| user.user_name.clone()).collect();
        // (userName in the roster, userName in the workspace, whether a guest)
        let listed: Vec<(String, Option<String>)> = self
            .people
            .iter()
            .filter_map(|person| {
                let entry = person.entry.as_ref().filter(|entry| !entry.inactive)?;
                let live = person.live.as_ref();
                let guest = live.is_some_and(|live| live.guest.is_some())
                    || entry.settings.iter().any(|(key, value)| *key == "guest" && value != "null");
                let may = !guest || self.able.guests_in_groups;
                may.then(|| (entry.user_name.clone(), live.map(|live| live.user_name.clone())))
            })
            .collect();
        let swap = self.chance(12) && count >= 2;
        for (at, name) in GROUPS.iter().enumerate().take(count) {
            let id = format!("S0{}", name.to_uppercase());
            let mut wanted: Vec<(String, Option<String>)> =
                listed.iter().filter(|_| self.rng.u8(..100) < 45).cloned().collect();
            let mut live: Vec<String> = wanted.iter().filter_map(|(_, live)| live.clone()).collect();
            let mut list = |live: &[String]| {
                seed.groups.push(SeedGroup {
                    id: Some(id.clone()),
                    display_name: (*name).to_owned(),
                    members: live.to_vec(),
                    ..SeedGroup::default()
                });
            };
            let mut say = |head: String, members: Option<&[(String, Option<String>)]>| {
                let members = members.map(|list| list.iter().map(|(name, _)| name.clone()).collect());
                groups.push(ListedGroup { head, members });
            };
            let kind = if swap && at < 2 { 200 } else { self.rng.u32(..100) };
            match kind {
                0..55 | 200 => {
                    // Some must join, and some must leave.
                    live.retain(|_| self.rng.u8(..100) < 80);
                    for other in &live_people {
                        if self.rng.u8(..100) < 12 && !live.contains(other) {
                            live.push(other.clone());
                        }
                    }
                    list(&live);
                    reach.groups.push(id.clone());
                    if kind == 200 {
                        let other = GROUPS[1 - at];
                        say(format!("displayName: {other}, id: {id}"), Some(&wanted));
                    } else if self.chance(10) {
                        say(format!("displayName: {name}"), None);
                    } else if self.chance(6) {
                        say(format!("displayName: {name}"), Some(&[]));
                    } else {
                        say(format!("displayName: {name}"), Some(&wanted));
                    }
                }
                55..68 => {
                    live.retain(|_| self.rng.u8(..100) < 85);
                    list(&live);
                    reach.groups.push(id.clone());
                    say(format!("displayName: {name}-renamed, formerly: [{name}]"), Some(&wanted));
                }
                68..82 => {
                    if self.chance(30) {
                        wanted.clear();
                    }
                    say(format!("displayName: {name}"), Some(&wanted));
                }
                82..92 => {
                    list(&live);
                    reach.groups.push(id.clone());
                    reach.loose_groups.push(id.clone());
                }
                _ => {
                    list(&live);
                    reach.groups.push(id.clone());
                    protected.insert(id.clone());
                    patterns.push(if patterns.is_empty() { (*name).to_owned() } else { id.clone() });
                    if self.chance(50)
                        && let Some(group) = seed.groups.last_mut()
                    {
                        group.auto_generated = true;
                    }
                }
            }
        }
        let unmanaged = groups.is_empty() && self.chance(50);
        ((!unmanaged).then_some(groups), patterns)
    }

    /// What the roster says after a further change.
    pub(super) fn later(
        &mut self,
        groups: Option<Vec<ListedGroup>>,
    ) -> (Vec<Person>, Option<Vec<ListedGroup>>) {
        let mut people = self.people.clone();
        let mut gone: BTreeSet<String> = BTreeSet::new();
        for person in &mut people {
            let leaves = self.rng.u8(..100) < 15;
            let Some(entry) = person.entry.as_mut().filter(|_| leaves && !person.protected) else { continue };
            if !entry.unmanaged && person.live.is_some() {
                entry.inactive = true;
                entry.settings.clear();
                gone.insert(entry.user_name.clone());
            }
        }
        let groups = groups.map(|mut groups| {
            for members in groups.iter_mut().filter_map(|group| group.members.as_mut()) {
                members.retain(|member| !gone.contains(member) && self.rng.u8(..100) < 85);
            }
            groups
        });
        (people, groups)
    }

    /// The policy.
    pub(super) fn policy(&mut self, users: &[String], groups: &[String]) -> String {
        let mut text = String::from("policy:\n");
        let unlisted_users = if self.chance(20) { "deactivate" } else { "keep" };
        let unlisted_groups = if self.chance(20) { "delete" } else { "keep" };
        let unlisted_members = if self.chance(15) { "keep" } else { "remove" };
        writeln!(
            text,
            "  unlisted: {{ users: {unlisted_users}, groups: {unlisted_groups}, members: {unlisted_members} }}"
        )
        .unwrap();
        if !users.is_empty() || !groups.is_empty() {
            writeln!(text, "  protect: {{ users: {}, groups: {} }}", json!(users), json!(groups)).unwrap();
        }
        if self.enforce_display_names {
            text.push_str("  attributes: { displayName: enforce }\n");
        }
        let style = self.rng.u32(..100);
        if style < 75 {
            text.push_str("  limits:\n");
            for limit in Limits::KEYS {
                let tight = style >= 55 && self.chance(25);
                let value = if tight { self.rng.u8(..4).to_string() } else { "100%".to_owned() };
                writeln!(text, "    {limit}: {value}").unwrap();
            }
        }
        text
    }
}
