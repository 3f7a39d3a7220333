//! `rosterctl daemon` as a process: signals, output, exit codes, real HTTP.

#![cfg(unix)]

use crate::env::{CANARY, Env, Workspace, repository, workspace};
use crate::running::{Gate, Running, until};
use http::Method;

const SEED: &str = r#"{ "workspace": "acme", "users": [
  { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
  { "userName": "bob", "email": "bob@acme.example" } ] }"#;

fn roster(title: &str) -> String {
    format!(
        "version: 1\nworkspace: acme\nusers:\n  - {{ userName: ada, email: ada@acme.example, title: {title} }}\n"
    )
}

fn title(workspace: &Workspace) -> String {
    workspace.simulator.look(|world| world.user("ada").unwrap().title.clone())
}

fn set_title(workspace: &Workspace, title: &str) {
    assert!(
        workspace.simulator.edit(|world| world.edit_user("ada", |user| title.clone_into(&mut user.title)))
    );
}

fn daemon(env: &Env, target: &str, more: &[&str]) -> Running {
    Running::start(env, &[&["daemon", "roster", "--target", target], more].concat())
}

#[test]
fn converges_picks_up_a_changed_roster_and_outlives_a_broken_one() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster/people.yaml", roster("Queen"));
    let daemon = daemon(&env, &workspace.target, &["--interval", "1s"]);
    daemon.expect_line(&["Round 1: 1 change done, in sync; next round in 1s."]);
    assert_eq!(title(&workspace), "Queen");

    // A second file in the folder.
    env.write(
        "roster/more.yaml",
        "version: 1\nusers:\n  - { userName: bob, email: bob@acme.example, title: King }\n",
    );
    daemon.expect_line(&["The roster has changed: 2 people, groups not managed."]);
    daemon.expect_line(&["1 change done, in sync"]);

    env.write("roster/more.yaml", "version: 1\nusers:\n  - { userName: bob, titel: King }\n");
    daemon.signal("HUP");
    daemon.expect_line(&["The roster cannot be used; the last good one stays in force."]);
    daemon.expect_line(&["roster/more.yaml:3:"]);
    daemon.expect_line(&["Round "]);
    set_title(&workspace, "Empress");
    daemon.signal("HUP");
    daemon.expect_line(&["1 change done, in sync"]);
    assert_eq!(title(&workspace), "Queen", "the last good roster is still enforced");

    daemon.signal("TERM");
    let output = daemon.expect_end(0);
    assert_eq!(output.matches("cannot be used").count(), 1, "{output}");
    assert!(output.trim_end().ends_with("Ended."), "{output}");
    assert!(!output.contains('\x1b'), "{output}");
}

#[test]
fn backs_off_while_it_is_blocked_and_says_once_why() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    let newcomer = roster("Engineer") + "  - { userName: eve, email: eve@acme.example }\n";
    env.write("roster/people.yaml", &newcomer);
    env.write("policy.yaml", "limits: { createUsers: 0 }\n");
    let arguments = ["--interval", "1s", "--policy", "policy.yaml"];
    let daemon = daemon(&env, &workspace.target, &arguments);
    daemon.expect_line(&["createUsers"]);
    daemon.expect_line(&["Round 1: blocked: none of 1 change made; next round in 2s."]);
    let again =
        daemon.expect_line(&["Round 2: blocked", "as before (plan ", "createUsers", "next round in 4s."]);
    assert!(again.len() < 160, "{again}");
    workspace.expect_untouched();
    env.write("policy.yaml", "limits: { createUsers: 1 }\n");
    daemon.expect_line(&["Round 3: 1 change done, in sync; next round in 1s."]);
    daemon.signal("INT");
    let output = daemon.expect_end(0);
    assert_eq!(output.matches("Digest of this plan").count(), 2, "{output}");
}

