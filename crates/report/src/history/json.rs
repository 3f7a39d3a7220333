//! A history for programs: `docs/journal.md`, "The history as JSON".

use super::Shown;
use super::wording::outcome;
use crate::harmless::write_json;
use model::ChangeKind;
use model::journal::{EndingKind, PastChange, PastRun, ReadBackKind};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use std::io;

/// The runs, oldest first, and the chosen one change by change, streamed: one run or change to a line.
///
/// # Errors
/// When the writer fails.
pub fn json(shown: &Shown<'_>, mut writer: impl io::Write) -> io::Result<()> {
    let w = &mut writer;
    w.write_all(b"{\n\"runs\":[")?;
    for (index, run) in shown.history.runs.iter().enumerate() {
        w.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_json(&mut *w, &RunJson::new(run, shown.goes_on(run)))?;
    }
    w.write_all(b"],\n\"torn\":")?;
    write_json(&mut *w, &shown.history.torn)?;
    w.write_all(b",\n\"run\":")?;
    write_json(&mut *w, &shown.run.map(|run| &run.id))?;
    w.write_all(b",\n\"changes\":[")?;
    for (index, change) in shown.run.iter().flat_map(|run| &run.changes).enumerate() {
        w.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_json(&mut *w, &ChangeJson::new(change))?;
    }
    w.write_all(b"]\n}\n")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunJson<'a> {
    id: &'a str,
    began: String,
    ended: Option<String>,
    outcome: &'static str,
    stopped: Option<&'a str>,
    read_back: Option<ReadBackKind>,
    target: Option<&'a str>,
    workspace: Option<&'a str>,
    digest: &'a str,
    approved: bool,
    undoes: Option<&'a str>,
    rosterctl: &'a str,
    planned: usize,
    summary: Tally,
}

/// How many changes ended how.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Tally {
    took: usize,
    pending: usize,
    without_effect: usize,
    refused: usize,
    doubtful: usize,
    skipped: usize,
    no_outcome: usize,
}

impl<'a> RunJson<'a> {
    fn new(run: &'a PastRun, goes_on: bool) -> Self {
        let PastRun {
            id,
            began,
            rosterctl,
            target,
            workspace,
            digest,
            approved,
            undoes,
            planned,
            changes,
            end,
        } = run;
        let mut summary = Tally::default();
        for change in changes {
            *match change.ending {
                Some(EndingKind::Took) => &mut summary.took,
                Some(EndingKind::Pending) => &mut summary.pending,
                Some(EndingKind::WithoutEffect) => &mut summary.without_effect,
                Some(EndingKind::Refused) => &mut summary.refused,
                Some(EndingKind::Doubtful) => &mut summary.doubtful,
                Some(EndingKind::Skipped) => &mut summary.skipped,
                None => &mut summary.no_outcome,
            } += 1;
        }
        Self {
            id,
            began: began.to_string(),
            ended: end.as_ref().map(|end| end.at.to_string()),
            outcome: outcome(run, goes_on),
            stopped: end.as_ref().and_then(|end| end.stopped.as_deref()),
            read_back: end.as_ref().map(|end| end.read_back),
            target: target.as_deref(),
            workspace: workspace.as_deref(),
            digest,
            approved: *approved,
            undoes: undoes.as_deref(),
            rosterctl,
            planned: *planned,
            summary,
        }
    }
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    id: usize,
    kind: ChangeKind,
    target: &'a str,
    name: &'a str,
    before: &'a Map<String, Json>,
    after: &'a Map<String, Json>,
    ending: Option<EndingKind>,
    detail: Option<&'a str>,
    created: Option<&'a str>,
    at: String,
}

impl<'a> ChangeJson<'a> {
    fn new(change: &'a PastChange) -> Self {
        let PastChange { number, kind, target, name, before, after, at, ending, detail, created } = change;
        Self {
            id: *number,
            kind: *kind,
            target,
            name,
            before,
            after,
            ending: *ending,
            detail: detail.as_deref(),
            created: created.as_deref(),
            at: at.to_string(),
        }
    }
}
