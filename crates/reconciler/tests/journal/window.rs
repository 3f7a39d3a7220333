//! What counts towards limits over time, against a plain count.

use crate::runs::{self, Came, DrawnRun, START, text};
use jiff::{SignedDuration, Timestamp};
use model::ChangeKind;
use model::journal::{EndingKind, Event, Record};
use model::names::{GroupId, UserId};
use proptest::prelude::*;
use reconciler::guard::Recent;
use reconciler::journal::{read, recent};

/// The same count, change by change from what was drawn, with nothing that reads a journal.
fn plain(
    drawn: &[DrawnRun],
    records: &[Record],
    target: Option<&str>,
    workspace: Option<&str>,
    now: Timestamp,
) -> Recent {
    let mut recent = Recent::default();
    for (number, run) in drawn.iter().enumerate() {
        let strip = |url: Option<&'static str>| url.map(|url| url.trim_end_matches('/').to_owned());
        let fold = |name: Option<&str>| name.map(str::to_lowercase);
        let same = strip(run.target) == target.map(|url| url.trim_end_matches('/').to_owned())
            && (run.workspace.is_none() || workspace.is_none() || fold(run.workspace) == fold(workspace));
        let is_known = |came| {
            let answered = |ending| !matches!(ending, EndingKind::Refused | EndingKind::Doubtful);
            matches!(came, Came::To(ending) if answered(ending)) || matches!(came, Came::Seen(_))
        };
        let newcomer =
            run.changes.iter().find(|c| c.kind == ChangeKind::CreateUser && c.who == 1 && is_known(c.came));
        for (at, change) in run.changes.iter().enumerate() {
            let last = records.iter().rev().find(|record| {
                let about = match &record.event {
                    Event::Intent { change, .. } | Event::Outcome { change, .. } => *change,
                    _ => 0,
                };
                *record.run == *format!("r{number}") && about == at + 1
            });
            let Some(last) = last else { continue };
            let happened =
                !matches!(change.came, Came::Nowhere | Came::Skipped | Came::To(EndingKind::Refused));
            if !same || !happened || now.duration_since(last.at) >= SignedDuration::from_hours(24) {
                continue;
            }
            let user = UserId::new(format!("U{}", change.who));
            let other = UserId::new(format!("U{}", change.who + 1));
            let group = GroupId::new(format!("S{}", change.who));
            match change.kind {
                ChangeKind::CreateUser => {
                    let entry = recent.created.entry(format!("p{}", change.who).into()).or_default();
                    if is_known(change.came) {
                        *entry = Some(UserId::new(format!("N{}", change.who)));
                    }
                }
                ChangeKind::DeactivateUser => drop(recent.deactivated.insert(user)),
                ChangeKind::UpdateUser => {
                    let set = match change.who % 3 {
                        0 => &mut recent.emails,
                        1 => &mut recent.user_names,
                        _ => &mut recent.guests,
                    };
                    set.insert(user);
                }
                ChangeKind::UpdateGroup => {
                    recent.removed.insert((group.clone(), user));
                    recent.removed.insert((group.clone(), other));
                    if newcomer.is_some() {
                        recent.added.insert((group, UserId::new("N1")));
                    }
                }
                ChangeKind::DeleteGroup => {
                    recent.removed.insert((group.clone(), user));
                    recent.deleted.insert(group);
                }
                ChangeKind::ReactivateUser => drop(recent.reactivated.insert(user)),
                ChangeKind::CreateGroup => {
                    if is_known(change.came) {
                        let group = GroupId::new(format!("N{}", change.who));
                        recent.added.insert((group.clone(), user));
                        recent.created_groups.insert(group);
                    }
                }
            }
        }
    }
    recent
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_may_have_been_done_in_the_last_day_counts_and_nothing_else(
        mut drawn in prop::collection::vec(runs::run(), 0..6),
        mix: u64,
        hours in 0..120_i64,
        target in prop::sample::select(vec![None, Some("https://a.example/scim/v2"), Some("https://b.example/scim/v2/")]),
        workspace in prop::sample::select(vec![None, Some("acme"), Some("Acme")]),
    ) {
        // One creation of a name in one run: the plain count pairs them by name.
        for run in &mut drawn {
            let mut seen = std::collections::HashSet::new();
            for change in &mut run.changes {
                if change.kind == ChangeKind::CreateUser && !seen.insert(change.who) {
                    change.kind = ChangeKind::DeactivateUser;
                }
            }
        }
        let records = runs::records(&drawn, mix);
        let now = START + SignedDuration::from_hours(hours);
        let history = read(text(&records)).unwrap();
        prop_assert_eq!(recent(&history, target, workspace, now), plain(&drawn, &records, target, workspace, now));
    }
}

#[test]
fn an_account_that_the_run_has_created_counts_by_its_id() {
    let lines = [
        r#"{"v":1,"at":"2026-11-23T14:00:00Z","run":"r","event":"begin","rosterctl":"0.1.0","target":null,"workspace":null,"digest":"d","approved":false,"changes":2}"#,
        r#"{"v":1,"at":"2026-11-23T14:00:00Z","run":"r","event":"intent","change":1,"kind":"createUser","target":"@user:Eve","name":"Eve","before":{},"after":{}}"#,
        r#"{"v":1,"at":"2026-11-23T14:00:01Z","run":"r","event":"outcome","change":1,"ending":"took","id":"U9"}"#,
        r#"{"v":1,"at":"2026-11-23T14:00:01Z","run":"r","event":"intent","change":2,"kind":"updateUser","target":"@user:Eve","name":"Eve","before":{"userName":"e"},"after":{"userName":"eve"}}"#,
    ];
    let history = read(lines.join("\n")).unwrap();
    let found = recent(&history, None, None, "2026-11-23T15:00:00Z".parse().unwrap());
    assert_eq!(found.created.get("eve"), Some(&Some(UserId::new("U9"))));
    assert_eq!(found.user_names, [UserId::new("U9")].into());
    // A clock that was wrong for a while must not hide anything.
    assert_eq!(recent(&history, None, None, "2026-11-20T15:00:00Z".parse().unwrap()), found);
    assert_eq!(recent(&history, None, None, "2026-11-24T14:00:01Z".parse().unwrap()), Recent::default());
}
