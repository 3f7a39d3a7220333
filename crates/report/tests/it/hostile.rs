//! Names that try to do something, through every format.

use crate::history;
use crate::world::*;
use model::attribute::Attribute;
use model::change::Rename;
use model::diagnostic::Label;
use model::journal::{History, PastChange, PastEnd, PastRun, ReadBackKind};
use model::plan::Outcome;
use model::run::{ChangeOutcome, Ending, ReadBack, RunReport, Stopped};
use model::*;
use proptest::prelude::*;
use report::history::Shown;
use report::plan::Options;
use report::{Style, harmless};
use serde_json::json;

/// Pieces that mean something to a terminal, a runner, a forge, a parser, or an eye.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "\u{1b}[31m",
        "\u{1b}]8;;http://x\u{7}",
        "\u{9b}2J",
        "\n",
        "\r",
        "\t",
        "\u{0}",
        "\u{7f}",
        "\u{202e}",
        "\u{2066}",
        "\u{200f}",
        "\u{61c}",
        "\u{200b}",
        "\u{200d}",
        "\u{feff}",
        "\u{ad}",
        "\u{2028}",
        "\u{2029}",
        "\u{85}",
        "\u{e0041}",
        "\u{e000}",
        "\u{378}",
        "\u{3164}",
        "\u{fe0f}",
        "\u{301}\u{301}\u{301}\u{301}",
        "\u{3000}",
        "\u{a0}",
        "::error::x",
        "\n::error::x",
        "##[error]x",
        "##vso[task.complete]",
        "  ::set-env name=a::b",
        ", ::warning::y",
        "@octocat",
        "#123",
        "GH-1",
        "octo/cat#1",
        "0123456789abcdef0123456789abcdef01234567",
        "https://evil.example",
        "www.evil.example",
        ":smile:",
        "`",
        "``",
        "|",
        "**",
        "__",
        "~~",
        "$x$",
        "<b>",
        "</details>",
        "<!--",
        "-->",
        "<script>",
        "&lt;",
        "](x)",
        "[",
        "![",
        "\\",
        "\"",
        "'",
        "# h",
        "- i",
        "1. i",
        "> q",
        "---",
        "```",
        " ",
        "ada",
        "日本",
        "éa",
        "{",
        "}",
        "\u{10ffff}",
    ]);
    let piece = prop_oneof![
        4 => pieces.prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => (1..400_usize).prop_map(|n| "x ".repeat(n)),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// A plan in which everything that a person or a service can name is `name`.
pub(crate) fn plan_of(name: &str) -> World {
    let id = UserId::new(name);
    let user = || UserRef::Existing(id.clone());
    let group = GroupRef::Existing(GroupId::new(name));
    let rename =
        Rename { before: name.into(), after: name.into(), temporary: true, members_after: Vec::new() };
    let edits = vec![
        edit(Attribute::Title, Some(name), text(name)),
        edit(Attribute::Manager, Some(name), person(user())),
        edit(Attribute::StartDate, Some(name), day("2027-01-05")),
        Edit { temporary: true, ..edit(Attribute::UserName, Some(name), text(name)) },
    ];
    let update =
        |edits| Action::UpdateUser { id: UserRef::Existing(id.clone()), edits, siblings: Vec::new() };
    let created = Action::CreateUser { user_name: UserName::parse("ada").unwrap(), edits: edits.clone() };
    let mut world = World::new(vec![
        change(update(edits), name, Some(3)),
        change(update(vec![edit(Attribute::Active, Some("true"), flag(false))]), name, None),
        change(created, name, Some(4)),
        change(Action::CreateGroup { display_name: name.into(), members: vec![user(); 30] }, name, Some(5)),
        change(
            Action::UpdateGroup {
                id: group,
                rename: Some(rename),
                add: vec![user(); 30],
                remove: vec![id.clone(); 3],
            },
            name,
            Some(6),
        ),
        change(Action::DeleteGroup { id: GroupId::new(name), members: vec![id.clone(); 3] }, name, None),
    ])
    .verdict("protect", Outcome::Block, Some((2, 1)), [name, name], &[name, name])
    .verdict("lookAlike", Outcome::Warn, None, [name, name], &[name])
    .note("bot", name);
    world.plan.workspace = Some(name.into());
    world.sources = Sources::default();
    world.sources.push(Source { path: name.into(), text: format!("{name}\n{name}") });
    world
}

pub(crate) fn run_of(plan: &Plan, name: &str) -> RunReport {
    let endings = [
        Ending::Took { remark: Some(name.into()) },
        Ending::Pending { what: name.into() },
        Ending::WithoutEffect { what: name.into() },
        Ending::Refused { why: name.into(), may_have_written: false },
        Ending::Skipped { why: name.into() },
    ];
    let outcomes = (0..plan.changeset.changes.len()).zip(endings.into_iter().cycle());
    let outcomes = outcomes.map(|(i, ending)| ChangeOutcome { change: ChangeId(i as u32), ending }).collect();
    let stopped = Stopped::TurnedInactive { name: name.into() };
    RunReport {
        outcomes,
        read_back: ReadBack::Differs(vec![name.into(); 3]),
        stopped: Some(stopped),
        seconds: 1,
    }
}

/// What must hold of anything printed.
pub(crate) fn assert_inert(shown: &str) {
    for c in shown.chars() {
        let category_is_bad = c.is_control() && c != '\n';
        let invisible = matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{10ffff}');
        assert!(!category_is_bad && !invisible, "{c:?} in {shown}");
    }
    for line in shown.lines() {
        let start = line.trim_start();
        assert!(!start.starts_with("::"), "{line}");
        for command in ["##[", "##vso[", "##teamcity["] {
            assert!(!line.contains(command), "{line}");
        }
    }
}

/// What must hold of Markdown: outside code spans and our own tags, nothing of a forge's language.
pub(crate) fn assert_plain_markdown(shown: &str) {
    assert_inert(shown);
    for line in shown.lines() {
        // Our own tags stand alone on their lines.
        let ours = ["<details>", "<details open>", "</details>"].contains(&line)
            || (line.starts_with("<summary>")
                && line.ends_with("</summary>")
                && line.matches('<').count() == 2);
        if ours || line == "| | |" || line == "| --- | ---: |" {
            continue;
        }
        let mut outside = String::new();
        let mut chars = line.chars();
        while let Some(c) = chars.next() {
            if c == '`' {
                assert!(chars.any(|c| c == '`'), "a code span is not closed: {line}");
                outside.push('C');
                continue;
            }
            outside.push(c);
            if c == '\\' {
                outside.push(chars.next().filter(|c| *c != '`').unwrap_or('Q'));
            }
        }
        let outside = outside.replace("<span>$</span>", "").replace("&#8203;", "\u{200b}");
        let outside = ["&lt;", "&gt;", "&amp;"].iter().fold(outside, |text, entity| text.replace(entity, ""));
        assert!(!outside.contains(['<', '>', '&', '$']), "{outside}");
        let chars: Vec<char> = outside.chars().collect();
        for (i, c) in chars.iter().enumerate() {
            let escaped = i > 0 && chars[i - 1] == '\\';
            let broken = chars.get(i + 1) == Some(&'\u{200b}');
            if matches!(c, '@' | '#') && !(outside.starts_with("##") && i < 4) {
                assert!(broken, "{outside}");
            }
            if matches!(c, '[' | ']' | '_' | '~' | '!') {
                assert!(escaped, "{outside}");
            }
        }
        for link in ["://", "www."] {
            assert!(!outside.contains(link), "{outside}");
        }
    }
}

/// A journal in which everything that a person or a service can name is `name`.
pub(crate) fn history_of(name: &str) -> History {
    let values = json!({ "title": name, "manager": name, "members": [name, name], name: name });
    let kinds = [
        ChangeKind::CreateUser,
        ChangeKind::UpdateUser,
        ChangeKind::DeactivateUser,
        ChangeKind::UpdateGroup,
        ChangeKind::DeleteGroup,
    ];
    let changes = kinds.into_iter().enumerate().map(|(n, kind)| {
        let change = history::change(n, kind, name, name, values.clone(), values.clone(), None);
        PastChange { detail: Some(name.into()), created: Some(name.into()), ..change }
    });
    let run = history::run(name, changes.collect(), None);
    let stopped = Some(name.into());
    let end = PastEnd { at: run.began, success: false, read_back: ReadBackKind::Differs, stopped };
    let run = PastRun {
        target: Some(name.into()),
        workspace: Some(name.into()),
        digest: name.into(),
        rosterctl: name.into(),
        undoes: Some(name.into()),
        end: Some(end),
        ..run
    };
    let elsewhere = PastRun { workspace: None, ..run.clone() };
    History { runs: vec![elsewhere, run], torn: true }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_name_acts_in_text(name in hostile(), width in prop::option::of(20..120_usize), verbose: bool) {
        let World { plan, sources } = plan_of(&name);
        let options = Options { width, verbose, names: &|id| Some(id.to_owned()), ..Options::default() };
        assert_inert(&report::plan::text(&plan, Some(&sources), &options));
        assert_inert(&report::plan::diff(&plan, Some(&sources), &options));
        let report = run_of(&plan, &name);
        assert_inert(&report::run::text(&plan, &report, Some(&sources), Style::Plain));
        for outcome in &report.outcomes {
            let line = report::run::line(&plan, outcome, Style::Plain);
            assert_inert(&line);
            assert_eq!(line.matches('\n').count(), 1);
        }
        assert_inert(&report::message(Severity::Error, &name, Style::Plain));
    }

    #[test]
    fn no_name_acts_in_a_history(name in hostile()) {
        let history = history_of(&name);
        let shown = Shown { history: &history, run: history.runs.last(), is_going_on: false };
        assert_inert(&report::history::text(&shown, Style::Plain));
        let page = report::history::markdown(&shown);
        prop_assert!(page.len() <= 65_536);
        assert_plain_markdown(&page);
        let mut out = Vec::new();
        report::history::json(&shown, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_inert(&text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&value["changes"][1]["after"]["title"], &json!(name));
    }

    #[test]
    fn no_name_acts_in_diagnostics(name in hostile(), start in 0..600_u32, len in 0..600_u32) {
        let World { sources, .. } = plan_of(&name);
        let place = Place { source: SourceId(0), line: 1, column: 1, start, len };
        let label = |place| Label { place, text: name.clone() };
        let list = [Diagnostic {
            severity: Severity::Error,
            code: "some-code",
            message: name.clone(),
            label: label(Some(place)),
            related: vec![label(Some(place)), label(None)],
            help: Some(name.clone()),
        }];
        assert_inert(&report::diagnostics(&list, &sources, Style::Plain));
        assert_plain_markdown(&report::diagnostics_markdown(&list, &sources));
    }

    #[test]
    fn no_name_acts_in_markdown(name in hostile()) {
        let World { plan, sources } = plan_of(&name);
        let options = Options { names: &|id| Some(id.to_owned()), ..Options::default() };
        let page = report::plan::markdown(&plan, Some(&sources), &options);
        prop_assert!(page.len() <= 65_536);
        assert_plain_markdown(&page);
        assert_plain_markdown(&report::run::markdown(&plan, &run_of(&plan, &name), Some(&sources)));
    }

    #[test]
    fn json_is_inert_and_reads_back(name in hostile()) {
        let World { plan, sources } = plan_of(&name);
        let mut out = Vec::new();
        report::plan::json(&plan, Some(&sources), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_inert(&text);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(value["changes"].as_array().unwrap().len(), plan.changeset.changes.len());
        prop_assert_eq!(&value["workspace"], &serde_json::json!(name));
        prop_assert_eq!(&value["changes"][3]["request"]["body"]["displayName"], &serde_json::json!(name));
        let mut out = Vec::new();
        report::run::json(&plan, &run_of(&plan, &name), Some(&sources), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_inert(&text);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    #[test]
    fn two_names_that_differ_are_shown_differently(a in hostile(), b in hostile()) {
        prop_assume!(a != b && a.chars().count() <= 100 && b.chars().count() <= 100);
        prop_assert_ne!(harmless::name(&a), harmless::name(&b));
    }
}
