//! What a run promises, held against the record of the world and of the requests.

use super::asked::GROUP_LAG;
use super::ledger::{Cause, Effect, Entry, Whole};
use super::process::Scope;
use super::service::{Inner, Sent, id_in};
use crate::census::{Account, Census};
use crate::manners;
use crate::simulation::faults::Fate;
use crate::truth::{Terms, departures};
use http::Method;
use model::attribute::Value;
use model::policy::Limit;
use model::run::{Ending, RunReport};
use model::{Action, Attribute, Change, Edit, GroupRef, Plan, Roster, UserRef};
use slack_sim::RequestRecord;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// How old a stale read may be, with something to spare.
const STALE: Duration = Duration::from_secs(6);

/// What one plan, or several, did of what limits count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Done {
    /// Accounts deactivated.
    pub deactivated: BTreeSet<String>,
    /// Accounts created.
    pub created: BTreeSet<String>,
    /// Accounts whose primary address changed.
    pub emails: BTreeSet<String>,
    /// Accounts whose userName changed.
    pub user_names: BTreeSet<String>,
    /// Accounts made guests or members.
    pub guests: BTreeSet<String>,
    /// Memberships ended, by groups' changes and deletions.
    pub removed: BTreeSet<(String, String)>,
    /// Groups deleted.
    pub deleted: BTreeSet<String>,
    /// The groups whose limit of their own counts; empty for all.
    judged: BTreeSet<String>,
}

impl Done {
    /// What the client did in these entries.
    pub fn of<'a>(entries: impl Iterator<Item = &'a Entry>, log: &[Sent]) -> Self {
        let mut done = Self::default();
        for entry in entries.filter(|entry| entry.cause.is_client()) {
            done.take(entry, log);
        }
        done
    }

    fn take(&mut self, entry: &Entry, log: &[Sent]) {
        let id = || entry.id.clone();
        let by_group = match entry.cause {
            Cause::Client(number) => log.get(number).is_some_and(|sent| sent.target.starts_with("/Groups")),
            Cause::Aftermath | Cause::Others => false,
        };
        match &entry.effect {
            Effect::AccountMade(_) => drop(self.created.insert(id())),
            Effect::Account(both) => {
                let (before, after) = &**both;
                let moved = |attribute| before.values.get(&attribute) != after.values.get(&attribute);
                if before.active && !after.active {
                    self.deactivated.insert(id());
                }
                if moved(Attribute::Email) {
                    self.emails.insert(id());
                }
                if moved(Attribute::UserName) {
                    self.user_names.insert(id());
                }
                if before.guest != after.guest {
                    self.guests.insert(id());
                }
            }
            Effect::Group(before, after) if by_group => {
                let left = before.members.difference(&after.members);
                self.removed.extend(left.map(|member| (id(), member.clone())));
            }
            Effect::GroupGone(group) => {
                self.deleted.insert(id());
                self.removed.extend(group.members.iter().map(|member| (id(), member.clone())));
            }
            Effect::Group(..) | Effect::GroupMade(_) => {}
        }
    }

    /// What this has of the kinds of which `part` has something.
    #[must_use]
    pub fn only(mut self, part: &Self) -> Self {
        let pairs = [
            (&mut self.deactivated, &part.deactivated),
            (&mut self.created, &part.created),
            (&mut self.emails, &part.emails),
            (&mut self.user_names, &part.user_names),
            (&mut self.guests, &part.guests),
            (&mut self.deleted, &part.deleted),
        ];
        for (all, part) in pairs {
            if part.is_empty() {
                all.clear();
            }
        }
        if part.removed.is_empty() {
            self.removed.clear();
        }
        self.judged = part.removed.iter().map(|(group, _)| group.clone()).collect();
        self
    }

    /// A whole with what was taken from it put back.
    fn added_to(&self, mut whole: Whole) -> Whole {
        whole.active += self.deactivated.len();
        whole.memberships += self.removed.len();
        for (group, _) in &self.removed {
            *whole.groups.entry(group.clone()).or_default() += 1;
        }
        whole
    }

    /// The limits of the policy that this is above, one line each.
    pub fn above(&self, roster: &Roster, whole: &Whole) -> Vec<String> {
        let limits = roster.policy.limits;
        let mut found = Vec::new();
        let mut check = |what: &str, done: usize, limit: Limit, of: usize| {
            if done > limit.of(of) {
                found.push(format!("{what}: {done}, where {} of {of} are allowed", limit.of(of)));
            }
        };
        check("deactivateUsers", self.deactivated.len(), limits.deactivate_users, whole.active);
        check("createUsers", self.created.len(), limits.create_users, whole.active);
        check("changeEmails", self.emails.len(), limits.change_emails, whole.active);
        check("changeUserNames", self.user_names.len(), limits.change_user_names, whole.active);
        check("convertGuests", self.guests.len(), limits.convert_guests, whole.active);
        check("removeMembers", self.removed.len(), limits.remove_members, whole.memberships);
        check("deleteGroups", self.deleted.len(), limits.delete_groups, whole.group_count);
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        let judged = |group: &String| self.judged.is_empty() || self.judged.contains(group);
        for (group, _) in
            self.removed.iter().filter(|(group, _)| judged(group) && !self.deleted.contains(group))
        {
            *groups.entry(group).or_default() += 1;
        }
        for (group, done) in groups {
            let size = whole.groups.get(group).copied().unwrap_or_default();
            check(&format!("removeMembersPerGroup {group}"), done, limits.remove_members_per_group, size);
        }
        found
    }
}

