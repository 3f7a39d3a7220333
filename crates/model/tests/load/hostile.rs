//! Files that nobody should write: reading them ends in an answer, soon and in bounded memory.

use crate::{codes, load_all, load_one, mistakes};
use model::diagnostic::{Diagnostic, Severity};
use model::load::{CODES, MAX_FILE_BYTES, MAX_TOTAL_BYTES, load};
use model::{Place, Source, Sources};
use proptest::prelude::*;

const NASTY: &str = include_str!("nasty.yaml");
const DESIGN: &str = include_str!("design.yaml");

#[test]
fn a_file_beyond_the_limit_is_not_read() {
    let text = format!("version: 1\n{}", "#".repeat(MAX_FILE_BYTES));
    assert_eq!(
        codes(&[&text, "version: 1\nusers: [ { userName: a a, email: a@x.y } ]\n"]),
        ["too-large", "invalid-user-name"]
    );
}

#[test]
fn files_that_are_too_large_together_are_not_read() {
    let third = "#".repeat(MAX_TOTAL_BYTES / 3 + 1);
    assert_eq!(codes(&[&third, &third, &third]), ["too-large"]);
}

#[test]
fn a_text_beyond_the_limit_is_one_mistake() {
    let text = format!(
        "version: 1\nusers:\n- userName: a\n  email: a@x.y\n  title: {}\n  role: ''\n",
        "x".repeat(2 << 20)
    );
    assert_eq!(codes(&[&text]), ["too-large", "empty-value"]);
}

#[test]
fn an_entry_with_too_many_parts_ends_the_file() {
    let text =
        format!("version: 1\nusers:\n- userName: a\n  email: a@x.y\n  title: [{}]\n", "a,".repeat(500_001));
    assert_eq!(codes(&[&text]), ["too-large"]);
}

#[test]
fn brackets_that_the_parser_would_keep_in_memory_end_the_file() {
    let text = format!(
        "version: 1\nusers: [ {{ userName: a, email: a@x.y, title: [{}] }} ]\n",
        "a,".repeat(4 << 20)
    );
    assert_eq!(codes(&[&text]), ["too-large"]);
}

#[test]
fn a_file_of_nothing_but_mistakes_is_not_read_to_its_end() {
    let rejected = mistakes(&[&format!("version: 1\nusers:\n{}", "-\n".repeat(30_000))]);
    assert!(rejected.diagnostics.last().unwrap().message.starts_with("more than 20000 more"));
}

#[test]
fn anchors_that_nobody_needs_end_the_file() {
    let anchored = format!("- &a [{}]\n", "x,".repeat(100_000)).repeat(3);
    assert!(codes(&[&format!("version: 1\nusers:\n{anchored}")]).contains(&"too-large"));
}

#[test]
fn ten_thousand_levels_end_at_the_limit() {
    let block: String = (0..10_000).map(|level| format!("a:\n{}", " ".repeat(3 + level.min(200)))).collect();
    for nested in ["[".repeat(10_000), "{a: ".repeat(10_000), "? ".repeat(10_000), block] {
        let codes = codes(&[&format!("version: 1\nusers:\n- {nested}\n")]);
        assert!(codes.contains(&"too-deep"), "{codes:?} for {}…", &nested[..20]);
    }
}

#[test]
fn a_billion_laughs_are_too_many_parts_or_levels() {
    let mut wide = String::from("version: 1\nusers:\n- userName: &a0 x\n");
    let mut chained = String::from("version: 1\nusers:\n- &b0 [x]\n");
    for i in 0..100 {
        wide += &format!("- &a{} [{}]\n", i + 1, format!("*a{i},").repeat(10));
        chained += &format!("- &b{} [*b{i}]\n", i + 1);
    }
    assert!(codes(&[&wide]).contains(&"too-large"));
    assert!(codes(&[&chained]).contains(&"too-deep"));
}

#[test]
fn merge_keys_and_defaults_cannot_multiply_a_long_text() {
    let long = "x".repeat(200_000);
    let merged: String =
        (0..5_000).map(|i| format!("- {{ <<: *l, userName: u{i}, email: u{i}@x.y }}\n")).collect();
    let text =
        format!("version: 1\nusers:\n- &l {{ userName: l, email: l@x.y, shoeSize: {long} }}\n{merged}");
    assert_eq!(codes(&[&text]), ["unknown-key", "too-large"]);
    let people: String = (0..5_000).map(|i| format!("- {{ userName: u{i}, email: u{i}@x.y }}\n")).collect();
    let text = format!("version: 1\ndefaults: {{ title: {long} }}\nusers:\n{people}");
    assert_eq!(codes(&[&text]), ["too-large"]);
}

#[test]
fn thousands_of_keys_in_one_mapping_are_compared_quickly() {
    let keys: String = (0..50_000).map(|i| format!("  k{i}: x\n")).collect();
    let text = format!("version: 1\nusers:\n- userName: a\n{keys}  k7: y\n");
    let rejected = mistakes(&[&text]);
    assert!(rejected.diagnostics.iter().any(|d| d.code == "more-mistakes"));
}

#[test]
fn a_zero_byte_never_ends_a_file_unnoticed() {
    for text in ["version: 1\nusers: [ { userName: a, email: a@x.y } ]\n\0", "version: 1\n# \0\nusers: []\n"]
    {
        assert_eq!(codes(&[text]), ["control-character"]);
    }
}

