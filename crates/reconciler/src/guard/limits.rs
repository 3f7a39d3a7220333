//! What a plan does, counted, and the limits of the policy on what it does to people.

use super::recent::{Past, Recent, Whole, Wholes};
use super::{Consent, Guard};
use model::attribute::{Attribute, Value};
use model::change::{Action, Change, Changeset, GroupRef, UserRef};
use model::directory::Directory;
use model::names::{GroupId, UserId};
use model::plan::{Outcome, Verdict};
use model::policy::Limit;
use model::roster::Roster;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Everything that limits are judged by.
pub(super) struct Scene<'a> {
    pub(super) roster: &'a Roster,
    pub(super) directory: &'a Directory,
    pub(super) recent: &'a Recent,
    pub(super) past: Past<'a>,
    pub(super) wholes: Wholes,
    pub(super) done: Done<'a>,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        roster: &'a Roster,
        directory: &'a Directory,
        changeset: &'a Changeset,
        recent: &'a Recent,
    ) -> Self {
        let past = Past::new(directory, recent);
        let wholes = past.wholes();
        Self { roster, directory, recent, past, wholes, done: Done::of(changeset) }
    }
}

/// What a plan does, each account and group once however many requests it takes.
#[derive(Default)]
pub(super) struct Done<'a> {
    pub(super) deactivated: Named<'a>,
    pub(super) reactivated: HashSet<&'a UserId>,
    created: Vec<&'a str>,
    emails: Named<'a>,
    user_names: Named<'a>,
    guests: Named<'a>,
    /// Groups that exist and whose members change, or that are deleted.
    pub(super) groups: HashMap<&'a GroupId, GroupChange<'a>>,
    /// Those groups in the order of the plan.
    pub(super) order: Vec<&'a GroupId>,
}

/// Accounts, and their names in the order of the plan.
#[derive(Default)]
pub(super) struct Named<'a> {
    pub(super) ids: HashSet<&'a UserId>,
    names: Vec<&'a str>,
}

impl<'a> Named<'a> {
    fn insert(&mut self, id: &'a UserId, name: &'a str) {
        if self.ids.insert(id) {
            self.names.push(name);
        }
    }

    fn names(&self) -> Vec<String> {
        self.names.iter().map(|&name| name.to_owned()).collect()
    }
}

/// What a plan does to one group.
#[derive(Default)]
pub(super) struct GroupChange<'a> {
    pub(super) name: &'a str,
    /// Who is taken out.
    pub(super) removed: HashSet<&'a UserId>,
    /// Who is taken in.
    pub(super) added: Vec<&'a UserRef>,
    /// Whose membership ends with the group, if it is deleted.
    pub(super) deleted: Option<HashSet<&'a UserId>>,
}

impl GroupChange<'_> {
    /// How many memberships end.
    pub(super) fn ended(&self) -> usize {
        let with_it = self.deleted.iter().flatten().filter(|user| !self.removed.contains(*user)).count();
        self.removed.len() + with_it
    }

    /// Whether this person's membership ends.
    pub(super) fn ends(&self, user: &UserId) -> bool {
        self.removed.contains(user) || self.deleted.as_ref().is_some_and(|members| members.contains(user))
    }
}

impl<'a> Done<'a> {
    fn of(changeset: &'a Changeset) -> Self {
        let mut done = Self::default();
        for change in &changeset.changes {
            done.take(change);
        }
        done
    }

    fn take(&mut self, change: &'a Change) {
        let name = &*change.name;
        match &change.action {
            Action::CreateUser { user_name, .. } => self.created.push(user_name.as_str()),
            Action::UpdateUser { id: UserRef::Existing(id), edits, .. } => {
                for edit in edits {
                    match (edit.attribute, &edit.after) {
                        (Attribute::Active, Some(Value::Flag(true))) => drop(self.reactivated.insert(id)),
                        (Attribute::Active, _) => self.deactivated.insert(id, name),
                        (Attribute::Email, _) => self.emails.insert(id, name),
                        (Attribute::UserName, _) => self.user_names.insert(id, name),
                        (Attribute::Guest, _) => self.guests.insert(id, name),
                        _ => {}
                    }
                }
            }
            Action::UpdateGroup { id: GroupRef::Existing(id), add, remove, .. } => {
                let group = self.group(id, name);
                group.removed.extend(remove);
                group.added.extend(add);
            }
            // What is new has nothing to lose: this is the rest of a creation in several requests.
            Action::UpdateUser { id: UserRef::New(_), .. }
            | Action::CreateGroup { .. }
            | Action::UpdateGroup { id: GroupRef::New(_), .. } => {}
            Action::DeleteGroup { id, members } => {
                self.group(id, name).deleted = Some(members.iter().collect());
            }
        }
    }

    fn group(&mut self, id: &'a GroupId, name: &'a str) -> &mut GroupChange<'a> {
        self.groups.entry(id).or_insert_with(|| {
            self.order.push(id);
            GroupChange { name, ..GroupChange::default() }
        })
    }

    /// The groups that change, in the order of the plan.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&'a GroupId, &GroupChange<'a>)> {
        self.order.iter().filter_map(|id| Some((*id, self.groups.get(id)?)))
    }
}

/// What most limits are a share of.
const ACTIVE: [&str; 2] = ["active person", "active people"];

