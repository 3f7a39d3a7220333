//! Every mistake that a roster can make: its code, its place, and that nothing else is reported with it.

use crate::{codes, load_all, load_one, mistakes, show, underlined};
use model::Source;
use model::diagnostic::Severity;
use model::load::{CODES, load};
use std::collections::BTreeSet;

/// The head and one person; a case adds lines below.
const ADA: &str = "version: 1\nusers:\n  - userName: ada\n    email: ada@acme.example\n";
const TWO: &str = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example }\n  - { userName: bob, email: bob@acme.example }\n";

fn ada(lines: &str) -> String {
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    format!("{ADA}{indented}")
}

fn two(lines: &str) -> String {
    format!("{TWO}{lines}")
}

/// Code, underlined text, roster. Each roster has that one mistake and must get that one diagnostic.
fn cases() -> Vec<(&'static str, &'static str, Vec<String>)> {
    let one = |code, text, roster: String| (code, text, vec![roster]);
    vec![
        one("syntax", ":", ada("title: Engineer: Staff")),
        one("syntax", "*", ada("manager: *grace")),
        one("syntax", "l", ada("address:\n\tlocality: x")),
        one("syntax", "@", ada("phone: @home")),
        one("multiple-documents", "---", format!("{ADA}---\nversion: 1\n")),
        one("control-character", "\u{1b}", ada("title: a\u{1b}[2Jb")),
        one("control-character", "\0", ada("title: ab # \0")),
        one("control-character", "\"a\\e[2Jb\"", ada("title: \"a\\e[2Jb\"")),
        one("control-character", "a", ada("title: |\n  a\n  b")),
        one("unsupported-tag", "!!int 12", ada("employeeNumber: !!int 12")),
        one("recursive-alias", "*a", ada("address: &a { locality: *a }")),
        one("too-deep", "[", ada(&format!("title: {}", "[".repeat(200)))),
        one("too-deep", "", format!("version: 1\nusers:\n{}a: b\n", "- ".repeat(10_000))),
        one("unsupported-version", "2", ADA.replace('1', "2").replace("email", "mail")),
        one(
            "unsupported-version",
            "one",
            format!("{}nonsense: 1\n", ADA.replace("version: 1", "version: one")),
        ),
        (
            "section-twice",
            "workspace",
            vec![format!("{ADA}workspace: acme\n"), "version: 1\nworkspace: acme\n".into()],
        ),
        (
            "section-twice",
            "policy",
            vec![format!("{ADA}policy: {{ }}\n"), "version: 1\npolicy: { }\n".into()],
        ),
        one("empty-roster", "users", "version: 1\nusers: []\n".into()),
        one("empty-roster", "", "version: 1\n".into()),
        one("invalid-workspace", "acme.slack.com", format!("{ADA}workspace: acme.slack.com\n")),
        one("unknown-key", "titel", ada("titel: Engineer")),
        one("unknown-key", "username", ADA.replace("userName", "username")),
        one("unknown-key", "user", ADA.replace("users", "user")),
        one("unknown-key", "shoeSize", ada("shoeSize: 44")),
        one("unknown-key", "givenname", ada("name: { givenname: Ada }")),
        one("missing-key", "", ADA.replace("version: 1\n", "")),
        one("missing-key", "email", "version: 1\nusers:\n- email: ada@acme.example\n".into()),
        one("missing-key", "userName", "version: 1\nusers:\n- userName: ada\n".into()),
        one("missing-key", "members", two("groups: [ { members: [ada] } ]\n")),
        one("duplicate-key", "title", ada("title: a\ntitle: b")),
        one("duplicate-key", "users", format!("{ADA}users: []\n")),
        one("wrong-type", "[", ada("title: [a]")),
        one("wrong-type", "Ada", ada("name: Ada Lovelace").replace("Ada Lovelace", "Ada")),
        one("wrong-type", "yes", ada("active: yes")),
        one("wrong-type", "\"true\"", ada("active: \"true\"")),
        one("wrong-type", "ada", two("groups:\n- displayName: eng\n  members: ada\n")),
        one("wrong-type", "nobody", "version: 1\nusers: nobody\n".into()),
        one("wrong-type", "users", format!("{ADA}policy: {{ protect: {{ users: }} }}\n")),
        one("not-null", "timezone", ada("timezone:")),
        one("not-null", "null", ada("active: null")),
        one("not-null", "~", ada("profileUrl: ~")),
        one("not-null", "members", two("groups:\n- displayName: eng\n  members:\n")),
        one("empty-value", "\"\"", ada("title: \"\"")),
        one("empty-value", "' '", ada("title: ' '")),
        one("empty-value", "[", format!("{ADA}policy: {{ emailDomains: [] }}\n")),
        one("unknown-value", "remove", format!("{ADA}policy: {{ unlisted: {{ users: remove }} }}\n")),
        one("unknown-value", "oncreate", format!("{ADA}policy: {{ attributes: {{ title: oncreate }} }}\n")),
        one("invalid-user-name", "Ada Lovelace", ADA.replace(": ada\n", ": Ada Lovelace\n")),
        one(
            "invalid-user-name",
            "a-name-of-22-characters",
            ADA.replace(": ada\n", ": a-name-of-22-characters\n"),
        ),
        one("invalid-email", "ada", ADA.replace("ada@acme.example", "ada")),
        one("invalid-email", "a@b@c", ADA.replace("ada@acme.example", "a@b@c")),
        one("invalid-email", "Ada <ada@acme.example>", ada("secondaryEmail: Ada <ada@acme.example>")),
        one("invalid-email", "ada@acme..example", ADA.replace("ada@acme.example", "ada@acme..example")),
        one("email-domain", "ada@acme.example", format!("{ADA}policy: {{ emailDomains: [acme.exampel] }}\n")),
        one(
            "email-domain",
            "a@b.example",
            format!("{}policy: {{ emailDomains: [acme.example] }}\n", ada("secondaryEmail: a@b.example")),
        ),
        one("invalid-id", "U1/../Groups", ada("id: U1/../Groups")),
        one("invalid-url", "acme.example/ada.png", ada("photo: acme.example/ada.png")),
        one("invalid-url", "data:image/png;base64,AA", ada("profileUrl: data:image/png;base64,AA")),
        one("invalid-timezone", "Europe\\London", ada("timezone: Europe\\London")),
        one("invalid-date", "2026-02-30", ada("startDate: 2026-02-30")),
        one("invalid-date", "31.1.2027", ada("guest: { expires: 31.1.2027 }")),
        one("invalid-date", "2026-01-05T09:00:00", ada("startDate: 2026-01-05T09:00:00")),
        one("invalid-display-name", "\"@ada\"", ada("displayName: \"@ada\"")),
        one("name-required", "null", ada("name: null")),
        one("name-required", "givenName", ada("name: { givenName: null, familyName: null }")),
        one("too-long", "a".repeat(81).leak(), ada(&format!("displayName: {}", "a".repeat(81)))),
        one("not-a-default", "phone", format!("{ADA}defaults: {{ phone: 1 }}\n")),
        one("never-written", "title", ada("managed: false\ntitle: Chief")),
        one("duplicate-person", "Bob", two("  - { userName: Bob, email: b@acme.example }\n")),
        one("duplicate-person", "bob", two("  - { userName: bob, email: bob@acme.example }\n")),
        one("duplicate-email", "BOB@acme.example", two("  - { userName: rob, email: BOB@acme.example }\n")),
        one(
            "duplicate-email",
            "bob@acme.example",
            two("  - { userName: rob, email: r@acme.example, secondaryEmail: bob@acme.example }\n"),
        ),
        one("duplicate-email", "ada@acme.example", ada("secondaryEmail: ada@acme.example")),
        one(
            "duplicate-id",
            "U1",
            two("  - { userName: c, email: c@x.y, id: U1 }\n  - { userName: d, email: d@x.y, id: U1 }\n"),
        ),
        one(
            "duplicate-id",
            "S1",
            two("groups: [ { displayName: a, id: S1 }, { displayName: b, id: S1 } ]\n"),
        ),
        one("duplicate-group", "ENG", two("groups: [ { displayName: eng }, { displayName: ENG } ]\n")),
        one(
            "formerly-clash",
            "Eng",
            two("groups: [ { displayName: eng }, { displayName: dev, formerly: Eng } ]\n"),
        ),
        one(
            "formerly-clash",
            "x",
            two("groups: [ { displayName: eng, formerly: [x] }, { displayName: dev, formerly: [x] } ]\n"),
        ),
        one("formerly-clash", "ENG", two("groups: [ { displayName: eng, formerly: [ENG] } ]\n")),
        one(
            "unknown-person",
            "bbo",
            two(
                "groups: [ { displayName: eng, members: [ada, bbo] }, { displayName: dev, members: [bbo] } ]\n",
            ),
        ),
        one("unknown-person", "grace", ada("manager: grace")),
        one(
            "unknown-person",
            "ada@acme.example",
            two("groups: [ { displayName: eng, members: [ada@acme.example] } ]\n"),
        ),
        one("self-manager", "Ada", ada("manager: Ada")),
        one(
            "inactive-member",
            "ada",
            format!("{}groups:\n- displayName: eng\n  members: [ada]\n", ada("active: false")),
        ),
        one("listed-twice", "ADA", two("groups: [ { displayName: eng, members: [ada, ADA] } ]\n")),
        one("invalid-limit", "200%", format!("{ADA}policy: {{ limits: {{ deleteGroups: 200% }} }}\n")),
        one(
            "invalid-limit",
            "-1",
            format!("{ADA}policy: {{ limits: {{ deleteGroups: {{ atLeast: -1 }} }} }}\n"),
        ),
        one("invalid-limit", "1.5", format!("{ADA}policy: {{ limits: {{ deleteGroups: 1.5 }} }}\n")),
        one(
            "invalid-domain",
            "\"@acme.example\"",
            format!("{ADA}policy: {{ emailDomains: [\"@acme.example\"] }}\n"),
        ),
    ]
}

