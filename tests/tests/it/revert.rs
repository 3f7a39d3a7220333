//! Runs that are undone: recorded as they go on, killed or not, and taken back over the wire.

use end_to_end::carrier::InProcess;
use end_to_end::census::{Account, Census, Group};
use end_to_end::session::{NOW, Session, workspace};
use end_to_end::worlds::{self, World};
use http::Method;
use model::Attribute;
use model::journal::{History, PastRun, Record};
use model::place::{Source, Sources};
use model::plan::Outcome;
use model::policy::{Limit, Limits, Policy};
use model::run::{ChangeOutcome, Ending};
use reconciler::journal::{Journal, Journaled, read};
use reconciler::planner::Context;
use reconciler::revert::{self, Bounds, RevertGoal, Reverted};
use reconciler::run::{Run, Stop};
use scim_adapter::Writer;
use slack_sim::{Simulator, Switches};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::Notify;

/// A journal in memory.
#[derive(Default)]
struct Memory(Mutex<Vec<Record>>);

impl Journal for Memory {
    fn append(&self, records: &[Record]) -> io::Result<()> {
        self.0.lock().unwrap().extend_from_slice(records);
        Ok(())
    }
}

impl Memory {
    fn recorded(&self, run: &str, undoes: Option<&str>) -> Journaled<'_> {
        Journaled {
            journal: self,
            run: run.into(),
            approved: false,
            undoes: undoes.map(Into::into),
            clock: &|| NOW,
        }
    }

    /// The journal as a file, read back as a later process reads it.
    fn read(&self) -> (Source, History) {
        let lines: String = self
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|record| serde_json::to_string(record).unwrap() + "\n")
            .collect();
        let history = read(&lines).unwrap();
        (Source { path: "journal.jsonl".to_owned(), text: lines }, history)
    }
}

/// A policy that deletes what the run made, and whose limits are out of the way: the world is to be put back whole.
fn lenient() -> Policy {
    let all = Limit { at_least: 1_000, percent: 100 };
    let limits = Limits {
        deactivate_users: all,
        create_users: all,
        change_emails: all,
        change_user_names: all,
        convert_guests: all,
        remove_members: all,
        remove_members_per_group: all,
        empty_groups: all,
        delete_groups: all,
    };
    Policy { limits, ..Policy::default() }
}

/// Plans and carries out a world's roster, killed when it is about to send its write number `kill_at`.
async fn apply(world: &World, simulator: &Simulator, memory: &Memory, kill_at: usize) {
    let killed = Arc::new(Notify::new());
    let (writes, kill) = (AtomicUsize::new(0), Arc::clone(&killed));
    let carrier = InProcess::new(simulator.router()).with_hook(move |method: &Method, _: &str| {
        if *method != Method::GET && writes.fetch_add(1, Ordering::Relaxed) + 1 == kill_at {
            kill.notify_one();
        }
    });
    let session = Session::over(simulator.clone(), carrier);
    let plan = session.plan(&world.roster).await.unwrap();
    let journaled = Some(memory.recorded("run", None));
    tokio::select! {
        biased;
        () = killed.notified() => {}
        _ = session.carry_out_recorded(&world.roster, &plan, journaled, Stop::default()) => {}
    }
}

/// Whatever Slack does with a delay is done (sheet S13).
async fn settle() {
    tokio::time::sleep(Duration::from_mins(1)).await;
}

async fn plan_back(simulator: &Simulator, memory: &Memory, policy: &Policy) -> Reverted {
    let session = Session::new(simulator.clone());
    let directory = session.read().await.unwrap();
    let (file, history) = memory.read();
    let run = the_run(&history);
    let attempts = revert::attempts(&history.runs, run);
    let sources = Sources::default();
    revert::plan(run, &attempts, &file, Bounds::Policy(policy, &sources), &directory, &context()).unwrap()
}

fn the_run(history: &History) -> &PastRun {
    history.runs.iter().find(|run| &*run.id == "run").unwrap()
}

fn context() -> Context {
    Context { now: NOW, ..Context::default() }
}

/// Plans what undoes the run and carries it out; returns what is not undone, by code, and what did not take.
async fn take_back(
    simulator: &Simulator,
    memory: &Memory,
    name: &str,
) -> (BTreeSet<&'static str>, Vec<String>) {
    let reverted = plan_back(simulator, memory, &lenient()).await;
    assert_ne!(reverted.plan.outcome(), Outcome::Block, "{:#?}", reverted.plan.verdicts);
    let session = Session::new(simulator.clone());
    let (writer, context) = (Writer::new(session.reader.clone()), context());
    let run = Run {
        reader: &session.reader,
        writer: &writer,
        goal: &RevertGoal::new(&reverted, &context),
        journal: Some(memory.recorded(name, Some("run"))),
        stop: Stop::default(),
    };
    let report = run.carry_out(&reverted.plan, |_| {}).await;
    let problems = if report.is_success() {
        Vec::new()
    } else {
        let failed = report.outcomes.iter().filter(|outcome| !matches!(outcome.ending, Ending::Took { .. }));
        let plan = &reverted.plan;
        let change = |outcome: &ChangeOutcome| plan.changeset.changes[outcome.change.get()].clone();
        let failed = failed.map(|outcome| format!("{:?}: {:?}", outcome.ending, change(outcome).after()));
        failed.chain([format!("{:?}", report.read_back)]).collect()
    };
    (reverted.not_undone.iter().map(|note| note.code).collect(), problems)
}

