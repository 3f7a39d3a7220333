//! What each command prints and how it ends when all is well.

use crate::env::{Env, workspace};
use serde_json::Value;

const SEED: &str = r#"{
  "workspace": "acme",
  "users": [
    { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
    { "userName": "bob", "email": "bob@acme.example", "active": false },
    { "userName": "cy", "email": "cy@acme.example", "guest": { "expires": "2027-01-31T23:59:59Z" } }
  ],
  "groups": [ { "displayName": "eng", "members": ["ada", "cy"] } ]
}"#;

const ROSTER: &str = "version: 1
workspace: acme
users:
  - { userName: ada, email: ada@acme.example, title: Staff Engineer, manager: bob }
  - { userName: bob, email: bob@acme.example }
  - { userName: dee, email: dee@acme.example }
groups:
  - { displayName: engineering, formerly: [eng], members: [ada, dee] }
";

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn digest(plan: &Value) -> &str {
    plan["digest"].as_str().expect("a plan has a digest")
}

#[test]
fn plan_tells_by_its_exit_code_whether_there_is_something_to_do_and_touches_nothing() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    env.write(
        "done.yaml",
        "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n",
    );
    let target = &workspace.target[..];
    let plan = |roster| env.run(&["plan", roster, "--detailed-exitcode", "--target", target]);
    drop(plan("roster.yaml").expect_code(2));
    drop(plan("done.yaml").expect_code(0));
    drop(env.run(&["plan", "roster.yaml", "--target", target]).expect_code(0));
    workspace.expect_untouched();
}

#[test]
fn apply_makes_it_so_and_a_second_apply_has_nothing_to_do() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let apply = || env.run(&["apply", "roster.yaml", "--yes", "--target", &workspace.target]).expect_code(0);
    assert!(apply().stdout.contains("in sync"));
    assert_eq!(workspace.simulator.look(|world| world.member_names("engineering").join(" ")), "ada dee");
    assert!(workspace.simulator.look(|world| world.user("bob").unwrap().active));
    workspace.simulator.clear_requests();
    drop(apply());
    workspace.expect_untouched();
}

#[test]
fn a_snapshot_stands_for_the_service_it_was_taken_of() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let target = &workspace.target[..];
    drop(env.run(&["snapshot", "--out", "directory.json", "--target", target]).expect_code(0));
    let live = env.run(&["plan", "roster.yaml", "--format", "json", "--target", target]).expect_code(0);

    // Without token and network, as in a pull request.
    let offline = Env::new().without_token();
    offline.write("roster.yaml", ROSTER);
    offline.write("directory.json", std::fs::read(env.path("directory.json")).unwrap());
    let against = offline
        .run(&["plan", "roster.yaml", "--format", "json", "--against", "directory.json"])
        .expect_code(0);
    assert_eq!(digest(&json(&live.stdout)), digest(&json(&against.stdout)));
    assert_eq!(json(&live.stdout)["changes"], json(&against.stdout)["changes"]);
    assert!(live.stdout.contains("/Users") && !json(&live.stdout)["changes"].as_array().unwrap().is_empty());

    // The same bytes on standard output, and from a simulator that was seeded with it.
    let printed = env.run(&["snapshot", "--target", target]).expect_code(0).stdout;
    let written = std::fs::read_to_string(env.path("directory.json")).unwrap();
    assert_eq!(json(&printed)["users"], json(&written)["users"]);
    let again = offline.run(&["snapshot", "--simulate", "directory.json"]).expect_code(0).stdout;
    for key in ["users", "groups"] {
        assert_eq!(without_ids(&json(&again)[key]), without_ids(&json(&written)[key]));
    }
    workspace.expect_untouched();
}

/// The profile URLs name the org, which a snapshot keeps only there.
fn without_ids(list: &Value) -> Value {
    let mut list = list.clone();
    for user in list.as_array_mut().into_iter().flatten() {
        user.as_object_mut().unwrap().remove("profileUrl");
    }
    list
}

#[test]
fn only_narrows_a_plan_to_what_was_named_and_what_it_needs() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let target = &workspace.target[..];
    let names = |only: &[&str]| {
        let mut arguments = vec!["plan", "roster.yaml", "--format", "json", "--target", target];
        arguments.extend(only.iter().flat_map(|name| ["--only", name]));
        let plan = json(&env.run(&arguments).expect_code(0).stdout);
        let changes = plan["changes"].as_array().unwrap().clone();
        let mut names: Vec<String> =
            changes.iter().map(|change| change["name"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&[]), ["ada", "bob", "dee", "engineering"]);
    assert_eq!(names(&["bob"]), ["bob"]);
    assert_eq!(names(&["dee@acme.example"]), ["dee"]);
    assert!(names(&["engineering"]).contains(&"engineering".to_owned()));
    let ran = env.run(&["plan", "roster.yaml", "--only", "nobody", "--target", target]);
    assert_ne!(ran.code, 0, "a name that means nobody must not pass as nothing to do: {ran:?}");
    assert!(ran.stderr.contains("nobody"), "{ran:?}");

    drop(env.run(&["apply", "roster.yaml", "--yes", "--only", "dee", "--target", target]).expect_code(0));
    let (title, dee) = workspace
        .simulator
        .look(|world| (world.user("ada").unwrap().title.clone(), world.user("dee").is_some()));
    assert!(dee && title == "Engineer", "{title}");
}

