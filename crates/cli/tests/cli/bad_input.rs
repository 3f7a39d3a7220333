//! What is wrong gets a clear error and the exit code of design §7, and nothing is written.

use crate::env::{CANARY, Env, serve, workspace};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::any;
use insta::assert_snapshot;

const SEED: &str = r#"{ "users": [ { "userName": "ada", "email": "ada@acme.example" } ] }"#;
const ROSTER: &str = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n";

#[test]
fn a_roster_that_cannot_be_used_is_refused_before_slack_hears_of_anything() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("empty.yaml", "");
    env.write("nobody.yaml", "version: 1\nusers: []\n");
    env.write("binary.yaml", b"\xff\xfe\x00");
    env.write("folder/notes.txt", "no roster");
    env.write("text.yaml", "just text");
    env.write(
        "mistakes.yaml",
        "version: 1\nusers:\n  - userName: ada\n    email: ada@acme.example\n    titel: Engineer\n    manager: grcae\n  \
         - { userName: grace, email: not-an-address }\n  - { userName: Ada, email: other@acme.example }\ngroups:\n  \
         - { displayName: all, members: [ada, nobody] }\n",
    );
    let target = &workspace.target;
    let apply = |roster: &'static str| ["apply", roster, "--yes", "--target", target];
    let rosters =
        ["missing.yaml", "empty.yaml", "nobody.yaml", "binary.yaml", "folder", "text.yaml", "mistakes.yaml"];
    let commands: Vec<_> = rosters.into_iter().map(apply).collect();
    let commands: Vec<&[&str]> = commands.iter().map(|command| &command[..]).collect();
    assert_snapshot!(env.transcript(&commands));
    workspace.expect_unasked();
}

#[test]
fn a_token_that_is_missing_or_wrong_is_named_as_the_reason() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    env.write("wrong", "xoxp-wrong\n");
    env.write("blank", " \n");
    env.write("torn", "xoxp-one\nxoxp-two\n");
    let (new, old) = (workspace(SEED, &[]), workspace(SEED, &[("auth-error", "old")]));
    let with = |file: &'static str, target| {
        ["apply", "roster.yaml", "--yes", "--token-file", file, "--target", target]
    };
    let commands = [
        &with("wrong", &new.target)[..],
        &with("wrong", &old.target),
        &with("blank", &new.target),
        &with("torn", &new.target),
        &with("no-such-file", &new.target),
    ];
    let mut text = env.transcript(&commands);
    let none = Env::new().without_token();
    none.write("roster.yaml", ROSTER);
    text += &none.transcript(&[&["plan", "roster.yaml", "--target", &new.target]]);
    assert_snapshot!(text);
    new.expect_untouched();
    old.expect_untouched();
}

#[test]
fn a_plan_of_slacks_without_scim_is_named_as_the_reason() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[("plan", "free")]));
    env.write("roster.yaml", ROSTER);
    assert_snapshot!(env.transcript(&[&["apply", "roster.yaml", "--yes", "--target", &workspace.target]]));
    workspace.expect_untouched();
}

#[test]
fn a_target_that_is_no_scim_service_is_named_as_the_reason() {
    let html = || async { ([(header::CONTENT_TYPE, "text/html")], "<html><body>Welcome</body></html>") };
    let gone =
        || async { (StatusCode::NOT_FOUND, [(header::CONTENT_TYPE, "text/html")], "<h1>Not Found</h1>") };
    let sent_on = || async { (StatusCode::FOUND, [(header::LOCATION, "https://login.example/?next=token")]) };
    let json =
        |body: &'static str| any(move || async move { ([(header::CONTENT_TYPE, "application/json")], body) });
    let served = serve(
        Router::new()
            .route("/html/Users", any(html))
            .route("/gone/Users", any(gone))
            .route("/elsewhere/Users", any(sent_on))
            .route("/json/Users", json(r#"{ "ok": true }"#))
            .route("/array/Users", json("[]"))
            .route("/empty/Users", json("")),
    );
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    let targets = ["html", "gone", "elsewhere", "json", "array", "empty"]
        .map(|path| format!("{}/{path}", served.origin));
    let commands: Vec<_> = targets.iter().map(|target| ["plan", "roster.yaml", "--target", target]).collect();
    let commands: Vec<&[&str]> = commands.iter().map(|command| &command[..]).collect();
    assert_snapshot!(env.transcript(&commands));
}

#[test]
fn a_target_that_cannot_be_reached_safely_is_named_as_the_reason() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let tls = workspace.target.replace("http://", "https://");
    let targets = [
        &tls[..],
        "http://slack.example/scim/v2",
        "ftp://slack.example/scim/v2",
        "https://me:secret@slack.example/scim/v2",
        "https://slack.example/scim/v2?team=T1",
        "not a url",
    ];
    let commands = targets.map(|target| ["plan", "roster.yaml", "--target", target]);
    let commands: Vec<&[&str]> = commands.iter().map(|command| &command[..]).collect();
    assert_snapshot!(env.transcript(&commands));
    workspace.expect_unasked();
}

#[test]
fn a_closed_port_is_named_as_the_reason() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    // Taken and given back, so that nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let target = format!("http://127.0.0.1:{port}/scim/v2");
    assert_snapshot!(env.transcript(&[&["plan", "roster.yaml", "--target", &target]]));
}

