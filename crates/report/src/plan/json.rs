//! A plan for programs: `docs/plan-format.md`.

use super::Counts;
use crate::harmless::write_json;
use model::change::{After, Before, Need};
use model::plan::{Encoded, FORMAT, Plan};
use model::{Action, Attribute, Change, Edit, Place, Sources};
use serde::Serialize;
use std::io;

/// The plan as JSON, streamed: one member of the object to a line, one change to a line, whatever the size of the plan.
///
/// # Errors
/// When the writer fails.
pub fn json(plan: &Plan, sources: Option<&Sources>, mut writer: impl io::Write) -> io::Result<()> {
    let Plan {
        target,
        workspace,
        dialect,
        roster_digest,
        directory_digest,
        changeset: _,
        encoder: _,
        // For the run to watch by.
        stays_inactive: _,
        successions: _,
        existing: _,
        verdicts,
        notes,
        totals,
        estimate,
        digest,
    } = plan;
    let w = &mut writer;
    w.write_all(b"{\n")?;
    member(w, "formatVersion", &FORMAT)?;
    member(w, "target", target)?;
    member(w, "workspace", workspace)?;
    member(w, "dialect", dialect)?;
    member(w, "rosterDigest", roster_digest)?;
    member(w, "directoryDigest", directory_digest)?;
    member(w, "outcome", &plan.outcome())?;
    member(w, "summary", &Counts::of(plan))?;
    member(w, "verdicts", verdicts)?;
    member(w, "notes", notes)?;
    member(w, "totals", totals)?;
    member(w, "estimate", estimate)?;
    w.write_all(b"\"changes\":[")?;
    for (index, change) in plan.changeset.changes.iter().enumerate() {
        w.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_json(&mut *w, &ChangeJson::new(index, change, &plan.encode(change), sources))?;
    }
    w.write_all(b"],\n\"digest\":")?;
    write_json(&mut *w, digest)?;
    w.write_all(b"\n}\n")
}

fn member<T: Serialize + ?Sized>(writer: &mut impl io::Write, key: &str, value: &T) -> io::Result<()> {
    write!(writer, "\"{key}\":")?;
    write_json(&mut *writer, value)?;
    writer.write_all(b",\n")
}

/// A place for programs.
#[derive(Serialize)]
pub(crate) struct PlaceJson<'a> {
    file: &'a str,
    line: u32,
    column: u32,
}

impl<'a> PlaceJson<'a> {
    /// The place, where its file is known.
    pub(crate) fn new(place: Place, sources: Option<&'a Sources>) -> Option<Self> {
        let source = sources?.get(place.source)?;
        Some(Self { file: &source.path, line: place.line, column: place.column })
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ChangeJson<'a> {
    id: usize,
    kind: model::ChangeKind,
    target: String,
    name: &'a str,
    source: Option<PlaceJson<'a>>,
    waits_for: Vec<WaitJson>,
    request: &'a model::plan::Request,
    fallbacks: &'a [model::plan::Fallback],
    before: Before<'a>,
    after: After<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<EditJson<'a>>,
}

#[derive(Serialize)]
struct WaitJson {
    change: usize,
    need: &'static str,
}

/// Why an attribute changes.
#[derive(Serialize)]
struct EditJson<'a> {
    attribute: &'static str,
    temporary: bool,
    source: Option<PlaceJson<'a>>,
}

impl<'a> ChangeJson<'a> {
    fn new(index: usize, change: &'a Change, encoded: &'a Encoded, sources: Option<&'a Sources>) -> Self {
        let Change { action, name, origin, waits_for } = change;
        let Encoded { request, fallbacks } = encoded;
        let edits = match action {
            Action::CreateUser { edits, .. } | Action::UpdateUser { edits, .. } => edits.as_slice(),
            Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. } => &[],
        };
        let source = |place: &Option<Place>| PlaceJson::new((*place)?, sources);
        let edit = |edit: &'a Edit| EditJson {
            attribute: Attribute::key(edit.attribute),
            temporary: edit.temporary,
            source: source(&edit.origin),
        };
        let wait = |dependency: &model::change::Dependency| WaitJson {
            change: dependency.on.get() + 1,
            need: match dependency.need {
                Need::Success => "success",
                Need::End => "end",
            },
        };
        Self {
            id: index + 1,
            kind: change.kind(),
            target: change.target(),
            name,
            source: source(origin),
            waits_for: waits_for.iter().map(wait).collect(),
            request,
            fallbacks,
            before: Before(change),
            after: After(change),
            edits: edits.iter().map(edit).collect(),
        }
    }
}
