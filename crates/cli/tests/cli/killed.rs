//! The process is killed while it writes, and the next one finishes the job (design §6).

use crate::env::{CANARY, Env, serve};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use slack_sim::{Seed, Simulator, Switches};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

const SEED: &str = r#"{
  "workspace": "acme",
  "users": [
    { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
    { "userName": "bob", "email": "bob@acme.example" },
    { "userName": "kim", "email": "kim@acme.example" },
    { "userName": "lee", "email": "lee@acme.example" },
    { "userName": "old", "email": "back@acme.example", "active": false },
    { "userName": "out", "email": "out@acme.example" }
  ],
  "groups": [
    { "displayName": "eng", "members": ["ada", "out"] },
    { "displayName": "ops", "members": ["bob", "kim", "out"] }
  ]
}"#;

/// A swap of userNames, two who join and report to each other's, one who leaves, one who comes back, a new group and a
/// renamed one: every kind of change, and every kind of order.
const ROSTER: &str = "version: 1
workspace: acme
users:
  - { userName: ada, email: ada@acme.example, title: Staff Engineer, manager: new }
  - { userName: bob, email: bob@acme.example, department: Operations }
  - { userName: lee, email: kim@acme.example }
  - { userName: kim, email: lee@acme.example }
  - { userName: old, email: back@acme.example }
  - { userName: new, email: new@acme.example, manager: newer }
  - { userName: newer, email: newer@acme.example, title: Director }
  - { userName: out, email: out@acme.example, active: false }
groups:
  - { displayName: engineering, formerly: [eng], members: [ada, new, old] }
  - { displayName: ops, members: [bob, lee] }
  - { displayName: directors, members: [newer] }
policy: { limits: { removeMembersPerGroup: 100%, removeMembers: 100% } }
";

/// A hundred times, at every write of the run, before it takes effect and after.
#[test]
fn a_process_that_is_killed_a_hundred_times_in_the_middle_of_an_apply_leaves_a_job_the_next_one_finishes() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    let writes = writes_of_a_whole_run(&env);
    assert!(writes >= 10, "{writes} writes leave too little to kill in");
    for round in 0..100 {
        let kill_at = round / 2 % writes;
        let takes_effect = round % 2 == 1;
        let place = format!(
            "killed at write {kill_at}, which {}",
            if takes_effect { "took" } else { "did not take" }
        );

        let simulator = simulator();
        let (arrived, arrivals) = mpsc::channel();
        let seen = Arc::new(AtomicUsize::new(0));
        let router = simulator.router().layer(from_fn(move |request: Request, next: Next| {
            let (arrived, seen) = (arrived.clone(), Arc::clone(&seen));
            async move {
                if request.method() == http::Method::GET || seen.fetch_add(1, Ordering::SeqCst) != kill_at {
                    return next.run(request).await;
                }
                if takes_effect {
                    drop(next.run(request).await);
                }
                arrived.send(()).expect("the test waits");
                std::future::pending().await
            }
        }));
        let served = serve(router);
        let target = format!("{}/scim/v2", served.origin);
        let mut child = env
            .command(&["apply", "roster.yaml", "--yes", "--target", &target])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        arrivals.recv().expect("the write arrives");
        child.kill().unwrap();
        child.wait().unwrap();
        drop(served);

        let served = serve(simulator.router());
        let target = format!("{}/scim/v2", served.origin);
        let ran = env.run(&["apply", "roster.yaml", "--yes", "--target", &target]);
        assert_eq!(ran.code, 0, "{place}: {ran:?}");
        assert_eq!(state(&simulator), STATE, "{place}");
    }
}

const STATE: &str = "\
ada@acme.example ada active Staff Engineer, reports to new
back@acme.example old active
bob@acme.example bob active
kim@acme.example lee active
lee@acme.example kim active
new@acme.example new active, reports to newer
newer@acme.example newer active Director
out@acme.example out inactive
directors: newer
engineering: ada new old
ops: bob lee
";

fn simulator() -> Simulator {
    let mut switches = Switches::default();
    switches.set("deactivation-delay", "0").unwrap();
    Simulator::new(&Seed::parse(SEED).unwrap(), switches).unwrap().with_token(CANARY)
}

fn writes_of_a_whole_run(env: &Env) -> usize {
    let simulator = simulator();
    let served = serve(simulator.router());
    let target = format!("{}/scim/v2", served.origin);
    drop(env.run(&["apply", "roster.yaml", "--yes", "--target", &target]).expect_code(0));
    assert_eq!(state(&simulator), STATE);
    simulator.requests().iter().filter(|request| request.method != http::Method::GET).count()
}

/// The workspace in a form to compare.
fn state(simulator: &Simulator) -> String {
    simulator.look(|world| {
        let mut people: Vec<String> = world
            .users()
            .map(|user| {
                let active = if user.active { "active" } else { "inactive" };
                let manager = user.manager.as_deref().and_then(|manager| world.user(manager));
                let reports =
                    manager.map(|manager| format!(", reports to {}", manager.user_name)).unwrap_or_default();
                let title = format!(" {}", user.title);
                format!("{} {} {active}{}{reports}\n", user.email, user.user_name, title.trim_end())
            })
            .collect();
        people.sort();
        let mut groups: Vec<String> = world
            .groups()
            .map(|group| {
                let mut members = world.member_names(&group.id);
                members.sort_unstable();
                format!("{}: {}\n", group.display_name, members.join(" "))
            })
            .collect();
        groups.sort();
        people.concat() + &groups.concat()
    })
}
