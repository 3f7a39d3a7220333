//! Two runs on one machine against one service exclude each other.

#![cfg(unix)]

use crate::env::{Env, workspace};
use crate::running::{Gate, Running};
use http::Method;
use std::path::PathBuf;

const SEED: &str =
    r#"{ "users": [ { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" } ] }"#;
const ROSTER: &str = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, title: Queen }\n";

fn locks(env: &Env) -> Vec<PathBuf> {
    let all = std::fs::read_dir(env.path(".")).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|extension| extension == "lock")).collect()
}

#[test]
fn a_second_apply_is_turned_away_and_told_who_is_at_work_and_looking_is_free() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let gate = Gate::before(&workspace);
    let target = &gate.target[..];
    let apply = ["apply", "roster.yaml", "--yes", "--target", target];
    gate.shut(Method::PATCH);
    let first = Running::start(&env, &apply);
    gate.expect_visitor();

    workspace.simulator.clear_requests();
    let second = Running::start(&env, &apply).expect_end(1);
    let who = format!("another run against {target} is in progress (pid {}, `apply`, since 20", first.id());
    assert!(second.contains(&who) && second.contains("nothing was changed"), "{second}");
    workspace.expect_unasked();
    for looking in [
        &["plan", "roster.yaml", "--target", target][..],
        &["snapshot", "--target", target],
        &["validate", "roster.yaml"],
    ] {
        drop(env.run(looking).expect_code(0));
    }

    gate.open();
    first.expect_end(0);
    drop(env.run(&apply).expect_code(0));
}

#[test]
fn a_run_that_is_killed_leaves_nobody_locked_out() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let gate = Gate::before(&workspace);
    let apply = ["apply", "roster.yaml", "--yes", "--target", &gate.target];
    gate.shut(Method::PATCH);
    let first = Running::start(&env, &apply);
    gate.expect_visitor();
    Running::start(&env, &apply).expect_end(1);
    first.signal("KILL");
    drop(first);
    gate.open();
    drop(env.run(&apply).expect_code(0));
}

#[test]
fn whoever_cannot_write_takes_no_lock_and_neither_does_a_simulation() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    env.write("seed.json", SEED);
    let target = &workspace.target[..];
    drop(env.run(&["plan", "roster.yaml", "--target", target]).expect_code(0));
    drop(env.run(&["apply", "roster.yaml", "--yes", "--simulate", "seed.json"]).expect_code(0));
    let daemon = Running::start(&env, &["daemon", "roster.yaml", "--observe", "--target", target]);
    daemon.expect_line(&["Round 1: drift"]);
    daemon.signal("TERM");
    daemon.expect_end(0);
    assert_eq!(locks(&env), Vec::<PathBuf>::new());
    drop(env.run(&["apply", "roster.yaml", "--yes", "--target", target]).expect_code(0));
    assert_eq!(locks(&env).len(), 1);
}

#[test]
fn a_link_in_the_place_of_a_lock_is_an_error_and_what_it_leads_to_is_left_alone() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    env.write("precious", "content");
    let apply = ["apply", "roster.yaml", "--yes", "--target", &workspace.target];
    drop(env.run(&apply).expect_code(0));
    let lock = locks(&env).remove(0);
    std::fs::remove_file(&lock).unwrap();
    std::os::unix::fs::symlink(env.path("precious"), &lock).unwrap();
    workspace.simulator.clear_requests();
    let ran = env.run(&apply).expect_code(1);
    assert!(ran.stderr.contains("cannot lock"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(env.path("precious")).unwrap(), "content");
    workspace.expect_unasked();
}

#[test]
fn without_a_folder_for_locks_nothing_is_written() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    // None, a file, and one in which even root makes no file.
    let system = cfg!(target_os = "linux").then(|| PathBuf::from("/proc"));
    for folder in [env.path("nowhere"), env.path("roster.yaml")].into_iter().chain(system) {
        let mut command = env.command(&["apply", "roster.yaml", "--yes", "--target", &workspace.target]);
        let ran = command.env("TMPDIR", &folder).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let said = String::from_utf8_lossy(&ran.stderr);
        let names_it = said.contains(&format!("cannot lock {}/rosterctl-", folder.display()));
        assert!(names_it && said.contains("TMPDIR"), "{said}");
        workspace.expect_unasked();
    }
}
