//! Files that somebody has altered, with and without care, and files that are no plans at all.

use crate::trial::{self, Chance, Trial, context, for_saved, read, written};
use crate::world::{World, group, person};
use model::attribute::Attribute as A;
use model::change::Action;
use proptest::prelude::*;
use reconciler::saved::{ResumeError, SavedPlan, SavedPlanError};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::LazyLock;

/// The digest as `docs/plan-format.md` defines it, worked out from the file alone.
fn digest(plan: &Value) -> String {
    let mut hasher = Sha256::new();
    let mut part = |text: &str| {
        hasher.update((text.len() as u64).to_be_bytes());
        hasher.update(text);
    };
    part(&json!([plan["formatVersion"], plan["workspace"]]).to_string());
    for change in plan["changes"].as_array().into_iter().flatten() {
        part(change["request"]["method"].as_str().unwrap_or_default());
        part(change["request"]["path"].as_str().unwrap_or_default());
        part(&change["request"].get("body").map(Value::to_string).unwrap_or_default());
        part(&change["before"].to_string());
        part(&change["after"].to_string());
    }
    hasher.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// Somebody who would rather have another plan, and knows how digests are made.
fn forge(plan: &mut Value, chance: &mut Chance<'_>) {
    let others: Vec<Value> = plan["changes"].as_array().unwrap().clone();
    for _ in 0..=chance.pick(3) {
        let changes = plan["changes"].as_array_mut().unwrap();
        if changes.is_empty() {
            return;
        }
        let at = chance.pick(changes.len());
        let other = &others[chance.pick(others.len())];
        match chance.pick(8) {
            0 => drop(changes.remove(at)),
            1 => changes.push(other.clone()),
            2 => changes[at]["after"] = other["after"].clone(),
            3 => {
                changes[at]["target"] = other["target"].clone();
                changes[at]["request"]["path"] = other["request"]["path"].clone();
            }
            4 => changes[at]["request"]["body"] = other["request"]["body"].clone(),
            5 => {
                // Another value for something, on both sides.
                let keys: Vec<String> = changes[at]["after"].as_object().unwrap().keys().cloned().collect();
                let Some(key) = keys.get(chance.pick(keys.len())) else { continue };
                let side = ["before", "after"][chance.pick(2)];
                let was = &mut changes[at][side][key];
                *was = match was {
                    Value::Bool(flag) => json!(!*flag),
                    Value::Array(list) => {
                        json!(list.iter().skip(1).chain([&json!("U0")]).collect::<Vec<_>>())
                    }
                    _ => json!(["n0", "e1@acme.example", "t2", "U1"][chance.pick(4)]),
                };
            }
            6 => {
                let edits = changes[at].get("edits").cloned();
                for edit in edits.and_then(|e| e.as_array().cloned()).into_iter().flatten() {
                    let Some(key) = edit["attribute"].as_str() else { continue };
                    if chance.pick(2) == 0 {
                        for side in ["before", "after"] {
                            changes[at][side].as_object_mut().unwrap().shift_remove(key);
                        }
                    }
                }
            }
            _ => changes.swap(at, 0),
        }
        for (at, change) in changes.iter_mut().enumerate() {
            change["id"] = json!(at + 1);
        }
    }
    plan["digest"] = json!(digest(plan));
}

/// Everything that a plan says it will have done, but for temporary values.
fn effects(plan: &Value) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for change in plan["changes"].as_array().into_iter().flatten() {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut add = |what: &str, value: &Value| {
            all.insert((text(&change["target"]), what.to_owned(), text(value)));
        };
        add("kind", &change["kind"]);
        for (key, value) in change["after"].as_object().into_iter().flatten() {
            match value {
                Value::Array(members) => members.iter().for_each(|member| add("joins", member)),
                value => add(key, value),
            }
        }
        for member in change["before"]["members"].as_array().into_iter().flatten() {
            add("leaves", member);
        }
    }
    all
}

#[test]
fn the_digest_is_what_the_documentation_says_it_is() {
    for_saved(100, |trial, _| {
        let plan: Value = serde_json::from_str(&trial.text).unwrap();
        if digest(&plan) == trial.plan.digest { Ok(()) } else { Err("another digest".to_owned()) }
    });
}

