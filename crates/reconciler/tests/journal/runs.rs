//! Journals of runs that may have been.

use jiff::{SignedDuration, Timestamp};
use model::ChangeKind;
use model::journal::{EndingKind, Event, FORMAT, ReadBackKind, Record};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// When every journal of these tests begins.
pub(crate) const START: Timestamp = Timestamp::constant(1_795_435_200, 0);

/// How far a change of a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Nowhere,
    Skipped,
    Intended,
    To(EndingKind),
    /// It was not seen at first, and then it was.
    Seen(EndingKind),
}

/// A change as the tests draw it.
#[derive(Debug, Clone)]
pub(crate) struct Drawn {
    pub(crate) kind: ChangeKind,
    /// A number that stands for the resource.
    pub(crate) who: usize,
    pub(crate) came: Came,
}

impl Drawn {
    pub(crate) fn target(&self) -> String {
        match self.kind {
            ChangeKind::CreateUser => format!("@user:p{}", self.who),
            ChangeKind::CreateGroup => format!("@group:g{}", self.who),
            ChangeKind::UpdateUser | ChangeKind::ReactivateUser | ChangeKind::DeactivateUser => {
                format!("U{}", self.who)
            }
            ChangeKind::UpdateGroup | ChangeKind::DeleteGroup => format!("S{}", self.who),
        }
    }

    pub(crate) fn states(&self) -> (Map<String, Json>, Map<String, Json>) {
        let (member, other) = (format!("U{}", self.who), format!("U{}", self.who + 1));
        let (before, after) = match self.kind {
            ChangeKind::CreateUser => (json!({}), json!({"userName": "p", "email": "p@a.example"})),
            ChangeKind::CreateGroup => (json!({}), json!({"displayName": "g", "members": [member]})),
            // Which attributes change depends on who it is, so that every limit has something to count.
            ChangeKind::UpdateUser => match self.who % 3 {
                0 => (json!({"email": "a@a.example"}), json!({"email": "b@a.example"})),
                1 => (json!({"userName": "a", "title": null}), json!({"userName": "b", "title": "x"})),
                _ => (json!({"guest": false}), json!({"guest": true})),
            },
            ChangeKind::ReactivateUser => (json!({"active": false}), json!({"active": true})),
            ChangeKind::DeactivateUser => (json!({"active": true}), json!({"active": false})),
            ChangeKind::UpdateGroup => {
                (json!({"members": [member, other]}), json!({"members": ["@user:p1"]}))
            }
            ChangeKind::DeleteGroup => (json!({"displayName": "g", "members": [member]}), json!({})),
        };
        (before.as_object().unwrap().clone(), after.as_object().unwrap().clone())
    }

    fn creates(&self) -> bool {
        matches!(self.kind, ChangeKind::CreateUser | ChangeKind::CreateGroup)
    }
}

/// A run as the tests draw it.
#[derive(Debug, Clone)]
pub(crate) struct DrawnRun {
    pub(crate) changes: Vec<Drawn>,
    /// Whether it came to its end; only where every change did.
    pub(crate) ends: bool,
    /// Hours since the run before.
    pub(crate) pause: i64,
    pub(crate) target: Option<&'static str>,
    pub(crate) workspace: Option<&'static str>,
}

fn changes() -> impl Strategy<Value = Drawn> {
    let kinds = prop::sample::select(vec![
        ChangeKind::CreateUser,
        ChangeKind::ReactivateUser,
        ChangeKind::UpdateUser,
        ChangeKind::DeactivateUser,
        ChangeKind::CreateGroup,
        ChangeKind::UpdateGroup,
        ChangeKind::DeleteGroup,
    ]);
    let came = prop::sample::select(vec![
        Came::Nowhere,
        Came::Skipped,
        Came::Intended,
        Came::To(EndingKind::Took),
        Came::To(EndingKind::Took),
        Came::To(EndingKind::Pending),
        Came::To(EndingKind::WithoutEffect),
        Came::To(EndingKind::Refused),
        Came::To(EndingKind::Doubtful),
        Came::Seen(EndingKind::Pending),
        Came::Seen(EndingKind::WithoutEffect),
    ]);
    (kinds, 0..6_usize, came).prop_map(|(kind, who, came)| Drawn { kind, who, came })
}

prop_compose! {
    pub(crate) fn run()(
        changes in prop::collection::vec(changes(), 1..6),
        wants_end: bool,
        pause in 0..30_i64,
        target in prop::sample::select(vec![None, Some("https://a.example/scim/v2"), Some("https://a.example/scim/v2/"), Some("https://b.example/scim/v2")]),
        workspace in prop::sample::select(vec![None, Some("acme"), Some("other")]),
    ) -> DrawnRun {
        let over = changes.iter().all(|change| !matches!(change.came, Came::Nowhere | Came::Intended));
        DrawnRun { changes, ends: wants_end && over, pause, target, workspace }
    }
}

/// The records of runs, in an order that side-by-side changes may have: `mix` decides.
pub(crate) fn records(runs: &[DrawnRun], mix: u64) -> Vec<Record> {
    let mut records = Vec::new();
    let mut at = START;
    for (number, run) in runs.iter().enumerate() {
        at += SignedDuration::from_hours(run.pause);
        let id: Box<str> = format!("r{number}").into();
        let mut push = |event| {
            at += SignedDuration::from_secs(1);
            records.push(Record { v: FORMAT, at, run: id.clone(), event });
        };
        push(Event::Begin {
            rosterctl: "0.1.0".into(),
            target: run.target.map(Into::into),
            workspace: run.workspace.map(Into::into),
            digest: "d".into(),
            approved: false,
            undoes: None,
            changes: run.changes.len(),
        });
        let mut lanes: Vec<std::vec::IntoIter<Event>> =
            run.changes.iter().enumerate().map(|(at, change)| events(at + 1, change).into_iter()).collect();
        let mut mix = mix;
        while !lanes.is_empty() {
            mix = mix.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let lane = usize::try_from(mix >> 33).unwrap() % lanes.len();
            match lanes[lane].next() {
                Some(event) => push(event),
                None => drop(lanes.remove(lane)),
            }
        }
        if run.ends {
            let good =
                |came| matches!(came, Came::To(EndingKind::Took | EndingKind::Pending) | Came::Seen(_));
            let success = run.changes.iter().all(|change| good(change.came));
            push(Event::End { success, read_back: ReadBackKind::InSync, stopped: None });
        }
    }
    records
}

fn events(number: usize, change: &Drawn) -> Vec<Event> {
    let (before, after) = change.states();
    let (target, name) = (Box::<str>::from(change.target()), Box::<str>::from("somebody"));
    let intent = Event::Intent {
        change: number,
        kind: change.kind,
        target: target.clone(),
        name: name.clone(),
        before,
        after,
    };
    let created = |ending| {
        let exists = !matches!(ending, EndingKind::Refused | EndingKind::Doubtful);
        (change.creates() && exists).then(|| format!("N{}", change.who).into())
    };
    let over = |ending, id| Event::Outcome { change: number, ending, detail: Some("so".into()), id };
    match change.came {
        Came::Nowhere => Vec::new(),
        Came::Skipped => {
            vec![Event::Skipped { change: number, kind: change.kind, target, name, why: "so".into() }]
        }
        Came::Intended => vec![intent],
        Came::To(ending) => vec![intent, over(ending, created(ending))],
        Came::Seen(first) => vec![intent, over(first, created(first)), over(EndingKind::Took, None)],
    }
}

/// A file's text.
pub(crate) fn text(records: &[Record]) -> String {
    records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect()
}
