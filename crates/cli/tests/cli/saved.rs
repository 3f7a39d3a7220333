//! Plans that are saved, approved, interrupted and applied, over real HTTP.

use crate::env::{CANARY, Env, Ran, Workspace, workspace};
use serde_json::Value;

const SEED: &str = r#"{
  "workspace": "acme",
  "users": [
    { "id": "U0ADA", "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
    { "id": "U0BOB", "userName": "bob", "email": "bob@acme.example", "active": false },
    { "id": "U0CY", "userName": "cy", "email": "cy@acme.example", "title": "Clerk" },
    { "id": "U0EVE", "userName": "eve", "email": "eve@acme.example" }
  ],
  "groups": [ { "id": "S0ENG", "displayName": "eng", "members": ["ada", "cy"] } ]
}"#;

const ROSTER: &str = "version: 1
workspace: acme
users:
  - { userName: ada, email: ada@acme.example, title: Staff Engineer, manager: dee }
  - { userName: bob, email: bob@acme.example }
  - { userName: dee, email: dee@acme.example, title: Head }
groups:
  - { displayName: engineering, formerly: [eng], members: [ada, dee] }
";

struct Scene {
    env: Env,
    workspace: Workspace,
}

impl Scene {
    fn new() -> Self {
        let (env, workspace) = (Env::new(), workspace(SEED, &[]));
        env.write("roster.yaml", ROSTER);
        Self { env, workspace }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let all: Vec<&str> = arguments.iter().copied().chain(["--target", &self.workspace.target]).collect();
        self.env.run(&all)
    }

    /// With a plan of the roster in `plan.json`.
    fn saved() -> Self {
        let scene = Self::new();
        drop(scene.run(&["plan", "roster.yaml", "--out", "plan.json"]).expect_code(0));
        scene
    }

    fn plan(&self) -> Value {
        json(&std::fs::read_to_string(self.env.path("plan.json")).unwrap())
    }

    fn apply(&self, more: &[&str]) -> Ran {
        let all: Vec<&str> =
            ["apply", "--plan", "plan.json", "roster.yaml"].iter().chain(more).copied().collect();
        self.run(&all)
    }

    fn digest(&self) -> String {
        self.plan()["digest"].as_str().unwrap().to_owned()
    }

    fn title(&self, user: &str) -> String {
        self.workspace.simulator.look(|world| world.user(user).unwrap().title.clone())
    }

    fn members(&self, group: &str) -> String {
        self.workspace.simulator.look(|world| world.member_names(group).join(" "))
    }

