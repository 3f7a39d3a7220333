//! The token is in nothing that rosterctl writes: whatever the command, whatever goes wrong, however much is logged.

use crate::env::{CANARY, Env, serve, workspace};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::any;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SEED: &str = r#"{ "workspace": "acme", "users": [
    { "id": "U1", "userName": "ada", "email": "ada@acme.example" },
    { "id": "U2", "userName": "bob", "email": "bob@acme.example", "title": "Clerk" } ],
  "groups": [ { "id": "S1", "displayName": "eng", "members": ["ada", "bob"] } ] }"#;
const ROSTER: &str = "version: 1\nworkspace: acme\nusers:\n  - { userName: ada, email: ada@acme.example, title: Engineer }\n  \
                      - { userName: eve, email: eve@acme.example }\ngroups:\n  - { displayName: eng, members: [ada, eve] }\n";

/// Every command that reads or writes a service, with the files that it wants.
const COMMANDS: &[&[&str]] = &[
    &["plan", "roster.yaml"],
    &["plan", "roster.yaml", "--out", "made.json", "--format", "json", "--journal", "runs.jsonl"],
    &["plan", "roster.yaml", "--diff", "--full"],
    &["plan", "roster.yaml", "--format", "markdown"],
    &["snapshot"],
    &["snapshot", "--out", "made-snapshot.json", "--redact"],
    &["apply", "roster.yaml", "--yes", "--format", "json", "--journal", "runs.jsonl"],
    &["apply", "roster.yaml", "--plan", "plan.json"],
    &["revert", "runs.jsonl", "--yes"],
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
fn check(env: &Env, command: &mut Command) -> String {
    let name = format!("{command:?}");
    let output = command.output().unwrap();
    expect_hidden(&name, &output.stdout);
    expect_hidden(&name, &output.stderr);
    for file in files(&env.path("")) {
        // Where the token is kept on purpose, and what leads there.
        let kept = ["token", "pasted", "linked"];
        let name_of = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !kept.iter().any(|kept| name_of.starts_with(kept)) {
            expect_hidden(&format!("{name}: {}", file.display()), &std::fs::read(&file).unwrap());
        }
    }
    assert!(output.status.code().is_some_and(|code| code != 101), "{name} panics");
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

/// A command at each of `targets`, in turn, with everything logged.
fn check_at<'a>(targets: impl IntoIterator<Item = &'a str>) {
    let env = place();
    for (target, arguments) in targets.into_iter().zip(COMMANDS.iter().cycle()) {
        let all = [arguments, &["--target", target, "--timeout", "1s"][..]].concat();
        check(&env, env.command(&all).env("RUST_LOG", "trace").env("RUST_BACKTRACE", "full"));
    }
}

#[test]
fn when_all_goes_well() {
    let (env, live) = (place(), workspace(SEED, &[]));
    for arguments in COMMANDS {
        live.simulator.clear_requests();
        let all = [arguments, &["--target", &live.target[..]][..]].concat();
        check(&env, env.command(&all).env("RUST_LOG", "trace"));
        assert!(!live.simulator.requests().is_empty(), "{arguments:?} asked for nothing");
    }
    for arguments in [
        &["history", "runs.jsonl"][..],
        &["history", "runs.jsonl", "--format", "json"],
        &["validate", "roster.yaml"],
        &["plan", "roster.yaml", "--against", "plan.json"],
        &["schema"],
        &["man"],
        &["--help"],
        &["plan", "--help"],
        &["frobnicate"],
    ] {
        check(&env, &mut env.command(arguments));
    }
}

#[test]
fn when_the_service_refuses_or_repeats_the_request_it_was_sent() {
    // Some proxies and frameworks answer an error with all that they were sent, header lines included.
    let echo = |status: u16| {
        any(move |request: Request| async move {
            let headers = format!("{:?} {:?}", request.uri(), request.headers()).replace("Sensitive", "");
            let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
            let body =
                format!("{{\"detail\":\"cannot_do_that {secret} {secret}\",\"status\":{status}}} {headers}");
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::LOCATION, format!("/{secret}").replace(' ', "/"))],
                body,
            )
        })
    };
    let success = any(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        let user = format!(
            r#"{{"id":"U1","userName":"ada","title":"{secret}","emails":[{{"value":"ada@acme.example"}}]}}"#
        );
        let one = if request.uri().path().ends_with("Users") { user } else { String::new() };
        let total = usize::from(!one.is_empty());
        format!(r#"{{"Resources":[{one}],"totalResults":{total}}}"#)
    });
    let page = any(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        let html = format!("<html><body>{secret}</body></html>");
        (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/html")], html).into_response()
    });
    let mut router = Router::new().route("/200/{*rest}", success).route("/html/{*rest}", page);
    let statuses = [302, 400, 401, 403, 404, 409, 418, 500];
    for status in statuses {
        router = router.route(&format!("/{status}/{{*rest}}"), echo(status));
    }
    let served = serve(router);
    let paths = ["200", "html", "302", "400", "401", "403", "404", "409", "418", "500", "200"];
    let targets = paths.map(|path| format!("{}/{path}", served.origin));
    check_at(targets.iter().map(String::as_str));
}

