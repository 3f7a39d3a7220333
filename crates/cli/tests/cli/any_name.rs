//! Whatever people and services call things, no output of any command in any format does anything but show it
//! (design §7). `PROPTEST_CASES` tries more of them.

use crate::env::{Env, Ran, Served, serve};
use crate::hostile::{expect_harmless, expect_plain_markdown};
use crate::running::Running;
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::get;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Pieces that mean something to a terminal, a CI runner, a forge, a chat, a parser or an eye.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "\u{1b}[31m", "\u{1b}]8;;http://x\u{7}", "\u{1b}c", "\u{9b}2J", "\u{90}", "\u{8}", "\0", "\u{7f}", "\n", "\r", "\t", "\u{85}",
    "\u{202e}", "\u{2066}", "\u{200f}", "\u{61c}", "\u{200b}", "\u{200d}", "\u{feff}", "\u{ad}", "\u{2028}", "\u{2029}", "\u{e0041}", "\u{e000}",
    "\u{3164}", "\u{fe0f}", "\u{301}\u{301}\u{301}", "::error::x", "\n::add-mask::x", "  ::set-env name=a::b", "##[error]", "##vso[task.x]",
    "##teamcity[x]", "%0A::error::x", "@octocat", "@here", "@channel", "<!channel>", "<@U1>", "#1", "GH-1", "https://evil.example", "](http://x)",
    "![x](", "[", "`", "```", "|", "**", "_", "~~", "$x$", "<script>", "<img src=x>", "</details>", "</summary>", "<!--", "-->", "&lt;",
    "&#64;", "$(id)", "'", "\"", "\\", "# h", "- i", "> q", "---", "{", "}", ": ", " #", "é", "日本", "x", " ",
];

fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![8 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    prop::collection::vec(piece, 1..6).prop_map(|pieces| pieces.concat())
}

/// A service that calls everything so, and repeats such words whenever it refuses.
fn service(names: &[String]) -> Served {
    let n = |at: usize| &names[at % names.len()];
    // A service whose ids hold such things is not read at all.
    let id = |at: usize| n(at).chars().filter(|c| !c.is_control()).collect::<String>();
    let user = |at: usize, user_name: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", n(at)], "id": format!("U{at}{}", if at > 1 { id(at) } else { String::new() }),
            "userName": user_name, "active": true, "displayName": n(at + 1), "nickName": n(at + 2), "title": n(at + 3), "userType": n(at),
            "name": { "givenName": n(at + 4), "familyName": n(at + 5), "honorificPrefix": n(at + 6) },
            "emails": [{ "value": if at > 1 { n(at + 1).clone() } else { format!("{user_name}@acme.example") }, "primary": true, "type": n(at) }],
            "phoneNumbers": [{ "value": n(at + 2), "type": "work" }], "locale": n(at), "timezone": n(at + 1), "preferredLanguage": n(at + 2),
            "profileUrl": format!("https://acme{}.slack.com/team/{user_name}", n(at)), "photos": [{ "value": n(at), "type": "photo" }],
            "addresses": [{ "streetAddress": n(at), "locality": n(at + 1), "country": n(at + 2), "primary": true }], "roles": [{ "value": n(at), "primary": true }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "employeeNumber": n(at), "costCenter": n(at + 1), "organization": n(at + 2), "division": n(at + 3), "department": n(at + 4),
                "manager": { "managerId": "U1", "value": "U1", "displayName": n(at) } }
        })
    };
    let users = [user(0, "ada"), user(1, "bob"), user(2, n(3)), user(3, n(4))];
    let group = |at: usize| {
        let members: Vec<Value> =
            users.iter().map(|user| json!({ "value": user["id"], "display": n(at) })).collect();
        json!({ "id": format!("S{at}{}", id(at)), "displayName": format!("{at}{}", n(at)), "members": members })
    };
    let list = |resources: &[Value]| {
        let count = resources.len();
        json!({ "totalResults": count, "startIndex": 1, "itemsPerPage": count, "Resources": resources })
            .to_string()
    };
    let (users, groups) = (list(&users), list(&[group(0), group(1), group(2)]));
    let refusal = json!({ "detail": n(0), "Errors": { "description": n(1), "code": n(2) }, "scimType": n(3), "status": "400" });
    let refuse = move |request: Request, next: Next| {
        let refusal = refusal.to_string();
        async move {
            if request.method() == Method::GET {
                return next.run(request).await;
            }
            (StatusCode::BAD_REQUEST, refusal).into_response()
        }
    };
    let say = |text: String| get(move || async move { text });
    serve(Router::new().route("/Users", say(users)).route("/Groups", say(groups)).layer(from_fn(refuse)))
}

