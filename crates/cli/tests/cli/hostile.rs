//! Names come from people: whatever stands in a roster or in Slack's answers, showing it does nothing (design §7).

use crate::env::{Env, workspace};
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
    let bidi = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let separator = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{ad}');
    (c.is_control() && c != '\n') || bidi || separator
}

/// What of `text` acts on a terminal or in a CI runner's log, if anything does.
fn harm(text: &str) -> Option<String> {
    if let Some(at) = text.find(acts) {
        let around: String = text[at..].chars().take(20).collect();
        return Some(format!("a character that acts: {around:?}"));
    }
    let command =
        |line: &&str| line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[");
    text.lines().find(command).map(|line| format!("a workflow command: {line}"))
}

#[track_caller]
fn expect_harmless(what: &str, stdout: &str, stderr: &str) {
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
    // Between two backticks nothing acts, and every name stands there: what is left is ours alone.
    let ours = |line: &str| {
        let parts: Vec<&str> = line.split('`').collect();
        assert!(parts.len() % 2 == 1, "a code span does not end on its line: {line}");
        parts.into_iter().step_by(2).collect::<String>()
    };
    let ours: Vec<String> = markdown.lines().filter(|line| !line.starts_with("```")).map(ours).collect();
    let ours = ours.join("\n");
    for raw in ["<script", "<!--", "](", "<!channel>", "@channel", "pwned", "heading", "$("] {
        assert!(!ours.contains(raw), "{raw} in\n{ours}");
    }
    assert_eq!(ours.matches("<details").count(), ours.matches("</details>").count());
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
