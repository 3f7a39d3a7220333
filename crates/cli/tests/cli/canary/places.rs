//! When the token is no good, or stands where something else should.

use super::{ROSTER, SEED, check, place, said};
use crate::env::{CANARY, workspace};
use std::process::{Command, Stdio};

#[test]
fn when_the_token_itself_is_no_good() {
    let (env, live) = (place(), workspace(SEED, &[]));
    let bad: Vec<Vec<u8>> = vec![
        format!("{CANARY}\nsecond").into(),
        format!("{CANARY}\r\nx-header: y").into(),
        format!("{CANARY}\0").into(),
        format!("{CANARY} {CANARY}").into(),
        format!("{CANARY}\u{e9}").into(),
        format!("{CANARY}\u{202e}").into(),
        [CANARY.as_bytes(), b"\xff\xfe"].concat(),
        format!("{CANARY}\u{1b}[31m").into(),
    ];
    for (n, bad) in bad.iter().enumerate() {
        let file = format!("token-{n}");
        env.write(&file, bad);
        let arguments = ["plan", "roster.yaml", "--target", &live.target, "-vvv", "--token-file", &file];
        let said = said(&check(&env, &mut env.command(&arguments)));
        assert!(said.contains("error"), "{bad:?}: {said}");
        #[cfg(unix)]
        if !bad.contains(&0) {
            use std::os::unix::ffi::OsStrExt as _;
            let variable = std::ffi::OsStr::from_bytes(bad);
            let mut command = env.command(&["snapshot", "--target", &live.target]);
            check(&env, command.env("SLACK_SCIM_TOKEN", variable));
        }
    }
    // In the wrong places.
    for target in
        [format!("https://me:{CANARY}@slack.example/"), format!("https://slack.example/?token={CANARY}")]
    {
        let mut command = env.command(&["plan", "roster.yaml", "--target", &target, "-vvv"]);
        check(&env, &mut command);
    }
    live.expect_unasked();
    // One that no header of a service takes.
    env.write("token-long", CANARY.repeat(10_000));
    let arguments = ["plan", "roster.yaml", "--target", &live.target, "-vvv", "--token-file", "token-long"];
    assert!(!check(&env, &mut env.command(&arguments)).status.success());
    // In files that are none, and in a place where there is nothing.
    for file in [".", "missing", "roster.yaml/token"] {
        let arguments = ["plan", "roster.yaml", "--target", &live.target, "-vvv", "--token-file", file];
        let said = said(&check(&env, &mut env.command(&arguments)));
        assert!(said.contains(&format!("cannot read {file}")), "{said}");
    }
}

#[test]
fn when_it_comes_with_a_line_break_or_through_a_pipe() {
    let (env, live) = (place(), workspace(SEED, &[]));
    for (n, text) in
        [format!("{CANARY}\n"), format!("{CANARY}\r\n"), format!(" {CANARY}\n\n")].iter().enumerate()
    {
        let file = format!("token-{n}");
        env.write(&file, text);
        let mut command = env.command(&["snapshot", "--target", &live.target, "-vvv", "--token-file", &file]);
        let output = check(&env, command.env_remove("SLACK_SCIM_TOKEN"));
        assert!(output.status.success(), "{text:?}: {}", said(&output));
        let mut command = env.command(&["snapshot", "--target", &live.target, "-vvv"]);
        let output = check(&env, command.env("SLACK_SCIM_TOKEN", text));
        assert!(output.status.success(), "{text:?}: {}", said(&output));
    }
    if cfg!(unix) {
        let arguments = ["snapshot", "--target", &live.target, "-vvv", "--token-file", "/dev/stdin"];
        let mut echo = Command::new("echo").arg(CANARY).stdout(Stdio::piped()).spawn().unwrap();
        let mut command = env.command(&arguments);
        let output = check(&env, command.env_remove("SLACK_SCIM_TOKEN").stdin(echo.stdout.take().unwrap()));
        assert!(output.status.success(), "a pipe is read once: {}", said(&output));
        echo.wait().unwrap();
    }
}

#[cfg(unix)]
#[test]
fn when_a_roster_leads_to_it() {
    use std::os::unix::fs::symlink;
    let (env, live) = (place(), workspace(SEED, &[]));
    env.write("token", format!("{CANARY}\n"));
    env.write("folder/roster.yaml", ROSTER);
    symlink(env.path("token"), env.path("folder/linked.yaml")).unwrap();
    env.write("environment/roster.yaml", ROSTER);
    symlink("/proc/self/environ", env.path("environment/linked.yaml")).unwrap();
    env.write(
        "pasted.yaml",
        format!("version: 1\nusers:\n  - {{ userName: ada, email: ada@acme.example, titel: {CANARY} }}\n"),
    );
    for roster in ["token", "folder", "environment", "pasted.yaml"] {
        for format in ["text", "json", "markdown"] {
            check(&env, &mut env.command(&["validate", roster, "--format", format]));
            check(&env, &mut env.command(&["plan", roster, "--format", format, "--simulate", "roster.yaml"]));
            let mut command =
                env.command(&["apply", roster, "--yes", "--token-file", "token", "--format", format]);
            check(&env, command.env_remove("SLACK_SCIM_TOKEN"));
        }
        check(&env, &mut env.command(&["plan", "roster.yaml", "--policy", roster]));
        check(&env, &mut env.command(&["revert", "runs.jsonl", "--policy", roster, "--yes"]));
        check(&env, &mut env.command(&["plan", "roster.yaml", "--against", roster]));
        check(&env, &mut env.command(&["apply", "roster.yaml", "--plan", roster]));
        check(&env, &mut env.command(&["history", roster]));
        check(&env, &mut env.command(&["sim", "--seed", roster]));
        check(&env, &mut env.command(&["sim", "--state", roster]));
        check(&env, &mut env.command(&["plan", "roster.yaml", "--simulate", roster]));
        for command in ["plan", "apply"] {
            let arguments = [command, "roster.yaml", "--target", &live.target];
            for more in [["--journal", roster], ["--ca-file", roster]] {
                check(&env, &mut env.command(&[&arguments[..], &more].concat()));
            }
        }
        check(&env, &mut env.command(&["daemon", roster, "--target", &live.target, "--journal", roster]));
    }
    let kept = std::fs::read_to_string(env.path("token")).unwrap();
    assert_eq!(kept, format!("{CANARY}\n"), "the token's file was written to");
}