#[test]
fn a_signal_in_the_middle_of_a_run_lets_what_is_under_way_end() {
    let people = |title| {
        let one = |n| {
            format!("{{ \"userName\": \"p{n}\", \"email\": \"p{n}@acme.example\", \"title\": \"{title}\" }}")
        };
        (0..40).map(one).collect::<Vec<_>>().join(", ")
    };
    let (env, workspace) = (Env::new(), workspace(&format!("{{ \"users\": [{}] }}", people("old")), &[]));
    env.write("roster/people.yaml", format!("version: 1\nusers: [{}]\n", people("new")));
    let gate = Gate::before(&workspace);
    gate.shut(Method::PATCH);
    let daemon = daemon(&env, &gate.target, &[]);
    gate.expect_visitor();
    daemon.signal("TERM");
    daemon.expect_line(&["Stopping: changes under way are finished, no more are started."]);
    gate.open();
    let output = daemon.expect_end(4);
    let written = workspace.simulator.look(|world| world.users().filter(|user| user.title == "new").count());
    assert!((1..=8).contains(&written), "{written} were written:\n{output}");
    assert_eq!(output.lines().filter(|line| line.starts_with("took ")).count(), written, "{output}");
    assert!(output.contains("skipped") && output.contains("not in sync"), "{output}");

    // Whoever cannot wait asks twice.
    gate.shut(Method::PATCH);
    let daemon = Running::start(&env, &["daemon", "roster", "--target", &gate.target]);
    gate.expect_visitor();
    daemon.signal("TERM");
    daemon.expect_line(&["Stopping"]);
    daemon.signal("TERM");
    assert!(daemon.expect_end(4).contains("Aborted."));
}

#[test]
fn observing_sends_nothing_but_get_and_tells_of_drift() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster/people.yaml", roster("Queen"));
    let daemon = daemon(&env, &workspace.target, &["--interval", "1h", "--observe"]);
    daemon.expect_line(&["Round 1: drift: 1 change needed; next round in "]);
    daemon.signal("HUP");
    daemon.expect_line(&["Round 2: drift: 1 change needed, as before (plan "]);
    set_title(&workspace, "Queen");
    daemon.signal("HUP");
    daemon.expect_line(&["in sync"]);
    set_title(&workspace, "Empress");
    daemon.signal("HUP");
    daemon.expect_line(&["drift: 1 change needed;"]);
    daemon.signal("TERM");
    daemon.expect_end(0);
    workspace.expect_untouched();
}

#[test]
fn keeps_others_out_only_while_a_round_is_on_and_waits_for_their_end() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster/people.yaml", roster("Queen"));
    let gate = Gate::before(&workspace);
    let apply = ["apply", "roster", "--yes", "--target", &gate.target];
    gate.shut(Method::GET);
    let daemon = daemon(&env, &gate.target, &["--interval", "1h"]);
    gate.expect_visitor();
    let refused = Running::start(&env, &apply).expect_end(1);
    let who = format!("is in progress (pid {}, `daemon`, since 20", daemon.id());
    assert!(refused.contains(&who), "{refused}");
    gate.open();
    daemon.expect_line(&["Round 1: 1 change done, in sync; next round in "]);

    drop(env.run(&apply).expect_code(0));
    set_title(&workspace, "Empress");
    gate.shut(Method::PATCH);
    let other = Running::start(&env, &apply);
    gate.expect_visitor();
    daemon.signal("HUP");
    let waiting =
        daemon.expect_line(&["Round 2: waiting: another run", &format!("pid {}, `apply`", other.id())]);
    // The interval, and no more: the next round is no later for it.
    assert!(
        ["54m", "55m", "56m", "57m", "58m", "59m", "1h"].iter().any(|time| waiting.contains(time)),
        "{waiting}"
    );
    gate.open();
    other.expect_end(0);
    daemon.signal("HUP");
    daemon.expect_line(&["Round 3: in sync"]);
    daemon.signal("TERM");
    daemon.expect_end(0);
}

#[test]
fn a_token_that_is_exchanged_in_its_file_is_used_from_the_next_round_on() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster/people.yaml", roster("Queen"));
    env.write("token", "revoked");
    let daemon = daemon(&env, &workspace.target, &["--interval", "20m", "--token-file", "token"]);
    daemon.expect_line(&["Round 1: failed: ", "invalid_authentication", "next round in "]);
    env.write("token", CANARY);
    daemon.signal("HUP");
    daemon.expect_line(&["Round 2: 1 change done, in sync; next round in "]);
    daemon.signal("TERM");
    daemon.expect_end(0);
}

