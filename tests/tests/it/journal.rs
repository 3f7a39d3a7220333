//! The journal of whole runs: nothing reaches the service that was not on disk before, wherever the run is killed.

use crate::trial::switched;
use bytes::Bytes;
use end_to_end::carrier::InProcess;
use end_to_end::session::{NOW, Session, workspace};
use end_to_end::worlds::{self, World};
use http::{Method, Request, Response};
use model::journal::{EndingKind, Event, History, PastRun, Record};
use model::run::{Ending, Stopped};
use model::{Change, ChangeKind};
use reconciler::journal::{Journal, Journaled, read, recent};
use reconciler::run::Stop;
use scim_adapter::{BoxFuture, Transport, TransportError};
use serde_json::Value;
use slack_sim::{RequestRecord, Simulator, Switches};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::Poll;

/// A disk in memory, which may fail.
#[derive(Default)]
struct Disk {
    records: Mutex<Vec<Record>>,
    appends: Mutex<usize>,
    fails_at: Option<usize>,
}

impl Journal for Disk {
    fn append(&self, records: &[Record]) -> io::Result<()> {
        let mut appends = self.appends.lock().unwrap();
        *appends += 1;
        if self.fails_at.is_some_and(|at| *appends > at) {
            return Err(io::Error::other("the disk is full"));
        }
        self.records.lock().unwrap().extend_from_slice(records);
        Ok(())
    }
}

impl Disk {
    fn failing_at(at: usize) -> Self {
        Self { fails_at: Some(at), ..Self::default() }
    }

    fn recorded(&self, run: &str) -> Journaled<'_> {
        Journaled { journal: self, run: run.into(), approved: false, undoes: None, clock: &|| NOW }
    }

    fn history(&self) -> History {
        let records = self.records.lock().unwrap();
        let text: String =
            records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect();
        read(text).unwrap()
    }

    /// What is intended and not over, as requests name it, in the run that goes on.
    fn under_way(&self) -> BTreeSet<String> {
        let mut open: BTreeMap<usize, (ChangeKind, String, Box<str>)> = BTreeMap::new();
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for record in self.records.lock().unwrap().iter() {
            match &record.event {
                Event::Begin { .. } => {
                    open.clear();
                    ids.clear();
                }
                Event::Intent { change, kind, target, name, .. } => {
                    open.insert(*change, (*kind, target.to_string(), name.clone()));
                }
                Event::Outcome { change, id, .. } => {
                    if let Some(((_, target, _), id)) = open.remove(change).zip(id.as_ref()) {
                        ids.insert(target, id.to_string());
                    }
                }
                Event::Skipped { .. } | Event::End { .. } => {}
            }
        }
        let named = |(kind, target, _): &(ChangeKind, String, Box<str>)| match kind {
            ChangeKind::CreateUser => format!("POST {}", target.trim_start_matches("@user:")),
            ChangeKind::CreateGroup => format!("POST {}", target.trim_start_matches("@group:")),
            _ => ids.get(target).unwrap_or(target).clone(),
        };
        open.values().map(named).collect()
    }
}

/// What a request that writes is about, in the form of [`Disk::under_way`].
fn about(record: &RequestRecord) -> String {
    if record.method == Method::POST {
        let body: Value = serde_json::from_slice(&record.body).unwrap_or_default();
        let name = body["userName"].as_str().or(body["displayName"].as_str()).unwrap_or_default();
        return format!("POST {name}");
    }
    record.target.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A session whose every write is compared with the disk the moment it has arrived; what was not on disk is noted.
fn watched(simulator: &Simulator, disk: &Arc<Disk>) -> (Session, Arc<Mutex<Vec<String>>>) {
    let unannounced = Arc::new(Mutex::new(Vec::new()));
    let (notes, disk) = (Arc::clone(&unannounced), Arc::clone(disk));
    let carrier = InProcess::new(simulator.router()).with_hook(move |method, target| {
        let under_way = disk.under_way();
        let id = target.rsplit('/').next().unwrap_or_default();
        // Whom a POST creates stands in its body, which `never_intended` looks at.
        let is_announced = match *method {
            Method::GET => true,
            Method::POST => under_way.iter().any(|name| name.starts_with("POST ")),
            _ => under_way.contains(id),
        };
        if !is_announced {
            notes.lock().unwrap().push(format!("{method} {target}, under way: {under_way:?}"));
        }
    });
    (Session::over(simulator.clone(), Unhurried(carrier)), unannounced)
}

/// A carrier that takes a moment on the way there and on the way back, so that a run can be killed before a request has
/// arrived and before its answer has.
struct Unhurried(InProcess);

impl Transport for Unhurried {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let answer = self.0.send(request).await;
            tokio::task::yield_now().await;
            answer
        })
    }
}

