//! No shorter sequence of requests would do: small worlds are searched exhaustively, in a model of their own.
//!
//! The search knows the forms of requests there are: a POST with everything (the manager and the second address may
//! follow), a PATCH of any of a person's attributes to its old, its new or a temporary value, a PATCH of `active` alone
//! for a leaver, a PATCH of a group's name and any of its members, a DELETE of a group. It obeys the order that the design
//! asks for and takes whatever keeps names unique.

use crate::remote::Remote;
use crate::world::{World, show};
use crate::worlds::{Scale, world};
use differ::Diff;
use model::attribute::{Attribute as A, Value};
use model::policy::{UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::roster::Wish;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};

const OLD: u8 = 0;
const NEW: u8 = 1;
const TEMPORARY: u8 = 2;

/// One attribute of one person that may change.
struct Field {
    attribute: A,
    /// The name or address that each of its three values holds.
    holds: [Option<String>; 3],
    /// The person that its new value names.
    manager: Option<usize>,
    /// Whether it is to have its new value at the end. A leaver's names need not.
    wanted: bool,
}

impl Field {
    fn values(&self) -> &'static [u8] {
        match self.attribute {
            A::UserName | A::Email | A::SecondaryEmail => &[OLD, NEW, TEMPORARY],
            _ => &[OLD, NEW],
        }
    }

    fn is_name(&self) -> bool {
        self.values().len() == 3
    }

    fn is_done(&self, value: u8) -> bool {
        value == NEW || (!self.wanted && value == OLD)
    }
}

struct Person {
    exists: bool,
    active: bool,
    to_be_active: bool,
    fields: Vec<Field>,
    /// Names that never change.
    keeps: Vec<(A, String)>,
}

struct Group {
    exists: bool,
    deleted: bool,
    /// What it is called now, at the end, and in between.
    names: [Option<String>; 3],
    /// Who joins and who leaves.
    joins: Vec<usize>,
    leaves: Vec<usize>,
}

/// What a person or group is at one moment.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Now {
    Person { exists: bool, active: bool, values: Vec<u8> },
    Group { exists: bool, name: u8, moved: u32 },
}

struct Search {
    people: Vec<Person>,
    groups: Vec<Group>,
    seen: HashMap<Vec<Now>, usize>,
    visited: usize,
}

impl Search {
    fn start(&self) -> Vec<Now> {
        let people = self.people.iter().map(|person| {
            let values = vec![OLD; person.fields.len()];
            Now::Person { exists: person.exists, active: person.active, values }
        });
        let groups = self.groups.iter().map(|group| Now::Group { exists: group.exists, name: OLD, moved: 0 });
        people.chain(groups).collect()
    }

    fn is_done(&self, at: usize, now: &Now) -> bool {
        match now {
            Now::Person { exists, active, values } => {
                let person = &self.people[at];
                let fields = person.fields.iter().zip(values).all(|(field, value)| field.is_done(*value));
                (*exists || !person.to_be_active) && *active == person.to_be_active && fields
            }
            Now::Group { exists, name, moved } => {
                let group = &self.groups[at - self.people.len()];
                let all = (1 << (group.joins.len() + group.leaves.len())) - 1;
                if group.deleted {
                    !exists
                } else {
                    *exists && (*name == NEW || group.names[1].is_none()) && *moved == all
                }
            }
        }
    }

    /// Whether `most` requests are enough. Every request changes one resource, so that as many are still needed as
    /// there are resources that are not done.
    fn reaches(&mut self, state: &[Now], most: usize) -> bool {
        let open = (0..state.len()).filter(|at| !self.is_done(*at, &state[*at])).count();
        if open == 0 {
            return true;
        }
        if open > most || self.seen.get(state).is_some_and(|before| *before >= most) {
            return false;
        }
        self.seen.insert(state.to_vec(), most);
        self.visited += 1;
        assert!(self.visited < 2_000_000, "the search is not exhaustive");
        let spare = most - open;
        for at in 0..state.len() {
            for next in self.requests(at, state) {
                // Without a request to spare, each must finish a resource.
                if spare == 0 && !self.is_done(at, &next) {
                    continue;
                }
                let mut after = state.to_vec();
                after[at] = next;
                if self.is_unique(&after) && self.reaches(&after, most - 1) {
                    return true;
                }
            }
        }
        false
    }