/// What one round, begun at an instant, did above the limits, and with a journal, what the day's rounds did together.
/// Consent passes all limits but that of deleted groups.
pub fn above_limits(
    inner: &Inner,
    roster: &Roster,
    (round, since): (usize, Instant),
    approved: bool,
    daily: bool,
) -> Vec<String> {
    let counts = |line: &String| !approved || line.starts_with("deleteGroups");
    let mine = || inner.ledger.entries.iter().filter(|entry| entry.round == round);
    let earlier = |since: Instant| since.checked_sub(STALE).unwrap_or(since);
    let whole = inner.ledger.most_since(earlier(since));
    let done = Done::of(mine(), &inner.log);
    let mut found: Vec<String> = done.above(roster, &whole).into_iter().filter(counts).collect();
    // What was taken down minutes after it had been asked for counts from when it was asked for.
    let day_ago = Instant::now().checked_sub(Duration::from_hours(24) - Duration::from_mins(10));
    if daily && found.is_empty() {
        let day_ago = day_ago.unwrap_or(since);
        let today = inner.ledger.entries.iter().filter(|entry| entry.at > day_ago && entry.round <= round);
        let all = Done::of(today, &inner.log);
        // A percentage is of what there was when the day began, as far as is known: what is there, and what the day's
        // runs took away (docs/guards.md).
        let whole = all.added_to(inner.ledger.most_since(earlier(day_ago)));
        // What a plan has nothing of, it cannot be blocked for.
        let above = all.only(&done).above(roster, &whole).into_iter().filter(counts);
        found.extend(above.map(|line| format!("in 24 hours: {line}")));
    }
    found
}

/// Bad manners in the requests of one process, `log` being its part of the log, `records` the same as the service would
/// have recorded it.
pub fn bad_manners(log: &[Sent], records: &[RequestRecord], protected: &BTreeSet<String>) -> Vec<String> {
    let mut found = manners::breaches(records);
    for sent in log.iter().filter(|sent| sent.method != Method::GET) {
        if let Some(id) = id_in(&sent.target).filter(|id| protected.contains(*id)) {
            found.push(format!("{} {}: {id} must not be touched", sent.method, sent.target));
        }
    }
    found.extend(repeated_posts(log));
    found.extend(impatience(log));
    found.extend(crowding(log));
    found
}

/// A creation must be looked up before it is sent again, if the first try may have succeeded.
fn repeated_posts(log: &[Sent]) -> Vec<String> {
    let mut open: BTreeMap<String, usize> = BTreeMap::new();
    let mut found = Vec::new();
    for (at, sent) in log.iter().enumerate() {
        if sent.method == Method::GET {
            let is_lookup =
                |number: &usize| log[*number].target == sent.target.split('?').next().unwrap_or_default();
            open.retain(|_, number| !is_lookup(number));
            continue;
        }
        if sent.method != Method::POST {
            continue;
        }
        let body: serde_json::Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        let name = body["userName"].as_str().or(body["displayName"].as_str()).unwrap_or_default();
        let key = format!("{} {name}", sent.target);
        if open.contains_key(&key) {
            found.push(format!("{key}: sent again though the first may have succeeded, without a look"));
        }
        // A plain refusal says that nothing was done; so does a request that never left.
        let refused = sent.heard.is_some_and(|status| (400..500).contains(&status));
        if !refused && sent.fate != Fate::NoConnection {
            open.insert(key, at);
        }
    }
    found
}

