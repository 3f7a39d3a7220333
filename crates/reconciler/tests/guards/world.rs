//! A small company, what can be done to it, and changesets of that: made by hand, so that they also hold what no differ
//! would put together.

use crate::company::{group, person, roster};
use model::attribute::{Attribute, Dialect, Value};
use model::change::{Action, Change, Changeset, Edit, GroupRef, UserRef};
use model::directory::{Directory, User};
use model::names::{GroupId, UserId, UserName};
use model::policy::{Limit, Limits};
use model::roster::Roster;
use proptest::prelude::*;
use reconciler::guard::Recent;
use std::collections::{BTreeMap, BTreeSet};

/// The most people of a world; `U0`, `U1`, … Those who are created later are `N0`, `N1`, …
const PEOPLE: usize = 24;
const GROUPS: usize = 5;

/// One thing that may be done to one account, group or membership.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deed {
    Create(String),
    NewGroup(String),
    Reactivate(String),
    Add(String, String),
    Email(String, bool),
    UserName(String),
    Guest(String),
    Remove(String, String),
    Deactivate(String),
    Delete(String),
}

impl Deed {
    /// Whether it takes away, creates or renames: what limits are for.
    pub(crate) fn counts(&self) -> bool {
        !matches!(self, Self::Reactivate(_) | Self::Add(..) | Self::NewGroup(_))
    }