/// The limits on what is done to people.
pub(super) fn people(scene: &Scene) -> Vec<Verdict> {
    let (Scene { recent, done, .. }, limits) = (scene, scene.roster.policy.limits);
    let whole = scene.wholes.active;
    let people = |guard, limit, what, plan: &Named, recent: &BTreeSet<UserId>| {
        let only_recent = recent.iter().filter(|id| !plan.ids.contains(id)).count();
        let count = Count { plan: plan.ids.len(), only_recent };
        Measure { guard, limit, count, whole, what, of: ACTIVE }.verdict(plan.names())
    };
    vec![
        people(
            Guard::DeactivateUsers,
            limits.deactivate_users,
            ["deactivation", "deactivations"],
            &done.deactivated,
            &recent.deactivated,
        ),
        Measure {
            guard: Guard::CreateUsers,
            limit: limits.create_users,
            count: creations(scene),
            whole,
            what: ["creation", "creations"],
            of: ACTIVE,
        }
        .verdict(done.created.iter().map(|&name| name.to_owned()).collect()),
        people(
            Guard::ChangeEmails,
            limits.change_emails,
            ["changed address", "changed addresses"],
            &done.emails,
            &recent.emails,
        ),
        people(
            Guard::ChangeUserNames,
            limits.change_user_names,
            ["changed userName", "changed userNames"],
            &done.user_names,
            &recent.user_names,
        ),
        people(
            Guard::ConvertGuests,
            limits.convert_guests,
            ["change between member and guest", "changes between member and guest"],
            &done.guests,
            &recent.guests,
        ),
    ]
}

/// A creation of late whose answer is not known may have to be done again: that is one. Where it is known to have made
/// an account, whoever is created under that name now is another.
fn creations(scene: &Scene) -> Count {
    let again: HashSet<&str> = scene.done.created.iter().copied().collect();
    let is_again = |name: &str, id: Option<&UserId>| {
        again.contains(name) && id.is_none_or(|id| scene.directory.find(id).is_none())
    };
    let only_recent = scene.recent.created.iter().filter(|(name, id)| !is_again(name, id.as_ref())).count();
    Count { plan: again.len(), only_recent }
}

/// How many things of a kind are done.
#[derive(Clone, Copy, Default)]
pub(super) struct Count {
    /// By the plan.
    pub(super) plan: usize,
    /// By recent runs and not by the plan.
    pub(super) only_recent: usize,
}

impl Count {
    pub(super) fn all(self) -> usize {
        self.plan + self.only_recent
    }
}

/// What a plan and the recent runs do of one kind, beside its limit.
#[derive(Clone, Copy)]
pub(super) struct Measure<'a> {
    pub(super) guard: Guard,
    pub(super) limit: Limit,
    pub(super) count: Count,
    pub(super) whole: Whole,
    /// What one is called, and what several are.
    pub(super) what: [&'a str; 2],
    /// What the whole consists of: one of them, and several.
    pub(super) of: [&'a str; 2],
}

impl<'a> Measure<'a> {
    /// How many are allowed.
    pub(super) fn allowed(&self) -> usize {
        self.limit.of(self.whole.then)
    }

    /// A block where more is done than the limit allows and the plan does some of it; else a pass. `concerned` are those
    /// to whom the plan does it.
    pub(super) fn verdict(&self, concerned: Vec<String>) -> Verdict {
        let Self { guard, count, .. } = *self;
        let is_above = count.all() > self.allowed() && count.plan > 0;
        Verdict {
            outcome: if is_above { Outcome::Block } else { Outcome::Pass },
            measured: Some(count.all()),
            recent: (count.only_recent > 0).then_some(count.only_recent),
            limit: Some(self.allowed()),
            resources: concerned,
            remedy: if is_above { self.remedy() } else { String::new() },
            ..guard.passes(self.message())
        }
    }

    /// `6 deactivations, after 3 in the last 24 hours, of 103 active people (24 hours ago); the limit is 5 (2 %, at least
    /// 5)`.
    fn message(&self) -> String {
        let Self { count, whole, .. } = self;
        let pick = |n, [one, many]: [&'a str; 2]| if n == 1 { one } else { many };
        let (what, of) = (pick(count.plan, self.what), pick(whole.then, self.of));
        let after = match count.only_recent {
            0 => String::new(),
            recent => format!(", after {recent} in the last 24 hours,"),
        };
        let ago = if whole.now == whole.then { "" } else { " (24 hours ago)" };
        let limit = self.explain();
        format!("{} {what}{after} of {} {of}{ago}; the limit is {limit}", count.plan, whole.then)
    }

    /// `5`, `12 (2 %)` or `12 (2 %, at least 5)`.
    pub(super) fn explain(&self) -> String {
        let allowed = self.allowed();
        match (self.limit.at_least, self.limit.percent) {
            (_, 0) => allowed.to_string(),
            (0, percent) => format!("{allowed} ({percent} %)"),
            (at_least, percent) => format!("{allowed} ({percent} %, at least {at_least})"),
        }
    }

    fn remedy(&self) -> String {
        let name = self.guard.name();
        match self.guard.consent() {
            Consent::Never => {
                format!(
                    "if this is meant, raise `policy.limits.{name}` under review; no approval passes this guard"
                )
            }
            Consent::Passes if self.count.plan <= self.allowed() => format!(
                "wait until less of it lies within 24 hours; or, if this is meant, apply this very plan with \
                 `--approve` and its digest, or raise `policy.limits.{name}` under review"
            ),
            Consent::Passes => format!(
                "if this is meant, apply this very plan with `--approve` and its digest, or raise \
                 `policy.limits.{name}` under review"
            ),
        }
    }
}
