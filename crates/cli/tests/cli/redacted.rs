//! `snapshot --redact`, and what can be done with such a file.

use crate::env::{Env, workspace};
use serde_json::Value;

const SEED: &str = r#"{ "workspace": "acme", "users": [
    { "id": "U1", "userName": "ada", "email": "ada@acme.example", "title": "Engineer", "phone": "+44 20 7946 0001", "manager": "bob" },
    { "id": "U2", "userName": "bob", "email": "bob@acme.example", "title": "ask ada@acme.example", "address": { "locality": "London" } },
    { "id": "U3", "userName": "cy", "email": "cy@private.example", "mobilePhone": "+44 7700 900003" },
    { "id": "U4", "userName": "robot", "email": "botuser-T1-A1@slack-bots.com", "kind": "bot" } ],
  "groups": [ { "id": "S1", "displayName": "eng", "members": ["ada", "cy", "robot"] } ] }"#;
const ROSTER: &str = r#"
version: 1
workspace: acme
policy: { unlisted: { users: deactivate }, protect: { users: ["*@private.example"] } }
users:
  - { userName: ada, email: ada@acme.example, title: Staff Engineer, phone: "+44 20 7946 0001", manager: bob }
  - { userName: bob, email: Bob@acme.example, title: ask ada@acme.example, address: { locality: London } }
groups:
  - { displayName: eng, members: [ada, bob] }
"#;

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_pull_request_sees_the_plan_and_no_address_or_phone() {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let target = ["--target", &live.target[..]];
    let ran =
        env.run(&[&["snapshot", "--redact", "--out", "directory.json"], &target[..]].concat()).expect_code(0);
    assert!(ran.stderr.contains("Wrote 4 users and 1 groups"), "{ran:?}");
    let file = std::fs::read_to_string(env.path("directory.json")).unwrap();
    for secret in ["@acme.example", "@private.example", "7946", "7700", "London", "gravatar", "T1-A1"] {
        assert!(!file.contains(secret), "{secret} in {file}");
    }
    let printed = env.run(&[&["snapshot", "--redact"], &target[..]].concat()).expect_code(0).stdout;
    assert!(json(&printed)["redaction"]["salt"] != json(&file)["redaction"]["salt"], "a salt is used once");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(env.path("directory.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    let plan = |more: &[&str]| {
        let all = [&["plan", "roster.yaml", "--format", "json"], more].concat();
        json(&env.run(&all).expect_code(0).stdout)
    };
    let (whole, redacted) = (plan(&target), plan(&["--against", "directory.json"]));
    assert_eq!(whole["digest"], redacted["digest"]);
    assert_eq!(whole["changes"], redacted["changes"]);
    assert!(!whole["changes"].as_array().unwrap().is_empty());
    let note = &redacted["notes"][0];
    assert_eq!(note["code"], "redacted");
    assert!(note["message"].as_str().unwrap().contains("1 account has an address"), "{note}");
    assert!(!whole["notes"].to_string().contains("\"redacted\""));
}

#[test]
fn a_plan_that_shows_a_pseudonym_is_refused_as_stale_and_any_other_is_applied() {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    let target = ["--target", &live.target[..]];
    drop(
        env.run(&[&["snapshot", "--redact", "--out", "directory.json"], &target[..]].concat()).expect_code(0),
    );
    let cases = [
        ("users:\n  - { userName: ada, email: ada@acme.example, title: Head }\n", 0),
        ("users:\n  - { userName: cy, email: cy@acme.example }\n", 5),
    ];
    for (users, code) in cases {
        env.write("roster.yaml", format!("version: 1\n{users}"));
        drop(
            env.run(&["plan", "roster.yaml", "--against", "directory.json", "--out", "plan.json"])
                .expect_code(0),
        );
        drop(
            env.run(&[&["apply", "roster.yaml", "--plan", "plan.json"], &target[..]].concat())
                .expect_code(code),
        );
    }
    let emails = live.simulator.look(|world| world.user("cy").unwrap().email.clone());
    assert_eq!(emails, "cy@private.example");
}

#[test]
fn it_is_the_seed_of_a_simulator_even_with_managers_and_members_who_are_hidden_or_elsewhere() {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    let target = ["--target", &live.target[..]];
    drop(
        env.run(&[&["snapshot", "--redact", "--out", "directory.json"], &target[..]].concat()).expect_code(0),
    );
    let mut file = json(&std::fs::read_to_string(env.path("directory.json")).unwrap());
    file["users"][0]["manager"] = file["users"][1]["email"].clone();
    file["groups"][0]["members"].as_array_mut().unwrap().push("S9".into());
    env.write("edited.json", file.to_string());
    for seed in ["directory.json", "edited.json"] {
        let again = json(&env.run(&["snapshot", "--simulate", seed]).expect_code(0).stdout);
        let names = |document: &Value| {
            let users = document["users"].as_array().unwrap().iter();
            users
                .map(|user| (user["userName"].clone(), user["email"].clone(), user["kind"].clone()))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(&again), names(&file));
        assert_eq!(again["groups"][0]["members"], serde_json::json!(["U1", "U3", "U4"]));
    }
}