/// What was written and never intended, by the log of the simulator and the whole journal.
fn never_intended(simulator: &Simulator, disk: &Disk) -> Vec<String> {
    let history = disk.history();
    let intended: BTreeSet<String> = history
        .runs
        .iter()
        .flat_map(|run| {
            let created = run.created();
            let named = |change: &model::journal::PastChange| {
                let target = &*change.target;
                match change.kind {
                    ChangeKind::CreateUser => format!("POST {}", target.trim_start_matches("@user:")),
                    ChangeKind::CreateGroup => format!("POST {}", target.trim_start_matches("@group:")),
                    _ => (*created.get(target).unwrap_or(&target)).to_owned(),
                }
            };
            run.changes
                .iter()
                .filter(|c| c.ending != Some(EndingKind::Skipped))
                .map(named)
                .collect::<Vec<_>>()
        })
        .collect();
    let writes = simulator.requests().into_iter().filter(|record| record.method != Method::GET);
    writes.map(|record| about(&record)).filter(|about| !intended.contains(about)).collect()
}

#[tokio::test(start_paused = true)]
async fn nothing_arrives_that_was_not_on_disk_wherever_the_run_is_killed() {
    let world = worlds::nasty();
    let mut killed = 0;
    for polls in (0..).step_by(2) {
        let simulator = workspace(&world.seed, switched(&[]));
        let disk = Arc::new(Disk::default());
        let (session, unannounced) = watched(&simulator, &disk);
        let plan = session.plan(&world.roster).await.unwrap();
        let came_to_its_end = {
            let run = session.carry_out_recorded(
                &world.roster,
                &plan,
                Some(disk.recorded("first")),
                Stop::default(),
            );
            let (mut run, mut left) = (pin!(run), polls);
            std::future::poll_fn(|context| {
                if left == 0 {
                    return Poll::Ready(false);
                }
                left -= 1;
                run.as_mut().poll(context).map(|_| true)
            })
            .await
        };
        assert_eq!(*unannounced.lock().unwrap(), Vec::<String>::new(), "after {polls} polls");
        assert_eq!(never_intended(&simulator, &disk), Vec::<String>::new(), "after {polls} polls");
        let history = disk.history();
        let first = history.runs.first();
        assert_eq!(first.is_some_and(|run| run.end.is_some()), came_to_its_end, "after {polls} polls");
        if came_to_its_end {
            break;
        }
        killed += 1;
        // The next run is recorded after the one that was killed, and both can be read.
        let session = Session::new(simulator.clone());
        let plan = session.plan(&world.roster).await.unwrap();
        if plan.changeset.is_empty() {
            continue;
        }
        let report = session
            .carry_out_recorded(&world.roster, &plan, Some(disk.recorded("second")), Stop::default())
            .await;
        assert!(report.is_success(), "after {polls} polls: {report:#?}");
        assert!(disk.history().runs.last().unwrap().end.as_ref().unwrap().success);
    }
    assert!(killed > 40, "it was killed only {killed} times");
}

/// Whether a change is told in the journal as it was done.
fn is_told(run: &PastRun, number: usize, change: &Change, ending: &Ending) -> bool {
    let Some(past) = run.changes.iter().find(|past| past.number == number) else { return false };
    let told = match ending {
        Ending::Took { .. } => past.ending == Some(EndingKind::Took),
        Ending::Pending { .. } => past.ending == Some(EndingKind::Pending),
        Ending::WithoutEffect { .. } => past.ending == Some(EndingKind::WithoutEffect),
        Ending::Refused { may_have_written: true, .. } => past.ending == Some(EndingKind::Doubtful),
        Ending::Refused { may_have_written: false, .. } => past.ending == Some(EndingKind::Refused),
        Ending::Skipped { .. } => past.ending == Some(EndingKind::Skipped),
    };
    let is_skipped = matches!(ending, Ending::Skipped { .. });
    let same = *past.target == *change.target() && past.kind == change.kind() && past.name == change.name;
    told && same && (is_skipped || past.before == change.before())
}

