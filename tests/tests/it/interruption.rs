//! Lines that break and processes that die: nothing is done twice, and the next run finishes the job (design §6).

use crate::trial::switched;
use end_to_end::carrier::InProcess;
use end_to_end::census::Census;
use end_to_end::manners;
use end_to_end::session::{Session, workspace};
use end_to_end::truth::{Terms, departures};
use end_to_end::worlds::{self, World};
use http::Method;
use model::ChangeKind;
use model::run::{Ending, ReadBack};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

fn terms<'a>(world: &World) -> Terms<'a> {
    Terms { leavers_leave_groups: true, ..world.terms }
}

/// Plans and carries out once more, undisturbed, and judges against the world as it was at the very beginning.
async fn finish(world: &World, before: &Census, session: Session) -> Vec<String> {
    let session = Session::new(session.simulator);
    let plan = match session.plan(&world.roster).await {
        Ok(plan) => plan,
        Err(why) => return vec![why],
    };
    assert!(!plan.changeset.is_empty(), "the run was to be killed before its end");
    let report = session.carry_out(&world.roster, &plan).await;
    let mut problems = departures(&world.roster, before, &session.census(), &terms(world));
    if !report.is_success() {
        problems.push(format!("{report:?}"));
    }
    problems
}

#[tokio::test(start_paused = true)]
async fn what_was_done_though_the_answer_was_lost_is_not_done_again() {
    for world in [worlds::acme(), worlds::nasty()] {
        for every in [1, 2, 3, 5] {
            let simulator = workspace(&world.seed, switched(&[]));
            let writes = AtomicUsize::new(0);
            let lost = move |method: &Method| {
                method != Method::GET && writes.fetch_add(1, Ordering::Relaxed).is_multiple_of(every)
            };
            let session =
                Session::over(simulator.clone(), InProcess::new(simulator.router()).with_lost_answers(lost));
            let before = session.census();
            let plan = session.plan(&world.roster).await.unwrap();
            let report = session.carry_out(&world.roster, &plan).await;
            let found = departures(&world.roster, &before, &session.census(), &terms(&world));
            let place = format!("{}, every {every} answers", world.name);
            assert_eq!(manners::breaches(&simulator.requests()), Vec::<String>::new(), "{place}");
            assert_eq!(found, Vec::<String>::new(), "{place}: {report:#?}");
            assert!(report.is_success(), "{place}: {report:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_killed_at_any_write_is_finished_by_the_next_one() {
    let world = worlds::nasty();
    for kill_at in (0..60).step_by(3) {
        let simulator = workspace(&world.seed, switched(&[]));
        let (killed, writes) = (Arc::new(Notify::new()), AtomicUsize::new(0));
        let signal = Arc::clone(&killed);
        let carrier = InProcess::new(simulator.router()).with_hook(move |method, _| {
            if method != Method::GET && writes.fetch_add(1, Ordering::Relaxed) == kill_at {
                signal.notify_one();
            }
        });
        let session = Session::over(simulator, carrier);
        let before = session.census();
        let plan = session.plan(&world.roster).await.unwrap();
        tokio::select! {
            biased;
            () = killed.notified() => {}
            report = session.carry_out(&world.roster, &plan) => panic!("it came to its end: {report:#?}"),
        }
        let problems = finish(&world, &before, session).await;
        assert_eq!(problems, Vec::<String>::new(), "killed at write {kill_at}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_late_is_confirmed_though_something_else_was_refused() {
    let world = worlds::acme();
    // Every creation fails, and deactivations show late.
    let session = Session::start(&world.seed, switched(&[("failing-create", "1")]));
    let plan = session.plan(&world.roster).await.unwrap();
    let report = session.carry_out(&world.roster, &plan).await;
    assert!(matches!(report.read_back, ReadBack::Differs(_)), "{report:#?}");
    let mut leavers = 0;
    for (change, outcome) in plan.changeset.changes.iter().zip(&report.outcomes) {
        if change.kind() == ChangeKind::DeactivateUser {
            leavers += 1;
            assert!(matches!(outcome.ending, Ending::Took { remark: Some(_) }), "{outcome:?}");
        }
    }
    assert_eq!(leavers, 2);
}

/// Sheet S10: in April 2024 Slack deactivated everybody who was updated.
#[tokio::test(start_paused = true)]
async fn an_account_that_turns_inactive_unasked_stops_the_run() {
    let people = |title: &str| {
        let one = |n| {
            format!("{{ \"userName\": \"p{n}\", \"email\": \"p{n}@acme.example\", \"title\": \"{title}\" }}")
        };
        (0..30).map(one).collect::<Vec<_>>().join(", ")
    };
    let simulator = workspace(&format!("{{ \"users\": [{}] }}", people("old")), switched(&[]));
    let roster = end_to_end::session::roster(&format!("version: 1\nusers: [{}]\n", people("new")));
    let incident = simulator.clone();
    let carrier = InProcess::new(simulator.router()).with_hook(move |method, target| {
        if method == Method::PATCH
            && let Some(id) = target.rsplit('/').next()
        {
            incident.edit(|world| world.edit_user(id, |user| user.active = false));
        }
    });
    let session = Session::over(simulator, carrier);
    let plan = session.plan(&roster).await.unwrap();
    assert_eq!(plan.changeset.changes.len(), 30);
    let report = session.carry_out(&roster, &plan).await;
    let skipped =
        report.outcomes.iter().filter(|outcome| matches!(outcome.ending, Ending::Skipped { .. })).count();
    // Those under way when the first answer came are all that was hit.
    assert!(skipped >= 22, "{skipped} of 30 were spared: {report:#?}");
    assert!(!report.is_success());
}
