//! What stops a run before it does harm, and that nothing else does (design §6, "Nothing hidden").

use crate::trial::{run, switched};
use bytes::Bytes;
use end_to_end::carrier::InProcess;
use end_to_end::session::{Session, roster, workspace};
use end_to_end::worlds::World;
use http::{Method, Request, Response};
use model::plan::Outcome;
use model::run::{Ending, ReadBack, RunReport, Stopped};
use model::{ChangeKind, Roster};
use reconciler::run::Stop;
use reconciler::saved::SavedGoal;
use scim_adapter::{BoxFuture, Transport, TransportError};
use serde_json::json;
use slack_sim::{Simulator, Switches};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::Instant;

/// A company of `n` people and a roster that gives each of them another title.
fn titled(n: usize) -> (String, Roster) {
    let person = |n| json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@a.example"), "title": "old" });
    let seed = json!({ "users": (0..n).map(person).collect::<Vec<_>>() }).to_string();
    let mut text = "version: 1\nusers:\n".to_owned();
    for n in 0..n {
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example, title: new }}").unwrap();
    }
    (seed, roster(&text))
}

/// Slack on a bad day: whoever is updated after `from` others is deactivated `delay` later, whatever the answer says.
fn incident(simulator: &Simulator, from: usize, delay: Duration) -> InProcess {
    let (world, due) = (simulator.clone(), Mutex::new(Vec::<(Instant, String)>::new()));
    let updates = Mutex::new(0);
    InProcess::new(simulator.router()).with_hook(move |method, target| {
        let mut due = due.lock().unwrap();
        let id = target.rsplit('/').next().unwrap_or_default();
        if method == Method::PATCH && target.contains("/Users/") {
            let mut updates = updates.lock().unwrap();
            *updates += 1;
            if *updates > from {
                due.push((Instant::now() + delay, id.to_owned()));
            }
        }
        due.retain(|(at, id)| {
            if *at > Instant::now() {
                return true;
            }
            world.edit(|world| world.edit_user(id, |user| user.active = false));
            false
        });
    })
}

fn inactive(simulator: &Simulator) -> usize {
    simulator.look(|world| world.users().filter(|user| !user.active).count())
}

fn patches(simulator: &Simulator) -> usize {
    simulator.requests().iter().filter(|record| record.method == Method::PATCH).count()
}

fn looks(simulator: &Simulator) -> usize {
    let is_look = |target: &str| target.starts_with("/scim/v2/Users/");
    simulator.requests().iter().filter(|r| r.method == Method::GET && is_look(&r.target)).count()
}

fn skipped(report: &RunReport) -> usize {
    report.outcomes.iter().filter(|outcome| matches!(outcome.ending, Ending::Skipped { .. })).count()
}

