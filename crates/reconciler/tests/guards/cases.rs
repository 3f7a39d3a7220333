//! Rosters that do harm, and the companies that they are for.

use crate::company::{group, person};
use model::attribute::{Attribute, Dialect};
use model::directory::{AccountKind, Directory};
use model::policy::Limits;
use proptest::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What a hostile roster does with somebody who is live.
const FATES: [&str; 11] = [
    "keep",
    "omit",
    "rename",
    "readdress",
    "both",
    "swapNames",
    "swapAddresses",
    "leave",
    "unmanaged",
    "guest",
    "foreign",
];

#[derive(Debug, Clone)]
pub(crate) struct Case {
    people: Vec<Live>,
    groups: Vec<LiveGroup>,
    joiners: usize,
    lists_groups: bool,
    new_groups: usize,
    by_id: bool,
    policy: String,
    workspace: Option<&'static str>,
}

#[derive(Debug, Clone)]
struct Live {
    kind: AccountKind,
    active: bool,
    guest: bool,
    stranger: bool,
    fate: &'static str,
}

#[derive(Debug, Clone)]
struct LiveGroup {
    members: BTreeSet<usize>,
    foreign: bool,
    fate: u8,
    listed: BTreeSet<usize>,
}

fn people() -> impl Strategy<Value = Vec<Live>> {
    let fate = || prop::sample::select(&FATES[..]);
    let live = (
        prop::bool::weighted(0.85),
        prop::bool::weighted(0.08),
        prop::bool::weighted(0.15),
        prop::bool::weighted(0.01),
        prop::option::weighted(0.4, fate()),
    );
    // Most of a company suffers the same: all are renamed, half are missing.
    (fate(), prop::collection::vec(live, 2..30)).prop_map(|(most, people)| {
        let one = |(active, bot, guest, stranger, fate): (bool, bool, bool, bool, Option<&'static str>)| {
            let kind = if bot { AccountKind::Bot } else { AccountKind::Person };
            Live { kind, active, guest, stranger, fate: fate.unwrap_or(most) }
        };
        people.into_iter().map(one).collect()
    })
}

fn groups() -> impl Strategy<Value = Vec<LiveGroup>> {
    let members = || prop::collection::btree_set(0_usize..30, 0..8);
    let one = (members(), prop::bool::weighted(0.1), 0_u8..8, members());
    let one = one.prop_map(|(members, foreign, fate, listed)| LiveGroup { members, foreign, fate, listed });
    prop::collection::vec(one, 0..5)
}

fn policy() -> impl Strategy<Value = String> {
    let limit = || {
        prop_oneof![
            Just("100%".to_owned()),
            Just("0".to_owned()),
            Just("0%".to_owned()),
            (0_u32..101).prop_map(|percent| format!("{percent}%")),
            (0_u32..5, 0_u32..101).prop_map(|(n, p)| format!("{{ atLeast: {n}, percent: {p} }}")),
        ]
    };
    // Where all limits are narrow, hardly a plan is let through; so most often one of them is.
    let narrow = prop::collection::vec(limit(), 9);
    let one_narrow = (limit(), 0_usize..9).prop_map(|(limit, at)| {
        let mut all = vec!["100%".to_owned(); 9];
        all[at] = limit;
        all
    });
    let limits = prop_oneof![1 => narrow, 4 => one_narrow].prop_map(move |limits| {
        let limits: Vec<String> =
            Limits::KEYS.iter().zip(limits).map(|(name, limit)| format!("{name}: {limit}")).collect();
        limits.join(", ")
    });
    let patterns = |some: &'static [&'static str]| {
        let list = prop::collection::btree_set(prop::sample::select(some), 1..3);
        prop_oneof![4 => Just(BTreeSet::new()), 1 => list]
            .prop_map(|patterns| format!("{:?}", patterns.into_iter().collect::<Vec<_>>()))
    };
    let users = patterns(&["p1", "P2*", "U3", "*4", "*1@acme.example", "r5", "j0", "p*1", "nobody", "*"]);
    let groups = patterns(&["g0", "S1", "G*", "h2", "new*"]);
    let unlisted = (
        prop::sample::select(vec!["keep", "deactivate"]),
        prop::sample::select(vec!["keep", "delete"]),
        prop::sample::select(vec!["keep", "remove"]),
    );
    let domains = prop_oneof![3 => Just(""), 1 => Just("emailDomains: [acme.example, agency.example], ")];
    (unlisted, users, groups, limits, domains).prop_map(|((u, g, m), users, groups, limits, domains)| {
        format!(
            "{{ unlisted: {{ users: {u}, groups: {g}, members: {m} }}, protect: {{ users: {users}, groups: {groups} }}, \
             {domains}limits: {{ {limits} }} }}"
        )
    })
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let counts = (prop_oneof![2 => Just(0_usize), 1 => 0_usize..8], any::<bool>(), 0_usize..3, any::<bool>());
    let workspace = prop_oneof![3 => Just(None), 6 => Just(Some("acme")), 1 => Just(Some("other"))];
    (people(), groups(), counts, policy(), workspace).prop_map(
        |(people, groups, counts, policy, workspace)| {
            let (joiners, lists_groups, new_groups, by_id) = counts;
            Case { people, groups, joiners, lists_groups, new_groups, by_id, policy, workspace }
        },
    )
}

