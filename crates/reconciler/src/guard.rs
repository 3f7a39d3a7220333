//! Guards: what a plan may do (design §3, `limits` and the brakes).
//!
//! Every guard says what it measured, what is allowed, whom it concerns and what may be done; [`judge`] returns one
//! verdict for each that has something to say, blocks first.

use model::attribute::Attribute;
use model::change::{Action, Change, Changeset};
use model::directory::Directory;
use model::plan::{Outcome, Verdict};
use model::policy::{Limit, UnlistedUsers};
use model::roster::Roster;
use std::collections::{BTreeMap, BTreeSet};

/// Where unlisted people are deactivated, a roster that names fewer than this share of the active people (in
/// hundredths) is taken for a broken source: half a company does not leave overnight, but a truncated export or a
/// filter gone wrong looks just like it.
const BROKEN_SOURCE_PERCENT: usize = 50;

/// Judges a changeset.
pub fn judge(roster: &Roster, directory: &Directory, changeset: &Changeset) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    verdicts.extend(workspace(roster, directory));
    verdicts.extend(broken_source(roster, directory));
    verdicts.extend(limits(roster, directory, changeset));
    verdicts.sort_by_key(|verdict| std::cmp::Reverse(verdict.outcome));
    verdicts
}

/// The wrong-workspace brake: live accounts must belong to the workspace that the roster names.
fn workspace(roster: &Roster, directory: &Directory) -> Option<Verdict> {
    let wanted = roster.workspace.as_ref()?;
    let live = directory.workspaces();
    let others: Vec<String> =
        live.iter().filter(|name| !name.eq_ignore_ascii_case(&wanted.value)).map(|&s| s.to_owned()).collect();
    if others.is_empty() {
        return None;
    }
    let place = roster.sources.display(wanted.place);
    let (outcome, message) = if others.len() == live.len() {
        (
            Outcome::Block,
            format!("the roster is for workspace {}, the accounts belong to another", wanted.value),
        )
    } else {
        (Outcome::Warn, format!("some accounts name a workspace other than {}", wanted.value))
    };
    Some(Verdict {
        guard: "workspace",
        outcome,
        measured: None,
        limit: None,
        message,
        resources: others,
        remedy: format!("check the token and the target; if they are right, correct `workspace` at {place}"),
    })
}

/// A roster that lists far fewer people than are active, where the unlisted are deactivated.
fn broken_source(roster: &Roster, directory: &Directory) -> Option<Verdict> {
    if roster.policy.unlisted.users != UnlistedUsers::Deactivate {
        return None;
    }
    let listed = roster.users.iter().filter(|entry| entry.active.value).count();
    let active = directory.active_people();
    let least = (active * BROKEN_SOURCE_PERCENT).div_ceil(100);
    (listed < least).then(|| Verdict {
        guard: "brokenSource",
        outcome: Outcome::Block,
        measured: Some(listed),
        limit: Some(least),
        message: format!(
            "the roster lists {listed} active people and the directory holds {active}; unlisted people would be \
             deactivated, and a roster this short is most likely a broken source"
        ),
        resources: Vec::new(),
        remedy: "make sure that the roster is complete, or set `unlisted: { users: keep }` in the policy".into(),
    })
}

/// What a plan does, counted for the limits of the policy.
#[derive(Default)]
struct Counts<'a> {
    deactivated: Vec<&'a str>,
    created: Vec<&'a str>,
    emails: BTreeSet<&'a str>,
    user_names: BTreeSet<&'a str>,
    guests: BTreeSet<&'a str>,
    groups: BTreeMap<String, GroupCount<'a>>,
    deleted: Vec<&'a str>,
    deleted_memberships: usize,
}

#[derive(Default)]
struct GroupCount<'a> {
    name: &'a str,
    removed: usize,
    added: usize,
}

impl<'a> Counts<'a> {
    fn of(changeset: &'a Changeset) -> Self {
        let mut counts = Self::default();
        for change in &changeset.changes {
            counts.take(change);
        }
        counts
    }

    fn take(&mut self, change: &'a Change) {
        let name = &*change.name;
        match &change.action {
            Action::CreateUser { .. } => self.created.push(name),
            Action::UpdateUser { edits, .. } => {
                for edit in edits {
                    match edit.attribute {
                        Attribute::Active if edit.before.as_deref() == Some("true") => {
                            self.deactivated.push(name);
                        }
                        Attribute::Email => drop(self.emails.insert(name)),
                        Attribute::UserName => drop(self.user_names.insert(name)),
                        Attribute::Guest => drop(self.guests.insert(name)),
                        _ => {}
                    }
                }
            }
            Action::CreateGroup { .. } => {}
            Action::UpdateGroup { id, add, remove, .. } => {
                let group = self.groups.entry(id.to_string()).or_default();
                group.name = name;
                group.removed += remove.len();
                group.added += add.len();
            }
            Action::DeleteGroup { members, .. } => {
                self.deleted.push(name);
                self.deleted_memberships += members.len();
            }
        }
    }
}