#[test]
fn a_simulation_is_of_one_world_for_as_long_as_the_daemon_lives() {
    let env = Env::new().without_token();
    env.write("roster/people.yaml", roster("Queen"));
    env.write("seed.json", SEED);
    let arguments = ["daemon", "roster", "--simulate", "seed.json"];
    let daemon = Running::start(&env, &arguments);
    daemon.expect_line(&["Round 1: 1 change done"]);
    daemon.signal("HUP");
    daemon.expect_line(&["Round 2: in sync"]);
    daemon.signal("TERM");
    daemon.expect_end(0);
}

#[test]
fn what_cannot_work_ends_it_before_anything_is_asked() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("good.yaml", roster("Queen"));
    env.write("bad.yaml", "version: 1\nusers:\n  - { userName: ada, titel: x }\n");
    let target = &workspace.target[..];
    let broken = env.run(&["daemon", "bad.yaml", "--target", target]).expect_code(1);
    assert!(broken.stderr.contains("error[unknown-key]"), "{broken:?}");
    let missing = env.run(&["daemon", "nowhere", "--target", target]).expect_code(1);
    assert!(missing.stderr.contains("nowhere"), "{missing:?}");
    for interval in ["0s", "999ms"] {
        drop(env.run(&["daemon", "good.yaml", "--target", target, "--interval", interval]).expect_code(64));
    }
    let env = env.without_token();
    drop(env.run(&["daemon", "good.yaml", "--target", target]).expect_code(64));
    workspace.expect_unasked();
}

#[test]
fn a_daemon_that_nobody_hears_any_more_ends() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", roster("Engineer"));
    let mut command =
        env.command(&["daemon", "roster.yaml", "--interval", "1s", "--target", &workspace.target]);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut status = None;
    until("its end", || {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert_eq!(
        status.unwrap().code(),
        Some(1),
        "a service that is to go on is started again only after an error"
    );
}

/// A flag that is misspelt in the unit would show only when the service is started.
#[test]
fn the_example_unit_starts_the_daemon_with_flags_that_exist() {
    let unit = std::fs::read_to_string(repository().join("examples/daemon/rosterctl.service")).unwrap();
    let start = unit.split("\nExecStart=").nth(1).unwrap().replace("\\\n", " ");
    let command = start.lines().next().unwrap().replace("%d", "/run/credentials").replace("%S", "/var/lib");
    let arguments: Vec<&str> = command.split_whitespace().skip(1).chain(["--help"]).collect();
    assert_eq!(arguments[0], "daemon");
    assert!(arguments.contains(&"--token-file") && arguments.contains(&"--journal"), "{arguments:?}");
    drop(Env::new().without_token().run(&arguments).expect_code(0));
}

#[test]
fn many_small_rounds_do_not_add_up_to_more_than_a_limit_when_they_are_recorded() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    let with = |names: &[&str]| {
        let one = |name: &&str| format!("  - {{ userName: {name}, email: {name}@acme.example }}\n");
        roster("Engineer") + &names.iter().map(one).collect::<Vec<_>>().concat()
    };
    env.write("roster/people.yaml", with(&["eve"]));
    env.write("policy.yaml", "limits: { createUsers: 1 }\n");
    let arguments = ["--interval", "1h", "--policy", "policy.yaml", "--journal", "journal.jsonl"];
    let daemon = daemon(&env, &workspace.target, &arguments);
    daemon.expect_line(&["Round 1: 1 change done"]);
    env.write("roster/people.yaml", with(&["eve", "kim"]));
    daemon.signal("HUP");
    daemon.expect_line(&["createUsers"]);
    daemon.expect_line(&["Round 2: blocked"]);
    daemon.signal("TERM");
    daemon.expect_end(0);
    assert!(workspace.simulator.look(|world| world.user("eve").is_some() && world.user("kim").is_none()));
    let history = env.run(&["history", "journal.jsonl"]).expect_code(0);
    assert!(history.stdout.contains("eve"), "{history:?}");
}
