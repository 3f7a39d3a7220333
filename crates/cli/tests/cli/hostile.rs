//! Names come from people: whatever stands in a roster or in Slack's answers, showing it does nothing (design §7).

use crate::env::{Env, workspace};
use crate::running::Running;
use serde_json::{Value, json};

/// Texts that act where they are shown raw.
const NASTY: &[&str] = &[
    "\u{1b}[2J\u{1b}[1;31mred",
    "\u{1b}]0;title\u{7}\u{1b}]8;;https://evil.example\u{1b}\\link",
    "two\nlines\r\nand\rmore",
    "\n::error file=a.yaml::pwned",
    "::add-mask::x",
    "##[error]pwned",
    "##vso[task.setvariable variable=x]y",
    "\u{202e}gnp.exe \u{2066}isolated",
    "\u{200b}zero\u{feff}width\u{ad}",
    "\u{85}next\u{2028}line\u{2029}paragraph",
    "\u{9b}31mC1",
    "back\u{8}space\u{0}nul\u{7f}del",
    "<!channel> @channel @here <script>alert(1)</script>",
    "| cell | [link](https://evil.example) ![x](https://evil.example/p.png) `code` <!-- hidden",
    "</details></summary>\n# heading\n```\nfence",
    "$(rm -rf /) `id` ; \"quoted\" 'single'",
];

fn acts(c: char) -> bool {
    let bidi =
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    let separator = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{ad}');
    let unseen = matches!(c, '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{10ffff}');
    (c.is_control() && c != '\n') || bidi || separator || unseen
}

/// What of `text` acts on a terminal or in a CI runner's log, if anything does.
fn harm(text: &str) -> Option<String> {
    if let Some(at) = text.find(acts) {
        let around: String = text[at..].chars().take(20).collect();
        return Some(format!("a character that acts: {around:?}"));
    }
    let command = |line: &&str| {
        line.trim_start().starts_with("::")
            || ["##[", "##vso[", "##teamcity["].iter().any(|command| line.contains(command))
    };
    text.lines().find(command).map(|line| format!("a workflow command: {line}"))
}

#[track_caller]
pub(crate) fn expect_harmless(what: &str, stdout: &str, stderr: &str) {
    assert_eq!(harm(stdout), None, "{what}: stdout\n{stdout}");
    assert_eq!(harm(stderr), None, "{what}: stderr\n{stderr}");
}

/// A workspace in which everything that people can name has a hostile name.
fn seed() -> String {
    let user = |(n, text): (usize, &&str)| {
        json!({ "userName": format!("u{n}"), "email": format!("u{n}@acme.example"), "displayName": text, "title": text,
                "name": { "givenName": text, "familyName": text }, "department": text, "phone": text })
    };
    let mut users: Vec<Value> = NASTY.iter().enumerate().map(user).collect();
    users.push(
        json!({ "userName": "gone", "email": "gone@acme.example", "active": false, "displayName": NASTY[0] }),
    );
    let group =
        |(n, text): (usize, &&str)| json!({ "displayName": format!("{text} {n}"), "members": ["u0", "u1"] });
    let groups: Vec<Value> = NASTY.iter().enumerate().map(group).collect();
    json!({ "users": users, "groups": groups }).to_string()
}