/// Who is asked to wait waits.
fn impatience(log: &[Sent]) -> Vec<String> {
    let kind = |sent: &Sent| {
        let one = id_in(&sent.target).is_some();
        let collection = sent.target.starts_with("/Groups");
        // Lists have no limit of their own (sheet S15).
        let list = sent.method == Method::GET && !one;
        (sent.method.clone(), one, collection && !list)
    };
    let mut found = Vec::new();
    for (at, asked) in log.iter().enumerate() {
        let (Some(seconds), Some(heard_at)) = (asked.asked_to_wait, asked.heard_at) else { continue };
        // A lock is one resource's alone, and may come without a body that says so.
        let all = matches!(asked.fate, Fate::Throttle { code, .. } if code != Some("resource_locked"));
        if !all || seconds == 0 || seconds > 900 {
            continue;
        }
        let until = heard_at + Duration::from_secs(seconds);
        let early = log[at + 1..]
            .iter()
            .find(|later| later.at > heard_at && later.at < until && kind(later) == kind(asked));
        if let Some(early) = early {
            let after = early.at.saturating_duration_since(heard_at);
            found.push(format!(
                "{} {} came {after:?} after Retry-After: {seconds}",
                early.method, early.target
            ));
        }
    }
    found
}

/// One write at a time per resource.
fn crowding(log: &[Sent]) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: BTreeMap<&str, Instant> = BTreeMap::new();
    for sent in log.iter().filter(|sent| sent.method != Method::GET && id_in(&sent.target).is_some()) {
        if open.get(sent.target.as_str()).is_some_and(|until| *until > sent.at) {
            found.push(format!(
                "{} {}: sent while another write to it was under way",
                sent.method, sent.target
            ));
        }
        // Who sent a slow one may have given up on it long before its answer came.
        let until = sent.heard_at.filter(|_| !matches!(sent.fate, Fate::Slow { .. })).unwrap_or(sent.at);
        open.insert(&sent.target, until);
    }
    found
}

/// What a finished round claims and is not true.
pub struct Claims<'a> {
    /// The record.
    pub inner: &'a Inner,
    /// The world as it is.
    pub now: &'a Census,
    /// The roster.
    pub roster: &'a Roster,
    /// What the judge of the end has to know.
    pub terms: &'a Terms<'a>,
    /// The first request of the round.
    pub from: usize,
    /// The round.
    pub round: usize,
}