/// What a roster may call somebody or something, as near to `name` as its rules allow.
fn allowed(name: &str) -> String {
    let text: String =
        name.chars().filter(|c| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}')).take(30).collect();
    format!("n{} x", text.replace('@', ""))
}

/// JSON in ASCII as YAML has it, which knows no surrogates.
fn ascii(value: &Value) -> String {
    let escaped = |c| match c {
        ' '..='~' => String::from(c),
        _ => format!("\\U{:08x}", u32::from(c)),
    };
    value.to_string().chars().map(escaped).collect()
}

/// A roster that changes all that it can; with `spelled`, as its names come.
fn roster(names: &[String], spelled: impl Fn(&str) -> String, leavers: &str) -> String {
    let n = |at: usize| spelled(&names[at % names.len()]);
    let user = |at: usize, user_name: &str| {
        json!({ "userName": user_name, "email": format!("{user_name}@acme.example"), "title": n(at), "department": n(at + 1), "costCenter": n(at + 2),
                "name": { "givenName": n(at + 3), "familyName": n(at + 4) }, "userType": n(at + 5) })
    };
    let group = |at: usize| json!({ "displayName": format!("{at} {}", n(at)), "formerly": [format!("{at}{}", n(at))], "members": ["ada", "new"] });
    let limits =
        json!({ "deactivateUsers": "100%", "removeMembers": "100%", "removeMembersPerGroup": "100%" });
    // What is no domain is refused, so that nothing else of the roster would be looked at.
    let domains = if spelled("\0") == "\0" { json!(["acme.example", n(0)]) } else { json!(["acme.example"]) };
    let policy = json!({ "unlisted": { "users": leavers }, "limits": limits, "emailDomains": domains,
                         "protect": { "users": [n(1)], "groups": [n(2)] } });
    ascii(&json!({ "version": 1, "workspace": "acme", "policy": policy,
                   "users": [user(0, "ada"), user(1, "bob"), user(2, "new")], "groups": [group(0), group(1), group(3)] }))
}

/// The journal with other words in all places in which people's or a service's words stand.
fn renamed(journal: &str, names: &[String]) -> String {
    fn rename(value: &mut Value, name: &mut dyn FnMut() -> String) {
        match value {
            Value::String(text) => *text = name(),
            Value::Array(list) => list.iter_mut().for_each(|value| rename(value, name)),
            Value::Object(map) => map.values_mut().for_each(|value| rename(value, name)),
            _ => {}
        }
    }
    let mut next = names.iter().cycle();
    let mut lines = String::new();
    for line in journal.lines() {
        let mut record: Value = serde_json::from_str(line).unwrap();
        for (key, value) in record.as_object_mut().unwrap() {
            if ["name", "before", "after", "detail", "why", "stopped", "workspace", "rosterctl"]
                .contains(&key.as_str())
            {
                rename(value, &mut || next.next().unwrap().clone());
            }
        }
        lines += &(record.to_string() + "\n");
    }
    lines
}

struct Checked {
    env: Env,
    /// How many plans and histories were shown, and not refused.
    shown: usize,
}

impl Checked {
    /// Runs a command, whose last argument may be a format, and looks at all that it says.
    fn run(&mut self, arguments: &[&str]) -> Ran {
        let ran = self.env.run(arguments);
        let what = format!("{arguments:?}");
        assert_ne!(ran.code, 101, "{what} panics: {ran:?}");
        expect_harmless(&what, &ran.stdout, &ran.stderr);
        match arguments.last() {
            Some(&"markdown") => expect_plain_markdown(&what, &ran.stdout),
            Some(&"json") if !ran.stdout.is_empty() => {
                serde_json::from_str::<Value>(&ran.stdout).unwrap_or_else(|error| panic!("{what}: {error}"));
            }
            _ => {}
        }
        self.shown += usize::from(ran.code != 1 && !ran.stdout.is_empty());
        ran
    }

    fn in_all_formats(&mut self, arguments: &[&str]) {
        for format in ["text", "json", "markdown"] {
            drop(self.run(&[arguments, &["--format", format]].concat()));
        }
    }

    fn file(&self, name: &str) -> String {
        let text = std::fs::read_to_string(self.env.path(name)).unwrap_or_default();
        expect_harmless(name, &text, "");
        text
    }
}