/// What is not as it was before the run, but for what no SCIM client can put back: found from the three states of the
/// world alone.
fn not_as_before(before: &Census, after: &Census, now: &Census) -> Vec<String> {
    let mut found = Vec::new();
    for (id, account) in &before.accounts {
        let (run, back) = (&after.accounts[id], &now.accounts[id]);
        if account.active != back.active || account.bot != back.bot {
            found.push(format!("{id}: {back:?}"));
        }
        // Whatever the run did to an account that goes back to sleep may stay.
        let (expected, found_now) = (comparable(account, account, run), comparable(back, account, run));
        if account.active && expected != found_now {
            found.push(format!("{id}: {found_now:?}, was {expected:?}"));
        }
    }
    for (id, account) in &now.accounts {
        if !before.accounts.contains_key(id) && account.active {
            found.push(format!("{id} was created and is active"));
        }
    }
    let left = |id: &&String| before.accounts[*id].active && after.accounts[*id].active;
    for (id, group) in &before.groups {
        let back = now.groups.get(id).or_else(|| now.group(&group.name));
        let Some(Group { name, members }) = back else {
            found.push(format!("{id} ({}) is gone", group.name));
            continue;
        };
        // Who was deactivated by the run may have lost memberships that it did not write.
        let lost: Vec<&String> = group.members.difference(members).filter(left).collect();
        let bots_apart =
            lost.into_iter().filter(|id| now.groups.contains_key(*id) || !before.accounts[*id].bot);
        let lost: Vec<&String> = bots_apart.collect();
        let gained: Vec<&String> = members.difference(&group.members).collect();
        if *name != group.name || !lost.is_empty() || !gained.is_empty() {
            found.push(format!("{id}: {name}, was {}; lost {lost:?}, gained {gained:?}", group.name));
        }
    }
    if before.groups.len() != now.groups.len() {
        found.push(format!("{} groups, were {}", now.groups.len(), before.groups.len()));
    }
    found
}

/// What can be compared of an account that was like `before` and like `run` after the run.
fn comparable(account: &Account, before: &Account, run: &Account) -> Account {
    const NAMES: [Attribute; 2] = [Attribute::GivenName, Attribute::FamilyName];
    let mut account = account.clone();
    // Slack keeps no copy of a picture.
    account.values.remove(&Attribute::Photo);
    if before.guest && !run.guest {
        // Nobody wrote down the expiry that the conversion took away.
        account.values.remove(&Attribute::GuestExpires);
    }
    if NAMES.iter().all(|name| !before.values.contains_key(name)) {
        // Slack refuses to take a name away.
        account.values.retain(|attribute, _| !NAMES.contains(attribute));
    }
    for date in [Attribute::StartDate, Attribute::GuestExpires] {
        if let Some(text) = account.values.get_mut(&date) {
            // The same moment, however it is written.
            *text = model::time::parse_instant(text).unwrap().timestamp.to_string();
        }
    }
    account
}

fn start(world: &World) -> Simulator {
    workspace(&world.seed, Switches::default())
}

#[tokio::test(start_paused = true)]
async fn a_whole_run_is_taken_back_and_then_nothing_is_left_to_undo() {
    for world in [worlds::acme(), worlds::nasty(), worlds::strict()] {
        let (simulator, memory) = (start(&world), Memory::default());
        let before = Census::take(&simulator);
        apply(&world, &simulator, &memory, usize::MAX).await;
        let after = Census::take(&simulator);
        assert_ne!(before, after);
        let (_, problems) = take_back(&simulator, &memory, "back").await;
        assert_eq!(problems, Vec::<String>::new(), "{}", world.name);
        let now = Census::take(&simulator);
        assert_eq!(not_as_before(&before, &after, &now), Vec::<String>::new(), "{}", world.name);

        let again = plan_back(&simulator, &memory, &lenient()).await.plan;
        assert!(again.changeset.is_empty(), "{}: {:#?}", world.name, again.changeset);
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_killed_at_any_write_is_taken_back() {
    for world in [worlds::acme(), worlds::nasty()] {
        for kill_at in (1..).step_by(7) {
            let (simulator, memory) = (start(&world), Memory::default());
            let before = Census::take(&simulator);
            apply(&world, &simulator, &memory, kill_at).await;
            settle().await;
            let after = Census::take(&simulator);
            let is_over = the_run(&memory.read().1).end.is_some();
            let (_, problems) = take_back(&simulator, &memory, "back").await;
            let place = format!("{}, killed at write {kill_at}", world.name);
            assert_eq!(problems, Vec::<String>::new(), "{place}");
            let now = Census::take(&simulator);
            assert_eq!(not_as_before(&before, &after, &now), Vec::<String>::new(), "{place}");
            if is_over {
                assert!(kill_at > 20, "{place}: the runs are long enough to be killed in the middle");
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn without_leave_to_delete_a_run_that_made_groups_is_not_taken_back() {
    let world = worlds::acme();
    let (simulator, memory) = (start(&world), Memory::default());
    apply(&world, &simulator, &memory, usize::MAX).await;
    simulator.clear_requests();
    let reverted = plan_back(&simulator, &memory, &Policy::default()).await;
    let blocks: Vec<&str> =
        reverted.plan.verdicts.iter().filter(|v| v.outcome == Outcome::Block).map(|v| v.guard).collect();
    assert!(blocks.contains(&"deleteGroups"), "{blocks:?}");
    assert!(
        simulator.requests().iter().all(|request| request.method == Method::GET),
        "planning writes nothing"
    );
}