fn limits(roster: &Roster, directory: &Directory, changeset: &Changeset) -> Vec<Verdict> {
    let counts = Counts::of(changeset);
    let limits = roster.policy.limits;
    let active = directory.active_people();
    let of_active = format!("of {active} active people");
    let list = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    let set = |names: &BTreeSet<&str>| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();

    let mut verdicts: Vec<Option<Verdict>> = vec![
        above(
            "deactivateUsers",
            limits.deactivate_users,
            active,
            ["deactivation", "deactivations"],
            &of_active,
            list(&counts.deactivated),
        ),
        above(
            "createUsers",
            limits.create_users,
            active,
            ["creation", "creations"],
            &of_active,
            list(&counts.created),
        ),
        above(
            "changeEmails",
            limits.change_emails,
            active,
            ["changed address", "changed addresses"],
            &of_active,
            set(&counts.emails),
        ),
        above(
            "changeUserNames",
            limits.change_user_names,
            active,
            ["changed userName", "changed userNames"],
            &of_active,
            set(&counts.user_names),
        ),
        above(
            "convertGuests",
            limits.convert_guests,
            active,
            ["conversion of a guest", "conversions of guests"],
            &of_active,
            set(&counts.guests),
        ),
    ];

    let memberships = directory.memberships();
    let removed =
        counts.groups.values().map(|group| group.removed).sum::<usize>() + counts.deleted_memberships;
    let losing: Vec<String> = counts
        .groups
        .values()
        .filter(|g| g.removed > 0)
        .map(|g| format!("{} loses {}", g.name, g.removed))
        .collect();
    let of_all = format!("of {memberships} memberships");
    verdicts.push(above_count(
        "removeMembers",
        limits.remove_members,
        memberships,
        removed,
        ["membership ends", "memberships end"],
        &of_all,
        losing,
    ));

    let live: BTreeMap<&str, &model::directory::Group> =
        directory.groups.iter().map(|group| (group.id.as_str(), group)).collect();
    let said_empty: BTreeSet<String> = roster
        .groups
        .iter()
        .flatten()
        .filter(|entry| entry.members.as_ref().is_some_and(|members| members.list.is_empty()))
        .map(|entry| model::names::fold(&entry.display_name.value))
        .collect();
    let mut emptied = Vec::new();
    for (id, group) in &counts.groups {
        let Some(before) = live.get(id.as_str()) else { continue };
        let size = before.members.len();
        let of_group = format!("of {size} members of {}", group.name);
        verdicts.push(above_count(
            "removeMembersPerGroup",
            limits.remove_members_per_group,
            size,
            group.removed,
            ["member leaves", "members leave"],
            &of_group,
            vec![group.name.to_owned()],
        ));
        let left = (size + group.added).saturating_sub(group.removed) + before.foreign_members.len();
        if size > 0 && left == 0 && !said_empty.contains(&model::names::fold(group.name)) {
            emptied.push(group.name.to_owned());
        }
    }
    let groups = directory.groups.len();
    let of_groups = format!("of {groups} groups");
    verdicts.push(above(
        "emptyGroups",
        limits.empty_groups,
        groups,
        ["group loses its last member", "groups lose their last member"],
        &of_groups,
        emptied,
    ));
    verdicts.push(above(
        "deleteGroups",
        limits.delete_groups,
        groups,
        ["group deleted", "groups deleted"],
        &of_groups,
        list(&counts.deleted),
    ));
    verdicts.into_iter().flatten().collect()
}

fn above(
    guard: &'static str,
    limit: Limit,
    whole: usize,
    what: [&str; 2],
    of: &str,
    resources: Vec<String>,
) -> Option<Verdict> {
    above_count(guard, limit, whole, resources.len(), what, of, resources)
}

fn above_count(
    guard: &'static str,
    limit: Limit,
    whole: usize,
    measured: usize,
    what: [&str; 2],
    of: &str,
    resources: Vec<String>,
) -> Option<Verdict> {
    let allowed = limit.of(whole);
    let what = what[usize::from(measured != 1)];
    (measured > allowed).then(|| Verdict {
        guard,
        outcome: Outcome::Block,
        measured: Some(measured),
        limit: Some(allowed),
        message: format!("{measured} {what} ({of}); the limit is {}", explain(limit)),
        resources,
        remedy: format!("if this is meant, raise `policy.limits.{guard}` under review, or make the change in smaller steps"),
    })
}

/// A limit as the policy states it: `5` or `2 %, at least 5`.
fn explain(limit: Limit) -> String {
    match (limit.at_least, limit.percent) {
        (number, 0) => number.to_string(),
        (0, percent) => format!("{percent} %"),
        (at_least, percent) => format!("{percent} %, at least {at_least}"),
    }
}
