//! The manual names every code, guard and note that the source knows, and no other.

use crate::env::{Env, repository};
use reconciler::guard::{Consent, Guard};
use std::collections::BTreeSet;
use std::path::Path;

/// The first cells of the tables below a heading of a document, without their backquotes.
fn documented(document: &str, headings: &[&str]) -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join("docs").join(document)).unwrap();
    let rows = text
        .split("\n## ")
        .filter(|section| headings.iter().any(|heading| section.lines().next() == Some(heading)))
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let rows: Vec<String> = rows.map(|(name, _)| name.to_owned()).collect();
    let names: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), names.len(), "something stands twice in {document}");
    names
}

fn source(path: &Path) -> String {
    let code = std::fs::read_to_string(path).unwrap();
    code.split("\n#[cfg(test)]").next().unwrap_or_default().to_owned()
}

/// All that the differ consists of.
fn sources() -> Vec<String> {
    let differ = std::fs::read_dir(repository().join("crates/differ/src")).unwrap();
    differ.map(|entry| source(&entry.unwrap().path())).collect()
}

/// The string literals that directly follow one of `openers`, blanks aside.
fn literals(code: &str, openers: &[&str]) -> BTreeSet<String> {
    openers
        .iter()
        .flat_map(|opener| code.split(opener).skip(1))
        .filter_map(|rest| rest.trim_start().strip_prefix('"')?.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_conflict_of_roster_and_directory_is_in_the_manual() {
    // A code that depends on the attribute is the first of a pair.
    let openers =
        ["Diagnostic::error(", "Diagnostic::warning(", " code: ", "Attribute::UserName => (", "_ => ("];
    let codes: BTreeSet<String> = sources().iter().flat_map(|code| literals(code, &openers)).collect();
    assert_eq!(documented("diagnostics.md", &["When planning"]), codes);
}

#[test]
fn every_guard_is_in_the_manual() {
    let guards: BTreeSet<String> = Guard::ALL.iter().map(|guard| guard.name().to_owned()).collect();
    assert_eq!(documented("guards.md", &["Limits", "Brakes"]), guards);
    // The differ names its guards by itself; a name that is not in the table of guards would be one that nobody knows.
    let of_differ: BTreeSet<String> =
        sources().iter().flat_map(|code| literals(code, &["guard: ", "block("])).collect();
    assert!(!of_differ.is_empty() && of_differ.is_subset(&guards), "{of_differ:?}");
}

#[test]
fn the_manual_says_of_every_guard_whether_an_approval_passes_it() {
    let text = std::fs::read_to_string(repository().join("docs/guards.md")).unwrap();
    for guard in Guard::ALL {
        let row = text.lines().find(|line| line.starts_with(&format!("| `{}` |", guard.name()))).unwrap();
        let said = row.trim_end_matches('|').rsplit('|').next().unwrap().trim();
        assert_eq!(said, if guard.consent() == Consent::Passes { "yes" } else { "no" }, "{row}");
    }
}

#[test]
fn every_note_is_in_the_manual() {
    let notes = source(&repository().join("crates/differ/src/notes.rs"));
    let codes = notes.split("fn code(").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap();
    let redaction = source(&repository().join("crates/reconciler/src/snapshot/redaction.rs"));
    let known = &literals(codes, &["=> "]) | &literals(&redaction, &[" code: "]);
    assert_eq!(documented("guards.md", &["Notes"]), known);
}

#[test]
fn the_limits_are_the_same_wherever_the_manual_states_them() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap();
    let (guards, roster) = (read("docs/guards.md"), read("docs/roster.md"));
    for limit in documented("guards.md", &["Limits"]) {
        let line = |text: &str| {
            text.lines().find(|line| line.starts_with(&format!("| `{limit}`"))).unwrap().to_owned()
        };
        let cells = |line: String| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
        // `| key | 5 | 2% | of ... |` and `| guard | measures | of | 5, 2% |`: the loader's tests hold the former to
        // the code.
        let (here, there) = (cells(line(&guards)), cells(line(&roster)));
        assert_eq!(here[4], format!("{}, {}", there[2], there[3]), "{limit}");
    }
}

#[test]
fn every_flag_is_in_the_manual_and_the_manual_knows_no_other() {
    let env = Env::new().without_token();
    // What flags look like in prose and in help, without those of other programs.
    let flags = |text: &str| -> BTreeSet<String> {
        let words = text.split(|c: char| !(c.is_ascii_lowercase() || c == '-'));
        let flags = words.filter(|word| word.starts_with("--") && word.len() > 3 && !word.starts_with("---"));
        flags.map(|flag| flag.trim_end_matches('-').to_owned()).collect()
    };
    let commands = ["validate", "plan", "apply", "daemon", "history", "revert", "snapshot", "sim"];
    let known: BTreeSet<String> = commands
        .iter()
        .flat_map(|command| flags(&env.run(&[command, "--help"]).expect_code(0).stdout))
        .collect();
    let documents = std::fs::read_dir(repository().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    // How to measure is about the benchmark's own flags.
    let is_manual = |path: &std::path::PathBuf| path.is_file() && !path.ends_with("performance.md");
    let documents = documents.chain([repository().join("README.md")]).filter(is_manual);
    let manual: String = documents.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let told = flags(&manual);
    let own = BTreeSet::from(["--help", "--verbose"].map(str::to_owned));
    let missing = &known - &(&told | &own);
    assert!(missing.is_empty(), "nobody says what these are for: {missing:?}");
    let others = BTreeSet::from(["--release", "--workspace", "--locked"].map(str::to_owned));
    let unknown = &told - &(&known | &others);
    assert!(unknown.is_empty(), "no command knows these: {unknown:?}");
}

/// The Rust source below a folder of the repository.
fn code_below(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.fold(String::new(), |code, path| match path.extension() {
        _ if path.is_dir() => code + &code_below(&path),
        Some(extension) if extension == "rs" => code + &std::fs::read_to_string(&path).unwrap(),
        _ => code,
    })
}

#[test]
fn every_test_that_the_threat_model_names_is_there() {
    let text = std::fs::read_to_string(repository().join("docs/threat-model.md")).unwrap();
    let code = code_below(&repository().join("crates")) + &code_below(&repository().join("tests"));
    let spans = text.split('`').skip(1).step_by(2);
    let named = spans.filter(|span| {
        span.len() > 15 && span.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    });
    let named: BTreeSet<&str> = named.collect();
    assert!(named.len() > 30, "{named:?}");
    let missing: Vec<&&str> = named.iter().filter(|name| !code.contains(&format!("fn {name}("))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