/// Sheet S10 with the delay of S13: the answers are innocent, and the harm comes seconds later.
#[tokio::test(start_paused = true)]
async fn a_fault_that_shows_late_hits_the_first_handful_or_few_others() {
    let (seed, roster) = titled(400);
    for (delay, most) in [(0, 5), (1, 5), (4, 5), (9, 45)] {
        let simulator = workspace(&seed, switched(&[]));
        let session = Session::over(simulator.clone(), incident(&simulator, 0, Duration::from_secs(delay)));
        let plan = session.plan(&roster).await.unwrap();
        let report = session.carry_out(&roster, &plan).await;
        assert!(matches!(report.stopped, Some(Stopped::TurnedInactive { .. })), "{:?}", report.stopped);
        assert!(!report.is_success() && report.wrote_anything());
        assert!(patches(&simulator) <= most, "{} people were updated", patches(&simulator));
        assert!(skipped(&report) >= 400 - most);
        // The list of those who were harmed.
        let ReadBack::Differs(lines) = &report.read_back else { panic!("{:?}", report.read_back) };
        let harmed = lines.iter().filter(|line| line.starts_with("reactivate")).count();
        assert_eq!(harmed, inactive(&simulator));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fault_that_begins_in_the_middle_of_a_run_is_found_by_samples() {
    let (seed, roster) = titled(600);
    let simulator = workspace(&seed, switched(&[]));
    let session = Session::over(simulator.clone(), incident(&simulator, 100, Duration::from_secs(5)));
    let plan = session.plan(&roster).await.unwrap();
    let report = session.carry_out(&roster, &plan).await;
    assert!(matches!(report.stopped, Some(Stopped::TurnedInactive { .. })), "{:?}", report.stopped);
    let hit = patches(&simulator) - 100;
    assert!(hit <= 80, "{hit} people were updated after it had begun");
}

/// The answers are innocent, nothing else is sent after them, and only reading back shows the harm.
#[tokio::test(start_paused = true)]
async fn harm_that_only_reading_back_shows_stops_a_run_of_a_roster_and_of_a_saved_plan() {
    let (seed, roster) = titled(4);
    for is_saved in [false, true] {
        let simulator = workspace(&seed, switched(&[]));
        let line = incident(&simulator, 2, Duration::from_millis(1)).with_latency(1, 200..=200);
        let session = Session::over(simulator.clone(), line);
        let plan = session.plan(&roster).await.unwrap();
        let report = if is_saved {
            session
                .carry_out_to(&SavedGoal { changes: &plan.changeset.changes, roster: &roster }, &plan)
                .await
        } else {
            session.carry_out(&roster, &plan).await
        };
        assert_eq!(inactive(&simulator), 2);
        assert!(matches!(report.stopped, Some(Stopped::TurnedInactive { .. })), "{is_saved}: {report:?}");
        let ReadBack::Differs(lines) = &report.read_back else { panic!("{:?}", report.read_back) };
        assert_eq!(lines.len(), 2, "the list of those who were harmed: {lines:?}");
    }
}

/// Design §3, `emptyGroups`: the limit holds for what a run does, not only for what its plan says.
#[tokio::test(start_paused = true)]
async fn a_group_whose_only_successor_cannot_be_created_keeps_its_members() {
    let seed = json!({
        "users": [
            { "id": "U1", "userName": "ada", "email": "ada@a.example" },
            { "id": "U2", "userName": "bea", "email": "bea@a.example" },
        ],
        "groups": [
            { "id": "S1", "displayName": "one", "members": ["ada"] },
            { "id": "S2", "displayName": "two", "members": ["ada"] },
        ],
    });
    let roster = roster(
        "version: 1
users:
  - { userName: ada, email: ada@a.example }
  - { userName: bea, email: bea@a.example }
  - { userName: cyd, email: cyd@a.example }
groups:
  - { displayName: one, members: [cyd] }
  - { displayName: two, members: [bea, cyd] }
",
    );
    let simulator = workspace(&seed.to_string(), switched(&[("failing-create", "1")]));
    let session = Session::new(simulator.clone());
    let plan = session.plan(&roster).await.unwrap();
    assert_eq!(plan.outcome(), Outcome::Pass);
    let started = Instant::now();
    let report = session.carry_out(&roster, &plan).await;
    assert!(!report.is_success());
    let census = session.census();
    assert_eq!(census.groups["S1"].members, BTreeSet::from(["U1".to_owned()]), "it would have been emptied");
    assert_eq!(census.groups["S2"].members, BTreeSet::from(["U2".to_owned()]));
    assert!(started.elapsed() < Duration::from_secs(30), "what cannot come about is not waited for");
    let skipped = report.outcomes.iter().find_map(|outcome| match &outcome.ending {
        Ending::Skipped { why } => Some(why.as_str()),
        _ => None,
    });
    assert_eq!(
        skipped,
        Some("nothing is left of it without cyd; nobody leaves it, since nobody would be left")
    );
}

async fn time_of(simulator: Simulator, roster: &Roster) -> (Duration, RunReport, f64) {
    let session = Session::new(simulator);
    let plan = session.plan(roster).await.unwrap();
    let estimate = plan.estimate.seconds.map_or(0.0, |seconds| u32::try_from(seconds).map_or(0.0, f64::from));
    let start = Instant::now();
    let report = session.carry_out(roster, &plan).await;
    (start.elapsed(), report, estimate)
}

#[tokio::test(start_paused = true)]
async fn when_all_is_well_a_run_is_hardly_slower_and_reads_little() {
    for (people, most) in [(50, 1.0), (51, 15.0), (400, 15.0), (1_000, 15.0)] {
        let (seed, roster) = titled(people);
        let simulator = workspace(&seed, switched(&[]));
        let (took, report, estimate) = time_of(simulator.clone(), &roster).await;
        assert!(report.is_success(), "{people}: {:?}", report.stopped);
        assert!(took.as_secs_f64() <= estimate + most, "{people}: {took:?}, estimated {estimate} s");
        assert!(looks(&simulator) <= 11 + people / 20, "{people}: {} reads", looks(&simulator));
        assert_eq!(patches(&simulator), people);
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_not_slack_is_not_waited_for() {
    let (seed, roster) = titled(300);
    let (took, report, _) = time_of(workspace(&seed, Switches::rfc()), &roster).await;
    assert!(report.is_success() && took < Duration::from_secs(1), "{took:?}");
}

/// The same company, with people besides who may well show inactive: leavers, returners, and the long gone whose names
/// are taken over.
#[tokio::test(start_paused = true)]
async fn who_may_be_inactive_raises_no_alarm() {
    let mut users: Vec<_> = (0..120)
        .map(|n| json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@a.example") }))
        .collect();
    let mut text =
        "version: 1\npolicy: { limits: { deactivateUsers: 100, changeUserNames: 100, createUsers: 100 } }\nusers:\n"
            .to_owned();
    for n in 0..20 {
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example, title: new }}").unwrap();
    }
    for n in 60..70 {
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example, active: false }}").unwrap();
    }
    for (n, user) in users.iter_mut().enumerate().skip(70).take(10) {
        user["active"] = json!(false);
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example, title: back }}").unwrap();
    }
    // Deactivated people give up their names; they are most of those who are updated.
    for (n, user) in users.iter_mut().enumerate().skip(80) {
        user["active"] = json!(false);
        writeln!(text, "  - {{ userName: q{n}, id: U{n}, email: p{n}@a.example, active: false }}").unwrap();
        writeln!(text, "  - {{ userName: p{n}, email: new{n}@a.example }}").unwrap();
    }
    let seed = json!({ "users": users }).to_string();
    for set in [&[][..], &[("deactivation-delay", "8"), ("delayed-deactivation", "any")]] {
        let simulator = workspace(&seed, switched(set));
        let (_, report, _) = time_of(simulator, &roster(&text)).await;
        assert!(report.is_success(), "{set:?}: {report:#?}");
    }
}

