use insta::assert_snapshot;
use model::diagnostic::Label;
use model::*;
use report::{Style, diagnostics, diagnostics_json, diagnostics_markdown, message};

fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (path, text) in files {
        sources.push(Source { path: (*path).into(), text: (*text).into() });
    }
    sources
}

/// The first occurrence of `needle` in a file.
fn place(sources: &Sources, file: u32, needle: &str) -> Place {
    let text = &sources.get(SourceId(file)).unwrap().text;
    let start = text.find(needle).unwrap();
    let head = &text[..start];
    let line = head.matches('\n').count() as u32 + 1;
    let column = head.chars().rev().take_while(|c| *c != '\n').count() as u32 + 1;
    Place { source: SourceId(file), line, column, start: start as u32, len: needle.len() as u32 }
}

const ROSTER: &str = "\
version: 1
users:
  - userName: ada
    email: ada@acme.example
    titel: Staff Engineer
  - userName: Ada
    email: ada@acme.example
";

#[test]
fn mistakes_are_shown_at_their_places_with_remedies() {
    let sources = sources(&[
        ("roster.yaml", ROSTER),
        ("people/paris.yaml", "users:\n  - userName: zoe\n    manager: bbo\n"),
    ]);
    let list = [
        Diagnostic::error("unknown-key", place(&sources, 0, "titel"), "`titel` is not a key of a user")
            .label("no such key")
            .help("did you mean `title`?"),
        Diagnostic::error("duplicate-user", place(&sources, 0, "Ada"), "two users are called ada")
            .label("the same in lower case")
            .related(place(&sources, 0, "ada"), "first given here"),
        Diagnostic::warning("circular-manager", place(&sources, 1, "bbo"), "managers go round in a circle")
            .related(place(&sources, 0, "ada"), "who reports to ada"),
        Diagnostic {
            severity: Severity::Error,
            code: "empty-roster",
            message: "the roster has no users".into(),
            label: Label { place: None, text: "nothing would be managed".into() },
            related: Vec::new(),
            help: Some("list the people under `users`".into()),
        },
    ];
    assert_snapshot!(diagnostics(&list, &sources, Style::Plain));
    let mut out = Vec::new();
    diagnostics_json(&list, &sources, &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!(value["errors"], 3);
    assert_eq!(
        value["diagnostics"][0]["place"],
        serde_json::json!({"file": "roster.yaml", "line": 5, "column": 5})
    );
}

#[test]
fn a_long_or_hostile_line_is_cut_and_harmless_and_the_underline_stays_in_place() {
    let line =
        format!("{}\u{1b}[31m\u{202e}日本 HERE ##[error]x {}\r\nnext\n", "a".repeat(500), "b".repeat(500));
    let sources = sources(&[("roster.yaml", &line)]);
    let list = [Diagnostic::error("some-code", place(&sources, 0, "HERE"), "this is wrong").label("here")];
    assert_snapshot!(diagnostics(&list, &sources, Style::Plain));
}

#[test]
fn a_byte_order_mark_and_old_line_ends_are_no_part_of_a_line() {
    let sources = sources(&[("roster.yaml", "\u{feff}version: 2\rusers: []\r\n")]);
    for (needle, line, column) in [("2", 1, 10), ("users", 2, 1)] {
        let place = Place { line, column, ..place(&sources, 0, needle) };
        let shown = diagnostics(&[Diagnostic::error("c", place, "wrong")], &sources, Style::Plain);
        assert!(shown.contains(&format!("--> roster.yaml:{line}:{column}\n  |\n{line} | ")), "{shown}");
        assert!(!shown.contains('\\'), "{shown}");
    }
}

#[test]
fn places_that_do_not_fit_the_text_are_survived() {
    let sources = sources(&[("roster.yaml", "é\n")]);
    for (start, len) in [(0, 0), (1, 1), (0, 1), (3, 0), (3, 9), (99, 99), (u32::MAX, u32::MAX)] {
        for source in [0, 7] {
            let place = Place { source: SourceId(source), line: 1, column: 1, start, len };
            let shown = diagnostics(&[Diagnostic::error("c", place, "wrong")], &sources, Style::Plain);
            assert!(shown.starts_with("error[c]: wrong\n"), "{shown}");
        }
    }
}

#[test]
fn a_whole_entry_is_underlined_on_its_first_line() {
    let sources = sources(&[("roster.yaml", ROSTER)]);
    let entry = "userName: ada\n    email: ada@acme.example\n    titel: Staff Engineer\n";
    let list = [Diagnostic::warning("some-code", place(&sources, 0, entry), "something about ada")];
    assert_snapshot!(diagnostics(&list, &sources, Style::Plain), @r"
    warning[some-code]: something about ada
     --> roster.yaml:3:5
      |
    3 |   - userName: ada
      |     ^^^^^^^^^^^^^

    1 warning in roster.yaml
    ");
}

#[test]
fn at_most_fifty_are_shown_and_no_error_is_hidden_by_warnings() {
    let sources = sources(&[("roster.yaml", ROSTER)]);
    let at = place(&sources, 0, "ada");
    let mut list = vec![Diagnostic::warning("w", at, "doubtful"); 60];
    list.push(Diagnostic::error("e", at, "wrong"));
    let shown = diagnostics(&list, &sources, Style::Plain);
    assert_eq!(shown.matches("warning[w]").count(), 49);
    assert_eq!(shown.matches("error[e]").count(), 1);
    assert!(
        shown.ends_with("... and 11 more (11 warnings)\n\n1 error, 60 warnings in roster.yaml\n"),
        "{shown}"
    );
}

#[test]
fn a_comment_names_every_mistake_its_place_and_its_remedy_errors_first() {
    let sources = sources(&[("roster.yaml", ROSTER), ("people/paris.yaml", "users: []\n")]);
    let list = [
        Diagnostic::warning("emoji", place(&sources, 0, "Staff"), "a text contains an emoji").label("here"),
        Diagnostic::error("claimed-twice", place(&sources, 0, "Ada"), "ada and @bob are both account U1")
            .related(place(&sources, 0, "ada"), "the other entry")
            .help("write `id:` in one of them"),
        Diagnostic {
            label: Label { place: None, text: String::new() },
            ..Diagnostic::error("unknown-only", Place::default(), "`--only x` names nobody")
        },
    ];
    assert_snapshot!(diagnostics_markdown(&list, &sources));
    assert!(
        diagnostics_markdown(&list[..1], &sources)
            .starts_with("### No errors in the roster\n\n**1 warning**")
    );
    assert_eq!(diagnostics_markdown(&[], &sources), "### No mistakes in the roster\n");
}

#[test]
fn a_comment_keeps_its_bound_and_counts_what_it_leaves_out() {
    let sources = sources(&[("roster.yaml", ROSTER)]);
    let at = place(&sources, 0, "ada");
    for text in ["wrong".to_owned(), "@ü\u{10ffff}".repeat(500), "x".repeat(2_000)] {
        let help = format!("correct {text}");
        let error = Diagnostic::error("e", at, &text).label(&text).related(at, &text).help(help);
        let mut list = vec![Diagnostic::warning("w", at, &text); 300];
        list.extend(vec![error; 4_000]);
        let shown = diagnostics_markdown(&list, &sources);
        assert!(shown.len() <= 65_536 && shown.len() > 60_000, "{}", shown.len());
        let listed = |what: &str| shown.lines().filter(|line| line.starts_with(what)).count();
        let (errors, warnings) = (listed("- **Error** `e`"), listed("- Warning `w`"));
        assert!(errors > 10 && warnings == 0);
        let (more, rest) = (4_300 - errors, 4_000 - errors);
        let thousands = |n: usize| format!("{},{:03}", n / 1_000, n % 1_000);
        let end = format!(
            "... and {} more, not shown ({} errors, 300 warnings).\n",
            thousands(more),
            thousands(rest)
        );
        assert!(shown.ends_with(&end), "{}", &shown[shown.len() - 200..]);
    }
}

#[test]
fn a_message_is_one_line() {
    assert_eq!(message(Severity::Error, "no such file: a\nb", Style::Plain), "error: no such file: a\\nb\n");
}
