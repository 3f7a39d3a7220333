//! The scripts of the example workflow, run as GitHub would run them, one machine after another.

#![cfg(unix)]

use crate::env::{Env, Ran, Workspace, repository, workspace};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

const KEY: &str = "b5cf3d3cda4d1e1d";

/// Stands in for openssl on a machine that has none, so that the scripts around it are tried all the same.
const SEALER: &str = "#!/bin/sh
[ -n \"$STATE_KEY\" ] || exit 1
case \" $* \" in
  *' -d '*) exec tr a-zA-Z n-za-mN-ZA-M < state.enc ;;
  *) exec tr a-zA-Z n-za-mN-ZA-M > state.enc ;;
esac
";

const SEED: &str = r#"{ "workspace": "acme", "users": [
  { "userName": "ada", "email": "ada@acme.example", "title": "Engineer" },
  { "userName": "bob", "email": "bob@acme.example" } ] }"#;

/// Five who join, where no more than two may.
fn roster() -> String {
    let mut text = "version: 1\nworkspace: acme\npolicy: { limits: { createUsers: 2 } }\nusers:\n".to_owned();
    for n in 0..5 {
        writeln!(text, "  - {{ userName: new{n}, email: new{n}@acme.example }}").unwrap();
    }
    text
}

/// The script of the step with this name.
fn script(step: &str) -> String {
    let workflow = std::fs::read_to_string(repository().join("examples/ci/roster.yml")).unwrap();
    let step = workflow.split(&format!("- name: {step}\n")).nth(1).unwrap();
    let script = step.split("\n        run: ").nth(1).unwrap();
    match script.strip_prefix("|\n") {
        None => script.lines().next().unwrap().to_owned(),
        Some(block) => {
            let lines = block.lines().map_while(|line| line.strip_prefix("          "));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

/// A machine that a job runs on, with what the cache holds.
struct Runner {
    env: Env,
}

impl Runner {
    fn new(workspace: &Workspace, roster: &str, cache: Option<&[u8]>) -> Self {
        let env = Env::new();
        env.write("roster/people.yaml", roster);
        if let Some(sealed) = cache {
            env.write("state.enc", sealed);
        }
        // What is installed knows Slack; here it is to know the simulator.
        let shim = format!(
            "#!/bin/sh\nexec '{}' \"$@\" --target '{}'\n",
            env!("CARGO_BIN_EXE_rosterctl"),
            workspace.target
        );
        let runner = Self { env };
        runner.install("rosterctl", &shim);
        if Command::new("openssl").arg("version").output().is_err() {
            runner.install("openssl", SEALER);
        }
        runner
    }

    fn install(&self, program: &str, script: &str) {
        let path = format!("bin/{program}");
        self.env.write(&path, script);
        std::fs::set_permissions(self.env.path(&path), PermissionsExt::from_mode(0o755)).unwrap();
    }

    fn step(&self, name: &str, key: &str, approve: &str) -> Ran {
        let path = format!("{}:{}", self.env.path("bin").display(), std::env::var("PATH").unwrap());
        let script = script(name);
        let variables = [("PATH", &path[..]), ("STATE_KEY", key), ("APPROVE", approve), ("ROSTER", "roster")];
        // As GitHub calls it for `shell: bash`.
        self.env.run_script(&["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", &script], &variables)
    }

    /// The job as far as the journal is concerned: what it ends with, and what it leaves in the cache.
    fn job(&self, approve: &str) -> (Ran, Vec<u8>) {
        drop(self.step("Open what the last run left", KEY, "").expect_code(0));
        let applied = self.step("Apply", "", approve);
        drop(self.step("Seal what this run leaves", KEY, "").expect_code(0));
        (applied, std::fs::read(self.env.path("state.enc")).unwrap())
    }
}

fn joined(workspace: &Workspace) -> usize {
    workspace.simulator.look(|world| world.users().filter(|user| user.user_name.starts_with("new")).count())
}

#[test]
fn the_workflow_finishes_what_was_approved_and_keeps_it_sealed() {
    // The second creation is refused, and every second one after it.
    let workspace = workspace(SEED, &[("failing-create", "2")]);
    let (blocked, cache) = Runner::new(&workspace, &roster(), None).job("");
    assert!(blocked.expect_code(3).stdout.contains("createUsers"));
    workspace.expect_untouched();

    let plan = ["plan", "roster", "--format", "json", "--target", &workspace.target];
    let plan = Runner::new(&workspace, &roster(), None).env.run(&plan).expect_code(3).stdout;
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    let other: String = digest.chars().rev().collect();
    drop(Runner::new(&workspace, &roster(), Some(&cache)).job(&other).0.expect_code(3));
    workspace.expect_untouched();

    let mut cache = cache;
    let (mut left, mut runs) = (usize::MAX, 0);
    while left > 0 {
        let (applied, sealed) = Runner::new(&workspace, &roster(), Some(&cache)).job(digest);
        let still = 5 - joined(&workspace);
        assert!(still < left, "nothing more was done: {applied:?}");
        drop(applied.expect_code(if still > 0 { 4 } else { 0 }));
        (left, cache, runs) = (still, sealed, runs + 1);
    }
    assert!(runs > 1, "nothing was left to finish");
    assert!(!cache.windows(3).any(|part| part == b"new"), "what is kept can be read");

    // What they did counts, and is known, although the run that did most of it failed.
    let more = roster() + "  - { userName: newest, email: newest@acme.example }\n";
    let last = Runner::new(&workspace, &more, Some(&cache));
    let (ran, _) = last.job("");
    assert!(ran.expect_code(3).stdout.contains("after 5 in the last 24 hours"));
    assert!(last.env.run(&["history", "state/journal.jsonl"]).expect_code(0).stdout.contains("approved"));
}

#[test]
fn the_workflow_stops_before_it_forgets_what_it_cannot_open() {
    let workspace = workspace(SEED, &[]);
    let runner = Runner::new(&workspace, &roster(), Some(b"Salted__ and nothing more"));
    for key in [KEY, ""] {
        assert_ne!(runner.step("Open what the last run left", key, "").code, 0);
    }
    let workflow = std::fs::read_to_string(repository().join("examples/ci/roster.yml")).unwrap();
    for kept in ["always() && steps.open.outcome == 'success'", "always() && steps.seal.outcome == 'success'"]
    {
        assert!(workflow.contains(kept), "{kept}");
    }
}