    /// Whether one plan may hold it beside `others`: of those whom it deactivates a plan asks nothing else, nor of groups
    /// that it deletes.
    pub(crate) fn fits<'d>(&self, others: impl IntoIterator<Item = &'d Self>) -> bool {
        others.into_iter().all(|other| match self {
            Self::Deactivate(_) => self.account() != other.account() || matches!(other, Self::Remove(..)),
            Self::Delete(_) => self.group() != other.group(),
            _ => self != other,
        })
    }

    /// The account it is done to.
    pub(crate) fn account(&self) -> Option<&str> {
        match self {
            Self::NewGroup(_) | Self::Delete(_) => None,
            Self::Create(id)
            | Self::Reactivate(id)
            | Self::Email(id, _)
            | Self::UserName(id)
            | Self::Guest(id)
            | Self::Deactivate(id)
            | Self::Add(_, id)
            | Self::Remove(_, id) => Some(id),
        }
    }

    /// The account that is deactivated, if one is.
    pub(crate) fn deactivates(&self) -> Option<&str> {
        if let Self::Deactivate(id) = self { Some(id) } else { None }
    }

    /// The group it is done to.
    pub(crate) fn group(&self) -> Option<&str> {
        match self {
            Self::NewGroup(at) | Self::Delete(at) | Self::Add(at, _) | Self::Remove(at, _) => Some(at),
            _ => None,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    /// Whether each account is active.
    pub(crate) people: BTreeMap<String, bool>,
    pub(crate) groups: BTreeMap<String, BTreeSet<String>>,
    /// Accounts whose profile is one of another workspace.
    strangers: BTreeSet<String>,
}

impl World {
    /// Active people, and groups of one member each.
    pub(crate) fn of<const P: usize, const G: usize>(people: [&str; P], groups: [(&str, &str); G]) -> Self {
        let people = people.map(|id| (id.to_owned(), true)).into();
        let groups = groups.map(|(id, member)| (id.to_owned(), [member.to_owned()].into())).into();
        Self { people, groups, strangers: BTreeSet::new() }
    }

    pub(crate) fn active(&self) -> usize {
        self.people.values().filter(|active| **active).count()
    }

    pub(crate) fn memberships(&self) -> usize {
        self.groups.values().map(BTreeSet::len).sum()
    }

    pub(crate) fn directory(&self) -> Directory {
        let users = self.people.iter().map(|(id, active)| {
            let mut user = User { active: *active, ..person(id, &id.to_lowercase()) };
            if self.strangers.contains(id) {
                user.attributes.set(Attribute::ProfileUrl, Some("https://other.slack.com/team/x"));
            }
            user
        });
        let groups =
            self.groups.iter().map(|(id, members)| group(id, &id.to_lowercase(), members.iter().cloned()));
        Directory::new(Dialect::Slack, users.collect(), groups.collect())
    }

    /// Whether it can be done now.
    pub(crate) fn allows(&self, deed: &Deed) -> bool {
        let active = |id: &String| self.people.get(id) == Some(&true);
        let group = |id: &String| self.groups.get(id);
        match deed {
            Deed::Create(id) => !self.people.contains_key(id),
            Deed::NewGroup(id) => group(id).is_none(),
            Deed::Reactivate(id) => self.people.get(id) == Some(&false),
            Deed::Deactivate(id) | Deed::Email(id, _) | Deed::UserName(id) | Deed::Guest(id) => active(id),
            Deed::Add(at, id) => active(id) && group(at).is_some_and(|members| !members.contains(id)),
            Deed::Remove(at, id) => group(at).is_some_and(|members| members.contains(id)),
            Deed::Delete(id) => group(id).is_some(),
        }
    }

    pub(crate) fn apply(&mut self, deed: &Deed) {
        match deed {
            Deed::Create(id) | Deed::Reactivate(id) => drop(self.people.insert(id.clone(), true)),
            Deed::Deactivate(id) => drop(self.people.insert(id.clone(), false)),
            Deed::NewGroup(id) => drop(self.groups.insert(id.clone(), BTreeSet::new())),
            Deed::Add(at, id) => drop(self.groups.get_mut(at).unwrap().insert(id.clone())),
            Deed::Remove(at, id) => drop(self.groups.get_mut(at).unwrap().remove(id)),
            Deed::Delete(id) => drop(self.groups.remove(id)),
            Deed::Email(..) | Deed::UserName(_) | Deed::Guest(_) => {}
        }
    }

    /// Each deed as a change of its own. A creation is of an entry that is called like the account's id.
    pub(crate) fn changeset<'d>(&self, deeds: impl IntoIterator<Item = &'d Deed>) -> Changeset {
        let text = |text: String| Some(Value::Text(text.into()));
        let one = |id: &String, attribute, before: &str, after| {
            let edit = Edit {
                attribute,
                before: Some(before.into()),
                after,
                selector: None,
                temporary: false,
                origin: None,
            };
            let id = UserRef::Existing(UserId::new(&**id));
            Action::UpdateUser { id, edits: vec![edit], siblings: Vec::new() }
        };
        let regroup = |at: &String, add, remove| {
            let id = GroupRef::Existing(GroupId::new(&**at));
            Action::UpdateGroup { id, rename: None, add, remove }
        };
        let change = |deed: &Deed| {
            let (name, action) = match deed {
                Deed::Create(id) => {
                    let user_name = UserName::parse(id).unwrap();
                    (id, Action::CreateUser { user_name, edits: Vec::new() })
                }
                Deed::NewGroup(id) => {
                    (id, Action::CreateGroup { display_name: id.to_lowercase().into(), members: Vec::new() })
                }
                Deed::Reactivate(id) => (id, one(id, Attribute::Active, "false", Some(Value::Flag(true)))),
                Deed::Deactivate(id) => (id, one(id, Attribute::Active, "true", Some(Value::Flag(false)))),
                Deed::Email(id, good) => {
                    let domain = if *good { "acme.example" } else { "evil.example" };
                    (id, one(id, Attribute::Email, "x@acme.example", text(format!("new{id}@{domain}"))))
                }
                Deed::UserName(id) => (id, one(id, Attribute::UserName, id, text(format!("new{id}")))),
                Deed::Guest(id) => (id, one(id, Attribute::Guest, "false", Some(Value::Flag(true)))),
                Deed::Add(at, id) => {
                    (at, regroup(at, vec![UserRef::Existing(UserId::new(&**id))], Vec::new()))
                }
                Deed::Remove(at, id) => (at, regroup(at, Vec::new(), vec![UserId::new(&**id)])),
                Deed::Delete(id) => {
                    let members = self.groups[id].iter().map(|member| UserId::new(&**member)).collect();
                    (id, Action::DeleteGroup { id: GroupId::new(&**id), members })
                }
            };
            Change { action, name: name.to_lowercase().into(), origin: None, waits_for: Vec::new() }
        };
        Changeset { changes: deeds.into_iter().map(change).collect() }
    }

    /// Writes down what is about to be done, as a journal would.
    pub(crate) fn record(&self, deed: &Deed, recent: &mut Recent) {
        let user = |id: &String| UserId::new(&**id);
        let pair = |at: &String, id: &String| (GroupId::new(&**at), UserId::new(&**id));
        match deed {
            Deed::Create(id) => drop(recent.created.insert(id.to_lowercase().into(), Some(user(id)))),
            Deed::NewGroup(id) => drop(recent.created_groups.insert(GroupId::new(&**id))),
            Deed::Reactivate(id) => drop(recent.reactivated.insert(user(id))),
            Deed::Deactivate(id) => drop(recent.deactivated.insert(user(id))),
            Deed::Email(id, _) => drop(recent.emails.insert(user(id))),
            Deed::UserName(id) => drop(recent.user_names.insert(user(id))),
            Deed::Guest(id) => drop(recent.guests.insert(user(id))),
            Deed::Add(at, id) => drop(recent.added.insert(pair(at, id))),
            Deed::Remove(at, id) => drop(recent.removed.insert(pair(at, id))),
            Deed::Delete(id) => {
                recent.deleted.insert(GroupId::new(&**id));
                recent.removed.extend(self.groups[id].iter().map(|member| pair(id, member)));
            }
        }
    }
}

