//! When somebody stops it.

use super::{ROSTER, SEED, expect_hidden, expect_none_in_files};
use crate::env::{Env, workspace};
use crate::running::{Gate, Running};
use http::Method;

/// A single change, so that it is the one at which the run is stopped.
const ONE_CHANGE: &str =
    "version: 1\nworkspace: acme\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n";

fn start(env: &Env, arguments: &[&str], target: &str) -> Running {
    let all = [arguments, &["--target", target, "--journal", "runs.jsonl", "-vvv"]].concat();
    Running::spawn(env.command(&all).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"))
}

#[test]
fn in_the_middle_of_a_run() {
    // Not QUIT, which the system treats like ABRT: what a script starts in the background inherits deafness to it.
    for signals in [&["INT"][..], &["TERM"], &["INT", "INT"], &["ABRT"], &["KILL"]] {
        let (env, live) = (Env::new(), workspace(SEED, &[]));
        env.write("roster.yaml", ONE_CHANGE);
        let gate = Gate::before(&live);
        gate.shut(Method::PATCH);
        let run = start(&env, &["apply", "roster.yaml", "--yes"], &gate.target);
        gate.expect_visitor();
        expect_none_in_files(&env);
        run.signal(signals[0]);
        let end = match signals {
            ["INT" | "TERM"] => {
                run.expect_line(&["Stopping"]);
                gate.open();
                Some(0)
            }
            ["INT", again] => {
                run.expect_line(&["Stopping"]);
                run.signal(again);
                Some(4)
            }
            // It is the system that ends it.
            _ => None,
        };
        let output = run.expect_end_or_signal(end);
        assert!(output.contains("TRACE"), "nothing is logged: {output}");
        expect_hidden(&format!("{signals:?}"), output.as_bytes());
        expect_none_in_files(&env);
    }
}

#[test]
fn while_a_daemon_runs() {
    for more in [&[][..], &["--observe"]] {
        let (env, live) = (Env::new(), workspace(SEED, &[]));
        env.write("roster.yaml", ROSTER);
        let daemon = start(&env, &[&["daemon", "roster.yaml"], more].concat(), &live.target);
        daemon.expect_line(&["Round 1: "]);
        env.write("roster.yaml", ROSTER.replace("title", "titel"));
        daemon.signal("HUP");
        daemon.expect_line(&["the last good one stays in force"]);
        daemon.expect_line(&["Round 2: "]);
        daemon.signal("TERM");
        let output = daemon.expect_end_or_signal(Some(0));
        assert!(output.contains("TRACE"), "nothing is logged: {output}");
        expect_hidden(&format!("{more:?}"), output.as_bytes());
        expect_none_in_files(&env);
    }
}

#[test]
fn when_a_daemon_is_told_twice() {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let gate = Gate::before(&live);
    gate.shut(Method::PATCH);
    let daemon = start(&env, &["daemon", "roster.yaml"], &gate.target);
    gate.expect_visitor();
    daemon.signal("TERM");
    daemon.expect_line(&["Stopping"]);
    daemon.signal("TERM");
    expect_hidden("a daemon", daemon.expect_end_or_signal(Some(4)).as_bytes());
    expect_none_in_files(&env);
}
