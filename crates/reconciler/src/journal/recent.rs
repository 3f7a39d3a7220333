//! What the runs of the last 24 hours did, for limits over time.

use crate::guard::Recent;
use jiff::{SignedDuration, Timestamp};
use model::change::ChangeKind;
use model::journal::{History, PastChange};
use model::names::{GroupId, UserId, fold};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// How long what a run did counts towards the limits (issue 4, "Guards").
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// What the runs of the last 24 hours before `now` did to one service.
///
/// The journal's own times decide, record by record. Only runs with the same target count and, where both are known, of
/// the same workspace. What may have been done counts as done: a change without an outcome, a doubtful one, one that was
/// answered with success and had no effect.
pub fn recent(history: &History, target: Option<&str>, workspace: Option<&str>, now: Timestamp) -> Recent {
    let since = now.saturating_sub(WINDOW).unwrap_or(Timestamp::MIN);
    let mut recent = Recent::default();
    for run in &history.runs {
        let elsewhere = run
            .workspace
            .as_deref()
            .zip(workspace)
            .is_some_and(|(theirs, ours)| !theirs.eq_ignore_ascii_case(ours));
        if bare(run.target.as_deref()) != bare(target) || elsewhere {
            continue;
        }
        let created = run.created();
        let done = run.changes.iter().filter(|change| change.may_have_happened() && change.at > since);
        for change in done {
            count(change, &created, &mut recent);
        }
    }
    recent
}

/// The same service is the same with a slash at its end.
fn bare(target: Option<&str>) -> Option<&str> {
    target.map(|url| url.trim_end_matches('/'))
}

fn count(change: &PastChange, created: &HashMap<&str, &str>, recent: &mut Recent) {
    let target = &*change.target;
    // What has no id yet cannot be found in a directory either.
    let id = if is_new(target) { created.get(target).copied() } else { Some(target) };
    let changes = |key: &str| change.after.contains_key(key);
    match change.kind {
        ChangeKind::CreateUser => {
            let name = fold(target.strip_prefix("@user:").unwrap_or(target));
            let known = recent.created.entry(name.into()).or_default();
            *known = id.map(UserId::new).or(known.take());
        }
        ChangeKind::UpdateUser | ChangeKind::ReactivateUser | ChangeKind::DeactivateUser => {
            let Some(id) = id.map(UserId::new) else { return };
            let sets = [
                (change.kind == ChangeKind::DeactivateUser, &mut recent.deactivated),
                (change.kind == ChangeKind::ReactivateUser, &mut recent.reactivated),
                (changes("email"), &mut recent.emails),
                (changes("userName"), &mut recent.user_names),
                (changes("guest"), &mut recent.guests),
            ];
            for (_, set) in sets.into_iter().filter(|(is_so, _)| *is_so) {
                set.insert(id.clone());
            }
        }
        ChangeKind::CreateGroup | ChangeKind::UpdateGroup | ChangeKind::DeleteGroup => {
            let Some(id) = id.map(GroupId::new) else { return };
            let removed = members(&change.before).map(|member| (id.clone(), UserId::new(member)));
            recent.removed.extend(removed);
            let known = |member| if is_new(member) { created.get(member).copied() } else { Some(member) };
            let added = members(&change.after).filter_map(known);
            recent.added.extend(added.map(|member| (id.clone(), UserId::new(member))));
            match change.kind {
                ChangeKind::CreateGroup => drop(recent.created_groups.insert(id)),
                ChangeKind::DeleteGroup => drop(recent.deleted.insert(id)),
                _ => {}
            }
        }
    }
}

/// Whether it is named by what it was made from, for want of an id.
fn is_new(reference: &str) -> bool {
    reference.starts_with('@')
}

/// The ids under `members`.
fn members(state: &Map<String, Json>) -> impl Iterator<Item = &str> {
    state.get("members").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str)
}
