//! The words for past runs, the same in every format for people.

use crate::paint::Tone;
use crate::plan::Medium;
use crate::words::{count, folded, number, pick, series};
use model::ChangeKind;
use model::journal::{EndingKind, PastChange, PastRun, ReadBackKind};
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::fmt::Display;

/// How many members of a group are shown.
const MEMBERS_SHOWN: usize = 20;

/// An instant to the second, in UTC.
pub(super) fn time(at: impl Display, medium: Medium) -> String {
    let text = format!("{at:.0}");
    // A forge would take some of it for an emoji or a reference.
    if medium == Medium::Markdown { medium.name(&text) } else { text }
}

/// Whose workspace a run was about.
pub(super) fn whose(run: &PastRun, medium: Medium) -> String {
    match (&run.workspace, &run.target) {
        (Some(workspace), _) => medium.name(workspace),
        (None, Some(target)) => medium.sentence(target),
        (None, None) => "a simulator".to_owned(),
    }
}

/// How a run ended, in a word or two.
pub(super) fn how_it_ended(run: &PastRun, goes_on: bool) -> (&'static str, Tone) {
    match &run.end {
        None if goes_on => ("goes on", Tone::Caution),
        None => ("killed", Tone::Alarm),
        Some(end) if end.success => ("succeeded", Tone::Good),
        Some(end) if end.stopped.is_some() => ("stopped", Tone::Alarm),
        Some(end) => match end.read_back {
            ReadBackKind::InSync => ("in sync", Tone::Caution),
            ReadBackKind::Differs => ("differs", Tone::Alarm),
            ReadBackKind::Unknown => ("not known", Tone::Alarm),
        },
    }
}

/// How a run ended, in a sentence without a full stop.
pub(super) fn how_it_ended_at_length(run: &PastRun, goes_on: bool) -> &'static str {
    match how_it_ended(run, goes_on).0 {
        "goes on" => "not yet: it goes on",
        "killed" => "it did not: it was killed",
        "in sync" => "in sync, though not everything took",
        "differs" => "not in sync",
        "not known" => "the directory could not be read back",
        same => same,
    }
}

/// How a run ended, for programs.
pub(super) fn outcome(run: &PastRun, goes_on: bool) -> &'static str {
    match how_it_ended(run, goes_on).0 {
        "goes on" => "goingOn",
        "in sync" => "inSync",
        "not known" => "unknown",
        same => same,
    }
}

/// How a change ended.
pub(super) fn ending(change: &PastChange, goes_on: bool) -> (&'static str, Tone) {
    match change.ending {
        Some(EndingKind::Took) => ("took", Tone::Good),
        Some(EndingKind::Pending) => ("pending", Tone::Caution),
        Some(EndingKind::WithoutEffect) => ("no effect", Tone::Alarm),
        Some(EndingKind::Refused) => ("refused", Tone::Alarm),
        Some(EndingKind::Doubtful) => ("failed, and may have been done all the same", Tone::Alarm),
        Some(EndingKind::Skipped) => ("skipped", Tone::Caution),
        None if goes_on => ("under way", Tone::Caution),
        None => ("cut off, and may have been done", Tone::Alarm),
    }
}

/// What the person or group did, as the rest of a sentence.
pub(super) const fn verb(change: &PastChange) -> &'static str {
    match change.kind {
        ChangeKind::CreateUser => "joins",
        ChangeKind::ReactivateUser => "comes back",
        ChangeKind::UpdateUser | ChangeKind::UpdateGroup => "changes",
        ChangeKind::DeactivateUser => "leaves",
        ChangeKind::CreateGroup => "is new",
        ChangeKind::DeleteGroup => "is deleted for good",
    }
}