    /// What one request can make of a resource.
    fn requests(&self, at: usize, state: &[Now]) -> Vec<Now> {
        match &state[at] {
            Now::Person { exists, active, values } => {
                self.person_requests(at, state, (*exists, *active), values)
            }
            Now::Group { exists, name, moved } => {
                group_requests(&self.groups[at - self.people.len()], state, (*exists, *name, *moved))
            }
        }
    }

    fn person_requests(
        &self,
        at: usize,
        state: &[Now],
        (exists, active): (bool, bool),
        values: &[u8],
    ) -> Vec<Now> {
        let person = &self.people[at];
        let mut found = Vec::new();
        if active && !person.to_be_active && self.has_left_groups(at, state) {
            found.push(Now::Person { exists, active: false, values: values.to_vec() });
        }
        if !exists && !person.to_be_active {
            return found;
        }
        let deactivated_here = person.active && !active;
        if deactivated_here {
            return found;
        }
        for next in combinations(&person.fields) {
            let changed = |field: usize| next[field] != values[field];
            let manager_exists = person.fields.iter().zip(&next).all(|(field, value)| {
                let manager = field.manager.filter(|_| *value == NEW);
                manager.is_none_or(|manager| matches!(state[manager], Now::Person { exists: true, .. }))
            });
            let only_names = (0..next.len()).all(|field| !changed(field) || person.fields[field].is_name());
            let complete = person.fields.iter().zip(&next).all(|(field, value)| match field.attribute {
                A::Manager | A::SecondaryEmail => *value != TEMPORARY,
                _ => *value == NEW,
            });
            let allowed = manager_exists && if exists { person.to_be_active || only_names } else { complete };
            let comes_back = !active && person.to_be_active;
            if allowed && (comes_back || next != values) {
                found.push(Now::Person { exists: true, active: active || comes_back, values: next });
            }
        }
        found
    }

    fn has_left_groups(&self, person: usize, state: &[Now]) -> bool {
        self.groups.iter().enumerate().all(|(at, group)| {
            let Now::Group { exists, moved, .. } = &state[self.people.len() + at] else { return true };
            let bit =
                group.leaves.iter().position(|leaver| *leaver == person).map(|at| at + group.joins.len());
            !exists || bit.is_none_or(|bit| moved & (1 << bit) != 0)
        })
    }

    fn is_unique(&self, state: &[Now]) -> bool {
        let mut held: BTreeMap<(u8, &str), usize> = BTreeMap::new();
        for (at, now) in state.iter().enumerate() {
            let holds: Vec<(u8, &str)> = match now {
                Now::Person { exists: true, values, .. } => {
                    let person = &self.people[at];
                    let fields = person.fields.iter().zip(values).filter_map(|(field, value)| {
                        Some((field.attribute, field.holds[usize::from(*value)].as_deref()?))
                    });
                    let keeps = person.keeps.iter().map(|(attribute, name)| (*attribute, name.as_str()));
                    fields.chain(keeps).map(|(a, name)| (u8::from(a != A::UserName), name)).collect()
                }
                Now::Group { exists: true, name, .. } => {
                    let names = &self.groups[at - self.people.len()].names;
                    names[usize::from(*name)].iter().map(|name| (2, name.as_str())).collect()
                }
                _ => Vec::new(),
            };
            for name in holds {
                // An address may be twice in an account only where the roster does not say what the second slot is.
                let own = matches!(now, Now::Person { .. })
                    && self.people[at].keeps.iter().any(|(_, kept)| kept == name.1);
                if held.insert(name, at).is_some_and(|other| other != at || !own) {
                    return false;
                }
            }
        }
        true
    }
}