#[test]
fn names_with_markup_or_direction_marks_are_kept_as_they_are() {
    let name = "<b>\u{202e}::error::</b> @here";
    let text = format!(
        "version: 1\nusers: [ {{ userName: a, email: a@x.y, title: '{name}' }} ]\ngroups: [ {{ displayName: '{name}' }} ]\n"
    );
    let roster = load_one(&text).unwrap().roster;
    assert_eq!(&*roster.groups.unwrap()[0].display_name.value, name);
}

/// What must be true of every diagnostic, whatever the roster.
fn check_diagnostics(diagnostics: &[Diagnostic], sources: &Sources) {
    for finding in diagnostics {
        assert!(CODES.contains(&finding.code));
        assert!(
            !finding.message.is_empty() && !finding.message.ends_with('.') && !finding.message.contains('\n')
        );
        for place in [&finding.label].into_iter().chain(&finding.related).filter_map(|label| label.place) {
            check_place(place, sources);
        }
    }
    assert!(diagnostics.is_sorted_by_key(|d| (d.label.place.is_none(), d.label.place)));
}

/// A place lies within its file, on one line, and its line and column say the same as its offset.
fn check_place(place: Place, sources: &Sources) {
    let text = &sources.get(place.source).unwrap().text;
    let (start, end) = (place.start as usize, (place.start + place.len) as usize);
    assert!(!text.get(start..end).expect("characters of the file").contains(['\n', '\r']), "{place:?}");
    let before = text[..start].trim_start_matches('\u{feff}');
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    assert_eq!(place.column as usize, before[line_start..].chars().count() + 1, "{place:?} in {text:?}");
    let breaks = before.replace("\r\n", "\n").matches(['\n', '\r']).count();
    assert_eq!(place.line as usize, breaks + 1, "{place:?} in {text:?}");
}

fn check_load(files: &[&str], policy: Option<&str>) {
    let source = |text: &&str| Source { path: "f".into(), text: (*text).to_owned() };
    let load = || load(files.iter().map(source).collect(), policy.as_ref().map(source));
    match load() {
        Ok(loaded) => {
            check_diagnostics(&loaded.warnings, &loaded.roster.sources);
            assert!(loaded.warnings.iter().all(|w| w.severity == Severity::Warning));
            assert!(!loaded.roster.users.is_empty());
        }
        Err(rejected) => {
            check_diagnostics(&rejected.diagnostics, &rejected.sources);
            assert!(rejected.diagnostics.iter().any(|d| d.severity == Severity::Error));
            assert_eq!(
                rejected.diagnostics,
                load().unwrap_err().diagnostics,
                "the same text gives the same answer"
            );
        }
    }
}

/// Text made of what YAML and rosters are made of.
fn yamlish() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "version: 1\n",
            "users:\n",
            "groups:\n",
            "- ",
            "  ",
            "userName: ",
            "ada",
            "\n",
            ": ",
            "[",
            "]",
            "{",
            "}",
            ", ",
            "&a ",
            "*a",
            "<<: ",
            "\"",
            "'",
            "|\n",
            ">\n",
            "# ",
            "--- ",
            "...\n",
            "? ",
            "!!str ",
            "!x ",
            "\t",
            "null",
            "~",
            "é",
            "🎩",
            "\u{feff}",
            "\r\n",
            "\r",
            "\u{85}",
            "\u{2028}",
            "%",
            "@",
            "`",
            "\\",
            "\0",
            "email: ",
            "members: ",
            "\n  ",
        ])
        .prop_map(str::to_owned),
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// A roster in which lines were dropped, repeated, shifted or broken.
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let mutation = (0..6u8, any::<prop::sample::Index>(), any::<prop::sample::Index>(), yamlish());
    prop::collection::vec(mutation, 1..4).prop_map(move |mutations| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (kind, at, other, noise) in mutations {
            let at = at.index(lines.len());
            let column = other.index(lines[at].chars().count() + 1);
            let byte = lines[at].char_indices().nth(column).map_or(lines[at].len(), |(byte, _)| byte);
            match kind {
                0 if lines.len() > 1 => drop(lines.remove(at)),
                1 => lines.insert(at, lines[other.index(lines.len())].clone()),
                2 => lines[at].insert_str(0, "  "),
                3 => lines[at].truncate(byte),
                4 => lines[at].insert_str(byte, &noise),
                _ => lines[at] = lines[at].trim_start().to_owned(),
            }
        }
        lines.join("\n")
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_gets_an_answer(text in any::<String>(), other in yamlish()) {
        check_load(&[&text, &other], None);
        check_load(&[&other], Some(&text));
    }

    #[test]
    fn any_yaml_gets_an_answer(text in yamlish(), value in yamlish()) {
        check_load(&[&text], Some(&value));
        check_load(&[&format!("version: 1\nusers:\n- userName: a\n  email: a@x.y\n  title: {value}\n")], None);
    }

    #[test]
    fn a_mutated_roster_gets_an_answer(text in prop_oneof![mutated(DESIGN), mutated(NASTY)]) {
        check_load(&[&text], None);
    }
}

#[test]
fn the_rosters_that_are_mutated_are_themselves_right_and_wrong() {
    assert!(load_all(&[DESIGN]).is_ok());
    assert!(mistakes(&[NASTY]).diagnostics.len() > 40);
}
