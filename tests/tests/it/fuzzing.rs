//! The functions that the fuzz targets call, on what proptest makes: any bytes, pieces of the language at hand, and the
//! seeds with something changed in them.

use end_to_end::fuzzing::TARGETS;
use end_to_end::worlds::repository;
use model::load::load;
use model::place::Source;
use proptest::prelude::*;
use proptest::sample::Index;
use reconciler::journal;
use reconciler::saved::SavedPlan;
use reconciler::snapshot;
use serde_json::{Value, json};
use std::io::Cursor;
use std::ops::Range;

/// Pieces that mean something in one of the languages that are read.
const PIECES: &[&str] = &[
    "version: 1\n",
    "users:\n",
    "- userName: ada\n",
    "  email: a@x.example\n",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "|\n",
    "- ",
    "\n  ",
    "{\"Resources\":[",
    "{\"id\":\"U1\"}",
    "],\"totalResults\":",
    "1",
    "}",
    "200\n",
    "429 retry-after: 99999999999999999999\n",
    "\n%%%\n",
    "userName eq ",
    "\"ada\"",
    "'ada'",
    " and ",
    " or ",
    "not (",
    "(",
    ")",
    "[",
    "]",
    " pr",
    "emails",
    ".value",
    "urn:ietf:params:scim:schemas:core:2.0:User:",
    "1e999",
    "-1",
    "null",
    "true",
    "\\u0000",
    "\\ud800",
    "\"",
    "\\",
    "\0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "{\"v\":1,\"at\":\"2026-11-23T14:46:19Z\",\"run\":\"r\",\"event\":\"begin\"",
    "\"event\":\"end\"",
    "\n",
    ",",
    ":",
    "{\"formatVersion\":1,\"digest\":\"\",\"changes\":[",
    "{\"format\":\"rosterctl-snapshot\",\"version\":1,\"dialect\":\"rfc\",\"users\":[",
    "],\"groups\":[]}",
    "@user:ada",
    "@group:x",
];

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = repository().join("fuzz/seeds").join(target);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{target} has no seeds");
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// A change to a seed: bytes taken out, doubled, changed or put in, the end cut off, a line copied to
/// another place, or a word put in the place of another.
#[derive(Debug, Clone)]
enum Edit {
    Remove(Index, u8),
    Repeat(Index, u8),
    Insert(Index, &'static str),
    Byte(Index, u8),
    Cut(Index),
    Line(Index, Index),
    Word(Index, Index),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        1 => (any::<Index>(), 1..40_u8).prop_map(|(at, count)| Edit::Remove(at, count)),
        1 => (any::<Index>(), 1..80_u8).prop_map(|(at, count)| Edit::Repeat(at, count)),
        1 => (any::<Index>(), proptest::sample::select(PIECES)).prop_map(|(at, piece)| Edit::Insert(at, piece)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Edit::Byte(at, byte)),
        1 => any::<Index>().prop_map(Edit::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Line(from, to)),
        3 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Edit::Word(from, to)),
    ]
}

fn edited(mut data: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for edit in edits {
        if data.is_empty() {
            break;
        }
        match edit {
            Edit::Remove(at, count) => {
                let at = at.index(data.len());
                data.drain(at..(at + usize::from(*count)).min(data.len()));
            }
            Edit::Repeat(at, count) => {
                let at = at.index(data.len());
                let again = data[at..(at + usize::from(*count)).min(data.len())].to_vec();
                data.splice(at..at, again);
            }
            Edit::Insert(at, piece) => {
                let at = at.index(data.len());
                data.splice(at..at, piece.bytes());
            }
            Edit::Byte(at, byte) => {
                let at = at.index(data.len());
                data[at] = *byte;
            }
            Edit::Cut(at) => data.truncate(at.index(data.len())),
            Edit::Word(from, to) => {
                let words = words(&data);
                if !words.is_empty() {
                    let word = data[words[from.index(words.len())].clone()].to_vec();
                    data.splice(words[to.index(words.len())].clone(), word);
                }
            }
            Edit::Line(from, to) => {
                let mut lines: Vec<&[u8]> = data.split_inclusive(|byte| *byte == b'\n').collect();
                let line = lines[from.index(lines.len())];
                lines.insert(to.index(lines.len()), line);
                data = lines.concat();
            }
        }
    }
    data
}

/// Where the words are: names, addresses, keys, numbers.
fn words(data: &[u8]) -> Vec<Range<usize>> {
    let mut words: Vec<Range<usize>> = Vec::new();
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"@._-".contains(byte);
    for at in (0..data.len()).filter(|at| is_part(&data[*at])) {
        match words.last_mut() {
            Some(word) if word.end == at => word.end += 1,
            _ => words.push(at..at + 1),
        }
    }
    words
}

/// Every value of a JSON document, by its pointer.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
            }
        }
        Value::Array(list) => {
            for (n, value) in list.iter().enumerate() {
                pointers(value, &format!("{at}/{n}"), all);
            }
        }
        _ => {}
    }
}