#[test]
fn no_forgery_makes_it_do_what_is_not_in_the_file_or_what_the_roster_does_not_ask_for() {
    let (read, resumed) = (Cell::new(0), Cell::new(0));
    for_saved(500, |trial, chance| {
        let mut plan: Value = serde_json::from_str(&trial.text).unwrap();
        let mut chance = Chance(chance.iter());
        let mut remote = trial.remote.clone();
        let done = chance.pick(trial.changes().len() + 1);
        trial.apply(&mut remote, &trial.changes()[..done])?;
        forge(&mut plan, &mut chance);
        let Ok(mut forged) = trial::read(plan.to_string()) else { return Ok(()) };
        read.set(read.get() + 1);
        let roster = trial.world.roster();
        let Ok(left) = forged.resume(&roster, &remote.directory(), &context()) else { return Ok(()) };
        resumed.set(resumed.get() + 1);
        let asked = reconciler::planner::plan(&roster, &remote.directory(), &context()).unwrap();
        let (stated, asked) = (effects(&plan), effects(&serde_json::from_str(&written(&asked)).unwrap()));
        let mut left_text: Value = serde_json::from_str(&written(&left.plan)).unwrap();
        for change in left_text["changes"].as_array_mut().unwrap() {
            let temporary: Vec<String> = change["edits"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|edit| edit["temporary"] == true)
                .map(|edit| edit["attribute"].as_str().unwrap().to_owned())
                .collect();
            let after = change["after"].as_object_mut().unwrap();
            after.retain(|key, _| !temporary.contains(key));
        }
        // People who were to be created and are there by now are called by their ids.
        let named = |plan: &BTreeSet<(String, String, String)>| -> BTreeSet<_> {
            let id = |text: &String| remote.created.get(text).unwrap_or(text).clone();
            plan.iter().map(|(target, key, value)| (id(target), key.clone(), id(value))).collect()
        };
        for effect in effects(&left_text) {
            let kind = effect.1 == "kind" || effect.2.starts_with("rosterctl-tmp");
            if !kind && !named(&stated).contains(&effect) {
                return Err(format!("{effect:?} is not in the file: {plan:#}"));
            }
            if !asked.contains(&effect) && effect.1 != "kind" {
                return Err(format!("the roster does not ask for {effect:?}"));
            }
        }
        Ok(())
    });
    let (read, resumed) = (read.get(), resumed.get());
    assert!(read > 40 && resumed > 12, "{read} forgeries were read and {resumed} resumed: too few to tell");
}

fn small() -> Trial {
    let mut world = World::of([person("ada").text(A::Title, "old"), person("bob"), person("cy")])
        .groups([group("eng", &["ada", "cy"])]);
    let mut remote = world.photograph();
    remote.accounts.remove("U-cy");
    remote.group("S-eng").members.remove("U-cy");
    remote.group("S-eng").members.insert("U-bob".to_owned());
    world
        .entry("ada")
        .settings
        .insert(A::Title, model::roster::Wish::Set(model::attribute::Value::Text("new".into())));
    Trial::new(world, remote, Vec::new()).unwrap()
}

fn reread(trial: &Trial, edit: impl Fn(&mut Value)) -> Result<SavedPlan<Cursor<String>>, SavedPlanError> {
    let mut plan: Value = serde_json::from_str(&trial.text).unwrap();
    edit(&mut plan);
    plan["digest"] = json!(digest(&plan));
    read(plan.to_string())
}

fn position(trial: &Trial, wanted: impl Fn(&Action) -> bool) -> usize {
    trial.changes().iter().position(|change| wanted(&change.action)).unwrap()
}

