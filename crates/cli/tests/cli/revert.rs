//! `rosterctl revert`, over real HTTP.

use crate::env::{Env, Ran, Workspace, mask_ports, workspace};
use insta::assert_snapshot;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The workspace as a run left it: Ada was retitled, Bob deactivated and taken out of `eng`, Dee created.
const SEED: &str = r#"{
  "workspace": "acme",
  "users": [
    { "id": "U0ADA", "userName": "ada", "email": "ada@acme.example", "title": "Queen" },
    { "id": "U0BOB", "userName": "bob", "email": "bob@acme.example", "active": false },
    { "id": "U0CY", "userName": "cy", "email": "cy@acme.example", "title": "Clerk" },
    { "id": "U0DEE", "userName": "dee", "email": "dee@acme.example" }
  ],
  "groups": [ { "id": "S0ENG", "displayName": "eng", "members": ["ada", "cy"] } ]
}"#;

/// Long ago, so that it does not count towards the limits of today.
const RUN: &str = "20200123T144000Z-0001";

struct Scene {
    env: Env,
    workspace: Workspace,
}

/// A record of the journal.
fn record(run: &str, event: &Value) -> String {
    let mut line = json!({ "v": 1, "at": "2020-01-23T14:40:00Z", "run": run });
    line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
    line.to_string() + "\n"
}

fn begin(run: &str, target: &str) -> String {
    let begin = json!({
        "event": "begin", "rosterctl": "0.1.0", "target": target, "workspace": "acme", "digest": "28bb",
        "approved": false, "changes": 4
    });
    record(run, &begin)
}

fn change(number: usize, kind: &str, target: &str, name: &str, before: &Value, after: &Value) -> String {
    record(
        RUN,
        &json!({ "event": "intent", "change": number, "kind": kind, "target": target, "name": name, "before": before, "after": after }),
    )
}

fn took(number: usize, id: Option<&str>) -> String {
    let mut event = json!({ "event": "outcome", "change": number, "ending": "took" });
    if let Some(id) = id {
        event["id"] = json!(id);
    }
    record(RUN, &event)
}

impl Scene {
    fn new() -> Self {
        let (env, workspace) = (Env::new(), workspace(SEED, &[]));
        let journal = [
            begin(RUN, &workspace.target),
            change(1, "updateGroup", "S0ENG", "eng", &json!({ "members": ["U0BOB"] }), &json!({})),
            took(1, None),
            change(
                2,
                "deactivateUser",
                "U0BOB",
                "bob",
                &json!({ "active": true }),
                &json!({ "active": false }),
            ),
            took(2, None),
            change(
                3,
                "createUser",
                "@user:dee",
                "dee",
                &json!({}),
                &json!({ "active": true, "userName": "dee", "email": "dee@acme.example" }),
            ),
            took(3, Some("U0DEE")),
            // Killed before the outcome was known.
            change(
                4,
                "updateUser",
                "U0ADA",
                "ada",
                &json!({ "title": "Engineer" }),
                &json!({ "title": "Queen" }),
            ),
        ];
        env.write("journal.jsonl", journal.concat());
        env.write(
            "roster.yaml",
            "version: 1\nworkspace: acme\nusers: [{ userName: cy, email: cy@acme.example }]\n",
        );
        Self { env, workspace }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let all: Vec<&str> = ["revert", "journal.jsonl"]
            .iter()
            .chain(arguments)
            .copied()
            .chain(["--target", &self.workspace.target])
            .collect();
        self.env.run(&all)
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.env.path("journal.jsonl")).unwrap()
    }
}

/// What was printed, with what differs from run to run masked.
fn shown(ran: &Ran) -> String {
    let mut text = format!("{}[stderr]\n{}[exit {}]\n", ran.stdout, ran.stderr, ran.code);
    for word in text.clone().split_whitespace().filter(|word| word.len() == 64) {
        text = text.replace(word, "[DIGEST]");
    }
    mask_ports(&text)
}

#[test]
fn nobody_there_and_no_yes_is_a_plan_and_nothing_more() {
    let scene = Scene::new();
    let journal = scene.journal();
    assert_snapshot!(shown(&scene.run(&["roster.yaml"])));
    scene.workspace.expect_untouched();
    assert_eq!(scene.journal(), journal, "a plan is not recorded");
    let json: Value = serde_json::from_str(&scene.run(&["--format", "json"]).expect_code(0).stdout).unwrap();
    assert_eq!(json["notes"][0]["code"], "undoes");
    assert_eq!(json["changes"].as_array().unwrap().len(), 4);
}

