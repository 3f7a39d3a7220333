//! Whole plans made from YAML, for a company of numbered people.

use model::Texts;
use model::attribute::{Attribute, Dialect};
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::load::load;
use model::names::{GroupId, UserId};
use model::place::Source;
use model::plan::{Outcome, Plan, Verdict};
use model::roster::Roster;
use reconciler::guard::Recent;
use reconciler::planner::{self, Context};
use std::ops::Range;

pub(crate) fn roster(text: &str) -> Roster {
    let source = Source { path: "roster.yaml".into(), text: format!("version: 1\n{text}") };
    match load(vec![source], None) {
        Ok(loaded) => loaded.roster,
        Err(rejected) => unreachable!("{:#?}", rejected.diagnostics),
    }
}

/// An active person with a profile URL of the workspace acme.
pub(crate) fn person(id: &str, name: &str) -> User {
    User {
        id: UserId::new(id),
        kind: AccountKind::Person,
        active: true,
        guest: false,
        attributes: Texts::from([
            (Attribute::UserName, name.to_owned()),
            (Attribute::Email, format!("{name}@acme.example")),
            (Attribute::ProfileUrl, format!("https://acme.enterprise.slack.com/team/{name}")),
        ]),
        selectors: Texts::default(),
    }
}

pub(crate) fn group(id: &str, name: &str, members: impl IntoIterator<Item = String>) -> RawGroup {
    let members = members.into_iter().map(Into::into).collect();
    RawGroup { id: GroupId::new(id), display_name: name.into(), members }
}

/// `count` active people p0, p1, … with the groups given by the numbers of their members.
pub(crate) fn company(count: usize, groups: &[(&str, Range<usize>)]) -> Directory {
    let users = (0..count).map(|n| person(&format!("U{n}"), &format!("p{n}"))).collect();
    let groups = groups.iter().enumerate();
    let groups = groups
        .map(|(n, (name, members))| group(&format!("S{n}"), name, members.clone().map(|m| format!("U{m}"))))
        .collect();
    Directory::new(Dialect::Slack, users, groups)
}

/// Entries for the people of `range`, each with `extra` lines.
pub(crate) fn people(range: Range<usize>, extra: &str) -> String {
    entries(range, |n| format!("userName: p{n}, email: p{n}@acme.example{extra}"))
}

pub(crate) fn entries(range: Range<usize>, entry: impl Fn(usize) -> String) -> String {
    range.map(|n| format!("  - {{ {} }}", entry(n))).collect::<Vec<_>>().join("\n") + "\n"
}

pub(crate) fn plan(roster: &Roster, directory: &Directory) -> Plan {
    plan_after(roster, directory, Recent::default())
}

pub(crate) fn plan_after(roster: &Roster, directory: &Directory, recent: Recent) -> Plan {
    match planner::plan(roster, directory, &Context { recent, ..Context::default() }) {
        Ok(plan) => plan,
        Err(conflicts) => unreachable!("{conflicts:#?}"),
    }
}

/// What one guard says, at its worst.
pub(crate) fn says<'v>(verdicts: &'v [Verdict], guard: &str) -> &'v Verdict {
    let of_it = verdicts.iter().filter(|verdict| verdict.guard == guard);
    of_it.max_by_key(|verdict| verdict.outcome).unwrap_or_else(|| panic!("{guard} says nothing"))
}

/// The guards that block, with what they measured and allow.
pub(crate) fn blocks(plan: &Plan) -> Vec<(&str, Option<usize>, Option<usize>)> {
    plan.verdicts
        .iter()
        .filter(|v| v.outcome == Outcome::Block)
        .map(|v| (v.guard, v.measured, v.limit))
        .collect()
}