impl Case {
    pub(crate) fn directory(&self) -> Directory {
        let users = self.people.iter().enumerate().map(|(n, live)| {
            let mut user = person(&format!("U{n}"), &format!("p{n}"));
            (user.kind, user.active, user.guest) = (live.kind, live.active, live.guest);
            if live.stranger {
                let url = "https://other.enterprise.slack.com/team/x";
                user.attributes.set(Attribute::ProfileUrl, Some(url));
            }
            user
        });
        let groups = self.groups.iter().enumerate().map(|(n, live)| {
            let members = live.members.iter().filter(|m| **m < self.people.len()).map(|m| format!("U{m}"));
            group(&format!("S{n}"), &format!("g{n}"), members.chain(live.foreign.then(|| "X1".to_owned())))
        });
        Directory::new(Dialect::Slack, users.collect(), groups.collect())
    }

    /// The roster as text, as good as a hostile one can be: the loader finds nothing wrong with it.
    pub(crate) fn text(&self) -> String {
        let mut text = "version: 1\n".to_owned();
        if let Some(workspace) = self.workspace {
            let _ = writeln!(text, "workspace: {workspace}");
        }
        let _ = writeln!(
            text,
            "policy: {}\nusers:\n  - {{ userName: sole, email: sole@acme.example, managed: false, id: U0 }}",
            self.policy
        );
        let mut listed = BTreeSet::new();
        let people =
            || self.people.iter().enumerate().skip(1).filter(|(_, live)| live.kind == AccountKind::Person);
        let partner = |n: usize, fate: &str| {
            let all: Vec<usize> = people().filter(|(_, live)| live.fate == fate).map(|(n, _)| n).collect();
            let at = all.iter().position(|m| *m == n).unwrap_or_default();
            all[(at + 1) % all.len()]
        };
        for (n, live) in people().filter(|(_, live)| live.fate != "omit") {
            let (mut name, mut email, mut more) =
                (format!("p{n}"), format!("p{n}@acme.example"), String::new());
            let mut is_named = self.by_id;
            match live.fate {
                "rename" => name = format!("r{n}"),
                "readdress" => email = format!("r{n}@acme.example"),
                "foreign" => email = format!("p{n}@agency.example"),
                "both" => (name, email, is_named) = (format!("r{n}"), format!("r{n}@agency.example"), true),
                "swapNames" => (name, is_named) = (format!("p{}", partner(n, "swapNames")), true),
                "swapAddresses" => {
                    (email, is_named) = (format!("p{}@acme.example", partner(n, "swapAddresses")), true);
                }
                "leave" => more.push_str(", active: false"),
                "unmanaged" => more.push_str(", managed: false"),
                "guest" => more.push_str(if live.guest { ", guest: null" } else { ", guest: {}" }),
                _ => more.push_str(", title: T"),
            }
            if is_named {
                let _ = write!(more, ", id: U{n}");
            }
            let _ = writeln!(text, "  - {{ userName: {name}, email: {email}{more} }}");
            if live.fate != "leave" {
                listed.insert((n, name));
            }
        }
        for n in 0..self.joiners {
            let _ = writeln!(text, "  - {{ userName: j{n}, email: j{n}@acme.example }}");
            listed.insert((100 + n, format!("j{n}")));
        }
        if self.lists_groups {
            text.push_str(if self.groups.is_empty() && self.new_groups == 0 {
                "groups: []\n"
            } else {
                "groups:\n"
            });
            for (n, live) in self.groups.iter().enumerate() {
                let members = |all: &BTreeSet<usize>| {
                    let names =
                        listed.iter().filter(|(n, _)| all.contains(n) || all.contains(&(n - n.min(&75))));
                    format!("[{}]", names.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "))
                };
                let _ = match live.fate {
                    0 => Ok(()),
                    1 => writeln!(text, "  - {{ displayName: g{n}, members: [] }}"),
                    2 => writeln!(
                        text,
                        "  - {{ displayName: h{n}, formerly: [g{n}], members: {} }}",
                        members(&live.listed)
                    ),
                    3 => writeln!(text, "  - {{ displayName: g{}, id: S{n} }}", (n + 1) % self.groups.len()),
                    4 => writeln!(text, "  - {{ displayName: g{n} }}"),
                    5 => writeln!(text, "  - {{ displayName: g{n}, members: {} }}", members(&live.members)),
                    _ => writeln!(text, "  - {{ displayName: g{n}, members: {} }}", members(&live.listed)),
                };
            }
            for n in 0..self.new_groups {
                let _ = writeln!(text, "  - {{ displayName: new{n}, members: [] }}");
            }
        }
        text
    }
}