/// The JSON documents in a seed with one value in each put in another's place, or another value.
fn reshaped(data: &[u8], changes: &[(Index, Index, Option<Value>)]) -> Vec<u8> {
    let text = String::from_utf8_lossy(data);
    let mut changes = changes.iter();
    let lines = text.split_inclusive('\n').map(|line| {
        // A document of several lines is one; a line of a list or a journal is one as well.
        serde_json::from_str::<Value>(line)
            .map_or_else(|_| line.to_owned(), |value| reshape(value, &mut changes) + "\n")
    });
    match serde_json::from_str::<Value>(&text) {
        Ok(whole) => reshape(whole, &mut changes).into_bytes(),
        Err(_) => lines.collect::<String>().into_bytes(),
    }
}

fn reshape<'a>(
    mut value: Value,
    changes: &mut impl Iterator<Item = &'a (Index, Index, Option<Value>)>,
) -> String {
    for (at, from, new) in changes.take(1) {
        let mut all = Vec::new();
        pointers(&value, "", &mut all);
        let new =
            new.clone().or_else(|| value.pointer(&all[from.index(all.len())]).cloned()).unwrap_or_default();
        if let Some(old) = value.pointer_mut(&all[at.index(all.len())]) {
            *old = new;
        }
    }
    value.to_string()
}

fn odd_value() -> impl Strategy<Value = Option<Value>> {
    let values = vec![
        None,
        None,
        Some(Value::Null),
        Some(json!(true)),
        Some(json!(0)),
        Some(json!(-1.5)),
        Some(json!(u64::MAX)),
        Some(json!("")),
        Some(json!("@user:new")),
        Some(json!("@x")),
        Some(json!("U1")),
        Some(json!("ada@acme.example")),
        Some(json!([])),
        Some(json!({})),
        Some(json!("a\u{0}b\u{202e}")),
        Some(json!(["U1", "U1"])),
        Some(json!({ "value": "U2" })),
        Some(json!("1e400")),
    ];
    proptest::sample::select(values)
}

fn input(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let seed = || proptest::sample::select(seeds(target));
    let piece = prop_oneof![4 => proptest::sample::select(PIECES).prop_map(|p| p.as_bytes().to_vec()), 1 => "\\PC{0,6}".prop_map(String::into_bytes)];
    prop_oneof![
        1 => proptest::collection::vec(any::<u8>(), 0..200),
        2 => proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat()),
        4 => (seed(), proptest::collection::vec(edit(), 1..5)).prop_map(|(data, edits)| edited(data, &edits)),
        4 => (seed(), proptest::collection::vec((any::<Index>(), any::<Index>(), odd_value()), 1..4))
            .prop_map(|(data, changes)| reshaped(&data, &changes)),
    ]
}

fn run(target: &'static str, cases: u32) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).unwrap();
    // The seeds themselves hold what they show.
    for seed in seeds(target) {
        check(&seed);
    }
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(data in input(target))| check(&data));
}

#[test]
fn whatever_roster_is_accepted_keeps_slacks_rules() {
    run("roster", 400);
}

#[test]
fn whatever_a_service_answers_is_read_whole_or_refused() {
    run("service", 400);
}

#[test]
fn a_filter_means_what_it_says() {
    run("filter", 300);
}

#[test]
fn no_patch_leaves_the_simulator_in_pieces() {
    run("patch", 60);
}

#[test]
fn a_saved_plan_that_is_read_cannot_be_altered() {
    run("plan", 300);
}

#[test]
fn a_journal_is_read_however_early_its_writer_died() {
    run("journal", 400);
}

#[test]
fn a_snapshot_that_is_read_can_be_written_redacted_and_planned_on() {
    run("snapshot", 200);
}

/// A seed that is refused teaches nothing: what is made of it is refused as well.
#[test]
fn the_seeds_are_accepted() {
    let all = |target| seeds(target).into_iter().map(|seed| String::from_utf8(seed).unwrap());
    for plan in all("plan") {
        let made =
            "rosterctl plan tests/worlds/fuzzing.yaml --simulate tests/worlds/fuzzing.json --format json";
        assert!(SavedPlan::read(Cursor::new(&plan)).is_ok(), "make it anew: {made}");
    }
    for text in all("journal") {
        assert!(journal::read(&text).is_ok(), "{text}");
    }
    for text in all("snapshot") {
        assert!(snapshot::read(&text).is_ok(), "{text}");
    }
    for text in all("roster") {
        let source = |text: &str| Source { path: "seed".to_owned(), text: text.to_owned() };
        let parts: Vec<&str> = text.split("\n%%%\n").collect();
        let files = parts.iter().take(2).map(|part| source(part)).collect();
        assert!(load(files, parts.get(2).map(|part| source(part))).is_ok(), "{text}");
    }
}
