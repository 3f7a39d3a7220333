//! Names that try to do something, where escape sequences are expected: in colour. And what only some forges and runners
//! act upon, in every format.

use crate::hostile::{assert_inert, assert_plain_markdown, history_of, hostile, plan_of, run_of};
use crate::world::World;
use model::diagnostic::Label;
use model::{Diagnostic, Place, Severity, SourceId};
use proptest::prelude::*;
use report::Style;
use report::history::Shown;
use report::plan::Options;

/// What is said to Slack, to forges and to runners other than those that everybody thinks of first.
fn spoken_to_machines() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "<!channel>",
        "<@U0ADA>",
        "<!subteam^S1>",
        "<https://evil.example|here>",
        "@here",
        "@everyone",
        "::set-output name=a::b",
        "::stop-commands::x",
        "::add-mask::a",
        "%0A::error::x",
        "##[group]x",
        "##[command]x",
        "##teamcity[blockOpened name='x']",
        "[//]: # (x)",
        "![](https://evil.example/p.png)",
        "<img src=x onerror=y>",
        "<details open>",
        "</summary>",
        "<br/>",
        "&#64;octocat",
        "&lt;b&gt;",
        "[^1]",
        "[^1]: x",
        "<svg/onload=x>",
        "javascript:x",
        "mailto:x@y.example",
        "octocat@evil.example",
        "{{7*7}}",
        "${{ secrets.X }}",
        "$(id)",
        "`id`",
        "\u{1b}[8m",
        "\u{1b}]52;c;eA==\u{7}",
        "\u{1b}P+q\u{1b}\\",
        "\u{90}x\u{9c}",
        "\u{e}",
        "\u{f}",
        "\u{1b}c",
        "\u{1b}[?1049h",
        "\u{1b}[1A\u{1b}[2K",
        "\u{8}\u{8}\u{8}",
        "\u{2067}",
        "\u{2068}",
        "\u{202d}",
        "\u{1f468}\u{200d}\u{1f469}",
        "\u{fff9}",
        "\u{e0001}",
        "\u{180e}",
        "\u{2060}",
        "x",
        " ",
    ]);
    prop::collection::vec(prop_oneof![3 => pieces.prop_map(str::to_owned), 1 => hostile()], 0..6)
        .prop_map(|pieces| pieces.concat())
}

/// The text without the sequences that set colours (ECMA-48, SGR), which are ours.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        out.push_str(before);
        let end = after.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(after.len());
        rest = after[end..].strip_prefix('m').unwrap_or_else(|| {
            out.push_str("\u{1b}[");
            after
        });
    }
    out + rest
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn colour_adds_colour_and_nothing_else(name in spoken_to_machines()) {
        let World { plan, sources } = plan_of(&name);
        let report = run_of(&plan, &name);
        let history = history_of(&name);
        let shown = Shown { history: &history, run: history.runs.last(), is_going_on: false };
        let label = |start| Label { place: Some(Place { source: SourceId(0), line: 1, column: 1, start, len: 3 }), text: name.clone() };
        let list = [Diagnostic {
            severity: Severity::Error,
            code: "some-code",
            message: name.clone(),
            label: label(0),
            related: vec![label(1)],
            help: Some(name.clone()),
        }];
        let all = |style| {
            let options = Options { style, names: &|id| Some(id.to_owned()), ..Options::default() };
            let mut all = vec![
                report::plan::text(&plan, Some(&sources), &options),
                report::plan::diff(&plan, Some(&sources), &options),
                report::run::text(&plan, &report, Some(&sources), style),
                report::history::text(&shown, style),
                report::message(Severity::Error, &name, style),
                report::diagnostics(&list, &sources, style),
            ];
            all.extend(report.outcomes.iter().map(|outcome| report::run::line(&plan, outcome, style)));
            all
        };
        for (plain, coloured) in all(Style::Plain).iter().zip(all(Style::Colour)) {
            assert_inert(plain);
            prop_assert_eq!(plain, &without_colours(&coloured));
        }
    }

    #[test]
    fn nothing_that_machines_understand_is_said_in_any_format(name in spoken_to_machines()) {
        let World { plan, sources } = plan_of(&name);
        let options = Options { names: &|id| Some(id.to_owned()), ..Options::default() };
        let report = run_of(&plan, &name);
        let history = history_of(&name);
        let shown = Shown { history: &history, run: history.runs.last(), is_going_on: false };
        assert_plain_markdown(&report::plan::markdown(&plan, Some(&sources), &options));
        assert_plain_markdown(&report::run::markdown(&plan, &report, Some(&sources)));
        assert_plain_markdown(&report::history::markdown(&shown));
        let mut documents = [Vec::new(), Vec::new(), Vec::new(), Vec::new()];
        let [a, b, c, d] = &mut documents;
        report::plan::json(&plan, Some(&sources), a).unwrap();
        report::run::json(&plan, &report, Some(&sources), b).unwrap();
        report::history::json(&shown, c).unwrap();
        let finding = Diagnostic::error("some-code", Place::default(), name.clone()).help(name.clone());
        report::diagnostics_json(&[finding], &sources, d).unwrap();
        for document in documents {
            let text = String::from_utf8(document).unwrap();
            assert_inert(&text);
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert!(value.is_object() || value.is_array());
        }
    }
}