/// Slack deactivates a guest by itself when the time has come, which may be while the run looks.
#[tokio::test(start_paused = true)]
async fn a_guest_whose_time_runs_out_in_the_very_minute_raises_no_alarm() {
    let guest = json!({ "id": "U0", "userName": "kim", "email": "kim@a.example", "guest": { "expires": "2030-01-01T00:00:00Z" } });
    let seed = json!({ "users": [guest] }).to_string();
    let text = "version: 1\nusers:\n  - { userName: kim, email: kim@a.example, title: new, guest: { expires: 2030-01-01T00:00:00Z } }\n";
    let simulator = workspace(&seed, switched(&[]));
    let world = simulator.clone();
    // Before whatever comes after the write, so that the client sees it when it makes sure.
    let carrier = InProcess::new(simulator.router()).with_hook(move |method, _| {
        if method != Method::GET {
            world.edit(|world| world.edit_user("U0", |user| user.active = false));
        }
    });
    let roster = roster(text);
    let session = Session::over(simulator, carrier);
    let plan = session.plan(&roster).await.unwrap();
    assert_eq!(plan.changeset.changes.len(), 1, "{:?}", plan.changeset);
    let report = session.carry_out(&roster, &plan).await;
    assert_eq!(report.stopped, None, "{report:?}");
}

