//! How long runs take under Slack's published limits (sheet S15), in virtual time: hardly longer than any order could, and
//! never over a limit.

#![allow(clippy::print_stdout, reason = "figures to look at, with --nocapture")]

use end_to_end::carrier::InProcess;
use end_to_end::session::{Session, roster, workspace};
use http::Method;
use model::change::{Action, Change};
use model::plan::{self, Plan};
use scim_adapter::Transport as _;
use serde_json::json;
use slack_sim::Switches;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;
use tokio::time::Instant;

/// Answers take this long, in milliseconds.
const LATENCY: std::ops::RangeInclusive<u64> = 50..=400;

/// Something to do, and where it starts from.
struct Workload {
    name: &'static str,
    seed: String,
    roster: String,
}

const POLICY: &str = "policy:
  limits: { createUsers: 100000, deactivateUsers: 100%, removeMembers: 100%, removeMembersPerGroup: 100%, emptyGroups: 100%, changeUserNames: 100%, changeEmails: 100%, convertGuests: 100%, deleteGroups: 100% }
";

struct World {
    rng: fastrand::Rng,
    users: Vec<serde_json::Value>,
    groups: Vec<serde_json::Value>,
    people: String,
    teams: String,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            rng: fastrand::Rng::with_seed(seed),
            users: Vec::new(),
            groups: Vec::new(),
            people: String::new(),
            teams: String::new(),
        }
    }

    fn live(&mut self, n: usize, active: bool, title: &str) {
        self.users.push(json!({
            "userName": format!("p{n}"), "email": format!("p{n}@acme.example"), "active": active, "title": title,
        }));
    }

    fn wanted(&mut self, n: usize, more: &str) {
        writeln!(self.people, "  - {{ userName: p{n}, email: p{n}@acme.example{more} }}").unwrap();
    }

    fn some(&mut self, count: usize, of: std::ops::Range<usize>) -> Vec<String> {
        let mut chosen = self.rng.choose_multiple(of, count);
        chosen.sort_unstable();
        chosen.into_iter().map(|n| format!("p{n}")).collect()
    }

    fn live_group(&mut self, n: usize, members: &[String]) {
        self.groups.push(json!({ "displayName": format!("g{n}"), "members": members }));
    }

    fn wanted_group(&mut self, n: usize, members: &[String]) {
        writeln!(self.teams, "  - {{ displayName: g{n}, members: [{}] }}", members.join(", ")).unwrap();
    }

    fn done(self, name: &'static str) -> Workload {
        let seed = json!({ "workspace": "acme", "users": self.users, "groups": self.groups }).to_string();
        let teams = if self.teams.is_empty() { String::new() } else { format!("groups:\n{}", self.teams) };
        let roster = format!("version: 1\n{POLICY}users:\n{}{teams}", self.people);
        Workload { name, seed, roster }
    }
}

fn first_import() -> Workload {
    let mut world = World::new(1);
    for n in 0..10_000 {
        let manager = if n == 0 { String::new() } else { format!(", manager: p{}", (n - 1) / 8) };
        world.wanted(n, &format!(", title: Engineer{manager}"));
    }
    for n in 0..500 {
        let members = world.some(200, 0..10_000);
        world.wanted_group(n, &members);
    }
    world.done("first import of 10,000 with 500 groups")
}

fn profile_updates() -> Workload {
    let mut world = World::new(2);
    for n in 0..2_000 {
        world.live(n, true, "Engineer");
        world.wanted(n, ", title: Senior Engineer");
    }
    world.done("2,000 profile updates")
}

fn new_members() -> Workload {
    let mut world = World::new(3);
    for n in 0..2_000 {
        world.live(n, true, "");
        world.wanted(n, "");
    }
    for n in 0..500 {
        let (before, after) = (world.some(40, 0..2_000), world.some(40, 0..2_000));
        world.live_group(n, &before);
        world.wanted_group(n, &after);
    }
    world.done("500 groups re-membered")
}

fn reorganisation() -> Workload {
    let mut world = World::new(4);
    for n in 0..3_000 {
        world.live(n, n % 10 != 9, "Engineer");
        let title = if n % 3 == 0 { ", title: Lead" } else { "" };
        match n % 10 {
            0 => world.wanted(n, ", active: false"),
            5 => world.wanted(n, &format!("{title}, manager: p{}", 3_000 + n / 10)),
            _ => world.wanted(n, title),
        }
    }
    for n in 3_000..3_600 {
        world.wanted(n, "");
    }
    for n in 0..300 {
        let before = world.some(30, 0..3_000);
        let after: Vec<String> = world
            .some(40, 0..3_600)
            .into_iter()
            .filter(|name| name[1..].parse::<usize>().unwrap() >= 3_000 || !name.ends_with('0'))
            .collect();
        let stays = |name: &String| !name.ends_with('9');
        let before: Vec<String> = before.into_iter().filter(stays).collect();
        world.live_group(n, &before);
        world.wanted_group(n, &after);
    }
    world.done("a reorganisation that mixes everything")
}