#[test]
fn every_format_of_a_plan_and_of_a_run_is_whole() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    env.write("seed.json", SEED);
    let run = |arguments: &[&str]| {
        let all: Vec<&str> = arguments.iter().copied().chain(["--simulate", "seed.json"]).collect();
        env.run(&all).expect_code(0)
    };
    let plan = json(&run(&["plan", "roster.yaml", "--format", "json"]).stdout);
    assert_eq!(plan["changes"].as_array().unwrap().len(), 4);
    let markdown = run(&["plan", "roster.yaml", "--format", "markdown"]).stdout;
    assert!(markdown.contains("engineering") && markdown.chars().count() <= 65_536);
    let diff = run(&["plan", "roster.yaml", "--diff"]).stdout;
    assert!(diff.contains("\n-") && diff.contains("\n+"), "{diff}");
    // One document, with the plan and what came of it.
    let report = json(&run(&["apply", "roster.yaml", "--yes", "--format", "json"]).stdout);
    assert!(report.is_object());
    assert!(run(&["apply", "roster.yaml", "--yes", "--format", "markdown"]).stdout.contains("in sync"));
}

#[test]
fn validate_tells_people_and_programs() {
    let env = Env::new().without_token();
    env.write("good.yaml", ROSTER);
    env.write("bad.yaml", "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, titel: x }\n");
    assert!(env.run(&["validate", "good.yaml"]).expect_code(0).stdout.contains("3 people"));
    assert!(env.run(&["validate", "bad.yaml"]).expect_code(1).stderr.contains("bad.yaml:3:"));
    let found = json(&env.run(&["validate", "bad.yaml", "--format", "json"]).expect_code(1).stdout);
    assert!(found.to_string().contains("unknown-key"), "{found}");
    let found = json(&env.run(&["validate", "good.yaml", "--format", "json"]).expect_code(0).stdout);
    assert_eq!((&found["errors"], &found["warnings"]), (&Value::from(0), &Value::from(0)), "{found}");
}

#[test]
fn who_asked_for_a_document_gets_one_also_when_nothing_can_be_planned() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    let person = "{ userName: x, email: x@acme.example, id: U0NOBODY }";
    env.write("conflict.yaml", format!("version: 1\nusers:\n  - {person}\n"));
    env.write(
        "mistake.yaml",
        "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, titel: x }\n",
    );
    for (roster, code) in [("conflict.yaml", "unknown-id"), ("mistake.yaml", "unknown-key")] {
        for command in [&["plan", roster][..], &["apply", roster, "--yes"]] {
            let run = |format| {
                let with = ["--format", format, "--target", &workspace.target];
                let ran = env.run(&[command, &with].concat()).expect_code(1);
                assert!(ran.stderr.contains(&format!("error[{code}]")), "{ran:?}");
                ran.stdout
            };
            assert_eq!(run("text"), "");
            let comment = run("markdown");
            let at = format!("- **Error** `{code}` at `{roster}:3`: ");
            assert!(
                comment.starts_with("### Nothing can be planned\n") && comment.contains(&at),
                "{comment}"
            );
            assert_eq!(json(&run("json"))["diagnostics"][0]["code"], code);
        }
    }
    let ran = env.run(&["validate", "mistake.yaml", "--format", "markdown"]).expect_code(1);
    assert!(ran.stdout.contains("`unknown-key`"), "{ran:?}");
    let ran = env.run(&["validate", "conflict.yaml", "--format", "markdown"]).expect_code(0);
    assert_eq!(ran.stdout, "### No mistakes in the roster\n");
    workspace.expect_untouched();
}

#[test]
fn help_manual_schema_and_completions_are_printed_without_token_or_network() {
    let env = Env::new().without_token();
    let schema = json(&env.run(&["schema"]).expect_code(0).stdout);
    assert!(schema["$schema"].is_string() && schema["properties"]["users"].is_object(), "{schema}");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(env.run(&["completions", shell]).expect_code(0).stdout.contains("rosterctl"), "{shell}");
    }
    assert!(env.run(&["man"]).expect_code(0).stdout.starts_with(".ie"), "no roff");
    let help = env.run(&["--help"]).expect_code(0).stdout;
    for command in ["validate", "plan", "apply", "snapshot", "sim", "schema", "completions", "man"] {
        assert!(help.contains(command), "{command}");
        drop(env.run(&[command, "--help"]).expect_code(0));
    }
    let switches = env.run(&["sim", "--help"]).expect_code(0).stdout;
    for switch in slack_sim::Switches::describe() {
        assert!(switches.contains(switch.name), "{} is not in the help", switch.name);
    }
    assert!(env.run(&["--version"]).expect_code(0).stdout.starts_with("rosterctl "));
}

#[test]
fn a_policy_may_come_from_a_file_of_its_own() {
    let env = Env::new();
    env.write("seed.json", SEED);
    env.write("roster.yaml", ROSTER);
    env.write("policy.yaml", "limits: { createUsers: 0 }\n");
    let ran = env
        .run(&["plan", "roster.yaml", "--policy", "policy.yaml", "--simulate", "seed.json"])
        .expect_code(3);
    assert!(ran.stdout.contains("createUsers"), "{}", ran.stdout);
}
