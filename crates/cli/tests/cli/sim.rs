//! `rosterctl sim`: a workspace to try things on.

use crate::env::Env;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

/// A running `rosterctl sim`; it is ended when dropped.
struct Sim {
    child: Child,
    target: String,
}

impl Sim {
    fn start(env: &Env, arguments: &[&str]) -> Self {
        let all: Vec<&str> = ["sim", "--listen", "127.0.0.1:0"].iter().chain(arguments).copied().collect();
        let mut child = env.command(&all).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        let start = line.find("http://").unwrap_or_else(|| panic!("no address: {line}"));
        let target = line[start..].split_whitespace().next().unwrap().to_owned();
        Self { child, target }
    }

    /// Interrupts it as Ctrl-C does and waits for its end.
    fn interrupt(mut self) {
        let id = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

const SEED: &str = r#"{ "users": [ { "userName": "ada", "email": "ada@acme.example" } ] }"#;
const ROSTER: &str = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n  \
                      - { userName: bob, email: bob@acme.example }\n";

fn users(env: &Env, target: &str) -> Vec<Value> {
    let printed = env.run(&["snapshot", "--target", target]).expect_code(0).stdout;
    let snapshot: Value = serde_json::from_str(&printed).unwrap();
    snapshot["users"].as_array().unwrap().clone()
}

#[cfg(unix)]
#[test]
fn a_state_file_keeps_what_happened_across_a_restart() {
    let env = Env::new();
    env.write("seed.json", SEED);
    env.write("roster.yaml", ROSTER);
    let arguments = ["--seed", "seed.json", "--state", "state.json"];
    let first = Sim::start(&env, &arguments);
    drop(env.run(&["apply", "roster.yaml", "--yes", "--target", &first.target]).expect_code(0));
    let before = users(&env, &first.target);
    first.interrupt();

    let second = Sim::start(&env, &arguments);
    assert_eq!(users(&env, &second.target), before);
    assert_eq!(before.len(), 2);
    let plan = env.run(&["plan", "roster.yaml", "--detailed-exitcode", "--target", &second.target]);
    drop(plan.expect_code(0));
}

#[test]
fn a_token_lets_nobody_else_in() {
    let env = Env::new();
    env.write("seed.json", SEED);
    env.write("roster.yaml", ROSTER);
    env.write("right", "right-token");
    let sim = Sim::start(&env, &["--seed", "seed.json", "--token", "right-token"]);
    let target = &sim.target[..];
    let refused = env.run(&["plan", "roster.yaml", "--target", target]).expect_code(1);
    assert!(refused.stderr.contains("invalid_authentication"), "{}", refused.stderr);
    drop(env.run(&["plan", "roster.yaml", "--token-file", "right", "--target", target]).expect_code(0));
}

#[test]
fn switches_and_the_plain_dialect_can_be_chosen() {
    let env = Env::new();
    env.write("seed.json", SEED);
    env.write("roster.yaml", ROSTER);
    let free = Sim::start(&env, &["--seed", "seed.json", "--set", "plan=free"]);
    let refused = env.run(&["plan", "roster.yaml", "--target", &free.target]).expect_code(1);
    assert!(refused.stderr.contains("Business+"), "{}", refused.stderr);

    let plain = Sim::start(&env, &["--seed", "seed.json", "--rfc"]);
    let apply = ["apply", "roster.yaml", "--yes", "--dialect", "rfc", "--target", &plain.target];
    assert!(env.run(&apply).expect_code(0).stdout.contains("in sync"));
    drop(
        env.run(&[
            "plan",
            "roster.yaml",
            "--detailed-exitcode",
            "--dialect",
            "rfc",
            "--target",
            &plain.target,
        ])
        .expect_code(0),
    );
}