#[test]
fn a_target_that_never_answers_is_given_up_when_the_time_is_up() {
    let env = Env::new();
    // Connections are taken by the system and never answered.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}/scim/v2", silent.local_addr().unwrap());
    let ran = env.run(&["snapshot", "--target", &target, "--timeout", "300ms"]).expect_code(1);
    assert_eq!(ran.stderr, "error: the directory could not be read within 300ms\n");
    assert_eq!(ran.stdout, "");
}

#[test]
fn wrong_usage_ends_with_64_and_writes_nothing() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    let target = &workspace.target[..];
    for arguments in [
        &["frobnicate"][..],
        &["plan"],
        &["plan", "roster.yaml", "--no-such-flag"],
        &["apply", "roster.yaml", "--yes", "--yes-really"],
        &["plan", "roster.yaml", "--format", "html"],
        &["plan", "roster.yaml", "--against", "s.json", "--simulate", "s.json"],
        &["sim", "--set", "no-such-switch=1"],
        &["sim", "--set", "plan"],
        &["sim", "--listen", "0.0.0.0:0"],
        // Nobody is there to say yes.
        &["apply", "roster.yaml", "--target", target],
    ] {
        let ran = env.run(arguments).expect_code(64);
        assert!(!ran.stderr.trim().is_empty(), "{arguments:?} is refused without a word");
    }
    let ran = env.run(&["apply", "roster.yaml", "--target", target]);
    assert!(ran.stdout.contains("Engineer") && ran.stderr.contains("--yes"), "{ran:?}");
    workspace.expect_untouched();
}

#[test]
fn a_blocked_plan_is_printed_in_full_and_ends_with_3() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write(
        "roster.yaml",
        "version: 1\npolicy: { limits: { createUsers: 1 } }\nusers:\n  - { userName: ada, email: ada@acme.example }\n  \
         - { userName: bob, email: bob@acme.example }\n  - { userName: cy, email: cy@acme.example }\n",
    );
    let target = &workspace.target[..];
    let commands = [
        &["apply", "roster.yaml", "--yes", "--target", target][..],
        // A block beats pending changes (design §7), and narrowing does not narrow the guards away.
        &["plan", "roster.yaml", "--detailed-exitcode", "--target", target],
        &["apply", "roster.yaml", "--yes", "--format", "json", "--target", target],
    ];
    for arguments in commands {
        assert!(env.run(arguments).expect_code(3).stdout.contains("createUsers"), "{arguments:?}");
    }
    assert_snapshot!(env.transcript(&commands[..1]));
    workspace.expect_untouched();
}

#[test]
fn a_seed_or_snapshot_that_is_none_is_an_error() {
    let env = Env::new();
    env.write("roster.yaml", ROSTER);
    env.write("seed.json", r#"{ "users": [ { "userNmae": "ada" } ] }"#);
    env.write("other.json", r#"{ "format": "something-else/1" }"#);
    assert_snapshot!(env.transcript(&[
        &["plan", "roster.yaml", "--simulate", "seed.json"],
        &["plan", "roster.yaml", "--simulate", "missing.json"],
        &["plan", "roster.yaml", "--against", "other.json"],
        &["plan", "roster.yaml", "--against", "seed.json"],
    ]));
}

#[test]
fn the_token_is_in_no_output_however_much_is_logged() {
    let (env, workspace) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    env.write("token", format!("{CANARY}\n"));
    let target = &workspace.target[..];
    // `run` itself looks for the token in whatever comes out.
    for arguments in [
        &["plan", "roster.yaml", "-vvv", "--target", target][..],
        &["plan", "roster.yaml", "-vvv", "--target", "https://127.0.0.1:9/scim/v2"],
        &["snapshot", "-vvv", "--target", target],
        &[
            "apply",
            "roster.yaml",
            "--yes",
            "-vvv",
            "--format",
            "json",
            "--token-file",
            "token",
            "--target",
            target,
        ],
    ] {
        drop(env.run(arguments));
    }
    let mut command = env.command(&["plan", "roster.yaml", "--target", target]);
    let output = command.env("RUST_LOG", "trace").output().unwrap();
    assert!(output.status.success());
    let shown = [output.stdout, output.stderr].concat();
    assert!(!String::from_utf8_lossy(&shown).contains(CANARY));
}