fn group_requests(group: &Group, state: &[Now], (exists, name, moved): (bool, u8, u32)) -> Vec<Now> {
    if group.deleted {
        return if exists { vec![Now::Group { exists: false, name, moved }] } else { Vec::new() };
    }
    let bits = group.joins.len() + group.leaves.len();
    let mut found = Vec::new();
    for next in (0..1_u32 << bits).filter(|next| next & moved == moved) {
        let ready = group.joins.iter().enumerate().all(|(bit, member)| {
            let joins = (next & !moved) & (1 << bit) != 0;
            !joins || matches!(state[*member], Now::Person { exists: true, active: true, .. })
        });
        let names: &[u8] = match (exists, &group.names[1]) {
            (false, _) => &[NEW],
            (true, None) => &[OLD],
            (true, Some(_)) => &[OLD, NEW, TEMPORARY],
        };
        for name_after in names {
            if ready && (!exists || next != moved || *name_after != name) {
                found.push(Now::Group { exists: true, name: *name_after, moved: next });
            }
        }
    }
    found
}

fn combinations(fields: &[Field]) -> Vec<Vec<u8>> {
    fields.iter().fold(vec![Vec::new()], |all, field| {
        all.iter()
            .flat_map(|values| {
                field.values().iter().map(|value| {
                    let mut values = values.clone();
                    values.push(*value);
                    values
                })
            })
            .collect()
    })
}

/// The search for a world, from the roster and the remote; of the differ only who is who.
fn search(world: &World, remote: &Remote, diff: &Diff) -> Search {
    let directory = remote.directory();
    let accounts: Vec<Option<String>> = diff
        .matched
        .users
        .iter()
        .map(|account| account.map(|account| directory.user(account).unwrap().id.to_string()))
        .collect();
    let mut people: Vec<Person> =
        (0..world.entries.len()).map(|at| listed_person(world, remote, &accounts, at)).collect();
    let mut index: BTreeMap<String, usize> =
        accounts.iter().enumerate().filter_map(|(at, id)| Some((id.clone()?, at))).collect();
    for (id, account) in remote.accounts.iter().filter(|(id, _)| !accounts.contains(&Some((*id).clone()))) {
        let leaves = world.policy.unlisted.users == UnlistedUsers::Deactivate;
        index.insert(id.clone(), people.len());
        let names = [A::UserName, A::Email, A::SecondaryEmail];
        people.push(Person {
            exists: true,
            active: account.active,
            to_be_active: account.active && !leaves,
            fields: Vec::new(),
            keeps: names.iter().filter_map(|a| Some((*a, account.get(*a)?.to_owned()))).collect(),
        });
    }
    let groups = groups(world, remote, diff, &people, &index);
    Search { people, groups, seen: HashMap::new(), visited: 0 }
}

fn listed_person(world: &World, remote: &Remote, accounts: &[Option<String>], at: usize) -> Person {
    let entry = &world.entries[at];
    let live = accounts[at].as_ref().map(|id| &remote.accounts[id]);
    let mut person = Person {
        exists: live.is_some(),
        active: live.is_some_and(|live| live.active),
        to_be_active: entry.active,
        fields: Vec::new(),
        keeps: Vec::new(),
    };
    let mut wishes: Vec<(A, Option<String>, Option<usize>)> =
        vec![(A::UserName, Some(entry.name.clone()), None), (A::Email, Some(entry.email.clone()), None)];
    for (attribute, wish) in &entry.settings {
        wishes.push(match wish {
            Wish::Set(Value::Text(text)) => (*attribute, Some(text.to_string()), None),
            Wish::Set(Value::Person(manager)) => {
                let id = accounts[manager.get()].clone();
                let exists = id.is_some() || world.entries[manager.get()].active;
                if !exists {
                    continue;
                }
                (*attribute, Some(id.unwrap_or_else(|| "new".to_owned())), Some(manager.get()))
            }
            Wish::Set(Value::Flag(flag)) => (*attribute, flag.then(|| "true".to_owned()), None),
            _ => (*attribute, None, None),
        });
    }
    let declared: Vec<A> = wishes.iter().map(|(attribute, ..)| *attribute).collect();
    for (attribute, wanted, manager) in wishes {
        let now = match (attribute, live) {
            (A::Guest, Some(live)) => live.guest.then(|| "true".to_owned()),
            (_, live) => live.and_then(|live| live.get(attribute)).map(ToOwned::to_owned),
        };
        if live.is_some() && now == wanted {
            person.keeps.extend(now.filter(|_| attribute <= A::SecondaryEmail).map(|now| (attribute, now)));
            continue;
        }
        let is_name = attribute <= A::SecondaryEmail;
        // A second address needs no stand-in: it may be missing for a while.
        let temporary = (attribute != A::SecondaryEmail).then(|| format!("temporary {at} {attribute:?}"));
        let holds = if is_name { [now, wanted, temporary] } else { [None, None, None] };
        let wanted = entry.active;
        if entry.active || is_name {
            person.fields.push(Field { attribute, holds, manager, wanted });
        }
    }
    if let (Some(second), false) =
        (live.and_then(|live| live.get(A::SecondaryEmail)), declared.contains(&A::SecondaryEmail))
    {
        person.keeps.push((A::SecondaryEmail, second.to_owned()));
    }
    person
}

