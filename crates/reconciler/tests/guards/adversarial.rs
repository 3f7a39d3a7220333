//! Rosters that do harm, through the planner: whatever is not blocked stays within every limit and touches nothing that
//! is out of bounds. What a plan does is counted here from its changes' `before` and `after` and the directory, without
//! the guards and without the differ.

use crate::cases::case;
use model::attribute::Attribute;
use model::change::{Change, ChangeKind};
use model::directory::{AccountKind, Directory, User};
use model::load::load;
use model::names::UserId;
use model::place::Located;
use model::place::Source;
use model::plan::{Outcome, Plan};
use model::policy::{Limit, Pattern, UnlistedUsers};
use model::roster::{Roster, UserEntry};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use reconciler::planner::{self, Context};
use serde_json::Value as Json;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What a plan does, and what it does it to.
struct Audit<'a> {
    roster: &'a Roster,
    directory: &'a Directory,
    plan: &'a Plan,
}

/// Whether a pattern with `*` fits a name, letter by letter.
fn fits(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => {
            fits(rest, name) || name.split_first().is_some_and(|(_, tail)| fits(pattern, tail))
        }
        (Some((p, rest)), Some((n, tail))) => p == n && fits(rest, tail),
        _ => false,
    }
}

fn protects(patterns: &[Located<Pattern>], names: &[&str]) -> bool {
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    patterns
        .iter()
        .any(|pattern| names.iter().any(|name| fits(&letters(pattern.value.as_str()), &letters(name))))
}

fn ids(state: &serde_json::Map<String, Json>) -> Vec<String> {
    let members = state.get("members").and_then(Json::as_array);
    members.into_iter().flatten().map(|id| id.as_str().unwrap().to_owned()).collect()
}

impl Audit<'_> {
    fn live(&self, id: &str) -> &User {
        let index = self.directory.find(&UserId::new(id)).unwrap_or_else(|| panic!("{id} is not live"));
        self.directory.user(index).unwrap()
    }

    /// Whether an unmanaged entry of the roster is this account's.
    fn is_unmanaged(&self, user: &User) -> bool {
        let has = |attribute, text: &str| {
            self.directory
                .users
                .iter()
                .any(|u| u.get(attribute).is_some_and(|v| v.eq_ignore_ascii_case(text)))
        };
        let is_its = |entry: &UserEntry| match &entry.id {
            Some(id) => id.value == user.id,
            None if has(Attribute::Email, &entry.email.value) => {
                user.get(Attribute::Email).is_some_and(|email| email.eq_ignore_ascii_case(&entry.email.value))
            }
            None => user.user_name() == entry.user_name.value.as_str(),
        };
        self.roster.users.iter().any(|entry| !entry.managed && is_its(entry))
    }

    fn touches_nothing_out_of_bounds(&self) {
        let protect = &self.roster.policy.protect;
        let guarded = |user: &User| {
            let names = [Attribute::UserName, Attribute::Email, Attribute::SecondaryEmail];
            let names: Vec<&str> =
                names.iter().filter_map(|a| user.get(*a)).chain([user.id.as_str()]).collect();
            user.kind == AccountKind::Bot || protects(&protect.users, &names)
        };
        for change in &self.plan.changeset.changes {
            let (target, after) = (change.target(), change.after());
            match change.kind() {
                ChangeKind::CreateUser => {
                    let email = after["email"].as_str().unwrap();
                    assert!(!protects(&protect.users, &[&change.name, email]), "{change:?}");
                }
                ChangeKind::UpdateUser | ChangeKind::ReactivateUser | ChangeKind::DeactivateUser => {
                    let user = self.live(&target);
                    assert!(!guarded(user) && !self.is_unmanaged(user), "{change:?}");
                    assert!(!protects(&protect.users, &[&change.name]), "{change:?}");
                    if let Some(workspace) = &self.roster.workspace {
                        let url = user.get(Attribute::ProfileUrl).unwrap();
                        assert!(
                            url.starts_with(&format!("https://{}.", workspace.value)),
                            "{change:?} {url}"
                        );
                    }
                }
                ChangeKind::CreateGroup | ChangeKind::UpdateGroup | ChangeKind::DeleteGroup => {
                    let live = self.directory.groups.iter().find(|group| group.id.as_str() == target);
                    let names = [&*change.name, &target, live.map_or("", |group| &*group.display_name)];
                    assert!(!protects(&protect.groups, &names), "{change:?}");
                    let is_update = change.kind() == ChangeKind::UpdateGroup;
                    let leavers = ids(&change.before());
                    assert!(!is_update || leavers.iter().all(|id| !guarded(self.live(id))), "{change:?}");
                }
            }
            if let (Some(domains), true) = (&self.roster.policy.email_domains, after.contains_key("email")) {
                let email = after["email"].as_str().unwrap().to_lowercase();
                assert!(
                    domains.iter().any(|domain| email.ends_with(&format!("@{}", domain.value))),
                    "{email}"
                );
            }
        }
    }

    fn stays_within_the_limits(&self) {
        let limits = self.roster.policy.limits;
        let within = |what: &str, done: usize, limit: Limit, whole: usize| {
            let allowed = (whole * limit.percent as usize / 100).max(limit.at_least as usize);
            assert!(done <= allowed, "{what}: {done} of {whole} with {limit:?}");
        };
        let changes = &self.plan.changeset.changes;
        let people =
            self.directory.users.iter().filter(|user| user.kind == AccountKind::Person && user.active);
        let people = people.count();
        let existing = |change: &&Change| !change.target().starts_with('@');
        let set = |key: &str, to: Option<bool>| -> usize {
            let sets = |change: &&Change| match (change.after().get(key), to) {
                (Some(value), Some(to)) => value == to,
                (value, None) => value.is_some(),
                _ => false,
            };
            let users = changes.iter().filter(existing).filter(sets).map(Change::target);
            users.collect::<HashSet<_>>().len()
        };
        let of_kind = |kind| changes.iter().filter(|change| change.kind() == kind).count();
        within("deactivated", set("active", Some(false)), limits.deactivate_users, people);
        within("created", of_kind(ChangeKind::CreateUser), limits.create_users, people);
        within("readdressed", set("email", None), limits.change_emails, people);
        within("renamed", set("userName", None), limits.change_user_names, people);
        within("converted", set("guest", None), limits.convert_guests, people);

        let groups = &self.directory.groups;
        let mut left: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for group in groups {
            let members = group.members.iter().map(|m| self.directory.user(*m).unwrap().id.to_string());
            left.insert(
                group.id.as_str(),
                members.chain(group.foreign_members.iter().map(ToString::to_string)).collect(),
            );
        }
        let mut ended = 0;
        let mut emptied = 0;
        for group in groups {
            let is_it = |change: &&Change| change.target() == group.id.as_str();
            let members = left.get_mut(group.id.as_str()).unwrap();
            let (mut gone, mut is_deleted, mut is_said) = (0, false, false);
            for change in changes.iter().filter(is_it) {
                is_deleted |= change.kind() == ChangeKind::DeleteGroup;
                let entries = self.roster.groups.iter().flatten();
                is_said |= entries
                    .filter(|entry| entry.display_name.value == change.name)
                    .any(|entry| entry.members.as_ref().is_some_and(|members| members.list.is_empty()));
                for id in ids(&change.before()) {
                    gone += usize::from(members.remove(&id));
                }
                members.extend(ids(&change.after()));
            }
            ended += gone;
            if !is_deleted {
                within("in one group", gone, limits.remove_members_per_group, group.members.len());
                emptied += usize::from(gone > 0 && members.is_empty() && !is_said);
            }
        }
        within("memberships", ended, limits.remove_members, groups.iter().map(|g| g.members.len()).sum());
        within("emptied", emptied, limits.empty_groups, groups.len());
        within("deleted", of_kind(ChangeKind::DeleteGroup), limits.delete_groups, groups.len());
    }

    fn is_of_the_right_company(&self) {
        if self.roster.policy.unlisted.users == UnlistedUsers::Deactivate {
            let listed = self.roster.users.iter().filter(|entry| entry.active.value).count();
            let active =
                self.directory.users.iter().filter(|u| u.active && u.kind == AccountKind::Person).count();
            assert!(listed * 2 >= active, "{listed} are listed of {active}");
        }
        if let Some(workspace) = &self.roster.workspace {
            let here = format!("https://{}.", workspace.value);
            let is_here =
                |user: &User| user.get(Attribute::ProfileUrl).is_some_and(|url| url.starts_with(&here));
            assert!(self.directory.users.iter().any(is_here));
        }
    }
}

