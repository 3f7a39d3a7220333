//! A standard output that nobody reads any more, as in `plan | head`: nothing is done unseen, and the exit code stays true.

use crate::env::{Env, Ran, Workspace, workspace};

const SEED: &str = r#"{ "workspace": "acme", "users": [
  { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
  { "userName": "bob", "email": "bob@acme.example" } ] }"#;

const ADA: &str = "version: 1
workspace: acme
users:
  - { userName: ada, email: ada@acme.example, title: Queen }
";

const BOB_LEAVES: &str = "  - { userName: bob, email: bob@acme.example, active: false }
policy: { limits: { deactivateUsers: 0 } }
";

struct Scene {
    env: Env,
    workspace: Workspace,
}

impl Scene {
    fn new(set: &[(&str, &str)]) -> Self {
        let (env, workspace) = (Env::new(), workspace(SEED, set));
        env.write("roster.yaml", ADA);
        env.write("blocked.yaml", format!("{ADA}{BOB_LEAVES}"));
        env.write("same.yaml", ADA.replace("Queen", "Engineer"));
        env.write("wrong.yaml", ADA.replace("title", "titel"));
        env.write("joins.yaml", format!("{ADA}  - {{ userName: eve, email: eve@acme.example }}\n"));
        Self { env, workspace }
    }

    fn unread(&self, arguments: &[&str]) -> Ran {
        self.env.run_unread(&[arguments, &["--target", &self.workspace.target]].concat())
    }

    fn title(&self) -> String {
        self.workspace.simulator.look(|world| world.user("ada").unwrap().title.clone())
    }
}

#[test]
fn what_only_shows_ends_as_if_it_had_been_read() {
    let scene = Scene::new(&[]);
    for format in ["text", "markdown", "json"] {
        for (arguments, code) in [
            (&["plan", "roster.yaml"][..], 0),
            (&["plan", "roster.yaml", "--detailed-exitcode"], 2),
            (&["plan", "same.yaml", "--detailed-exitcode"], 0),
            (&["plan", "blocked.yaml"], 3),
            (&["plan", "wrong.yaml"], 1),
            (&["apply", "blocked.yaml", "--yes"], 3),
            (&["apply", "same.yaml", "--yes"], 0),
        ] {
            let ran = scene.unread(&[arguments, &["--format", format]].concat()).expect_code(code);
            assert!(!ran.stderr.contains("roken pipe"), "{ran:?}");
        }
        let validate = ["validate", "wrong.yaml", "--format", format];
        drop(scene.env.run_unread(&validate).expect_code(1));
    }
    drop(scene.unread(&["snapshot"]).expect_code(0));
    drop(scene.env.run_unread(&["schema"]).expect_code(0));
    scene.workspace.expect_untouched();
}

#[test]
fn a_plan_that_nobody_could_read_is_not_applied() {
    let scene = Scene::new(&[]);
    let plan = ["plan", "roster.yaml", "--out", "plan.json", "--target", &scene.workspace.target];
    drop(scene.env.run(&plan).expect_code(0));
    for arguments in [
        &["apply", "roster.yaml", "--yes", "--journal", "journal.jsonl"][..],
        &["apply", "roster.yaml", "--yes", "--format", "markdown"],
        &["apply", "roster.yaml", "--plan", "plan.json"],
    ] {
        let ran = scene.unread(arguments).expect_code(1);
        assert!(
            ran.stderr.contains("could not be shown") && ran.stderr.contains("nothing was changed"),
            "{ran:?}"
        );
    }
    scene.workspace.expect_untouched();
    assert!(!scene.env.path("journal.jsonl").exists());
}

#[test]
fn what_came_of_a_run_is_told_by_its_exit_code_though_nobody_reads_the_report() {
    // The plan is no part of what is printed before a run in this format.
    let apply = |scene: &Scene, roster, code| {
        let arguments = ["apply", roster, "--yes", "--format", "json"];
        drop(scene.unread(&arguments).expect_code(code));
        assert_eq!(scene.title(), "Queen");
    };
    apply(&Scene::new(&[]), "roster.yaml", 0);
    apply(&Scene::new(&[("failing-create", "1")]), "joins.yaml", 4);
}

#[test]
fn a_revert_that_nobody_could_read_is_not_carried_out_and_shows_a_plan_as_plan_does() {
    let scene = Scene::new(&[]);
    let apply =
        ["apply", "roster.yaml", "--yes", "--journal", "journal.jsonl", "--target", &scene.workspace.target];
    drop(scene.env.run(&apply).expect_code(0));
    let ran = scene.unread(&["revert", "journal.jsonl", "--yes"]).expect_code(1);
    assert!(ran.stderr.contains("could not be shown"), "{ran:?}");
    drop(scene.unread(&["revert", "journal.jsonl"]).expect_code(0));
    assert_eq!(scene.title(), "Queen");
    drop(scene.env.run_unread(&["history", "journal.jsonl"]).expect_code(0));
    drop(scene.unread(&["revert", "journal.jsonl", "--yes", "--format", "json"]).expect_code(0));
    assert_eq!(scene.title(), "Engineer");
}

#[test]
fn a_daemon_that_nobody_hears_writes_nothing_and_ends_with_an_error() {
    let scene = Scene::new(&[]);
    let ran = scene.unread(&["daemon", "roster.yaml"]).expect_code(1);
    assert!(ran.stderr.contains("has ended"), "{ran:?}");
    scene.workspace.expect_untouched();
}