async fn record(world: &World, switches: Switches) -> (Session, model::Plan, model::run::RunReport, Disk) {
    let session = Session::start(&world.seed, switches);
    let plan = session.plan(&world.roster).await.unwrap();
    let disk = Disk::default();
    let report =
        session.carry_out_recorded(&world.roster, &plan, Some(disk.recorded("r")), Stop::default()).await;
    (session, plan, report, disk)
}

#[tokio::test(start_paused = true)]
async fn the_journal_tells_what_the_report_tells() {
    for (world, set) in [
        (worlds::acme(), &[][..]),
        (worlds::nasty(), &[]),
        (worlds::strict(), &[]),
        (worlds::acme(), &[("plan", "business-plus")]),
        (worlds::acme(), &[("failing-create", "1")]),
        (worlds::nasty(), &[("patch-deactivated", "refused-403"), ("deactivation-delay", "8")]),
    ] {
        let (session, plan, report, disk) = record(&world, switched(set)).await;
        let history = disk.history();
        let run = history.runs.first().unwrap();
        assert_eq!((run.planned, &*run.digest), (plan.changeset.changes.len(), plan.digest.as_str()));
        assert_eq!(run.changes.len(), run.planned, "{} {set:?}", world.name);
        for (change, outcome) in plan.changeset.changes.iter().zip(&report.outcomes) {
            let number = outcome.change.get() + 1;
            assert!(is_told(run, number, change, &outcome.ending), "{} #{number}: {outcome:?}", world.name);
        }
        assert_eq!(run.end.as_ref().unwrap().success, report.is_success());
        // Ids that the journal has for new people are theirs.
        let census = session.census();
        for (reference, id) in run.created() {
            if let Some(name) = reference.strip_prefix("@user:") {
                assert_eq!(census.id_of(name), Some(id), "{reference}");
            } else {
                assert!(census.groups.contains_key(id), "{reference}");
            }
        }
        let count = recent(&history, None, None, NOW);
        let leavers: BTreeSet<String> = plan
            .changeset
            .iter()
            .zip(&report.outcomes)
            .filter(|((_, change), outcome)| {
                change.kind() == ChangeKind::DeactivateUser
                    && !matches!(outcome.ending, Ending::Refused { .. } | Ending::Skipped { .. })
            })
            .map(|((_, change), _)| change.target())
            .collect();
        assert_eq!(count.deactivated.iter().map(ToString::to_string).collect::<BTreeSet<_>>(), leavers);
    }
}

#[tokio::test(start_paused = true)]
async fn a_group_is_recorded_as_it_is_sent_without_those_who_could_not_join() {
    let (_, plan, report, disk) = record(&worlds::acme(), switched(&[("failing-create", "1")])).await;
    let history = disk.history();
    let run = history.runs.first().unwrap();
    let mut reduced = 0;
    for (change, outcome) in plan.changeset.changes.iter().zip(&report.outcomes) {
        let past = run.changes.iter().find(|past| past.number == outcome.change.get() + 1).unwrap();
        let sent: Vec<&str> = past
            .after
            .get("members")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        assert!(sent.iter().all(|member| !member.starts_with('@')), "nobody was created: {past:?}");
        reduced += usize::from(past.ending != Some(EndingKind::Skipped) && past.after != change.after());
    }
    assert!(reduced > 0, "the test is about nothing: {report:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_journal_fails_starts_nothing_more_and_says_so() {
    let world = worlds::nasty();
    let mut ended_well = false;
    for at in (0..400).step_by(2) {
        let simulator = workspace(&world.seed, switched(&[]));
        let disk = Arc::new(Disk::failing_at(at));
        let (session, unannounced) = watched(&simulator, &disk);
        let plan = session.plan(&world.roster).await.unwrap();
        let report =
            session.carry_out_recorded(&world.roster, &plan, Some(disk.recorded("r")), Stop::default()).await;
        assert_eq!(never_intended(&simulator, &disk), Vec::<String>::new(), "append {at}");
        assert_eq!(*unannounced.lock().unwrap(), Vec::<String>::new(), "append {at}");
        if report.is_success() {
            ended_well = true;
            break;
        }
        assert!(matches!(&report.stopped, Some(Stopped::JournalFailed { why }) if why == "the disk is full"));
        assert_eq!(report.outcomes.len(), plan.changeset.changes.len(), "each change is accounted for");
        if at == 0 {
            assert!(!report.wrote_anything());
        }
        assert!(disk.history().runs.iter().all(|run| run.end.is_none()), "append {at}");
    }
    assert!(ended_well, "it never came to its end");
}

#[tokio::test(start_paused = true)]
async fn many_changes_to_a_fast_service_share_their_flushes() {
    let mut text = "version: 1\npolicy: { limits: { createUsers: 3000 } }\nusers:\n".to_owned();
    for n in 0..2_000 {
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example }}").unwrap();
    }
    let roster = end_to_end::session::roster(&text);
    let session = Session::start(r#"{ "users": [] }"#, Switches::rfc());
    let plan = session.plan(&roster).await.unwrap();
    let disk = Disk::default();
    let report = session.carry_out_recorded(&roster, &plan, Some(disk.recorded("r")), Stop::default()).await;
    assert!(report.is_success());
    let (appends, records) = (*disk.appends.lock().unwrap(), disk.records.lock().unwrap().len());
    assert_eq!(records, 2 + 2 * 2_000);
    assert!(appends < 600, "{appends} flushes");
}

