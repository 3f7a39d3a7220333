//! The token is in nothing that rosterctl writes: whatever the command, whatever goes wrong, however much is logged.

mod answers;
mod commands;
mod network;
mod places;
#[cfg(unix)]
mod stopped;
mod tls;

use crate::env::{CANARY, Env, workspace};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SEED: &str = r#"{ "workspace": "acme", "users": [
    { "id": "U1", "userName": "ada", "email": "ada@acme.example" },
    { "id": "U2", "userName": "bob", "email": "bob@acme.example", "title": "Clerk" } ],
  "groups": [ { "id": "S1", "displayName": "eng", "members": ["ada", "bob"] } ] }"#;
const ROSTER: &str = "version: 1\nworkspace: acme\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n  \
                      - { userName: eve, email: eve@acme.example }\ngroups:\n  - { displayName: eng, members: [ada, eve] }\n";

/// Every command that talks to a service, with the files that it wants, in every format that it has.
const COMMANDS: &[&[&str]] = &[
    &["plan", "roster.yaml"],
    &["plan", "roster.yaml", "--out", "made.json", "--format", "json", "--journal", "runs.jsonl"],
    &["plan", "roster.yaml", "--diff", "--full"],
    &["plan", "roster.yaml", "--format", "markdown", "--only", "ada"],
    &["snapshot"],
    &["snapshot", "--redact"],
    &["snapshot", "--out", "made-snapshot.json", "--redact"],
    &["apply", "roster.yaml", "--yes"],
    &["apply", "roster.yaml", "--yes", "--format", "json", "--journal", "runs.jsonl"],
    &["apply", "roster.yaml", "--yes", "--format", "markdown"],
    &["apply", "roster.yaml", "--plan", "plan.json"],
    &["revert", "runs.jsonl", "--yes"],
    &["revert", "runs.jsonl", "roster.yaml", "--yes", "--format", "json"],
    &["revert", "runs.jsonl", "--yes", "--format", "markdown"],
];

/// What must not be found: the token, either half of it, and what is left of it in the usual codes.
fn needles() -> Vec<String> {
    let mut needles =
        vec![CANARY.to_owned(), CANARY.to_uppercase(), "canary-7f3e91".to_owned(), "7f3e91".to_owned()];
    let hex = CANARY.bytes().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    needles.push(hex.to_uppercase());
    needles.push(hex);
    needles.push(CANARY.replace('-', "%2D"));
    needles.push(CANARY.chars().rev().collect());
    // Base64 at each of the three positions it may have in a longer text, without what depends on its neighbours.
    for shift in 0..3 {
        let padded = [&b"\0\0\0"[..shift], CANARY.as_bytes()].concat();
        let whole = padded.len() / 3 * 3;
        let text = base64(&padded[..whole]);
        needles.push(text[[0, 2, 3][shift]..].to_owned());
    }
    needles
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks_exact(3)
        .flat_map(|three| {
            let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
            [18, 12, 6, 0].map(|shift| char::from(DIGITS[(bits >> shift & 63) as usize]))
        })
        .collect()
}

#[track_caller]
fn expect_hidden(what: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for needle in needles() {
        assert!(!text.contains(&needle), "{what} holds {needle}:\n{text}");
    }
}

/// Runs a command with everything logged, and looks for the token in what it says and what it leaves behind.
#[track_caller]
fn check(env: &Env, command: &mut Command) -> Output {
    let name = format!("{command:?}");
    let output = command.env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full").output().unwrap();
    expect_hidden(&name, &output.stdout);
    expect_hidden(&name, &output.stderr);
    expect_none_in_files(env);
    assert!(output.status.code().is_some_and(|code| code != 101), "{name} panics");
    output
}

/// Looks for the token in all that the commands have left behind: plans, journals, snapshots, locks.
#[track_caller]
fn expect_none_in_files(env: &Env) {
    for file in files(&env.path("")) {
        // Where the token is kept on purpose, and what leads there.
        let kept = ["token", "pasted", "linked"];
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !kept.iter().any(|kept| name.starts_with(kept)) {
            expect_hidden(&file.display().to_string(), &std::fs::read(&file).unwrap());
        }
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// A place with a roster, and with a plan and a journal of an earlier run of `target`.
fn place() -> Env {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let target = ["--target", &live.target[..]];
    let run = |arguments: &[&str]| drop(env.run(&[arguments, &target].concat()));
    run(&["plan", "roster.yaml", "--out", "plan.json"]);
    run(&["apply", "roster.yaml", "--yes", "--journal", "runs.jsonl"]);
    env
}

/// Every command at a service, with everything logged.
fn check_all_at(env: &Env, target: &str) {
    for arguments in COMMANDS {
        check_one_at(env, arguments, target);
    }
}

/// The same at several where each command waits for its time to be up: a command at each of them, in turn.
fn check_in_turn_at<'a>(targets: impl IntoIterator<Item = &'a str>) {
    let env = place();
    for (target, arguments) in targets.into_iter().zip(COMMANDS.iter().cycle()) {
        check_one_at(&env, arguments, target);
    }
}

fn check_one_at(env: &Env, arguments: &[&str], target: &str) {
    check(env, &mut env.command(&[arguments, &["--target", target, "--timeout", "1s", "-vvv"]].concat()));
}

#[test]
fn the_search_would_find_it() {
    for shift in 0..3 {
        let text = [&b"Bea"[..shift], CANARY.as_bytes(), b"..."].concat();
        let padded = [text.as_slice(), &b"xx"[..(3 - text.len() % 3) % 3]].concat();
        let coded = base64(&padded);
        assert!(needles().iter().any(|needle| coded.contains(needle)), "{coded}");
    }
}