fn chains() -> Workload {
    let mut world = World::new(5);
    for chain in 0..50 {
        for depth in 0..12 {
            let n = chain * 12 + depth;
            let manager = if depth == 0 { String::new() } else { format!(", manager: p{}", n - 1) };
            world.wanted(n, &manager);
        }
    }
    world.done("50 chains of managers, 12 deep")
}

fn reactivations() -> Workload {
    let mut world = World::new(6);
    for n in 0..1_000 {
        world.live(n, false, "");
        world.wanted(n, "");
    }
    for n in 0..50 {
        let members = world.some(100, 0..1_000);
        world.live_group(n, &[]);
        world.wanted_group(n, &members);
    }
    world.done("1,000 reactivations with memberships")
}

/// Any order's best: for each limit the time that its requests need, each sent no earlier than everything it waits for can
/// have been answered; and the longest chain.
fn bound(plan: &Plan) -> Duration {
    let quickest = Duration::from_millis(*LATENCY.start());
    let mut released: Vec<Duration> = Vec::new();
    for change in &plan.changeset.changes {
        let of = change.waits_for.iter().map(|dependency| released[dependency.on.get()] + quickest);
        released.push(of.max().unwrap_or_default());
    }
    let chain = released.iter().max().copied().unwrap_or_default() + quickest;
    let mut sets: BTreeMap<&str, Vec<Duration>> = BTreeMap::new();
    for (change, at) in plan.changeset.changes.iter().zip(&released) {
        sets.entry("all").or_default().push(*at);
        sets.entry(endpoint(change, plan.encode(change).request.method)).or_default().push(*at);
    }
    let times = sets.into_iter().map(|(set, mut released)| {
        released.sort();
        let (rate, burst) = match set {
            "all" => (600, 180),
            "change group" => (180, 80),
            _ => (180, 20),
        };
        served(&released, rate, burst) + quickest
    });
    times.max().unwrap_or_default().max(chain)
}

fn endpoint(change: &Change, method: plan::Method) -> &'static str {
    let group = matches!(
        change.action,
        Action::CreateGroup { .. } | Action::UpdateGroup { .. } | Action::DeleteGroup { .. }
    );
    match (method, group) {
        (plan::Method::Post, false) => "create user",
        (plan::Method::Patch | plan::Method::Put, false) => "change user",
        (plan::Method::Delete, false) => "delete user",
        (plan::Method::Post, true) => "create group",
        (plan::Method::Patch | plan::Method::Put, true) => "change group",
        (plan::Method::Delete, true) => "delete group",
    }
}

/// When the last of these requests can leave under one limit of S15: a bucket of `burst`, refilled at `rate`/60 a second,
/// and never more than `rate` in any minute.
fn served(released: &[Duration], rate: u32, burst: u32) -> Duration {
    let mut left: Vec<f64> = Vec::new();
    let (mut tokens, mut filled) = (f64::from(burst), 0.0);
    let per_second = f64::from(rate) / 60.0;
    for at in released {
        let mut now = at.as_secs_f64().max(filled);
        if let Some(earlier) = left.len().checked_sub(rate as usize) {
            now = now.max(left[earlier] + 60.0);
        }
        tokens = f64::min(f64::from(burst), tokens + (now - filled) * per_second);
        if tokens < 1.0 {
            now += (1.0 - tokens) / per_second;
            tokens = 1.0;
        }
        tokens -= 1.0;
        filled = now;
        left.push(now);
    }
    Duration::from_secs_f64(left.last().copied().unwrap_or_default())
}

/// What came of a workload.
struct Measured {
    name: &'static str,
    writes: usize,
    /// Until the last write arrived, in seconds.
    took: f64,
    bound: f64,
    estimate: f64,
    throttled: usize,
}

async fn measure(workload: &Workload) -> Measured {
    let mut switches = Switches::default();
    switches.set("deactivation-delay", "0").unwrap();
    let simulator = workspace(&workload.seed, switches);
    let session =
        Session::over(simulator.clone(), InProcess::new(simulator.router()).with_latency(7, LATENCY));
    let roster = roster(&workload.roster);
    let plan = session.plan(&roster).await.unwrap();
    simulator.clear_requests();
    let started = Instant::now();
    let report = session.carry_out(&roster, &plan).await;
    assert!(report.is_success(), "{}: {:?}", workload.name, report.read_back);
    let requests = simulator.requests();
    let writes: Vec<_> = requests.iter().filter(|request| request.method != Method::GET).collect();
    assert_eq!(writes.len(), plan.changeset.changes.len(), "{}: a request was wasted", workload.name);
    Measured {
        name: workload.name,
        writes: writes.len(),
        took: (writes.iter().map(|request| request.at).max().unwrap() - started).as_secs_f64(),
        bound: bound(&plan).as_secs_f64(),
        estimate: f64::from(u32::try_from(plan.estimate.seconds.unwrap()).unwrap()),
        throttled: requests.iter().filter(|request| request.status == 429).count(),
    }
}

