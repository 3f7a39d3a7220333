//! What survives a process: its journal and the plan that it saved.

use super::faults::Fate;
use super::service::{Sent, Service, id_in};
use crate::census::Census;
use crate::simulation::demand::Demand;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use model::journal::{Event, Record};
use model::{Attribute, ChangeKind, Plan};
use reconciler::journal::Journal;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;

/// A journal in memory that knows what had been sent when each of its records was written.
pub struct Notebook {
    service: Service,
    inner: Mutex<Pages>,
}

#[derive(Default)]
struct Pages {
    text: String,
    /// The records, each with how many requests had been sent, and when it was written.
    records: Vec<(usize, Instant, Record)>,
    /// How many more times records can be appended; `None`: for ever.
    room: Option<usize>,
}

impl Notebook {
    /// An empty one.
    pub fn new(service: Service) -> Self {
        Self { service, inner: Mutex::default() }
    }

    fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From now on it can be appended to so many times.
    pub fn set_room(&self, room: Option<usize>) {
        self.pages().room = room;
    }

    /// The journal as it stands on disk.
    pub fn text(&self) -> String {
        self.pages().text.clone()
    }

    /// A process dies while it writes a line. One that has not yet come to opening a torn journal cannot tear it further.
    pub fn tear(&self) {
        let mut pages = self.pages();
        if pages.text.is_empty() || pages.text.ends_with('\n') {
            pages.text.push_str("{\"v\":1,\"at\":\"2026-");
        }
    }

    /// A new process opens it: what is torn ends there.
    pub fn open(&self) {
        let mut pages = self.pages();
        if !pages.text.is_empty() && !pages.text.ends_with('\n') {
            pages.text.push('\n');
        }
    }

    /// Writes of a process, whose requests begin at `from`, that are in no record of intent made before them. A journal
    /// that cannot be written has none, so that these are also those that were sent though it failed.
    pub fn unintended(&self, log: &[Sent], from: usize, now: &Census) -> Vec<String> {
        let pages = self.pages();
        let mut found = Vec::new();
        for (at, sent) in log.iter().enumerate().skip(from).filter(|(_, sent)| sent.method != Method::GET) {
            let targets = targets(sent, now);
            let intended = pages.records.iter().any(|(known, _, record)| {
                let Event::Intent { target, .. } = &record.event else { return false };
                *known <= at && *known >= from && targets.contains(&**target)
            });
            if !intended {
                found.push(format!("{} {} was sent without intent in the journal", sent.method, sent.target));
            }
        }
        found
    }

    /// Changes of a process, whose requests begin at `from`, that were started though an account had just shown as
    /// deactivated and nobody had asked for it (design §6).
    pub fn heedless(&self, log: &[Sent], from: usize) -> Option<String> {
        let asked = |sent: &Sent| String::from_utf8_lossy(&sent.body).contains("\"active\"");
        let shown = log.get(from..)?.iter().find(|sent| {
            let unasked = matches!(sent.fate, Fate::Deactivates { after } if after.is_zero()) && !asked(sent);
            unasked && sent.shows_inactive && !sent.was_inactive
        })?;
        let heard_at = shown.heard_at?;
        let pages = self.pages();
        let started = pages.records.iter().find_map(|(sent, at, record)| match &record.event {
            // At the very instant the run may have been at another answer.
            Event::Intent { name, .. } if *sent > shown.heard_before && *at > heard_at => Some(name.clone()),
            _ => None,
        })?;
        Some(format!("{} turned inactive, and the change of {started} was started", shown.target))
    }

    /// What the runs of the last 24 hours may have done, at the most.
    pub fn recently(&self, now: Timestamp) -> Demand {
        let since = now.saturating_sub(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MIN);
        let mut demand = Demand::default();
        for (_, _, record) in self.pages().records.iter().filter(|(_, _, record)| record.at >= since) {
            if let Event::Intent { kind, target, before, after, .. } = &record.event {
                add(&mut demand, *kind, target, before, after);
            }
        }
        demand
    }
}