#[test]
fn when_a_write_is_refused_with_the_request_in_the_answer() {
    let live = workspace(SEED, &[]);
    // Reads go through; writes are answered with what was sent.
    let refuse = |request: Request, next: Next| async move {
        if request.method() == axum::http::Method::GET {
            return next.run(request).await;
        }
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        (StatusCode::BAD_REQUEST, format!(r#"{{"detail":"no {secret}","status":400}}"#)).into_response()
    };
    let served = serve(live.simulator.router().layer(from_fn(refuse)));
    let env = place();
    let target = format!("{}/scim/v2", served.origin);
    for format in ["text", "json", "markdown"] {
        let arguments = [
            "apply",
            "roster.yaml",
            "--yes",
            "--journal",
            "new.jsonl",
            "--format",
            format,
            "-vvv",
            "--target",
            &target,
        ];
        let said = check(&env, env.command(&arguments).env("RUST_LOG", "trace"));
        assert!(said.contains("refused"), "{said}");
    }
    check(&env, &mut env.command(&["history", "new.jsonl"]));
}

#[test]
fn when_it_is_sent_elsewhere_it_stays() {
    let elsewhere = Recorder::listen(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let location = format!("http://localhost:{}/scim/v2/Users", elsewhere.port);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let answer =
            move || async move { (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location)]) };
        let served = serve(Router::new().fallback(any(answer)));
        check_at([served.origin.as_str()]);
    }
    assert_eq!(elsewhere.heard(), "", "a redirect was followed");
}

#[test]
fn when_nobody_answers_or_no_http_comes() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check_at([&*format!("http://127.0.0.1:{closed}/scim/v2")]);
    let answers = [
        &b""[..],
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"Resou",
    ];
    for answer in answers {
        let recorder = Recorder::listen(answer);
        check_at([
            &*format!("http://127.0.0.1:{}/scim/v2", recorder.port),
            &*format!("https://127.0.0.1:{}/scim/v2", Recorder::listen(answer).port),
        ]);
        let tls = Recorder::listen(answer);
        check_at([&*format!("https://127.0.0.1:{}/scim/v2", tls.port)]);
        expect_hidden("what went over the line without TLS", tls.heard().as_bytes());
    }
}

#[test]
fn when_there_are_proxies() {
    let (env, live) = (place(), workspace(SEED, &[]));
    let proxy = Recorder::listen(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let secret = format!("http://user:{CANARY}@127.0.0.1:{}", proxy.port);
    let set = |command: &mut Command| {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env(name, &secret);
        }
        command.env("RUST_LOG", "trace");
    };
    let mut command =
        env.command(&["plan", "roster.yaml", "--target", "https://slack.example/scim/v2", "-vvv"]);
    command.env("SLACK_SCIM_TOKEN", "xoxp-another");
    set(&mut command);
    let said = check(&env, &mut command);
    assert!(said.contains("error"), "{said}");
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT slack.example:443"), "{heard}");
    assert!(!heard.contains("xoxp-another"), "the proxy sees the token: {heard}");
    // This machine is not asked for by way of a proxy, which would see the token.
    let mut command = env.command(&["snapshot", "--target", &live.target]);
    set(&mut command);
    check(&env, &mut command);
    assert!(!live.simulator.requests().is_empty());
    assert_eq!(proxy.heard(), "");
}

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
        CANARY.repeat(10_000).into(),
    ];
    for (n, bad) in bad.iter().enumerate() {
        let file = format!("token-{n}");
        env.write(&file, bad);
        let arguments = ["plan", "roster.yaml", "--target", &live.target, "-vvv", "--token-file", &file];
        let said = check(&env, env.command(&arguments).env("RUST_LOG", "trace"));
        assert!(said.contains("error"), "{bad:?}: {said}");
        #[cfg(unix)]
        if !bad.contains(&0) {
            use std::os::unix::ffi::OsStrExt as _;
            let variable = std::ffi::OsStr::from_bytes(bad);
            // More than the system takes is not ours to refuse.
            if bad.len() < 100_000 {
                check(
                    &env,
                    env.command(&["snapshot", "--target", &live.target]).env("SLACK_SCIM_TOKEN", variable),
                );
            }
        }
    }
    // In the wrong places.
    for target in
        [format!("https://me:{CANARY}@slack.example/"), format!("https://slack.example/?token={CANARY}")]
    {
        let mut command = env.command(&["plan", "roster.yaml", "--target", &target, "-vvv"]);
        check(&env, command.env("RUST_LOG", "trace"));
    }
}

#[cfg(unix)]
#[test]
fn when_a_roster_leads_to_it() {
    use std::os::unix::fs::symlink;
    let env = place();
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
    }
}

#[test]
fn while_a_daemon_runs() {
    let served = serve(Router::new().fallback(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        (StatusCode::FORBIDDEN, format!(r#"{{"detail":"not {secret}","status":403}}"#))
    }));
    let live = workspace(SEED, &[]);
    for target in [&served.origin, &live.target] {
        let env = place();
        let arguments = ["daemon", "roster.yaml", "--target", target, "-vvv", "--journal", "daemon.jsonl"];
        let mut command = env.command(&arguments);
        let mut child =
            command.env("RUST_LOG", "trace").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Long enough for a round; what it says in it is all that is looked at.
        std::thread::sleep(Duration::from_secs(2));
        child.kill().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(!output.stderr.is_empty(), "it says nothing");
        expect_hidden("the daemon's stdout", &output.stdout);
        expect_hidden("the daemon's stderr", &output.stderr);
        for file in files(&env.path("")) {
            expect_hidden(&file.display().to_string(), &std::fs::read(&file).unwrap());
        }
    }
}

/// A server that writes down what it hears and always says the same.
struct Recorder {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    fn listen(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = heard.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut request = [0; 8_192];
                let read = stream.read(&mut request).unwrap_or_default();
                all.lock().unwrap().extend_from_slice(&request[..read]);
                drop(stream.write_all(answer));
            }
        });
        Self { port, heard }
    }

    /// What it has heard since it was last asked.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.heard.lock().unwrap())).into_owned()
    }
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