async fn hold_to_the_bound(workload: Workload) {
    let Measured { name, writes, took, bound, estimate, throttled } = measure(&workload).await;
    let ratio = took / bound;
    println!(
        "{name}: {writes} writes, {took:.1} s, bound {bound:.1} s, ratio {ratio:.3}, estimate {estimate} s, {throttled} times 429"
    );
    assert_eq!(throttled, 0, "{name}: over a limit though alone");
    assert!(took <= bound * 1.02, "{name}: {took:.1} s, any order needs {bound:.1} s");
    assert!((estimate - took).abs() <= took * 0.05, "{name}: {took:.1} s, said {estimate} s");
}

#[tokio::test(start_paused = true)]
async fn a_first_import_takes_no_longer_than_the_limits_make_it() {
    hold_to_the_bound(first_import()).await;
}

#[tokio::test(start_paused = true)]
async fn changes_of_profiles_and_groups_take_no_longer_than_the_limits_make_them() {
    hold_to_the_bound(profile_updates()).await;
    hold_to_the_bound(new_members()).await;
}

#[tokio::test(start_paused = true)]
async fn a_reorganisation_takes_no_longer_than_the_limits_make_it() {
    hold_to_the_bound(reorganisation()).await;
}

#[tokio::test(start_paused = true)]
async fn chains_and_reactivations_take_no_longer_than_the_limits_make_them() {
    hold_to_the_bound(chains()).await;
    hold_to_the_bound(reactivations()).await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_costs_a_request_for_each_thousand_and_reads_them_side_by_side() {
    let mut world = World::new(7);
    for n in 0..3_500 {
        world.live(n, true, "");
        world.wanted(n, "");
    }
    for n in 0..1_001 {
        world.live_group(n, &[]);
        world.wanted_group(n, &[]);
    }
    let Workload { seed, roster: text, .. } = world.done("in sync");
    let simulator = workspace(&seed, Switches::default());
    let session =
        Session::over(simulator.clone(), InProcess::new(simulator.router()).with_latency(7, 100..=100));
    let started = Instant::now();
    assert!(session.plan(&roster(&text)).await.unwrap().changeset.is_empty());
    assert!(simulator.requests().iter().all(|request| request.method == Method::GET));
    assert_eq!(simulator.requests().len(), 4 + 2);
    // One answer to learn how many there are, and one for all the others.
    assert_eq!(started.elapsed().as_millis() / 10, 20);
}

/// Another app that sends half of what Slack allows, evenly, for as long as it is polled.
async fn somebody_else(router: axum::Router) {
    let carrier = InProcess::new(router);
    loop {
        let request = http::Request::builder()
            .method(Method::PATCH)
            .uri("/Users/nobody")
            .body(bytes::Bytes::from_static(b"{}"))
            .unwrap();
        drop(carrier.send(request).await.unwrap());
        tokio::time::sleep(Duration::from_millis(667)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn gives_way_to_another_app_and_is_not_starved_by_it() {
    let workload = profile_updates();
    let mut switches = Switches::default();
    switches.set("rate-limits", "bucket").unwrap();
    let simulator = workspace(&workload.seed, switches);
    let session =
        Session::over(simulator.clone(), InProcess::new(simulator.router()).with_latency(7, LATENCY));
    let roster = roster(&workload.roster);
    let plan = session.plan(&roster).await.unwrap();
    let started = Instant::now();
    let report = tokio::select! {
        report = session.carry_out(&roster, &plan) => report,
        () = somebody_else(simulator.router()) => unreachable!("it goes on for ever"),
    };
    assert!(report.is_success(), "{:?}", report.read_back);
    let took = started.elapsed().as_secs_f64();
    let requests = simulator.requests();
    let throttled = |ours: bool| {
        let of = requests.iter().filter(|request| request.status == 429);
        of.filter(|request| request.target.ends_with("/nobody") != ours).count()
    };
    println!(
        "beside another app: {took:.0} s, {} times 429, the other {}",
        throttled(true),
        throttled(false)
    );
    // Half of the limit is left, which makes 1,333 seconds of it.
    assert!(took < 1_333.0 * 1.5, "{took}");
    assert!(throttled(true) < 200, "{}", throttled(true));
}