#[test]
fn one_mistake_gives_one_error_at_its_place() {
    let mut failures = String::new();
    for (code, text, roster) in cases() {
        let roster: Vec<&str> = roster.iter().map(String::as_str).collect();
        let excerpt: String = roster.concat().chars().take(500).collect();
        let Err(rejected) = load_all(&roster) else {
            failures += &format!("{code} «{text}»: accepted {excerpt:?}\n");
            continue;
        };
        let shown: String = rejected.diagnostics.iter().map(|d| show(d, &rejected.sources)).collect();
        let found = rejected.diagnostics.iter().map(|d| (d.code, underlined(&d.label, &rejected.sources)));
        let has_remedy =
            rejected.diagnostics.iter().all(|d| d.help.as_ref().is_some_and(|help| !help.is_empty()));
        if !found.eq([(code, text)]) || !has_remedy {
            failures += &format!("{code} «{text}»: {excerpt:?} gave\n{shown}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_code_has_a_case() {
    let tested: BTreeSet<&str> = cases().into_iter().map(|(code, ..)| code).collect();
    // These have tests of their own, here and in `hostile`.
    let elsewhere = ["too-large", "more-mistakes", "emoji", "circular-managers"];
    let all: BTreeSet<&str> = CODES.iter().copied().collect();
    assert_eq!(all, tested.into_iter().chain(elsewhere).collect());
}

#[test]
fn all_mistakes_of_all_files_are_reported_in_one_go() {
    let rejected = mistakes(&[include_str!("nasty.yaml"), include_str!("broken.yaml")]);
    let shown: String = rejected.diagnostics.iter().map(|d| show(d, &rejected.sources)).collect();
    insta::assert_snapshot!(shown);
}

#[test]
fn what_a_broken_file_may_have_said_is_not_missed() {
    let groups = "version: 1\ngroups: [ { displayName: eng, members: [grace] } ]\n";
    assert_eq!(codes(&[&ada("title: a: b"), groups]), ["syntax"]);
    assert_eq!(codes(&[ADA, groups]), ["unknown-person"]);
    // An entry without a name may have been the one that is missed; an entry with a wrong name is that name's.
    assert_eq!(codes(&["version: 1\nusers: [ { email: g@acme.example } ]\n", groups]), ["missing-key"]);
    let misnamed = "version: 1\nusers: [ { userName: gr ace, email: g@x.y } ]\n";
    let group = |member| format!("version: 1\ngroups: [ {{ displayName: eng, members: [{member}] }} ]\n");
    assert_eq!(codes(&[misnamed, &group("gr ace")]), ["invalid-user-name"]);
    assert_eq!(codes(&[misnamed, &group("grace")]), ["invalid-user-name", "unknown-person"]);
}

#[test]
fn a_broken_file_does_not_hide_the_mistakes_above_it_or_of_other_files() {
    let broken = ada("titel: a\nphone: [");
    assert_eq!(
        codes(&[&broken, "version: 1\nusers: [ { userName: b b, email: b@x.y } ]\n"]),
        ["syntax", "invalid-user-name"]
    );
    let after_an_entry = "version: 1\nusers:\n  - { userName: ada, email: ada }\n  - { userName: bob: x }\n";
    assert_eq!(codes(&[after_an_entry]), ["invalid-email", "syntax"]);
}

#[test]
fn a_policy_file_and_a_policy_in_the_roster_are_one_too_many() {
    let policy = |text: &str| Some(Source { path: "policy.yaml".into(), text: text.into() });
    let roster = || vec![Source { path: "roster.yaml".into(), text: format!("{ADA}policy: {{}}\n") }];
    let rejected = load(roster(), policy("unlisted: { users: keep }\n")).unwrap_err();
    let [finding] = &rejected.diagnostics[..] else { panic!("{:?}", rejected.diagnostics) };
    assert_eq!(finding.code, "section-twice");
    assert_eq!(rejected.sources.display(finding.label.place.unwrap()), "policy.yaml:1:1");
    assert_eq!(rejected.sources.display(finding.related[0].place.unwrap()), "roster.yaml:5:1");
}

#[test]
fn circular_managers_are_a_warning_that_names_each_circle_once() {
    let person = |name: &str, manager: &str| {
        format!("- {{ userName: {name}, email: {name}@x.y, manager: {manager} }}\n")
    };
    let people = [("a", "b"), ("b", "c"), ("c", "b"), ("d", "e"), ("e", "d"), ("f", "a"), ("g", "null")];
    let users: String = people.iter().map(|(name, manager)| person(name, manager)).collect();
    let loaded = load_one(&format!("version: 1\nusers:\n{users}")).unwrap();
    let shown: Vec<_> = loaded.warnings.iter().map(|w| (w.code, w.severity, w.message.as_str())).collect();
    let warning = |message| ("circular-managers", Severity::Warning, message);
    assert_eq!(
        shown,
        [
            warning("these people manage each other: `b` → `c` → `b`"),
            warning("these people manage each other: `d` → `e` → `d`"),
        ]
    );
}

#[test]
fn a_former_name_that_is_the_groups_own_is_told_from_another_groups() {
    let rejected = mistakes(&[&two("groups: [ { displayName: eng, formerly: [ENG] } ]\n")]);
    assert_eq!(rejected.diagnostics[0].message, "`ENG` is the group's own name");
}

#[test]
fn emoji_are_a_warning() {
    let loaded = load_one(&ada("title: Chief 🎉")).unwrap();
    assert_eq!(loaded.warnings.iter().map(|w| w.code).collect::<Vec<_>>(), ["emoji"]);
}

#[test]
fn a_mistake_in_an_anchored_value_is_one_mistake_however_often_it_is_used() {
    let user = |name: &str| format!("- {{ <<: *all, userName: {name}, email: {name}@x.y }}\n");
    let users: String = ["b", "c", "d"].map(user).concat();
    let text = format!(
        "version: 1\nusers:\n- &all {{ userName: a, email: a@x.y, titel: x, startDate: 2026-02-30 }}\n{users}"
    );
    assert_eq!(codes(&[&text]), ["unknown-key", "invalid-date"]);
}

#[test]
fn a_name_that_nobody_has_is_one_mistake_however_often_it_is_used() {
    let group = |i: u32| format!("- {{ displayName: g{i}, members: [grase] }}\n");
    let groups: String = (0..20).map(group).collect();
    let text = format!("version: 1\nusers:\n- {{ userName: grace, email: g@x.y }}\ngroups:\n{groups}");
    let rejected = mistakes(&[&text]);
    assert_eq!(rejected.diagnostics.len(), 1);
    let finding = &rejected.diagnostics[0];
    assert_eq!((finding.related.len(), finding.label.text.as_str()), (3, "and in 19 more places"));
    assert_eq!(finding.help.as_deref(), Some("did you mean `grace`?"));
}

#[test]
fn a_name_whose_entry_has_another_mistake_is_suggested_all_the_same() {
    let manager = |entry: &str, name: &str| {
        format!("{ADA}    manager: {name}\n  - {{ {entry} }}\n  - {{ userName: graze-2, email: none }}\n")
    };
    let help = |text: &str| {
        let rejected = mistakes(&[text]);
        let unknown = rejected.diagnostics.into_iter().find(|d| d.code == "unknown-person");
        unknown.and_then(|finding| finding.help)
    };
    for entry in ["userName: grace, email: grace", "userName: Grace"] {
        assert_eq!(help(&manager(entry, "grcae")).as_deref(), Some("did you mean `grace`?"));
        assert_eq!(help(&manager(entry, "GRACE")), None, "whom her entry's mistake alone makes unknown");
    }
    // A name that is not allowed is none to write instead.
    let help = help(&manager("userName: gr ace, email: grace@acme.example", "grace"));
    assert!(help.is_some_and(|help| help.starts_with("list the person")));
}

#[test]
fn a_thousand_mistakes_are_shown_and_the_others_counted() {
    let users: String = (0..3_000).map(|i| format!("- {{ userName: u{i}, email: none }}\n")).collect();
    let rejected = mistakes(&[&format!("version: 1\nusers:\n{users}")]);
    assert_eq!(rejected.diagnostics.len(), 1_001);
    let last = rejected.diagnostics.last().unwrap();
    assert_eq!((last.code, last.label.place), ("more-mistakes", None));
    assert!(last.message.starts_with("2000 more"), "{}", last.message);
}

#[test]
fn a_message_quotes_no_more_than_a_line_of_the_roster() {
    let long = "é".repeat(100_000);
    for roster in [
        ada(&format!("timezone: {long}")),
        ada(&format!("{long}: x")),
        ADA.replace(": ada\n", &format!(": {long}\n")),
    ] {
        for finding in mistakes(&[&roster]).diagnostics {
            let words = finding.message.chars().count() + finding.help.unwrap_or_default().chars().count();
            assert!(words < 1_000, "{}", finding.code);
        }
    }
}

#[test]
fn columns_count_characters_and_places_count_bytes() {
    let text = "\u{feff}version: 1\r\nusers:\r\n  - { userName: ada, email: ada@x.y, title: \"Größe 🎩\", titel: x }\r\n";
    let rejected = mistakes(&[text]);
    let error = rejected.diagnostics.iter().find(|d| d.code == "unknown-key").unwrap();
    let place = error.label.place.unwrap();
    assert_eq!((place.line, place.column), (3, 56));
    assert_eq!(underlined(&error.label, &rejected.sources), "titel");
}

#[test]
fn a_roster_without_files_lists_nobody() {
    let rejected = load_all(&[]).unwrap_err();
    assert_eq!(rejected.diagnostics[0].code, "empty-roster");
    assert_eq!(rejected.to_string(), "the roster has 1 mistake(s)");
}

/// Whether few people are compared with each other or so many that it is done in several places at a time.
#[test]
fn the_mistakes_of_a_large_roster_are_those_of_a_small_one() {
    let crowd = |people: usize| -> String {
        (0..people).map(|n| format!("  - {{ userName: u{n}, email: u{n}@acme.example }}\n")).collect()
    };
    let said = |people: usize, repeated: usize| {
        let others = "  - { userName: Bob, email: b@acme.example, id: U1 }\n\
                      \x20 - { userName: rob, email: BOB@acme.example, id: U1 }\n\
                      \x20 - { userName: u1, email: u1@acme.example }\n\
                      \x20 - { userName: kim, email: kim@acme.example, secondaryEmail: Kim@acme.example }\n";
        let again: String =
            (0..repeated).map(|n| format!("  - {{ userName: v{n}, email: U1@acme.example }}\n")).collect();
        let rejected = mistakes(&[&format!("{}{}{others}{again}", two(""), crowd(people))]);
        let found: Vec<String> = rejected
            .diagnostics
            .iter()
            .map(|finding| format!("{} {:?}", finding.message, underlined(&finding.label, &rejected.sources)))
            .collect();
        found
    };
    let few = [
        "`bob` is in the roster twice \"Bob\"",
        "the address `BOB@acme.example` is in the roster twice \"BOB@acme.example\"",
        "the id `U1` is given to two entries \"U1\"",
        "`u1` is in the roster twice \"u1\"",
        "the address `Kim@acme.example` is in the roster twice \"Kim@acme.example\"",
    ];
    assert_eq!(said(2, 0), few);
    assert_eq!(said(3_000, 0), few);
    // More than are shown: which of them those are does not depend on it either.
    let beyond = said(2, 1_500);
    assert_eq!((beyond.len(), &*beyond[1_000]), (1_001, "505 more findings are not shown \"\""));
    assert_eq!(said(3_000, 1_500), beyond);
}
