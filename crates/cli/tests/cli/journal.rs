//! `rosterctl history`: a journal as people and programs read it, and what is no journal.

use crate::env::{Env, workspace};
use crate::running::{Gate, Running};
use http::Method;
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// A run of two changes, one line for each record.
fn run(id: &str, name: &str, minute: usize) -> Vec<String> {
    let record = |second: usize, event: Value| {
        let mut line = json!({ "v": 1, "at": format!("2026-11-23T14:{minute:02}:{second:02}Z"), "run": id });
        line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
        line.to_string()
    };
    vec![
        record(
            0,
            json!({ "event": "begin", "rosterctl": "0.1.0", "target": "https://api.slack.com/scim/v2", "workspace": "acme", "digest": "28bb", "approved": false, "changes": 2 }),
        ),
        record(
            0,
            json!({ "event": "intent", "change": 1, "kind": "createUser", "target": "@user:eve", "name": "eve", "before": {}, "after": { "userName": "eve", "email": "eve@acme.example", "active": true } }),
        ),
        record(
            0,
            json!({ "event": "intent", "change": 2, "kind": "updateGroup", "target": "S0ENG", "name": name, "before": { "members": ["U0KIM"] }, "after": {} }),
        ),
        record(1, json!({ "event": "outcome", "change": 1, "ending": "took", "id": "U0EVE" })),
        record(2, json!({ "event": "outcome", "change": 2, "ending": "refused", "detail": name })),
        record(4, json!({ "event": "end", "success": false, "readBack": "differs" })),
    ]
}

fn lines(runs: &[Vec<String>]) -> String {
    runs.iter().flatten().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").unwrap();
        text
    })
}

#[test]
fn runs_are_listed_and_the_last_or_the_chosen_one_is_shown() {
    let env = Env::new().without_token();
    let mut killed = run("20261123T145000Z-0002", "engineering", 50);
    killed.truncate(4);
    env.write("journal", lines(&[run("20261123T144000Z-0001", "engineering", 40), killed]));
    assert_snapshot!(env.transcript(&[
        &["history", "journal"],
        &["history", "journal", "--run", "20261123T144000Z-0001", "--format", "markdown"],
        &["history", "journal", "--run", "20261123T144000Z-9999"],
    ]));
    let json = env.run(&["history", "journal", "--format", "json"]).expect_code(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["runs"][0]["outcome"], "differs");
    assert_eq!(json["runs"][1]["outcome"], "killed");
    assert_eq!(json["run"], "20261123T145000Z-0002");
    assert_eq!(json["changes"][0]["created"], "U0EVE");
}

#[test]
fn what_cannot_be_read_is_said_with_the_line() {
    let env = Env::new().without_token();
    let whole = lines(&[run("a", "engineering", 40)]);
    env.write("empty", "");
    env.write("torn", &whole[..whole.len() - 30]);
    env.write("newer", whole.replace("\"v\":1", "\"v\":2"));
    env.write("edited", whole.replacen("\"change\":2", "\"change\":1", 1));
    env.write("roster.yaml", "version: 1\nusers: []\n");
    env.write("bytes", b"\xff\xfe\x00");
    std::fs::create_dir(env.path("folder")).unwrap();
    assert_snapshot!(env.transcript(&[
        &["history", "empty"],
        &["history", "torn"],
        &["history", "newer"],
        &["history", "edited"],
        &["history", "roster.yaml"],
        &["history", "bytes"],
        &["history", "folder"],
        &["history", "missing"],
    ]));
}

#[test]
fn no_name_in_a_journal_acts() {
    let env = Env::new().without_token();
    let nasty = "\u{1b}[31m\n::error::x ##[error]y \u{202e}<script> @channel";
    env.write("journal", lines(&[run(nasty, nasty, 40)]));
    for format in ["text", "markdown", "json"] {
        let shown = env.run(&["history", "journal", "--format", format]).expect_code(0).stdout;
        assert!(!shown.contains(['\u{1b}', '\u{202e}']) && !shown.contains("##["), "{shown}");
        assert!(!shown.lines().any(|line| line.trim_start().starts_with("::")), "{shown}");
    }
}

#[test]
fn a_run_whose_time_was_up_is_not_said_to_have_been_stopped_by_somebody() {
    let people = |title: &str| {
        let one = |n| {
            format!("{{ \"userName\": \"p{n}\", \"email\": \"p{n}@acme.example\", \"title\": \"{title}\" }}")
        };
        (0..60).map(one).collect::<Vec<_>>().join(", ")
    };
    let (env, workspace) = (Env::new(), workspace(&format!("{{ \"users\": [{}] }}", people("old")), &[]));
    env.write("roster.yaml", format!("version: 1\nusers: [{}]\n", people("new")));
    let gate = Gate::before(&workspace);
    gate.shut(Method::PATCH);
    let arguments = ["apply", "roster.yaml", "--yes", "--timeout", "5s", "--journal", "journal.jsonl"];
    let apply = Running::start(&env, &[&arguments[..], &["--target", &gate.target]].concat());
    apply.expect_line(&["The time is up"]);
    gate.open();
    let output = apply.expect_end(4);
    assert!(output.contains("The run was stopped because its time was up."), "{output}");
    let history = env.run(&["history", "journal.jsonl", "--format", "json"]).expect_code(0).stdout;
    let history: Value = serde_json::from_str(&history).unwrap();
    assert_eq!(history["runs"][0]["stopped"], "the run was stopped because its time was up");
}