fn user_id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..PEOPLE).prop_map(|n| format!("U{n}")),
        1 => (0_usize..6).prop_map(|n| format!("N{n}")),
    ]
}

fn group_id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => (0..GROUPS).prop_map(|n| format!("S{n}")),
        1 => (0_usize..2).prop_map(|n| format!("T{n}")),
    ]
}

/// A deed, which the world may not allow.
pub(crate) fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        2 => (0_usize..6).prop_map(|n| Deed::Create(format!("N{n}"))),
        1 => (0_usize..2).prop_map(|n| Deed::NewGroup(format!("T{n}"))),
        2 => user_id().prop_map(Deed::Reactivate),
        3 => (group_id(), user_id()).prop_map(|(at, id)| Deed::Add(at, id)),
        2 => (user_id(), prop::bool::weighted(0.9)).prop_map(|(id, good)| Deed::Email(id, good)),
        2 => user_id().prop_map(Deed::UserName),
        2 => user_id().prop_map(Deed::Guest),
        6 => (group_id(), user_id()).prop_map(|(at, id)| Deed::Remove(at, id)),
        4 => user_id().prop_map(Deed::Deactivate),
        1 => group_id().prop_map(Deed::Delete),
    ]
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let people = prop::collection::vec(prop::bool::weighted(0.85), 1..=PEOPLE);
    let members = prop::collection::btree_set(0..PEOPLE, 0..10);
    let groups = prop::collection::vec(members, 0..=GROUPS);
    let strangers = prop_oneof![
        4 => Just(BTreeSet::new()),
        1 => prop::collection::btree_set((0..PEOPLE).prop_map(|n| format!("U{n}")), 0..4),
    ];
    (people, groups, strangers).prop_map(|(people, groups, strangers)| {
        let people: BTreeMap<String, bool> =
            people.into_iter().enumerate().map(|(n, active)| (format!("U{n}"), active)).collect();
        let known = |members: BTreeSet<usize>| {
            members.into_iter().map(|n| format!("U{n}")).filter(|id| people.contains_key(id)).collect()
        };
        let groups =
            groups.into_iter().enumerate().map(|(n, members)| (format!("S{n}"), known(members))).collect();
        World { people, groups, strangers }
    })
}

fn limit() -> impl Strategy<Value = Limit> {
    let percent = prop::sample::select(vec![0_u32, 0, 1, 10, 30, 50, 99, 100]);
    (prop_oneof![Just(0_u32), 0_u32..6, 0_u32..20], percent)
        .prop_map(|(at_least, percent)| Limit { at_least, percent })
}

pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    prop::collection::vec(limit(), 9).prop_map(|limits| Limits {
        deactivate_users: limits[0],
        create_users: limits[1],
        change_emails: limits[2],
        change_user_names: limits[3],
        convert_guests: limits[4],
        remove_members: limits[5],
        remove_members_per_group: limits[6],
        empty_groups: limits[7],
        delete_groups: limits[8],
    })
}

/// A roster of which only the policy and the workspace matter.
pub(crate) fn policy() -> impl Strategy<Value = Roster> {
    (limits(), any::<bool>(), any::<bool>()).prop_map(|(limits, domains, deactivate)| {
        let domains = if domains { "emailDomains: [acme.example], " } else { "" };
        let users = if deactivate { "deactivate" } else { "keep" };
        let text = format!("workspace: acme\npolicy: {{ {domains}unlisted: {{ users: {users} }} }}\n");
        let listed = (0..4).map(|n| format!("  - {{ userName: u{n}, email: u{n}@acme.example }}\n"));
        let mut roster = roster(&format!("{text}users:\n{}", listed.collect::<String>()));
        roster.policy.limits = limits;
        roster
    })
}