/// It cannot be told from a fault of Slack's, and a run can be started again; people who were locked out cannot work.
#[tokio::test(start_paused = true)]
async fn somebody_deactivated_by_hand_right_after_an_update_stops_the_run() {
    let (seed, roster) = titled(60);
    let simulator = workspace(&seed, switched(&[]));
    let (world, begun) = (simulator.clone(), Mutex::new(false));
    let carrier = InProcess::new(simulator.router()).with_hook(move |_, target| {
        let mut begun = begun.lock().unwrap();
        if *begun && !target.ends_with("/U0") {
            world.edit(|world| world.edit_user("U0", |user| user.active = false));
        }
        *begun |= target.ends_with("/U0");
    });
    let session = Session::over(simulator, carrier);
    let plan = session.plan(&roster).await.unwrap();
    let report = session.carry_out(&roster, &plan).await;
    assert_eq!(report.stopped, Some(Stopped::TurnedInactive { name: "p0".into() }));
}

/// A service that refuses one method below one path.
struct Refusing(InProcess, Method, &'static str);

impl Transport for Refusing {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        if *request.method() == self.1 && request.uri().path().starts_with(self.2) {
            let answer = Response::builder()
                .status(403)
                .body(Bytes::from_static(b"{\"detail\":\"no\",\"status\":403}"));
            return Box::pin(async move { Ok(answer.unwrap()) });
        }
        self.0.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_looked_at_is_not_taken_for_well_and_holds_nobody_up_for_ever() {
    let (seed, roster) = titled(60);
    let simulator = workspace(&seed, switched(&[]));
    let session = Session::over(
        simulator.clone(),
        Refusing(InProcess::new(simulator.router()), Method::GET, "/Users/"),
    );
    let plan = session.plan(&roster).await.unwrap();
    let start = Instant::now();
    let report = session.carry_out(&roster, &plan).await;
    assert!(report.is_success(), "{report:#?}");
    // Five at a time, and five seconds between them.
    assert!(start.elapsed() > Duration::from_secs(50) && start.elapsed() < Duration::from_secs(200));
}

#[tokio::test(start_paused = true)]
async fn a_signal_or_the_end_of_its_time_is_heard_while_the_first_updates_are_waited_for() {
    for (tell, expected) in
        [(Stop::cancel as fn(&Stop), Stopped::OnRequest), (Stop::time_is_up, Stopped::TimedOut)]
    {
        let (seed, roster) = titled(300);
        let simulator = workspace(&seed, switched(&[]));
        let session = Session::new(simulator.clone());
        let plan = session.plan(&roster).await.unwrap();
        let (stop, start) = (Stop::default(), Instant::now());
        let signal = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(3)).await;
            tell(&signal);
        });
        let report = session.carry_out_recorded(&roster, &plan, None, stop).await;
        assert_eq!(report.stopped, Some(expected));
        assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        assert_eq!(patches(&simulator), 5);
    }
}

/// Whatever takes away goes on while updates are held back.
#[tokio::test(start_paused = true)]
async fn leavers_do_not_wait_for_the_first_updates() {
    let (seed, _) = titled(100);
    let mut text = "version: 1\npolicy: { limits: { deactivateUsers: 100 } }\nusers:\n".to_owned();
    for n in 0..100 {
        let what = if n < 60 { "title: new" } else { "active: false" };
        writeln!(text, "  - {{ userName: p{n}, email: p{n}@a.example, {what} }}").unwrap();
    }
    let roster = roster(&text);
    let simulator = workspace(&seed, switched(&[]));
    let session = Session::new(simulator.clone());
    let plan = session.plan(&roster).await.unwrap();
    let start = Instant::now();
    let report = session.carry_out(&roster, &plan).await;
    assert!(report.is_success());
    let leavers: BTreeSet<String> = plan
        .changeset
        .changes
        .iter()
        .filter(|change| change.kind() == ChangeKind::DeactivateUser)
        .map(|change| format!("/scim/v2/Users/{}", change.target()))
        .collect();
    let log = simulator.requests();
    let early = log.iter().filter(|record| {
        record.method == Method::PATCH
            && leavers.contains(&record.target)
            && record.at < start + Duration::from_secs(10)
    });
    assert!(early.count() >= 40);
}