fn groups(
    world: &World,
    remote: &Remote,
    diff: &Diff,
    people: &[Person],
    index: &BTreeMap<String, usize>,
) -> Vec<Group> {
    let directory = remote.directory();
    let Some(lines) = &world.groups else { return Vec::new() };
    let mut groups = Vec::new();
    let mut listed = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let id = diff.matched.groups[at].map(|group| directory.groups[group].id.to_string());
        let live = id.as_ref().map(|id| &remote.groups[id]);
        listed.extend(id.clone());
        let renamed = live.is_none_or(|live| live.name != line.name);
        let mut group = Group {
            exists: live.is_some(),
            deleted: false,
            names: [
                live.map(|live| live.name.clone()),
                renamed.then(|| line.name.clone()),
                renamed.then(|| format!("temporary {at}")),
            ],
            joins: Vec::new(),
            leaves: Vec::new(),
        };
        if let Some(members) = &line.members {
            let wanted: Vec<usize> = members
                .iter()
                .map(|name| world.entries.iter().position(|entry| entry.name == *name).unwrap())
                .collect();
            let members = live.iter().flat_map(|live| &live.members);
            let now: Vec<usize> = members.map(|id| index[id]).collect();
            group.joins = wanted.iter().copied().filter(|member| !now.contains(member)).collect();
            let keep = world.policy.unlisted.members == UnlistedMembers::Keep;
            let leaver = |member: &usize| people[*member].active && !people[*member].to_be_active;
            group.leaves = now.into_iter().filter(|m| !wanted.contains(m) && (!keep || leaver(m))).collect();
        }
        groups.push(group);
    }
    for (_, live) in remote.groups.iter().filter(|(id, _)| !listed.contains(*id)) {
        let deleted = world.policy.unlisted.groups == UnlistedGroups::Delete;
        let names = [Some(live.name.clone()), None, None];
        groups.push(Group { exists: true, deleted, names, joins: Vec::new(), leaves: Vec::new() });
    }
    groups
}

#[test]
fn no_shorter_sequence_of_requests_reaches_the_roster() {
    let config = ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() };
    let (planned, cut) = (Cell::new(0_u32), Cell::new(BTreeMap::new()));
    TestRunner::new(config)
        .run(&prop::collection::vec(any::<u8>(), 0..120), |genes| {
            let (world, remote) = world(&genes, Scale { people: 3, groups: 2, outsiders: false });
            let Ok(diff) = world.diff(&remote) else { return Ok(()) };
            let length = diff.changeset.changes.len();
            planned.set(planned.get() + 1);
            let mut search = search(&world, &remote, &diff);
            let start = search.start();
            let open = (0..start.len()).filter(|at| !search.is_done(*at, &start[*at])).count();
            let mut extras = cut.take();
            *extras.entry(length.saturating_sub(open)).or_insert(0_u32) += 1;
            cut.set(extras);
            let shown = show(&diff);
            prop_assert!(
                search.reaches(&start, length),
                "{shown:#?} is out of the search's reach\n{world:#?}\n{remote:#?}"
            );
            search.seen.clear();
            let shorter = length > 0 && search.reaches(&start, length - 1);
            prop_assert!(!shorter, "{shown:#?} could be shorter\n{world:#?}\n{remote:#?}");
            Ok(())
        })
        .unwrap();
    // The test would be worthless on worlds without circles.
    let extras = cut.take();
    let circles: u32 = extras.iter().filter(|(extra, _)| **extra > 0).map(|(_, count)| count).sum();
    assert!(planned.get() > 1_000 && circles > 100, "{} plans, by extra requests {extras:?}", planned.get());
}
