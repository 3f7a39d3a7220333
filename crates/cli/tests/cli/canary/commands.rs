//! Every command, as it is meant to be used.

use super::{ROSTER, SEED, check, expect_hidden, expect_none_in_files, said};
use crate::env::{CANARY, Env, workspace};
use crate::running::Running;

/// A change of the roster that a limit stops, and one that contradicts what is there.
const BLOCKED: &str = "version: 1\nworkspace: acme\npolicy: { limits: { removeMembersPerGroup: 0, createUsers: 0 } }\n\
    users:\n  - { userName: ada, email: ada@acme.example }\n  - { userName: eve, email: eve@acme.example }\n\
    groups:\n  - { displayName: eng, members: [ada] }\n";
const CONFLICT: &str = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, id: U9 }\n";

/// The digest of some other plan.
const OTHER_DIGEST: &str = "07c19ed3600130747072c72502aa0d8418d75cd44ec06dbc81b392f8417d1a5a";

/// What can be done with a workspace, from the first look until it is undone, and how each step ends.
const STORY: &[(i32, &[&str])] = &[
    (0, &["plan", "roster.yaml", "--out", "plan.json", "--journal", "runs.jsonl"]),
    (2, &["plan", "roster.yaml", "--detailed-exitcode", "--only", "ada"]),
    (0, &["plan", "roster.yaml", "--diff", "--full"]),
    (3, &["plan", "blocked.yaml", "--out", "blocked.json"]),
    (3, &["apply", "blocked.yaml", "--yes"]),
    (3, &["apply", "blocked.yaml", "--yes", "--approve", OTHER_DIGEST]),
    (1, &["plan", "conflict.yaml"]),
    (64, &["apply", "roster.yaml"]),
    (0, &["snapshot", "--out", "whole.json"]),
    (0, &["snapshot", "--out", "redacted.json", "--redact"]),
    (0, &["snapshot"]),
    (0, &["snapshot", "--redact"]),
    (0, &["apply", "roster.yaml", "--plan", "plan.json", "--journal", "runs.jsonl"]),
    (0, &["plan", "roster.yaml"]),
    (0, &["apply", "roster.yaml", "--yes"]),
    (0, &["revert", "runs.jsonl", "roster.yaml"]),
    (0, &["revert", "runs.jsonl", "--yes"]),
    (0, &["revert", "runs.jsonl", "--yes"]),
];

/// What needs no service.
const ALONE: &[(i32, &[&str])] = &[
    (0, &["validate", "roster.yaml"]),
    (1, &["validate", "mistaken.yaml"]),
    (0, &["plan", "roster.yaml", "--against", "whole.json"]),
    (0, &["plan", "roster.yaml", "--against", "redacted.json"]),
    (1, &["plan", "roster.yaml", "--against", "plan.json"]),
    (0, &["apply", "roster.yaml", "--yes", "--simulate", "whole.json"]),
    (0, &["history", "runs.jsonl"]),
    (1, &["history", "runs.jsonl", "--run", "none"]),
    (1, &["history", "missing.jsonl"]),
];

/// What knows of no roster.
const PAPERS: &[(i32, &[&str])] = &[
    (0, &["schema"]),
    (0, &["man"]),
    (0, &["completions", "bash"]),
    (0, &["--help"]),
    (0, &["--version"]),
    (0, &["plan", "--help"]),
    (0, &["sim", "--help"]),
    (64, &["frobnicate"]),
    (64, &["plan"]),
];

fn expect(env: &Env, code: i32, arguments: &[&str]) {
    let output = check(env, &mut env.command(arguments));
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", said(&output));
}

#[test]
fn when_all_goes_well() {
    for format in ["text", "json", "markdown"] {
        let (env, live) = (Env::new(), workspace(SEED, &[]));
        env.write("roster.yaml", ROSTER);
        env.write("blocked.yaml", BLOCKED);
        env.write("conflict.yaml", CONFLICT);
        env.write("mistaken.yaml", "version: 1\nusers:\n  - { userName: ada, titel: x }\n");
        let has_format = |arguments: &[&str]| arguments[0] != "snapshot";
        let format = ["--format", format];
        for (code, arguments) in STORY {
            live.simulator.clear_requests();
            let format = if has_format(arguments) { &format[..] } else { &[] };
            expect(&env, *code, &[*arguments, &["--target", &live.target, "-vvv"], format].concat());
            assert!(!live.simulator.requests().is_empty(), "{arguments:?} asked for nothing");
        }
        // Somebody edits what a saved plan is about.
        let target = ["--target", &live.target[..], "-vvv"];
        expect(&env, 0, &[&["plan", "roster.yaml", "--out", "stale.json"], &target[..]].concat());
        assert!(live.simulator.edit(|world| world.edit_user("ada", |user| user.title = "Queen".to_owned())));
        expect(&env, 5, &[&["apply", "roster.yaml", "--plan", "stale.json"], &target[..], &format].concat());
        for (code, arguments) in ALONE {
            expect(&env, *code, &[*arguments, &format[..]].concat());
        }
        assert!(env.path("runs.jsonl").exists() && env.path("plan.json").exists());
    }
    let env = Env::new();
    for (code, arguments) in PAPERS {
        expect(&env, *code, arguments);
    }
}

#[test]
fn while_the_simulator_is_served() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    env.write("seed.json", SEED);
    let arguments = [
        "sim",
        "--seed",
        "seed.json",
        "--state",
        "state.json",
        "--token",
        CANARY,
        "--listen",
        "127.0.0.1:0",
        "-vvv",
    ];
    let sim = Running::spawn(env.command(&arguments).env("RUST_LOG", "trace"));
    let line = sim.expect_line(&["Simulating", "http://"]);
    let target = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    expect(&env, 0, &["apply", "roster.yaml", "--yes", "--target", target]);
    let mut wrong = env.command(&["plan", "roster.yaml", "--target", target, "-vvv"]);
    let output = check(&env, wrong.env("SLACK_SCIM_TOKEN", format!("{CANARY}-no-more")));
    assert!(said(&output).contains("401"), "{}", said(&output));
    expect_hidden("the simulator", sim.output().as_bytes());
    drop(sim);
    assert!(env.path("state.json").exists());
    expect_none_in_files(&env);
}