impl Claims<'_> {
    fn log(&self) -> &[Sent] {
        self.inner.log.get(self.from..).unwrap_or_default()
    }

    /// A claim that everything is as the roster says.
    pub fn in_sync(&self) -> Vec<String> {
        let log = self.log();
        let last_write = log.iter().rposition(|sent| sent.method != Method::GET);
        let reads = log.get(last_write.map_or(0, |at| at + 1)..).unwrap_or_default();
        let list = |path: &str| {
            reads
                .iter()
                .rposition(|sent| sent.target.starts_with(path) && sent.target.contains("startIndex=1&"))
        };
        let (Some(users), Some(groups)) = (list("/Users?"), list("/Groups?")) else {
            return vec!["it claims to be in sync, and did not read after its last write".to_owned()];
        };
        // The two are read side by side, and groups may be shown as they were a moment ago.
        let mut since = reads[users].at.min(reads[groups].at - GROUP_LAG);
        if let Some((_, old)) = self.inner.stale.filter(|(at, _)| *at >= since) {
            since = since.min(old);
        }
        if self.inner.ledger.others_since(since) || self.came_late(since) {
            return Vec::new();
        }
        let found = departures(self.roster, &self.inner.ledger.untouched, self.now, self.terms);
        found.into_iter().map(|line| format!("it claims to be in sync: {line}")).collect()
    }

    /// Whether a request was carried out after its sender had given up on it.
    fn came_late(&self, since: Instant) -> bool {
        let settled = self.inner.ledger.settled;
        self.inner.ledger.entries.iter().rev().take_while(|entry| entry.at >= since).any(|entry| {
            entry.round <= settled || matches!(entry.cause, Cause::Client(number) if matches!(self.inner.log[number].fate, Fate::Late { .. } | Fate::Slow { .. }))
        })
    }

    /// A report of a run that was about `scope`.
    pub fn report(&self, plan: &Plan, report: &RunReport, scope: Scope) -> Vec<String> {
        let mut found = Vec::new();
        if report.outcomes.len() != plan.changeset.changes.len() {
            found.push("the report leaves changes out".to_owned());
        }
        // A saved plan is about the differences that there were when it was read, and no others.
        let begun = self.log().first().map(|sent| sent.at);
        let alone = || begun.is_some_and(|begun| !self.inner.ledger.others_since(begun));
        let is_whole = match scope {
            Scope::Roster => true,
            Scope::Differences => alone(),
            Scope::Part => false,
        };
        if report.is_success() && is_whole {
            found.extend(self.in_sync());
        }
        let mine = |entry: &&Entry| entry.cause.is_client() && entry.round == self.round;
        if !report.wrote_anything()
            && let Some(entry) = self.inner.ledger.entries.iter().find(mine)
        {
            found
                .push(format!("it says that it wrote nothing, and changed {}: {:?}", entry.id, entry.effect));
        }
        for outcome in &report.outcomes {
            let Some(change) = plan.changeset.changes.get(outcome.change.get()) else { continue };
            if let Ending::Took { remark } = &outcome.ending
                && let Some(why) = self.untaken(change, remark.is_some())
            {
                found.push(format!("{} is said to have taken, and {why}", change.name));
            }
        }
        found
    }

    /// Why a change that is said to have taken has not.
    fn untaken(&self, change: &Change, with_remark: bool) -> Option<String> {
        let id = match &change.action {
            Action::UpdateUser { id: UserRef::Existing(id), .. } => id.as_str().to_owned(),
            Action::CreateUser { user_name, .. } | Action::UpdateUser { id: UserRef::New(user_name), .. } => {
                match self.now.id_of(user_name.as_str()) {
                    Some(id) => id.to_owned(),
                    // A service that shows in its answer what it has not done deceives anybody, until it is read again.
                    None if self.was_deceived("/Users") => return None,
                    None => return Some("there is no account".to_owned()),
                }
            }
            Action::UpdateGroup { id: GroupRef::Existing(id), .. } | Action::DeleteGroup { id, .. } => {
                id.as_str().to_owned()
            }
            Action::CreateGroup { .. } | Action::UpdateGroup { .. } => return None,
        };
        let target = id.clone();
        let touched = self
            .inner
            .ledger
            .entries
            .iter()
            .any(|entry| entry.id == target && entry.round == self.round && !entry.cause.is_client());
        let twice = self.inner.log.iter().any(|sent| {
            id_in(&sent.target) == Some(target.as_str())
                && matches!(sent.fate, Fate::Late { .. } | Fate::Slow { .. })
        });
        if touched || twice {
            return None;
        }
        match &change.action {
            Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => {
                let account = self.now.accounts.get(&id)?;
                edits.iter().find_map(|edit| unmet(edit, account))
            }
            Action::UpdateGroup { add, remove, rename, .. } => {
                let Some(group) = self.now.groups.get(&id) else {
                    return Some("the group is gone".to_owned());
                };
                if let Some(rename) =
                    rename.as_ref().filter(|rename| !rename.temporary && *rename.after != *group.name)
                {
                    return Some(format!("the group is called {}, not {}", group.name, rename.after));
                }
                let there = remove.iter().find(|member| group.members.contains(member.as_str()));
                if let Some(member) = there {
                    return Some(format!("{member} is still in it"));
                }
                let absent = add.iter().find(|member| match member {
                    UserRef::Existing(id) => {
                        let active = self.now.accounts.get(id.as_str()).is_some_and(|account| account.active);
                        active && !group.members.contains(id.as_str())
                    }
                    UserRef::New(_) => false,
                });
                absent.filter(|_| !with_remark).map(|member| format!("{member} is not in it"))
            }
            Action::DeleteGroup { .. } => {
                self.now.groups.contains_key(&id).then(|| "the group is still there".to_owned())
            }
            Action::CreateGroup { .. } => None,
        }
    }

    fn was_deceived(&self, path: &str) -> bool {
        self.log()
            .iter()
            .any(|sent| sent.method == Method::POST && sent.target == path && sent.fate == Fate::NoOp)
    }
}

/// What an edit was to bring about and has not.
fn unmet(edit: &Edit, account: &Account) -> Option<String> {
    if edit.temporary {
        return None;
    }
    let held = account.values.get(&edit.attribute).map(String::as_str);
    let right = match (edit.attribute, &edit.after) {
        (Attribute::Active, Some(Value::Flag(active))) => account.active == *active,
        (Attribute::Guest, Some(Value::Flag(guest))) => account.guest == *guest,
        (Attribute::Photo | Attribute::ProfileUrl | Attribute::DisplayName, _) => true,
        (_, None) => held.is_none(),
        (_, Some(Value::Text(text))) => held.is_some_and(|held| held.eq_ignore_ascii_case(text)),
        (_, Some(Value::Person(UserRef::Existing(id)))) => held == Some(id.as_str()),
        (_, Some(_)) => held.is_some(),
    };
    (!right).then(|| format!("{} is {held:?}, not {:?}", edit.attribute.key(), edit.after))
}