#[test]
fn yes_carries_it_out_records_it_and_leaves_nothing_to_undo() {
    let scene = Scene::new();
    let ran = scene.run(&["roster.yaml", "--yes"]).expect_code(0);
    assert!(ran.stdout.contains("Read back: in sync"), "{}", ran.stdout);
    scene.workspace.simulator.look(|world| {
        assert_eq!(world.user("ada").unwrap().title, "Engineer");
        assert!(world.user("bob").unwrap().active);
        assert!(!world.user("dee").unwrap().active);
        assert_eq!(world.member_names("S0ENG"), ["ada", "cy", "bob"]);
    });
    let records: Vec<Value> =
        scene.journal().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let begun = records.iter().rfind(|record| record["event"] == "begin").unwrap();
    assert_eq!(begun["undoes"], RUN);
    assert_eq!(records.last().unwrap()["event"], "end");

    // The revert is not undone by running the command again, but by naming it.
    scene.workspace.simulator.clear_requests();
    assert_snapshot!(shown(&scene.run(&["roster.yaml", "--yes"])));
    let markdown = scene.run(&["roster.yaml", "--format", "markdown"]).expect_code(0);
    assert!(markdown.stdout.starts_with("### Nothing to undo"), "{}", markdown.stdout);
    scene.workspace.expect_untouched();
    let id = begun["run"].as_str().unwrap().to_owned();
    drop(scene.run(&["--run", &id, "--yes"]).expect_code(0));
    scene.workspace.simulator.look(|world| {
        assert_eq!(world.user("ada").unwrap().title, "Queen");
        assert!(!world.user("bob").unwrap().active && world.user("dee").unwrap().active);
    });
}

#[test]
fn a_rehearsal_on_a_simulator_touches_neither_the_service_nor_the_journal() {
    let scene = Scene::new();
    scene.env.write("slack.json", SEED);
    let journal = scene.journal();
    let ran = scene.env.run(&["revert", "journal.jsonl", "--simulate", "slack.json", "--yes"]).expect_code(0);
    assert!(ran.stdout.contains("Read back: in sync"), "{}", ran.stdout);
    assert_eq!(scene.journal(), journal);
    scene.workspace.expect_unasked();
}

#[test]
fn a_limit_blocks_it_and_its_own_digest_lets_it_pass() {
    let scene = Scene::new();
    scene.env.write("policy.yaml", "limits: { deactivateUsers: 0 }\n");
    let policy = ["--policy", "policy.yaml", "--yes"];
    let json: Value = serde_json::from_str(
        &scene.run(&[&policy[..], &["--format", "json"]].concat()).expect_code(3).stdout,
    )
    .unwrap();
    scene.workspace.expect_untouched();
    let digest = json["digest"].as_str().unwrap();
    let wrong = digest.replace(['0', '1'], "2");
    let refused = scene.run(&[&policy[..], &["--approve", &wrong]].concat()).expect_code(3);
    assert!(refused.stderr.contains(digest), "{}", refused.stderr);
    scene.workspace.expect_untouched();
    drop(scene.run(&[&policy[..], &["--approve", digest]].concat()).expect_code(0));
    assert!(scene.journal().contains("\"approved\":true"));
}

#[test]
fn whoever_the_roster_protects_or_does_not_manage_is_left_alone() {
    let scene = Scene::new();
    scene.env.write(
        "roster.yaml",
        "version: 1\npolicy: { protect: { users: [ada] } }\nusers: [{ userName: dee, email: dee@acme.example, managed: false }]\n",
    );
    let ran = scene.run(&["roster.yaml", "--yes"]).expect_code(0);
    assert!(
        ran.stdout.contains("protected by the policy, so left as the run left them: ada [protected]"),
        "{}",
        ran.stdout
    );
    scene.workspace.simulator.look(|world| {
        assert_eq!(world.user("ada").unwrap().title, "Queen");
        assert!(world.user("dee").unwrap().active && world.user("bob").unwrap().active);
    });
}

#[test]
fn what_cannot_be_undone_at_all_is_refused_with_nothing_written() {
    let scene = Scene::new();
    let journal = scene.journal();
    let mut said = String::new();
    let mut say = |what: &str, ran: Ran| {
        writeln!(said, "{what}:\n{}[exit {}]\n", ran.stderr, ran.code).unwrap();
    };
    say("unknown run", scene.run(&["--run", "nonesuch"]));
    scene
        .env
        .write("journal.jsonl", journal.replace(&scene.workspace.target, "https://api.slack.com/scim/v2"));
    say("another service", scene.run(&["--yes"]));
    scene.env.write("journal.jsonl", journal.replace("\"workspace\":\"acme\"", "\"workspace\":\"umbrella\""));
    say("another workspace", scene.run(&["--yes"]));
    scene.env.write("journal.jsonl", begin(RUN, &scene.workspace.target));
    say("a run that did nothing", scene.run(&["--yes"]));
    scene.env.write("journal.jsonl", "no journal\n");
    say("no journal", scene.run(&["--yes"]));
    std::fs::remove_file(scene.env.path("journal.jsonl")).unwrap();
    say("no file", scene.run(&["--yes"]));
    scene.env.write("journal.jsonl", &journal);
    scene.env.write("policy.yaml", "limit: {}\n");
    say("a policy with a mistake", scene.run(&["--policy", "policy.yaml", "--yes"]));
    scene.workspace.expect_untouched();
    assert_snapshot!(mask_ports(&said));
}