    /// Somebody else edits Slack meanwhile.
    fn by_hand(&self, roster: &str) {
        self.env.write("hand.yaml", roster);
        drop(self.run(&["apply", "hand.yaml", "--yes"]).expect_code(0));
        self.workspace.simulator.clear_requests();
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_saved_plan_is_what_json_prints_for_its_owner_only_and_is_applied_without_asking() {
    let scene = Scene::new();
    let ran = scene.run(&["plan", "roster.yaml", "--out", "plan.json"]).expect_code(0);
    assert!(ran.stdout.contains("Plan for acme"), "the plan is printed as well: {ran:?}");
    let printed = scene.run(&["plan", "roster.yaml", "--format", "json"]).expect_code(0).stdout;
    assert_eq!(printed, std::fs::read_to_string(scene.env.path("plan.json")).unwrap());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(scene.env.path("plan.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    scene.workspace.expect_untouched();

    let ran = scene.apply(&[]).expect_code(0);
    assert!(ran.stdout.contains("Nothing of the saved plan is done yet"), "{ran:?}");
    assert_eq!(
        (scene.title("ada"), scene.members("engineering")),
        ("Staff Engineer".into(), "ada dee".into())
    );

    scene.workspace.simulator.clear_requests();
    let ran = scene.apply(&[]).expect_code(0);
    assert!(ran.stdout.contains("done already"), "{ran:?}");
    scene.workspace.expect_untouched();
}

#[test]
fn the_command_that_is_offered_applies_the_plan_as_it_was_made() {
    let scene = Scene::new();
    let (env, target) = (&scene.env, &scene.workspace.target[..]);
    env.write("kept token", CANARY);
    env.write("policy.yaml", "limits: { createUsers: 1, removeMembers: 0 }\n");
    let bound = ["--token-file", "kept token", "--budget", "50%", "--journal", "journal.jsonl"];
    let bounds = [&["--target", target, "--policy", "policy.yaml"][..], &bound].concat();
    drop(scene.run(&["snapshot", "--out", "directory.json"]).expect_code(0));
    env.write("seed.json", SEED);
    let offered = |more: &[&str]| {
        let plan = [&["plan", "roster.yaml", "--out", "plan.json"], more].concat();
        let ran = env.run(&plan);
        ran.stderr.lines().last().unwrap().trim_start().to_owned()
    };

    let digest = |line: &str| line.split_whitespace().find(|word| word.len() == 64).unwrap().to_owned();
    let line = offered(&bounds);
    let expected = format!(
        "rosterctl apply --plan plan.json --approve {} --target {target} --token-file 'kept token' --budget 50% \
         --journal journal.jsonl --policy policy.yaml roster.yaml",
        digest(&line)
    );
    assert_eq!(line, expected);
    let command = line.replace("'kept token'", "kept~token");
    let words: Vec<String> = command.split(' ').skip(1).map(|word| word.replace('~', " ")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();

    // Against a snapshot, the service is the snapshot's.
    let line = offered(&["--against", "directory.json"]);
    assert_eq!(line, format!("rosterctl apply --plan plan.json --target {target} roster.yaml"));
    let line = offered(&["--simulate", "seed.json"]);
    assert_eq!(line, "rosterctl apply --plan plan.json --simulate seed.json roster.yaml");

    drop(offered(&bounds));
    drop(env.run(&words).expect_code(0));
    assert_eq!(scene.members("engineering"), "ada dee");
    assert!(env.path("journal.jsonl").exists());
}

#[test]
fn a_plan_that_is_half_done_is_finished_and_says_how_much_is_left() {
    let scene = Scene::saved();
    drop(scene.run(&["apply", "roster.yaml", "--yes", "--only", "dee", "--only", "bob"]).expect_code(0));
    let report = json(&scene.apply(&["--format", "json"]).expect_code(0).stdout);
    assert_eq!(report["saved"]["changes"], scene.plan()["changes"].as_array().unwrap().len());
    assert_eq!((&report["saved"]["done"], &report["saved"]["elsewhere"]), (&Value::from(2), &Value::from(0)));
    assert_eq!(report["run"]["digest"], scene.digest());
    assert_eq!(report["run"]["success"], true);
    assert_eq!(
        (scene.title("ada"), scene.members("engineering")),
        ("Staff Engineer".into(), "ada dee".into())
    );
    let after = json(&scene.apply(&["--format", "json"]).expect_code(0).stdout);
    assert_eq!(
        (after["saved"]["done"].as_u64(), after["changes"].as_array().map(Vec::len)),
        (Some(4), Some(0))
    );
}

#[test]
fn what_has_moved_is_named_in_every_format_and_nothing_is_written() {
    let scene = Scene::saved();
    scene.by_hand("version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, title: CTO }\n");
    let text = scene.apply(&[]).expect_code(5).stdout;
    assert!(text.contains("STALE") && text.contains("ada (U0ADA), title"), "{text}");
    assert!(text.contains(r#""Engineer" was to become "Staff Engineer", but it is "CTO" now"#), "{text}");
    let markdown = scene.apply(&["--format", "markdown"]).expect_code(5).stdout;
    assert!(markdown.contains("Stale plan") && markdown.contains("`CTO`"), "{markdown}");
    let found = json(&scene.apply(&["--format", "json"]).expect_code(5).stdout);
    assert_eq!(found["stale"]["digest"], scene.digest());
    let moved = &found["moved"][0];
    assert_eq!(
        (&moved["target"], &moved["key"], &moved["found"]),
        (&"U0ADA".into(), &"title".into(), &"CTO".into())
    );
    // An approval or a yes does not make it fit.
    drop(scene.apply(&["--yes", "--approve", &scene.digest()]).expect_code(5));
    scene.workspace.expect_untouched();
}

#[test]
fn what_the_plan_is_not_about_may_move_and_is_only_mentioned() {
    let scene = Scene::saved();
    scene.by_hand(
        "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, department: Engines }\n  - { userName: cy, email: cy@acme.example, title: Boss }\n",
    );
    let more = ROSTER.replace("users:", "users:\n  - { userName: eve, email: eve@acme.example, title: New }");
    scene.env.write("roster.yaml", more);
    let ran = scene.apply(&[]).expect_code(0);
    assert!(ran.stdout.contains("1 change that is not in this plan"), "{ran:?}");
    assert_eq!(
        (scene.title("ada"), scene.title("cy"), scene.title("eve")),
        ("Staff Engineer".into(), "Boss".into(), String::new())
    );
}

#[test]
fn a_file_that_is_not_the_plan_that_was_looked_at_is_refused_before_anything_is_read() {
    let scene = Scene::saved();
    let text = std::fs::read_to_string(scene.env.path("plan.json")).unwrap();
    scene.workspace.simulator.clear_requests();
    for (edited, named) in [
        (text.replace("Staff Engineer", "Owner"), "digest"),
        (text.replace("\"formatVersion\":1", "\"formatVersion\":2"), "version"),
        (text.replace("\"dialect\":\"slack\"", "\"dialect\":\"rfc\""), "altered"),
        (text[..text.len() / 2].to_owned(), "not a plan"),
        ("{}".to_owned(), "not a plan"),
        (ROSTER.to_owned(), "not a plan"),
    ] {
        scene.env.write("plan.json", edited);
        let ran = scene.apply(&["--yes"]).expect_code(1);
        assert!(ran.stderr.contains("plan.json") && ran.stderr.contains(named), "{named}: {ran:?}");
    }
    let ran = scene.run(&["apply", "--plan", "missing.json", "roster.yaml"]).expect_code(1);
    assert!(ran.stderr.contains("missing.json"), "{ran:?}");
    scene.workspace.expect_unasked();
}

#[test]
fn a_plan_for_another_service_or_workspace_or_in_another_dialect_is_refused() {
    let scene = Scene::saved();
    let other = workspace(&SEED.replace("\"acme\"", "\"globex\""), &[]);
    let target = |ours: &str, target: &str, more: &[&str]| {
        let all = ["apply", "--plan", ours, "roster.yaml", "--target", target];
        let all: Vec<&str> = all.iter().chain(more).copied().collect();
        scene.env.run(&all).expect_code(1)
    };
    let ran = target("plan.json", &other.target, &[]);
    assert!(ran.stderr.contains(&scene.workspace.target) && ran.stderr.contains(&other.target), "{ran:?}");
    other.expect_unasked();

    // A plan that was made from a snapshot fits any service, but no other workspace.
    scene.env.write("open.yaml", ROSTER.replace("workspace: acme\n", ""));
    scene.env.write("seed.json", SEED);
    let ran = scene.env.run(&["plan", "open.yaml", "--simulate", "seed.json", "--out", "any.json"]);
    drop(ran.expect_code(0));
    let open = ["apply", "--plan", "any.json", "open.yaml", "--target", &other.target];
    let ran = scene.env.run(&open).expect_code(1);
    assert!(ran.stderr.contains("acme") && ran.stderr.contains("globex"), "{ran:?}");
    scene.workspace.simulator.clear_requests();
    let ran = target("plan.json", &scene.workspace.target, &["--dialect", "rfc"]);
    assert!(ran.stderr.contains("dialect"), "{ran:?}");
    scene.workspace.expect_unasked();
    other.expect_untouched();
    scene.workspace.expect_untouched();
    drop(
        scene
            .env
            .run(&["apply", "--plan", "any.json", "open.yaml", "--target", &scene.workspace.target])
            .expect_code(0),
    );
}

const LIMITED: &str = "policy: { limits: { removeMembers: 0 } }\n";

#[test]
fn a_blocked_plan_is_saved_and_applied_once_it_is_approved_by_its_digest() {
    let scene = Scene::new();
    scene.env.write("roster.yaml", format!("{ROSTER}{LIMITED}"));
    let ran = scene.run(&["plan", "roster.yaml", "--out", "plan.json"]).expect_code(3);
    let digest = scene.digest();
    assert!(ran.stderr.contains(&format!("--approve {digest}")), "{ran:?}");
    let blocked = json(&scene.apply(&["--format", "json"]).expect_code(3).stdout);
    assert_eq!((&blocked["outcome"], &blocked["digest"]), (&"block".into(), &digest.clone().into()));
    assert_eq!(blocked["saved"]["done"], 0);
    drop(scene.apply(&["--yes"]).expect_code(3));

    // Neither another digest nor the beginning of this one, which is no digest.
    let other = digest.chars().rev().collect::<String>();
    let ran = scene.apply(&["--approve", &other]).expect_code(3);
    assert!(ran.stderr.contains(&other) && ran.stderr.contains(&digest), "{ran:?}");
    drop(json(&scene.apply(&["--approve", &other, "--format", "json"]).expect_code(3).stdout));
    let ran = scene.run(&["apply", "roster.yaml", "--yes", "--approve", &other]).expect_code(3);
    assert!(ran.stderr.contains(&digest), "{ran:?}");
    let ran = scene.apply(&["--approve", &digest[..12]]).expect_code(64);
    assert!(ran.stderr.contains("64 hexadecimal digits"), "{ran:?}");
    scene.workspace.expect_untouched();

    // The approval is for the saved plan, also when some of it is done.
    drop(scene.run(&["apply", "roster.yaml", "--yes", "--only", "dee"]).expect_code(0));
    let rest = scene.run(&["apply", "roster.yaml", "--yes", "--approve", &digest]).expect_code(3);
    assert!(rest.stderr.contains("apply --plan FILE --approve DIGEST"), "{rest:?}");
    drop(scene.apply(&["--approve", &digest]).expect_code(0));
    assert_eq!(scene.members("engineering"), "ada dee");
}

#[test]
fn a_plan_that_was_not_saved_is_approved_by_the_digest_it_shows() {
    let scene = Scene::new();
    scene.env.write("roster.yaml", format!("{ROSTER}{LIMITED}"));
    let plan = json(&scene.run(&["plan", "roster.yaml", "--format", "json"]).expect_code(3).stdout);
    let digest = plan["digest"].as_str().unwrap().to_uppercase();
    let approved = ["apply", "roster.yaml", "--approve", &digest];
    let ran = scene.run(&approved).expect_code(64);
    assert!(ran.stderr.contains("--yes"), "an approval does not confirm: {ran:?}");
    scene.workspace.expect_untouched();
    drop(scene.run(&[&approved[..], &["--yes"]].concat()).expect_code(0));
    assert_eq!(scene.members("engineering"), "ada dee");
}

#[test]
fn another_plans_approval_is_wrong_usage_where_no_guard_blocks() {
    let scene = Scene::saved();
    let digest = scene.digest();
    let other = digest.chars().rev().collect::<String>();
    for command in [&["apply", "roster.yaml"][..], &["apply", "roster.yaml", "--plan", "plan.json"]] {
        let ran = scene.run(&[command, &["--yes", "--approve", &other]].concat()).expect_code(64);
        assert!(
            ran.stdout.contains("Plan for acme") && ran.stderr.contains("leave --approve out"),
            "{ran:?}"
        );
    }
    scene.workspace.expect_untouched();
    drop(scene.run(&["apply", "roster.yaml", "--yes", "--approve", &digest]).expect_code(0));
}

#[test]
fn what_the_policy_has_come_to_protect_is_not_touched_by_a_plan_that_is_older() {
    let scene = Scene::saved();
    scene.env.write("policy.yaml", "protect: { users: [ada] }\n");
    let ran = scene.apply(&["--policy", "policy.yaml"]).expect_code(5);
    assert!(ran.stdout.contains("the policy protects it now"), "{ran:?}");
    scene.workspace.expect_untouched();
}

#[test]
fn planning_in_every_way_there_is_asks_and_never_writes() {
    let scene = Scene::new();
    scene.env.write("blocked.yaml", format!("{ROSTER}{LIMITED}"));
    scene.env.write("policy.yaml", "limits: { createUsers: 1 }\n");
    drop(scene.run(&["snapshot", "--out", "directory.json"]).expect_code(0));
    let ways: [(&[&str], i32); 12] = [
        (&["roster.yaml"], 0),
        (&["roster.yaml", "--diff"], 0),
        (&["roster.yaml", "--full", "-v"], 0),
        (&["roster.yaml", "--format", "markdown"], 0),
        (&["roster.yaml", "--format", "json"], 0),
        (&["roster.yaml", "--only", "ada"], 0),
        (&["roster.yaml", "--out", "plan.json"], 0),
        (&["roster.yaml", "--out", "plan.json", "--format", "json", "--detailed-exitcode"], 2),
        (&["roster.yaml", "--policy", "policy.yaml"], 0),
        (&["roster.yaml", "--detailed-exitcode"], 2),
        (&["blocked.yaml"], 3),
        (&["blocked.yaml", "--out", "plan.json", "--detailed-exitcode"], 3),
    ];
    for (arguments, code) in ways {
        scene.workspace.simulator.clear_requests();
        let all: Vec<&str> = ["plan"].iter().chain(arguments).copied().collect();
        drop(scene.run(&all).expect_code(code));
        assert!(!scene.workspace.simulator.requests().is_empty(), "{arguments:?} asked nothing");
        scene.workspace.expect_untouched();
    }
}

#[test]
fn a_path_that_cannot_be_written_leaves_no_half_a_plan() {
    let scene = Scene::new();
    drop(scene.run(&["plan", "roster.yaml", "--out", "nowhere/plan.json"]).expect_code(1));
    scene.env.write("folder/keep", "");
    let ran = scene.run(&["plan", "roster.yaml", "--out", "folder"]).expect_code(1);
    assert!(ran.stderr.contains("folder"), "{ran:?}");
    let left: Vec<_> =
        std::fs::read_dir(scene.env.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[cfg(unix)]
#[test]
fn a_plan_that_comes_through_a_pipe_is_applied_like_one_from_a_file() {
    let scene = Scene::saved();
    let (program, target) = (env!("CARGO_BIN_EXE_rosterctl"), &scene.workspace.target);
    let script = format!("cat plan.json | '{program}' apply --plan /dev/stdin roster.yaml --target {target}");
    let ran = scene.env.run_script(&["sh", "-c", &script], &[]).expect_code(0);
    assert!(ran.stdout.contains("in sync"), "{ran:?}");
    assert_eq!(scene.title("ada"), "Staff Engineer");
}

#[test]
fn nobody_is_asked_about_a_plan_that_was_not_shown() {
    let scene = Scene::new();
    let ran = scene.run(&["apply", "roster.yaml", "--format", "json"]).expect_code(64);
    assert!(ran.stdout.is_empty() && ran.stderr.contains("--format json shows no plan"), "{ran:?}");
    scene.workspace.expect_untouched();
}