fn check(names: &[String], dialect: &str) {
    let (service, other) = (service(names), service(&names[1..]));
    let mut all = Checked { env: Env::new(), shown: 0 };
    let target = ["--target", &service.origin[..], "--dialect", dialect];
    let changed = ["--target", &other.origin[..], "--dialect", dialect];
    let file: String = names[0].chars().filter(|c| !matches!(c, '/' | '\0')).collect();
    let file = &format!("./r{file}.yaml")[..];
    all.env.write(file, roster(names, allowed, "keep").replace("\"workspace\":\"acme\",", ""));
    all.env.write("leavers.yaml", roster(names, allowed, "deactivate"));
    all.env.write("raw.yaml", roster(names, str::to_owned, "keep"));
    all.env.write(
        "unquoted.yaml",
        format!(
            "version: 1\nusers:\n  - userName: ada\n    title: {}\n    {}: {}\n",
            names[0], names[1], names[2]
        ),
    );
    // A plan that nothing blocks, so that it is carried out.
    let simple = json!({ "version": 1, "users": [{ "userName": "ada", "email": "ada@acme.example", "title": allowed(&names[0]) }, { "userName": "new", "email": "new@acme.example", "title": allowed(&names[1]) }] });
    all.env.write("simple.yaml", ascii(&simple));

    for roster in [file, "leavers.yaml", "raw.yaml", "unquoted.yaml"] {
        all.in_all_formats(&["validate", roster]);
    }
    for roster in [file, "leavers.yaml"] {
        all.in_all_formats(&[&["plan", roster, "--full", "-v"], &target[..]].concat());
        drop(all.run(&[&["plan", roster, "--diff", "-vvv"], &target[..]].concat()));
        all.in_all_formats(
            &[&["plan", roster, "--only", &*names[3].trim_start_matches('-').replace('\0', "")], &target[..]]
                .concat(),
        );
    }
    for more in [&[][..], &["--redact"]] {
        drop(all.run(&[&["snapshot"], &target[..], more].concat()));
        drop(all.run(&[&["snapshot", "--out", "snapshot.json"], &target[..], more].concat()));
        all.file("snapshot.json");
        all.in_all_formats(&["plan", file, "--against", "snapshot.json"]);
    }
    drop(all.run(&[&["plan", "simple.yaml", "--out", "plan.json"], &target[..]].concat()));
    all.file("plan.json");
    all.in_all_formats(&[&["apply", "simple.yaml", "--plan", "plan.json"], &changed[..]].concat());
    all.in_all_formats(
        &[&["apply", "simple.yaml", "--plan", "plan.json", "--journal", "runs.jsonl"], &target[..]].concat(),
    );
    all.in_all_formats(
        &[&["apply", "simple.yaml", "--yes", "--journal", "runs.jsonl", "-vv"], &target[..]].concat(),
    );
    let journal = all.file("runs.jsonl");
    assert!(
        !journal.is_empty(),
        "nothing was carried out: {:?}",
        all.run(&[&["apply", "simple.yaml", "--yes"], &target[..]].concat())
    );
    all.env.write("renamed.jsonl", renamed(&journal.replace("\"refused\"", "\"took\""), names));
    for journal in ["runs.jsonl", "renamed.jsonl"] {
        all.in_all_formats(&["history", journal]);
        all.in_all_formats(&[&["revert", journal, file], &target[..]].concat());
        all.in_all_formats(&[&["revert", journal, "--yes"], &target[..]].concat());
    }
    let daemon = Running::start(&all.env, &[&["daemon", file, "--observe", "-vv"], &target[..]].concat());
    daemon.expect_line(&["Round 1: ", "; next round in"]);
    expect_harmless("the daemon", &daemon.output(), "");
    assert!(all.shown >= 25, "next to nothing was shown: {}", all.shown);
}

#[test]
fn no_name_whatever_acts_in_any_output() {
    let config =
        ProptestConfig { failure_persistence: None, max_shrink_iters: 8, ..ProptestConfig::default() };
    // Each case is some eighty runs of the binary; that is many where the functions below are tried by the hundred.
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { 4 };
    let names = prop::collection::vec(name(), 8);
    let dialect = prop::sample::select(vec!["slack", "rfc"]);
    proptest!(ProptestConfig { cases, ..config }, |(names in names, dialect in dialect)| check(&names, dialect));
}