/// A run that retitled somebody at another service, later than the others.
fn later(target: &Value) -> String {
    let own = |event: Value| record("20200124T144000Z-0002", &event);
    [
        own(json!({ "event": "begin", "rosterctl": "0.1.0", "target": target, "workspace": "acme", "digest": "28bb", "approved": false, "changes": 1 })),
        own(json!({ "event": "intent", "change": 1, "kind": "updateUser", "target": "U0CY", "name": "cy", "before": { "title": "Boss" }, "after": { "title": "Clerk" } })),
        own(json!({ "event": "outcome", "change": 1, "ending": "took" })),
        own(json!({ "event": "end", "success": true, "readBack": "inSync" })),
    ]
    .concat()
}

#[test]
fn a_later_run_on_another_service_or_a_simulator_is_passed_over_and_named() {
    for target in [json!("https://scim.example/v2"), Value::Null] {
        let scene = Scene::new();
        scene.env.write("journal.jsonl", scene.journal() + &later(&target));
        let ran = scene.run(&["--yes"]).expect_code(0);
        let passed = "Passing over the later run 20200124T144000Z-0002, which wrote to ";
        assert!(ran.stderr.contains(passed), "{ran:?}");
        let title =
            |who: &str| scene.workspace.simulator.look(|world| world.user(who).unwrap().title.clone());
        assert_eq!((title("ada"), title("cy")), ("Engineer".into(), "Clerk".into()));

        // One that is named is not, and nobody else's service is asked.
        scene.workspace.simulator.clear_requests();
        let ran = scene.run(&["--yes", "--run", "20200124T144000Z-0002"]).expect_code(1);
        let way = if target.is_null() { "--simulate SNAPSHOT" } else { "--target https://scim.example/v2" };
        assert!(ran.stderr.contains(way) && ran.stderr.contains("--run"), "{ran:?}");
        scene.workspace.expect_unasked();
    }
}

#[test]
fn a_rehearsal_is_not_recorded_where_only_the_variable_names_a_journal() {
    let scene = Scene::new();
    scene.env.write("slack.json", SEED);
    scene
        .env
        .write("title.yaml", "version: 1\nusers: [{ userName: cy, email: cy@acme.example, title: Boss }]\n");
    let journal = scene.journal();
    let run = |arguments: &[&str]| {
        let mut command = scene.env.command(arguments);
        assert!(command.env("ROSTERCTL_JOURNAL", "journal.jsonl").output().unwrap().status.success());
    };
    let rehearsal = ["--yes", "--simulate", "slack.json"];
    run(&[&["apply", "title.yaml"], &rehearsal[..]].concat());
    run(&[&["revert", "journal.jsonl"], &rehearsal[..]].concat());
    assert_eq!(scene.journal(), journal);
    run(&[&["apply", "title.yaml", "--journal", "rehearsals.jsonl"], &rehearsal[..]].concat());
    assert!(scene.env.path("rehearsals.jsonl").exists());
    run(&["apply", "title.yaml", "--yes", "--target", &scene.workspace.target]);
    assert_ne!(scene.journal(), journal, "a run on the service is");
}

#[test]
fn a_journal_that_is_torn_is_read_up_to_there() {
    let scene = Scene::new();
    let whole = scene.journal();
    scene.env.write("journal.jsonl", &whole[..whole.len() - 30]);
    let ran = scene.run(&["--yes"]).expect_code(0);
    assert!(ran.stderr.contains("cut short"), "{}", ran.stderr);
    scene.workspace.simulator.look(|world| {
        assert!(world.user("bob").unwrap().active && !world.user("dee").unwrap().active);
        assert_eq!(world.user("ada").unwrap().title, "Queen", "its intent is not known");
    });
    assert!(scene.journal().starts_with(&whole[..whole.len() - 30]), "what is there is never changed");
}

#[test]
fn no_name_in_a_journal_acts_when_it_is_undone() {
    let scene = Scene::new();
    let nasty = "\u{1b}[31m\n::error::x ##[error]y \u{202e}<script> @channel";
    let journal = [
        begin(RUN, &scene.workspace.target),
        change(1, "updateUser", "UGONE", nasty, &json!({ "title": nasty }), &json!({ "title": "x" })),
        change(2, "updateUser", "U0ADA", nasty, &json!({ "title": "x" }), &json!({ "title": nasty })),
        change(3, "updateUser", "U0CY", nasty, &json!({ "title": nasty }), &json!({ "title": "Clerk" })),
    ];
    scene.env.write("journal.jsonl", journal.concat());
    for format in ["text", "markdown", "json"] {
        let shown = scene.run(&["--format", format]).expect_code(0);
        for text in [shown.stdout, shown.stderr] {
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{format}: {text}");
            assert!(text.lines().all(|line| !line.trim_start().starts_with("::error")), "{format}: {text}");
        }
    }
}
