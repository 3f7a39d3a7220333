//! Files that rosterctl wrote and anybody may have edited: snapshots, plans, journals.

use super::service::{planned, same, written};
use crate::session;
use model::Roster;
use model::attribute::Attribute;
use model::journal::History;
use reconciler::journal;
use reconciler::saved::SavedPlan;
use reconciler::snapshot::{self, Snapshot};
use serde_json::Value;
use std::io::Cursor;

/// A roster that deactivates whom it does not list, and has everything to lose by what it is compared with.
pub(super) fn roster() -> Roster {
    session::roster(include_str!("../../worlds/fuzzing.yaml"))
}

/// Reads a snapshot: what is read can be written, redacted, revealed and planned on.
pub fn snapshot(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(read) = snapshot::read(text) else { return };
    for user in &read.directory.users {
        assert!(user.attributes.iter().is_sorted_by(|a, b| a.0 < b.0), "{user:?}");
    }
    let again = snapshot::read(&written(&read)).expect("what was written can be read");
    same(&again.directory, &read.directory);
    assert_eq!((&again.target, again.redaction.is_some()), (&read.target, read.redaction.is_some()));

    let redacted = written(&Snapshot::redacted(&read.directory, None)).to_lowercase();
    for user in &read.directory.users {
        for address in [Attribute::Email, Attribute::SecondaryEmail].into_iter().filter_map(|a| user.get(a)) {
            // As the file would spell it; and plain enough that a pseudonym cannot be mistaken for it.
            let spelled = Value::from(address).to_string().to_lowercase();
            let (_, domain) = address.rsplit_once('@').unwrap_or_default();
            if domain.contains('.') && !domain.ends_with("invalid") && !domain.ends_with("slack-bots.com") {
                assert!(!redacted.contains(&spelled), "{spelled} in {redacted}");
            }
        }
    }
    let hidden = snapshot::read(&redacted_text(&read)).expect("what was redacted can be read");
    let (directory, note) = hidden.reveal(&roster(), &[]);
    assert_eq!(note.map(|note| note.code), Some("redacted"));
    planned(&directory);
    planned(&read.reveal(&roster(), &["ada".to_owned()]).0);
}

fn redacted_text(snapshot: &Snapshot) -> String {
    written(&Snapshot::redacted(&snapshot.directory, snapshot.target.clone()))
}

/// Reads a saved plan: what is read is what its digest says, and nothing that was changed in it is.
pub fn plan(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(saved) = SavedPlan::read(Cursor::new(text)) else { return };
    // In parts that nobody reads, an escape may stand for half a character, which JSON's grammar allows.
    let Ok(document) = serde_json::from_str::<Value>(text) else { return };
    assert_eq!(document["digest"], saved.digest());
    assert!(saved.digest().len() == 64 && saved.digest().bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!(document["changes"].as_array().map(Vec::len), Some(saved.changes()));
    // White space and the order of keys say nothing.
    let again = SavedPlan::read(Cursor::new(document.to_string())).expect("the same plan, written anew");
    assert_eq!(again.digest(), saved.digest());
    for at in 0..saved.changes() {
        for part in ["/request/method", "/request/path", "/request/body", "/before", "/after", "/target"] {
            let mut altered = document.clone();
            let Some(value) = altered.pointer_mut(&format!("/changes/{at}{part}")) else { continue };
            match value {
                Value::String(text) => text.push('x'),
                Value::Object(map) => drop(map.insert("x".to_owned(), Value::from("x"))),
                _ => continue,
            }
            assert!(
                SavedPlan::read(Cursor::new(altered.to_string())).is_err(),
                "change {at} was altered at {part}"
            );
        }
        let mut fewer = document.clone();
        fewer["changes"].as_array_mut().map(|changes| changes.remove(at));
        assert!(SavedPlan::read(Cursor::new(fewer.to_string())).is_err(), "change {at} was left out");
    }
}

/// Reads a journal: however early the machine that wrote it died, what is there can be read.
pub fn journal(data: &[u8]) {
    let Ok(history) = journal::read(data) else { return };
    let History { runs, torn: _ } = &history;
    for run in runs {
        assert!(run.changes.len() <= run.planned);
    }
    let lines: Vec<usize> =
        data.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at).collect();
    // Cut at every line, and in the middle of each; a long one at some of them.
    let step = lines.len().div_ceil(64).max(1);
    for window in lines.windows(2).step_by(step) {
        let &[from, to] = window else { continue };
        // Of what is torn already nobody can say how it began.
        if serde_json::from_slice::<Value>(&data[from + 1..to]).is_err() {
            continue;
        }
        for end in [from + 1, usize::midpoint(from, to), to] {
            let early = journal::read(&data[..end]);
            let early = early.unwrap_or_else(|error| panic!("cut after {end} bytes: {error}"));
            assert!(early.runs.len() <= runs.len());
        }
    }
}