/// A service that says yes and does nothing.
struct Forgetful(InProcess);

impl Transport for Forgetful {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        if request.method() == Method::PATCH {
            return Box::pin(async { Ok(Response::builder().status(204).body(Bytes::new()).unwrap()) });
        }
        self.0.send(request)
    }
}

#[tokio::test(start_paused = true)]
async fn three_answers_without_effect_stop_the_run() {
    let (seed, roster) = titled(40);
    let simulator = workspace(&seed, switched(&[]));
    let undo = simulator.clone();
    let carrier = InProcess::new(simulator.router()).with_hook(move |_, _| {
        undo.edit(|world| {
            for n in 0..40 {
                world.edit_user(&format!("U{n}"), |user| "old".clone_into(&mut user.title));
            }
        });
    });
    let session = Session::over(simulator, Forgetful(carrier));
    let plan = session.plan(&roster).await.unwrap();
    let report = session.carry_out(&roster, &plan).await;
    assert_eq!(report.stopped, Some(Stopped::WithoutEffect));
    // Those under way at the third are all that was tried besides.
    assert!(skipped(&report) >= 40 - 3 - 8, "{report:#?}");
    assert!(report.wrote_anything() && !report.is_success());
}

/// People who leave a group and the company, in all the ways in which Slack may do so.
fn leavers() -> Vec<World> {
    let seed = json!({
        "users": (0..12).map(|n| json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@a.example") })).collect::<Vec<_>>(),
        "groups": [
            { "id": "S0", "displayName": "listed", "members": ["p0", "p1", "p2", "p3", "p4"] },
            { "id": "S1", "displayName": "renamed", "members": ["p3", "p4", "p5"] },
            { "id": "S2", "displayName": "loose", "members": ["p4", "p5", "p6"] },
        ],
    });
    let limits =
        "limits: { deactivateUsers: 100%, removeMembers: 100%, removeMembersPerGroup: 100%, emptyGroups: 5 }";
    let mut listed = String::new();
    let mut stay = String::new();
    for n in 0..12 {
        let leaves = (3..6).contains(&n);
        let active = if leaves { ", active: false" } else { "" };
        writeln!(listed, "  - {{ userName: p{n}, email: p{n}@a.example{active} }}").unwrap();
        if !leaves {
            writeln!(stay, "  - {{ userName: p{n}, email: p{n}@a.example }}").unwrap();
        }
    }
    let groups = "groups:\n  - { displayName: listed, members: [p0, p1, p7, p8] }\n  - { displayName: later, formerly: [renamed], members: [p9] }\n";
    let world = |name, text: &str| World {
        name,
        seed: seed.to_string(),
        roster: roster(text),
        terms: end_to_end::truth::Terms {
            unlisted_leave: name == "unlisted leave",
            ..end_to_end::truth::Terms::default()
        },
    };
    vec![
        world("members removed", &format!("version: 1\npolicy: {{ {limits} }}\nusers:\n{listed}{groups}")),
        world(
            "members kept",
            &format!(
                "version: 1\npolicy: {{ unlisted: {{ members: keep }}, {limits} }}\nusers:\n{listed}{groups}"
            ),
        ),
        world("no groups", &format!("version: 1\npolicy: {{ {limits} }}\nusers:\n{listed}")),
        world(
            "unlisted leave",
            &format!(
                "version: 1\npolicy: {{ unlisted: {{ users: deactivate }}, {limits} }}\nusers:\n{stay}{groups}"
            ),
        ),
    ]
}

#[tokio::test(start_paused = true)]
async fn verification_waits_for_what_slack_does_in_its_own_time() {
    for world in leavers() {
        for delay in ["0", "8", "40"] {
            for memberships in ["drop", "keep"] {
                for more in [
                    &[("group-read-delay", "0")][..],
                    &[("group-read-delay", "3")],
                    &[("group-read-delay", "7"), ("patch-group-answer", "empty")],
                    &[("delayed-deactivation", "any")],
                    &[("repeated-member", "error")],
                ] {
                    let set =
                        [&[("deactivation-delay", delay), ("deactivated-memberships", memberships)], more]
                            .concat();
                    let ran = run(&world, &switched(&set)).await.unwrap();
                    assert!(ran.success && ran.is_converged(), "{} under {set:?}: {ran:#?}", world.name);
                }
            }
        }
    }
}

/// Four seconds are what a change is given to show itself; a group may take longer (sheet S14).
#[tokio::test(start_paused = true)]
async fn what_shows_late_is_seen_when_reading_back_and_is_no_failure() {
    let seed = json!({
        "users": (0..2).map(|n| json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@a.example") })).collect::<Vec<_>>(),
        "groups": [{ "id": "S0", "displayName": "g", "members": ["p0"] }],
    });
    let text = "version: 1\nusers:\n  - { userName: p0, email: p0@a.example }\n  - { userName: p1, email: p1@a.example }\ngroups:\n  - { displayName: g, members: [p0, p1] }\n";
    let late = switched(&[("group-read-delay", "7"), ("patch-group-answer", "empty")]);
    let session = Session::start(&seed.to_string(), late);
    let roster = roster(text);
    let plan = session.plan(&roster).await.unwrap();
    let report = session.carry_out(&roster, &plan).await;
    assert!(report.is_success(), "{report:#?}");
    let remark = Some("seen when reading back".to_owned());
    assert_eq!(report.outcomes[0].ending, Ending::Took { remark });
}

/// No later plan asks for what is written at creation alone, so that a second plan in sync says nothing of it.
#[tokio::test(start_paused = true)]
async fn what_a_creation_lost_for_good_is_not_taken_for_seen_when_reading_back() {
    for (mode, is_told) in [("onCreate", true), ("ignore", false)] {
        let text = format!(
            "version: 1\npolicy: {{ attributes: {{ title: {mode} }} }}\nusers:\n  - {{ userName: p0, email: p0@a.example, title: {} }}\n",
            "x".repeat(300)
        );
        let session =
            Session::start("{}", switched(&[("bad-profile-on-create", "drops"), ("text-limit", "255")]));
        let roster = roster(&text);
        let plan = session.plan(&roster).await.unwrap();
        let report = session.carry_out(&roster, &plan).await;
        let is_lost = matches!(report.outcomes[0].ending, Ending::WithoutEffect { .. });
        assert_eq!((is_lost, report.is_success()), (is_told, !is_told), "{report:#?}");
        assert_eq!(report.read_back, ReadBack::InSync, "{report:#?}");
    }
}

/// The group's own change fails, and those who leave the company leave the group by it.
#[tokio::test(start_paused = true)]
async fn a_membership_that_ends_with_the_account_is_waited_for_though_its_removal_failed() {
    let text = "version: 1\npolicy: { limits: { removeMembers: 90%, removeMembersPerGroup: 90% } }\nusers:\n  - { userName: p0, email: p0@a.example }\n  - { userName: p1, email: p1@a.example, active: false }\ngroups:\n  - { displayName: g, members: [p0] }\n";
    let seed = json!({
        "users": (0..2).map(|n| json!({ "id": format!("U{n}"), "userName": format!("p{n}"), "email": format!("p{n}@a.example") })).collect::<Vec<_>>(),
        "groups": [{ "id": "S0", "displayName": "g", "members": ["p0", "p1"] }],
    });
    let simulator = workspace(&seed.to_string(), switched(&[("deactivation-delay", "20")]));
    let session = Session::over(
        simulator.clone(),
        Refusing(InProcess::new(simulator.router()), Method::PATCH, "/Groups/"),
    );
    let roster = roster(text);
    let plan = session.plan(&roster).await.unwrap();
    let report = session.carry_out(&roster, &plan).await;
    assert_eq!(report.read_back, ReadBack::InSync, "{report:#?}");
}