#[tokio::test(start_paused = true)]
async fn a_plan_without_changes_is_not_recorded() {
    let world = worlds::acme();
    let session = Session::start(&world.seed, switched(&[]));
    let plan = session.plan(&world.roster).await.unwrap();
    session.carry_out(&world.roster, &plan).await;
    let plan = session.plan(&world.roster).await.unwrap();
    assert!(plan.changeset.is_empty());
    let disk = Disk::default();
    let report =
        session.carry_out_recorded(&world.roster, &plan, Some(disk.recorded("r")), Stop::default()).await;
    assert!(report.is_success());
    assert_eq!((disk.history(), *disk.appends.lock().unwrap()), (History::default(), 0));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_records_what_it_left_and_why() {
    let world = worlds::nasty();
    let simulator = workspace(&world.seed, switched(&[]));
    let stop = Stop::default();
    let (signal, log) = (stop.clone(), simulator.clone());
    let carrier = InProcess::new(simulator.router()).with_hook(move |method, _| {
        if method != Method::GET && log.requests().iter().filter(|r| r.method != Method::GET).count() == 5 {
            signal.cancel();
        }
    });
    let session = Session::over(simulator, carrier);
    let plan = session.plan(&world.roster).await.unwrap();
    let disk = Disk::default();
    let report = session.carry_out_recorded(&world.roster, &plan, Some(disk.recorded("r")), stop).await;
    assert_eq!(report.stopped, Some(Stopped::OnRequest));
    let history = disk.history();
    let run = history.runs.first().unwrap();
    assert_eq!(run.end.as_ref().unwrap().stopped.as_deref(), Some("the run was stopped on request"));
    let skipped = run.changes.iter().filter(|change| change.ending == Some(EndingKind::Skipped)).count();
    assert!(skipped > 10 && run.changes.len() == plan.changeset.changes.len(), "{skipped}");
}

/// The manual's example is what a run writes, line by line.
#[tokio::test(start_paused = true)]
async fn the_example_of_the_manual_is_real() {
    let seed = r#"{ "workspace": "acme",
        "users": [
            { "id": "U0ADA", "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
            { "id": "U0KIM", "userName": "kim", "email": "kim@acme.example" } ],
        "groups": [ { "id": "S0ENG", "displayName": "engineering", "members": ["ada", "kim"] } ] }"#;
    let roster = end_to_end::session::roster(
        "version: 1
users:
  - { userName: ada, email: ada@acme.example, title: Staff Engineer }
  - { userName: kim, email: kim@acme.example, active: false }
  - { userName: eve, email: eve@acme.example }
groups:
  - { displayName: engineering, members: [ada, eve] }
",
    );
    let session = Session::start(seed, switched(&[]));
    let plan = session.plan(&roster).await.unwrap();
    let (disk, start) = (Disk::default(), tokio::time::Instant::now());
    let clock = || {
        let since = i64::try_from(start.elapsed().as_millis()).unwrap();
        "2026-11-23T14:46:19Z".parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_millis(since)
    };
    let journaled = Journaled { clock: &clock, ..disk.recorded("20261123T144619Z-7f3a") };
    let report = session.carry_out_recorded(&roster, &plan, Some(journaled), Stop::default()).await;
    assert!(report.is_success());
    let manual = std::fs::read_to_string(worlds::repository().join("docs/journal.md")).unwrap();
    let records = disk.records.lock().unwrap();
    let lines: String = records.iter().map(|record| serde_json::to_string(record).unwrap() + "\n").collect();
    assert!(manual.contains(&lines), "the manual does not hold these lines:\n{lines}");
}
