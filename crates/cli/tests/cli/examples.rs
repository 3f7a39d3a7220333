//! What a newcomer runs first does what the README says.

use crate::env::{CANARY, Env, repository, workspace};

const SEED: &str = "examples/acme/slack.json";

#[test]
fn the_example_company_is_valid_and_of_the_announced_size() {
    let env = Env::new().without_token();
    let ran = env.run_in(&repository(), &["validate", "examples/acme"]).expect_code(0);
    assert_eq!(ran.stderr, "", "it has no warnings either");
    let numbers: Vec<usize> =
        ran.stdout.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect();
    let [people, groups] = numbers[..] else { panic!("{}", ran.stdout) };
    assert!((50..=70).contains(&people) && (11..=14).contains(&groups), "{}", ran.stdout);
}

#[test]
fn the_example_company_is_applied_and_in_sync() {
    let env = Env::new().without_token();
    let arguments = ["apply", "examples/acme", "--simulate", SEED, "--yes"];
    let ran = env.run_in(&repository(), &arguments).expect_code(0);
    let ends_well = ran.stdout.trim_end().trim_end_matches('.').ends_with("in sync");
    assert!(ran.stdout.contains("Plan for acme") && ends_well, "{}", ran.stdout);
    // Every change is told of as it ends.
    assert!(ran.stderr.lines().count() >= 25, "{}", ran.stderr);
}

#[test]
fn a_second_plan_of_the_example_company_is_empty() {
    let env = Env::new();
    let root = repository();
    let live = workspace(&std::fs::read_to_string(root.join(SEED)).unwrap(), &[]);
    let apply = ["apply", "examples/acme", "--yes", "--target", &live.target];
    drop(env.run_in(&root, &apply).expect_code(0));
    live.simulator.clear_requests();
    let plan = ["plan", "examples/acme", "--detailed-exitcode", "--target", &live.target];
    drop(env.run_in(&root, &plan).expect_code(0));
    live.expect_untouched();
    assert!(!live.simulator.to_json().contains(CANARY));
}

#[test]
fn the_plan_of_the_example_company_reads_well() {
    let env = Env::new().without_token();
    let ran = env.run_in(&repository(), &["plan", "examples/acme", "--simulate", SEED]).expect_code(0);
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn the_documented_plan_is_what_the_command_beside_it_prints() {
    let document = std::fs::read_to_string(repository().join("docs/plan-format.md")).unwrap();
    let example = document.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example: serde_json::Value = serde_json::from_str(example).unwrap();
    let command = "plan docs/plan-format/roster.yaml --simulate docs/plan-format/slack.json --format json";
    assert!(document.contains(command));
    let arguments: Vec<&str> = command.split(' ').collect();
    let ran = Env::new().without_token().run_in(&repository(), &arguments).expect_code(3);
    assert_eq!(example, serde_json::from_str::<serde_json::Value>(&ran.stdout).unwrap(), "{}", ran.stdout);
}