#[test]
fn no_roster_makes_a_plan_that_goes_beyond_a_limit_or_touches_what_is_out_of_bounds() {
    let config = ProptestConfig { failure_persistence: None, cases: 700, ..ProptestConfig::default() };
    let (loaded, planned, passed, blocked) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let one_more = |count: &Cell<usize>| count.set(count.get() + 1);
    let result = TestRunner::new(config).run(&case(), |case| {
        let source = Source { path: "roster.yaml".into(), text: case.text() };
        let Ok(found) = load(vec![source], None) else { return Ok(()) };
        one_more(&loaded);
        let (roster, directory) = (found.roster, case.directory());
        let Ok(plan) = planner::plan(&roster, &directory, &Context::default()) else { return Ok(()) };
        one_more(&planned);
        if plan.outcome() == Outcome::Block {
            one_more(&blocked);
            return Ok(());
        }
        if !plan.changeset.is_empty() {
            one_more(&passed);
        }
        let audit = Audit { roster: &roster, directory: &directory, plan: &plan };
        audit.touches_nothing_out_of_bounds();
        audit.stays_within_the_limits();
        audit.is_of_the_right_company();
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
    // A test that judges nothing would pass, too.
    let counts = [&loaded, &planned, &passed, &blocked].map(Cell::get);
    assert!(counts[0] > 450 && counts[1] > 350 && counts[2] > 70 && counts[3] > 100, "{counts:?}");
}

#[test]
fn a_star_stands_for_any_run_of_characters_here_too() {
    let fits = |pattern: &str, name: &str| {
        fits(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
    };
    assert!(fits("p*1", "p1") && fits("p*1", "p21") && fits("*", "") && fits("*@x", "a@x"));
    assert!(!fits("p1", "p10") && !fits("p*1", "p12"));
}