impl Journal for Notebook {
    fn append(&self, records: &[Record]) -> io::Result<()> {
        let sent = self.service.lock().log.len();
        let mut pages = self.pages();
        if let Some(room) = &mut pages.room {
            let Some(less) = room.checked_sub(1) else {
                return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left"));
            };
            *room = less;
        }
        for record in records {
            let line = serde_json::to_string(record)?;
            pages.text.push_str(&line);
            pages.text.push('\n');
            pages.records.push((sent, Instant::now(), record.clone()));
        }
        Ok(())
    }
}

/// The names by which a record may call the resource of a request.
fn targets(sent: &Sent, now: &Census) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    if let Some(id) = id_in(&sent.target) {
        found.insert(id.to_owned());
        // What was created in this very run is still called by its name.
        let account = now.accounts.get(id).and_then(|account| account.values.get(&Attribute::UserName));
        found.extend(account.map(|name| format!("@user:{name}")));
        found.extend(now.groups.get(id).map(|group| format!("@group:{}", group.name)));
    } else {
        let body: Value = serde_json::from_slice(&sent.body).unwrap_or_default();
        found.extend(body["userName"].as_str().map(|name| format!("@user:{name}")));
        found.extend(body["displayName"].as_str().map(|name| format!("@group:{name}")));
    }
    found
}

fn add(
    demand: &mut Demand,
    kind: ChangeKind,
    target: &str,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) {
    let target = target.to_owned();
    match kind {
        ChangeKind::CreateUser => drop(demand.created.insert(target.replace("@user:", ""))),
        ChangeKind::CreateGroup => {}
        ChangeKind::DeactivateUser => drop(demand.deactivated.insert(target)),
        ChangeKind::UpdateUser | ChangeKind::ReactivateUser => {
            if after.contains_key("email") {
                demand.emails.insert(target.clone());
            }
            if after.contains_key("userName") {
                demand.user_names.insert(target.clone());
            }
            if after.contains_key("guest") {
                demand.guests.insert(target);
            }
        }
        ChangeKind::UpdateGroup | ChangeKind::DeleteGroup => {
            let members = before.get("members").and_then(Value::as_array).into_iter().flatten();
            let members = members.filter_map(Value::as_str);
            demand.removed.extend(members.map(|member| (target.clone(), member.to_owned())));
            if kind == ChangeKind::DeleteGroup {
                demand.deleted.insert(target);
            }
        }
    }
}

/// A plan that was saved: its file, and how often it has been applied.
#[derive(Debug, Clone)]
pub struct SavedFile {
    /// The file.
    pub text: String,
    /// The plan itself, which only a saboteur remembers.
    pub plan: Plan,
    /// How often it has been applied.
    pub tries: usize,
}

/// What a person keeps on disk.
pub struct Disk {
    /// The journal, where one is kept.
    pub journal: Option<Notebook>,
    /// The saved plan, if there is one at the moment.
    pub plan: Mutex<Option<SavedFile>>,
}

impl Disk {
    /// The saved plan.
    pub fn saved(&self) -> std::sync::MutexGuard<'_, Option<SavedFile>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts of two demands together, each resource once.
pub fn together(mut one: Demand, other: &Demand) -> Demand {
    let merge = |into: &mut BTreeSet<String>, from: &BTreeSet<String>| into.extend(from.iter().cloned());
    merge(&mut one.deactivated, &other.deactivated);
    merge(&mut one.created, &other.created);
    merge(&mut one.emails, &other.emails);
    merge(&mut one.user_names, &other.user_names);
    merge(&mut one.guests, &other.guests);
    merge(&mut one.emptied, &other.emptied);
    merge(&mut one.deleted, &other.deleted);
    one.removed.extend(other.removed.iter().cloned());
    // A group that lost members may now stand as one that was emptied.
    let lost: BTreeMap<&String, usize> = other.removed.iter().map(|(group, _)| (group, 1)).collect();
    one.emptied.extend(lost.keys().map(|group| (*group).clone()));
    one
}