/// JSON in ASCII, which is YAML that says the same: raw, some of these characters are not allowed in a file at all.
fn escaped(value: &Value) -> String {
    let mut text = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() {
            text.push(c);
        } else {
            let mut units = [0; 2];
            text.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Renames, retitles and regroups all of them, from one line of hostile text to another.
fn roster() -> String {
    // Texts of a roster are one line.
    let one_line = |text: &str| text.replace(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'], " ");
    let allowed = |text: &str| one_line(text).chars().filter(|c| !c.is_control()).collect::<String>();
    let user = |(n, text): (usize, &&str)| json!({ "userName": format!("u{n}"), "email": format!("u{n}@acme.example"), "title": format!("new {}", allowed(text)) });
    let users: Vec<Value> = NASTY.iter().enumerate().map(user).collect();
    let groups: Vec<Value> = NASTY
        .iter()
        .enumerate()
        .map(|(n, text)| json!({ "displayName": format!("{} new {n}", allowed(text)), "members": ["u2"] }))
        .collect();
    let policy = json!({ "unlisted": { "groups": "keep" }, "limits": { "removeMembers": "100%", "removeMembersPerGroup": "100%" } });
    escaped(&json!({ "version": 1, "policy": policy, "users": users, "groups": groups }))
}

#[test]
fn no_name_acts_in_any_output_of_any_command() {
    let env = Env::new();
    env.write("roster.yaml", roster());
    env.write("delete.yaml", "version: 1\npolicy: { unlisted: { groups: delete }, limits: { deleteGroups: 100, removeMembers: 100% } }\nusers:\n  - { userName: u0, email: u0@acme.example, title: null, phone: null }\ngroups: []\n");
    let live = workspace(&seed(), &[]);
    let target = &live.target[..];
    let checked = |arguments: &[&str]| {
        let ran = env.run(arguments);
        expect_harmless(&arguments.join(" "), &ran.stdout, &ran.stderr);
        ran
    };
    for roster in ["roster.yaml", "delete.yaml"] {
        for arguments in [
            &["plan", roster][..],
            &["plan", roster, "--full", "-v"],
            &["plan", roster, "--diff"],
            &["plan", roster, "--format", "json"],
            &["plan", roster, "--format", "markdown"],
            &["plan", roster, "-vvv"],
        ] {
            let all: Vec<&str> = arguments.iter().copied().chain(["--target", target]).collect();
            assert!(!checked(&all).expect_code(0).stdout.is_empty());
        }
    }
    checked(&["snapshot", "--target", target]).expect_code(0).stdout.clear();
    for format in ["text", "json", "markdown"] {
        let live = workspace(&seed(), &[]);
        let arguments = ["apply", "roster.yaml", "--yes", "-v", "--format", format, "--target", &live.target];
        assert!(!checked(&arguments).stdout.is_empty());
    }
}

#[test]
fn markdown_keeps_hostile_names_out_of_its_structure() {
    let env = Env::new();
    env.write("roster.yaml", roster());
    let live = workspace(&seed(), &[]);
    let markdown = env
        .run(&["plan", "roster.yaml", "--format", "markdown", "--target", &live.target])
        .expect_code(0)
        .stdout;
    expect_plain_markdown("a plan", &markdown);
}

/// Between two backticks nothing acts, and every name stands there or is escaped: what is left is ours alone.
#[track_caller]
pub(crate) fn expect_plain_markdown(what: &str, markdown: &str) {
    let ours = |line: &str| {
        let mut ours = String::new();
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            match c {
                // What is escaped begins no span; in a span, a backslash is itself.
                '\\' => ours.extend(['\\', chars.next().unwrap_or(' ')]),
                '`' => {
                    assert!(chars.any(|c| c == '`'), "{what}: a code span does not end on its line: {line}");
                }
                c => ours.push(c),
            }
        }
        ours
    };
    let ours: Vec<String> = markdown.lines().filter(|line| !line.starts_with("```")).map(ours).collect();
    let ours = ours.join("\n");
    for raw in ["<script", "<!--", "<img", "](", "![", "<!channel>", "<@", "@channel", "@here", "://", "$("] {
        assert!(!ours.contains(raw), "{what}: {raw} in\n{ours}");
    }
    assert_eq!(ours.matches("<details").count(), ours.matches("</details>").count(), "{what}");
}

#[test]
fn a_hostile_roster_is_quoted_harmlessly_in_diagnostics() {
    let env = Env::new().without_token();
    for (n, text) in NASTY.iter().enumerate() {
        let file = format!("r{n}.yaml");
        env.write(
            &file,
            format!(
                "version: 1\nusers:\n  - {{ userName: {}, email: x, {}: 1 }}\n",
                json!(text),
                json!(text)
            ),
        );
        let ran = env.run(&["validate", &file]).expect_code(1);
        expect_harmless(&file, &ran.stdout, &ran.stderr);
        // Raw bytes in the file itself: the quoted source line must be as harmless as the names.
        env.write(&file, format!("version: 1\nusers:\n  - userName: ada # {text}\n    {text}: {text}\n"));
        let ran = env.run(&["validate", &file]).expect_code(1);
        expect_harmless(&file, &ran.stdout, &ran.stderr);
        let ran = env.run(&["validate", &file, "--format", "json"]).expect_code(1);
        expect_harmless(&file, &ran.stdout, &ran.stderr);
    }
    let ran = env.run(&["validate", "no\u{1b}[31msuch\n::error::file.yaml"]).expect_code(1);
    expect_harmless("a path", &ran.stdout, &ran.stderr);
}

#[test]
fn what_a_service_answers_is_quoted_harmlessly() {
    use axum::Router;
    use axum::http::{StatusCode, header};
    use axum::routing::any;
    let env = Env::new();
    env.write("roster.yaml", "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example }\n");
    for text in NASTY {
        let body = json!({ "detail": format!("{text} {text}"), "status": 400 }).to_string();
        let answer = move || {
            let body = body.clone();
            async move { (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body) }
        };
        let plain = move || async move { (StatusCode::FORBIDDEN, *text) };
        let served = crate::env::serve(
            Router::new().route("/json/Users", any(answer)).route("/plain/Users", any(plain)),
        );
        for path in ["json", "plain"] {
            let ran = env
                .run(&["plan", "roster.yaml", "--target", &format!("{}/{path}", served.origin)])
                .expect_code(1);
            expect_harmless(path, &ran.stdout, &ran.stderr);
        }
    }
}

#[test]
fn what_a_service_answers_is_logged_harmlessly() {
    use axum::Router;
    use axum::http::{StatusCode, header};
    use axum::routing::any;
    let env = Env::new();
    env.write("roster.yaml", "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example }\n");
    // A fault that may pass is logged before the request is sent again.
    let answer = || async {
        let detail = NASTY.join(" ");
        let body = json!({ "detail": detail, "status": 503 }).to_string();
        (StatusCode::SERVICE_UNAVAILABLE, [(header::CONTENT_TYPE, "application/json")], body)
    };
    let served = crate::env::serve(Router::new().fallback(any(answer)));
    for (arguments, level) in
        [(&["-vv"][..], None), (&["-vvv", "--color", "always"], None), (&[], Some("trace"))]
    {
        let target = ["plan", "roster.yaml", "--timeout", "400ms", "--target", &served.origin[..]];
        let mut command = env.command(&[&target, arguments].concat());
        if let Some(level) = level {
            command.env("RUST_LOG", level);
        }
        let output = command.output().unwrap();
        let logged = String::from_utf8_lossy(&output.stderr);
        assert!(logged.contains("reading again"), "{logged}");
        // The last line is our own message, in the colours that were asked for.
        let (log, _) = logged.trim_end().rsplit_once('\n').unwrap();
        expect_harmless(&format!("{arguments:?}"), "", log);
        assert!(log.contains("pwned"), "{log}");
    }
}

/// A name that files can have, as far as it goes.
fn file_name(text: &str) -> String {
    let name: String = text.chars().filter(|c| !matches!(c, '/' | '\0')).take(60).collect();
    format!("{name}.yaml")
}

#[cfg(unix)]
#[test]
fn no_name_of_a_file_acts() {
    let env = Env::new();
    let live = workspace(&seed(), &[]);
    let good = "version: 1\nusers:\n  - { userName: u0, email: u0@acme.example, title: New }\n";
    for text in NASTY {
        let (name, wrong) = (file_name(text), file_name(&format!("wrong {text}")));
        let missing = file_name(&format!("missing {text}"));
        env.write(&format!("./{name}"), good);
        env.write(&format!("./{wrong}"), good.replace("title", "titel"));
        let (name, wrong, missing) = (format!("./{name}"), format!("./{wrong}"), format!("./{missing}"));
        let (name, wrong, missing) = (&name[..], &wrong[..], &missing[..]);
        let against = ["--target", &live.target[..]];
        for arguments in [
            &["plan", name, "--full", "--target", &live.target][..],
            &["plan", name, "--format", "markdown", "--target", &live.target],
            &["plan", name, "--format", "json", "--target", &live.target],
            &["plan", name, "--diff", "--out", missing, "--target", &live.target],
            &["validate", wrong],
            &["validate", wrong, "--format", "markdown"],
            &["validate", wrong, "--format", "json"],
            &["plan", name, "--policy", wrong],
            &["plan", name, "--against", wrong],
            &["plan", name, "--simulate", wrong],
            &["plan", name, "--token-file", "missing", against[0], against[1]],
            &["plan", name, "--ca-file", wrong, against[0], against[1]],
            &["plan", name, "--journal", wrong, against[0], against[1]],
            &["apply", name, "--plan", wrong],
            &["apply", name, "--plan", missing, against[0], against[1]],
            &["history", wrong],
            &["history", "missing", "--run", name],
            &["revert", wrong, name],
            &["snapshot", "--out", missing, against[0], against[1]],
            &["snapshot", "--out", &format!("{missing}/x"), against[0], against[1]],
            &["sim", "--seed", wrong],
        ] {
            let ran = env.run(arguments);
            expect_harmless(&arguments.join(" "), &ran.stdout, &ran.stderr);
        }
        std::fs::remove_file(env.path(missing)).unwrap();
    }
}

#[test]
fn no_argument_acts_when_it_is_complained_of() {
    let env = Env::new();
    env.write("roster.yaml", "version: 1\nusers:\n  - { userName: u0, email: u0@acme.example }\n");
    let live = workspace(&seed(), &[]);
    for text in NASTY {
        // An argument cannot hold a zero byte.
        let text = &text.replace('\0', "")[..];
        let flag = format!("--no-such={text}");
        let switch = format!("{text}={text}");
        for arguments in [
            &[text][..],
            &[&flag],
            &["plan", "roster.yaml", text],
            &["plan", "roster.yaml", "--format", text],
            &["plan", "roster.yaml", "--timeout", text],
            &["plan", "roster.yaml", "--dialect", text],
            &["plan", "roster.yaml", "--target", text],
            &["plan", "roster.yaml", "--target", &format!("https://{text}")],
            &["plan", "roster.yaml", "--target", &format!("https://slack.example/{text}?{text}")],
            &["plan", "roster.yaml", "--only", text, "--target", &live.target],
            &["plan", "roster.yaml", "--only", text, "--format", "markdown", "--target", &live.target],
            &["apply", "roster.yaml", "--approve", text, "--yes", "--target", &live.target],
            &["daemon", "roster.yaml", "--interval", text],
            &["history", "roster.yaml", "--run", text],
            &["sim", "--listen", text],
            &["sim", "--set", &switch],
            &["sim", "--set", &format!("plan={text}")],
            &["completions", text],
            &["plan", "roster.yaml", "--color", text],
        ] {
            let ran = env.run(arguments);
            expect_harmless(&arguments.join(" "), &ran.stdout, &ran.stderr);
        }
    }
}

#[test]
fn no_name_in_a_snapshot_or_a_saved_plan_acts() {
    let env = Env::new();
    env.write("roster.yaml", roster());
    let live = workspace(&seed(), &[]);
    let checked = |arguments: &[&str]| {
        let ran = env.run(arguments);
        expect_harmless(&arguments.join(" "), &ran.stdout, &ran.stderr);
        ran
    };
    checked(&["snapshot", "--out", "whole.json", "--target", &live.target]).expect_code(0).stdout.clear();
    checked(&["snapshot", "--out", "redacted.json", "--redact", "--target", &live.target])
        .expect_code(0)
        .stdout
        .clear();
    for file in ["whole.json", "redacted.json"] {
        for more in [&["--full"][..], &["--diff"], &["--format", "json"], &["--format", "markdown"]] {
            checked(&[&["plan", "roster.yaml", "--against", file], more].concat())
                .expect_code(0)
                .stdout
                .clear();
        }
    }
    checked(&["plan", "roster.yaml", "--out", "plan.json", "--target", &live.target])
        .expect_code(0)
        .stdout
        .clear();
    let plan = std::fs::read_to_string(env.path("plan.json")).unwrap();
    expect_harmless("the saved plan", &plan, "");
    // Altered by somebody who would like to be quoted.
    for text in NASTY {
        let quoted = json!(text).to_string();
        let mut versions =
            vec![plan.replacen("\"formatVersion\":1", &format!("\"formatVersion\":{quoted}"), 1)];
        for (key, value) in [
            ("digest", &quoted),
            ("dialect", &quoted),
            ("target", &quoted),
            ("changes", &format!("[{quoted}]")),
        ] {
            let mut altered: Value = serde_json::from_str(&plan).unwrap();
            altered[key] = serde_json::from_str(value).unwrap();
            versions.push(altered.to_string());
        }
        let mut altered: Value = serde_json::from_str(&plan).unwrap();
        altered["changes"][0]["request"]["path"] = json!(text);
        versions.push(altered.to_string());
        for version in versions {
            env.write("altered.json", version);
            checked(&["apply", "roster.yaml", "--plan", "altered.json", "--target", &live.target])
                .expect_code(1)
                .stdout
                .clear();
        }
    }
    live.expect_untouched();
    // Somebody else has edited meanwhile, and their words are repeated.
    live.simulator.edit(|world| {
        for (n, text) in NASTY.iter().enumerate() {
            world.edit_user(&format!("u{n}"), |user| user.title = text.repeat(2));
        }
    });
    for format in ["text", "markdown", "json"] {
        checked(&[
            "apply",
            "roster.yaml",
            "--plan",
            "plan.json",
            "--format",
            format,
            "--target",
            &live.target,
        ])
        .expect_code(5)
        .stdout
        .clear();
    }
}

#[test]
fn no_name_and_no_answer_acts_in_what_a_daemon_says() {
    use axum::Router;
    use axum::http::StatusCode;
    let env = Env::new();
    env.write("roster.yaml", roster());
    let blocked = roster().replace("\"removeMembers\":\"100%\"", "\"removeMembers\":0");
    env.write("blocked.yaml", blocked);
    let (live, other) = (workspace(&seed(), &[]), workspace(&seed(), &[]));
    let detail = json!({ "detail": NASTY.join(" "), "status": 400 }).to_string();
    let answer = move || {
        let detail = detail.clone();
        async move { (StatusCode::BAD_REQUEST, detail) }
    };
    let served = crate::env::serve(Router::new().fallback(answer));
    let cases =
        [("roster.yaml", &live.target), ("blocked.yaml", &other.target), ("roster.yaml", &served.origin)];
    for (roster, target) in cases {
        let daemon = Running::start(&env, &["daemon", roster, "--target", target, "-vv"]);
        daemon.expect_line(&["Round 1: ", "; next round in"]);
        let output = daemon.output();
        expect_harmless(roster, &output, "");
        assert!(output.contains("pwned"), "it has told of none of them: {output}");
    }
}