#[test]
fn a_request_that_does_more_than_its_change_says_is_refused_though_the_digest_fits() {
    let trial = small();
    let group = position(&trial, |action| matches!(action, Action::UpdateGroup { .. }));
    let found = reread(&trial, |plan| {
        let operations = plan["changes"][group]["request"]["body"]["Operations"].as_array_mut().unwrap();
        operations.push(json!({ "op": "add", "path": "members", "value": [{ "value": "U-eve" }] }));
    });
    assert!(matches!(found, Err(SavedPlanError::Change { change, .. }) if change == group + 1), "{found:?}");

    let creation = position(&trial, |action| matches!(action, Action::CreateUser { .. }));
    let found = reread(&trial, |plan| {
        plan["changes"][creation]["request"]["body"]["roles"] = json!([{ "value": "x" }]);
    });
    assert!(matches!(found, Err(SavedPlanError::Change { .. })), "{found:?}");

    // Of an account's change the body depends on the directory, and is compared with it.
    let update = position(&trial, |action| matches!(action, Action::UpdateUser { .. }));
    let forged = reread(&trial, |plan| {
        let operations = plan["changes"][update]["request"]["body"]["Operations"].as_array_mut().unwrap();
        operations.push(json!({ "op": "replace", "path": "active", "value": false }));
    });
    let found = forged.unwrap().resume(&trial.world.roster(), &trial.remote.directory(), &context());
    let Err(ResumeError::Stale(moved)) = found else { panic!("{found:?}") };
    assert_eq!((moved[0].change, &moved[0].why), (update + 1, &model::stale::Why::OtherRequest));
}

#[test]
fn what_a_change_is_called_or_aimed_at_cannot_be_altered_either() {
    let trial = small();
    let update = position(&trial, |action| matches!(action, Action::UpdateUser { .. }));
    for edit in [
        |change: &mut Value| change["target"] = json!("U-bob"),
        |change: &mut Value| change["request"]["path"] = json!("/Users/U-bob"),
        |change: &mut Value| change["request"]["path"] = json!("/Users/../Groups/S-eng"),
        |change: &mut Value| change["request"]["method"] = json!("PUT"),
        |change: &mut Value| change["request"]["method"] = json!("DELETE"),
        |change: &mut Value| change["kind"] = json!("deactivateUser"),
        |change: &mut Value| change["id"] = json!(7),
        |change: &mut Value| change["before"] = json!({}),
        |change: &mut Value| change["after"] = json!({ "title": ["new"] }),
        |change: &mut Value| change["after"] = json!({ "shoeSize": "42" }),
    ] {
        let found = reread(&trial, |plan| edit(&mut plan["changes"][update]));
        assert!(found.is_err(), "{found:?}");
    }
    // Without care, the digest tells.
    let edited = trial.text.replace("\"new\"", "\"owner\"");
    assert!(matches!(read(&edited), Err(SavedPlanError::Digest { .. })));
}

#[test]
fn a_file_of_another_version_or_kind_or_with_double_meanings_is_refused() {
    let trial = small();
    let version = |text: &str| read(trial.text.replace("\"formatVersion\":1", text));
    for other in
        ["\"formatVersion\":2", "\"formatVersion\":\"1\"", "\"formatVersion\":1.0", "\"formatVersion\":[[1]]"]
    {
        assert!(matches!(version(other), Err(SavedPlanError::Version(_))), "{other}");
    }
    // The version decides before the rest is looked at.
    assert!(matches!(read(r#"{"formatVersion":3,"changes":"none"}"#), Err(SavedPlanError::Version(_))));
    let nested = |open: &str| format!("{{\"formatVersion\":1,\"changes\":{}", open.repeat(200_000));
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "NaN",
        "{\"formatVersion\":1}",
        "version: 1",
        &nested("["),
        &nested("{\"a\":"),
    ] {
        assert!(read(text).is_err(), "{text:.60}");
    }
    for (once, twice) in [
        ("\"workspace\":null", "\"workspace\":null,\"workspace\":\"x\""),
        ("\"title\":\"new\"", "\"title\":\"new\",\"title\":\"new\""),
        ("\"op\":\"replace\"", "\"op\":\"remove\",\"op\":\"replace\""),
        ("\"digest\":", "\"digest\":\"\",\"digest\":"),
    ] {
        assert!(trial.text.contains(once), "{once}");
        let found = read(trial.text.replace(once, twice));
        assert!(
            matches!(
                found,
                Err(SavedPlanError::Broken(_) | SavedPlanError::Change { .. } | SavedPlanError::NotAPlan(_))
            ),
            "{twice}: {found:?}"
        );
    }
    // What we do not know is ignored, as the documentation promises.
    let more = trial.text.replace("\"formatVersion\":1", "\"formatVersion\":1,\"signature\":{\"by\":[1,2]}");
    assert_eq!(read(&more).unwrap().digest(), trial.saved().digest());
}

/// A file that somebody else writes, too.
struct Shared(Rc<RefCell<Cursor<String>>>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.borrow_mut().read(buffer)
    }
}

impl Seek for Shared {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.borrow_mut().seek(to)
    }
}

