//! The manual names every code, guard and note that the source knows, and no other.

use crate::env::repository;
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

/// All that the differ consists of; who judges with it, too.
fn sources() -> Vec<String> {
    let crates = repository().join("crates");
    let differ = std::fs::read_dir(crates.join("differ/src")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<String> = differ.map(|path| source(&path)).collect();
    all.push(source(&crates.join("reconciler/src/guard.rs")));
    all
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
    let openers = ["guard: ", "above(", "above_count(", "block("];
    let guards: BTreeSet<String> = sources().iter().flat_map(|code| literals(code, &openers)).collect();
    assert_eq!(documented("guards.md", &["Limits", "Brakes"]), guards);
}

#[test]
fn every_note_is_in_the_manual() {
    let notes = source(&repository().join("crates/differ/src/notes.rs"));
    let codes = notes.split("fn code(").nth(1).and_then(|rest| rest.split("\n    }\n").next()).unwrap();
    assert_eq!(documented("guards.md", &["Notes"]), literals(codes, &["=> "]));
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