/// What a run did, counted in people and groups, and how many changes it did not get done.
pub(super) fn deeds(run: &PastRun) -> String {
    let mut done: HashMap<ChangeKind, HashSet<&str>> = HashMap::new();
    let mut failed: HashMap<&str, usize> = HashMap::new();
    for change in &run.changes {
        let word = match change.ending {
            Some(EndingKind::Took | EndingKind::Pending) => {
                done.entry(change.kind).or_default().insert(&change.target);
                continue;
            }
            Some(EndingKind::WithoutEffect) => "without effect",
            Some(EndingKind::Refused) => "refused",
            Some(EndingKind::Doubtful) => "in doubt",
            Some(EndingKind::Skipped) => "skipped",
            None => "without an outcome",
        };
        *failed.entry(word).or_default() += 1;
    }
    let mut parts = Vec::new();
    for (kind, one, many, noun) in [
        (ChangeKind::CreateUser, "joined", "joined", ["person", "people"]),
        (ChangeKind::ReactivateUser, "came back", "came back", ["person", "people"]),
        (ChangeKind::UpdateUser, "changed", "changed", ["person", "people"]),
        (ChangeKind::DeactivateUser, "left", "left", ["person", "people"]),
        (ChangeKind::CreateGroup, "was made", "were made", ["group", "groups"]),
        (ChangeKind::UpdateGroup, "changed", "changed", ["group", "groups"]),
        (ChangeKind::DeleteGroup, "was deleted", "were deleted", ["group", "groups"]),
    ] {
        if let Some(n) = done.get(&kind).map(HashSet::len) {
            parts.push(format!("{} {}", count(n, noun[0], noun[1]), pick(n, one, many)));
        }
    }
    let done = if parts.is_empty() { "nothing done".to_owned() } else { series(&parts) };
    let begun = run.changes.len();
    if run.end.is_none() && run.planned > begun {
        failed.insert("not begun", run.planned - begun);
    }
    let failed: Vec<String> =
        ["without effect", "refused", "in doubt", "without an outcome", "skipped", "not begun"]
            .into_iter()
            .filter_map(|word| Some(format!("{} {word}", number(*failed.get(word)?))))
            .collect();
    if failed.is_empty() { done } else { format!("{done}; {}", series(&failed)) }
}

/// The people of a run by the ids under which it knew them.
pub(super) struct Names<'a>(HashMap<&'a str, &'a str>);

impl<'a> Names<'a> {
    pub(super) fn of(run: &'a PastRun) -> Self {
        let is_person = |kind| {
            matches!(
                kind,
                ChangeKind::CreateUser
                    | ChangeKind::ReactivateUser
                    | ChangeKind::UpdateUser
                    | ChangeKind::DeactivateUser
            )
        };
        let people = run.changes.iter().filter(|change| is_person(change.kind));
        Self(people.map(|change| (&*change.target, &*change.name)).collect())
    }

    fn person(&self, reference: &str, medium: Medium) -> String {
        let named = self.0.get(reference).copied().or_else(|| reference.strip_prefix("@user:"));
        medium.name(named.unwrap_or(reference))
    }
}

/// What a change changed: keys of the roster, and for each what was before and after.
pub(super) fn states(change: &PastChange, names: &Names<'_>, medium: Medium) -> Vec<(String, String)> {
    let mut states = Vec::new();
    let PastChange { before, after, .. } = change;
    let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
    for key in keys.filter(|key| *key != "members") {
        let old = before.get(key).map(|old| value(key, old, names, medium, "not set"));
        let new = after.get(key).map(|new| value(key, new, names, medium, "cleared"));
        let arrow = if medium == Medium::Markdown { "→" } else { "->" };
        let value = match (old, new) {
            (Some(old), Some(new)) => format!("{old} {arrow} {new}"),
            (Some(old), None) => format!("was {old}"),
            (None, new) => new.unwrap_or_default(),
        };
        states.push((key_name(key, medium), value));
    }
    let creates_or_deletes = change.creates() || change.kind == ChangeKind::DeleteGroup;
    for (word, state) in [("gains", after), ("loses", before)] {
        if let Some(Json::Array(members)) = state.get("members")
            && !members.is_empty()
        {
            let members = members.iter().filter_map(Json::as_str).map(|member| names.person(member, medium));
            let members: Vec<String> = members.collect();
            let word = if creates_or_deletes { "members" } else { word };
            states.push((word.to_owned(), folded(members.into_iter(), MEMBERS_SHOWN)));
        }
    }
    states
}

/// A key of a roster is a word of ours, and a key of a file that somebody else wrote may be anything.
fn key_name(key: &str, medium: Medium) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    if key.len() <= 40 && key.chars().all(plain) && medium != Medium::Markdown {
        key.to_owned()
    } else {
        medium.name(key)
    }
}

fn value(key: &str, value: &Json, names: &Names<'_>, medium: Medium, absent: &str) -> String {
    match value {
        Json::Null => absent.to_owned(),
        Json::Bool(flag) => match (key, flag) {
            ("guest", true) => "guest".to_owned(),
            ("guest", false) => "full member".to_owned(),
            _ => flag.to_string(),
        },
        Json::String(text) if key == "manager" => names.person(text, medium),
        Json::String(text) => medium.value(text),
        // A journal that was read holds none of these here.
        Json::Number(_) | Json::Array(_) | Json::Object(_) => medium.value(&value.to_string()),
    }
}