#[test]
fn a_file_that_became_another_plan_after_it_was_read_is_not_applied() {
    let trial = small();
    let mut other = small();
    let title = model::attribute::Value::Text("owner".into());
    other.world.entry("ada").settings.insert(A::Title, model::roster::Wish::Set(title));
    let other = Trial::new(other.world, other.remote, Vec::new()).unwrap();
    // Something is done already, so that the changes must be read again.
    let mut remote = trial.remote.clone();
    remote.group("S-eng").members.remove("U-bob");
    for (text, is_accepted) in [(&trial.text, true), (&other.text, false), (&String::new(), false)] {
        let file = Rc::new(RefCell::new(Cursor::new(trial.text.clone())));
        let mut saved = SavedPlan::read(Shared(Rc::clone(&file))).unwrap();
        file.replace(Cursor::new(text.clone()));
        let resumed = saved.resume(&trial.world.roster(), &remote.directory(), &context());
        match resumed {
            Ok(resumed) => {
                let whole = resumed.whole.expect("one of the changes is half done");
                assert!(is_accepted && whole.len() == trial.changes().len());
            }
            Err(error) => assert!(!is_accepted && matches!(error, ResumeError::File(_)), "{error:?}"),
        }
    }
}

#[test]
fn a_plan_of_many_changes_is_read_and_one_of_many_wrong_ones_is_refused() {
    let changes = |count: usize, change: &dyn Fn(usize) -> Value| -> String {
        let list: Vec<Value> = (0..count).map(change).collect();
        let mut plan = Map::new();
        for (key, value) in [
            ("formatVersion", json!(1)),
            ("target", Value::Null),
            ("workspace", Value::Null),
            ("dialect", json!("rfc")),
            ("changes", Value::Array(list)),
        ] {
            plan.insert(key.to_owned(), value);
        }
        let mut plan = Value::Object(plan);
        plan["digest"] = json!(digest(&plan));
        plan.to_string()
    };
    let deletion = |at: usize| {
        let id = format!("S{at}");
        json!({ "id": at + 1, "kind": "deleteGroup", "target": id, "name": "x", "request": { "method": "DELETE", "path": format!("/Groups/{id}") },
            "before": { "displayName": "x", "members": [] }, "after": {} })
    };
    assert_eq!(read(changes(20_000, &deletion)).unwrap().changes(), 20_000);
    let nothing = format!(r#"{{"formatVersion":1,"changes":[{}{{}}]}}"#, "{},".repeat(200_000));
    assert!(read(&nothing).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_bytes_reading_and_resuming_end(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..30, any::<prop::sample::Index>()), 1..6),
        noise in prop::collection::vec("[\\[\\]{}:,\"\\\\a-z0-9@.\u{0}-\u{1f}\u{202e}]{0,8}", 6),
    ) {
        static TRIAL: LazyLock<Trial> = LazyLock::new(small);
        let trial = &*TRIAL;
        let mut text = trial.text.clone();
        for (at, ((from, length, source), noise)) in cuts.iter().zip(&noise).enumerate() {
            let floor = |text: &str, at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap();
            let start = floor(&text, from.index(text.len() + 1));
            let end = floor(&text, start + length).max(start);
            let begin = floor(&text, source.index(text.len() + 1));
            let copied = text[begin..floor(&text, begin + length).max(begin)].to_owned();
            text.replace_range(start..end, if at % 2 == 0 { noise } else { &copied });
        }
        if let Ok(mut plan) = read(&text) {
            // Only what the digest does not cover, and nobody answers for, can have changed.
            prop_assert_eq!(plan.digest(), &trial.plan.digest);
            drop(plan.resume(&trial.world.roster(), &trial.remote.directory(), &context()));
        }
    }

    #[test]
    fn no_json_makes_it_panic(text in r#"(\{"formatVersion":1,)?("(dialect|target|digest|changes|id|before)":|[\[{]|"slack"|\{\}|null|[0-9e.-]{1,4}|[\]},]){0,40}"#) {
        drop(read(&text));
    }
}
