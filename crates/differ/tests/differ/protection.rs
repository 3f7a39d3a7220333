//! What is protected.

use crate::remote::account;
use crate::world::{World, group, person};
use model::attribute::Attribute as A;
use model::policy::{UnlistedGroups, UnlistedUsers};

fn blocks(world: &World, remote: &crate::remote::Remote) -> Vec<String> {
    let diff = world.diff(remote).unwrap();
    assert!(diff.changeset.is_empty(), "{:?}", diff.changeset);
    diff.verdicts.into_iter().map(|verdict| format!("{}: {}", verdict.guard, verdict.message)).collect()
}

#[test]
fn a_pattern_that_names_nobody_blocks() {
    let world = World::of([person("ada")])
        .groups([group("eng", &["ada"])])
        .protect_user("ada")
        .protect_user("fuonder")
        .protect_group("Eng")
        .protect_group("Tema*");
    let found = blocks(&world, &world.photograph());
    assert_eq!(
        found,
        [
            "protect: the policy protects fuonder, and no person of the directory or the roster is called that",
            "protect: the policy protects Tema*, and no group of the directory or the roster is called that"
        ]
    );
}

#[test]
fn a_line_that_contradicts_blocks_and_is_not_carried_out() {
    let base = person("ada").text(A::Title, "Founder").default_text(A::Timezone, "Europe/London");
    let world = World::of([base]).protect_user("*@acme.example");
    let remote = world.photograph();
    assert!(blocks(&world, &remote).is_empty());

    let mut changed = remote.clone();
    changed.account("U-ada").set(A::Title, "Other");
    changed.account("U-ada").set(A::Timezone, "Europe/Paris");
    assert_eq!(blocks(&world, &changed), ["protect: ada is protected, and the roster would change title"]);

    let mut gone = world.clone();
    gone.entry("ada").active = false;
    assert_eq!(blocks(&gone, &remote), ["protect: ada is protected, and the roster would change active"]);
    assert_eq!(
        blocks(&world, &crate::remote::Remote::default()),
        ["protect: ada is protected, and the roster would create the account"]
    );
}

#[test]
fn what_comes_from_defaults_is_dropped_with_a_note() {
    let world = World::of([person("ada").default_text(A::Timezone, "Europe/London")]).protect_user("ada");
    let mut remote = world.photograph();
    remote.account("U-ada").set(A::Timezone, "Europe/Paris");
    assert!(blocks(&world, &remote).is_empty());
    assert_eq!(world.diff(&remote).unwrap().notes[0].code, "protected");
}

#[test]
fn omission_and_unlisted_never_reach_what_is_protected() {
    let mut world = World::of([person("ada"), person("boss")])
        .groups([group("eng", &["ada"])])
        .protect_user("boss")
        .protect_user("U9")
        .protect_group("Admins");
    let mut remote = world.photograph();
    remote.add("U9", account("glass", "glass@acme.example"));
    remote.group("S-eng").members.extend(["U-boss".to_owned(), "U9".to_owned()]);
    remote.add_group("S9", "Admins", &["U9", "U-ada"]);
    world.policy.unlisted.users = UnlistedUsers::Deactivate;
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let diff = world.diff(&remote).unwrap();
    assert!(diff.changeset.is_empty() && diff.verdicts.is_empty());
    let notes: Vec<&str> = diff.notes.iter().map(|note| &*note.message).collect();
    assert_eq!(
        notes[1],
        "eng: kept though the roster does not list them: boss (protected), glass (protected)"
    );
    assert!(notes[0].ends_with("glass, Admins"), "{notes:?}");
}

#[test]
fn a_protected_group_is_left_as_it_is_and_blocks_only_when_the_roster_adds_or_renames() {
    let mut world = World::of([person("ada"), person("bob")])
        .groups([group("Admins", &["ada"])])
        .protect_group("S-Admins");
    let mut remote = world.photograph();
    remote.group("S-Admins").members.insert("U-bob".to_owned());
    assert!(blocks(&world, &remote).is_empty());
    remote.group("S-Admins").members.remove("U-ada");
    assert_eq!(blocks(&world, &remote), ["protect: Admins is protected, and the roster would add ada"]);
    world.groups.as_mut().unwrap()[0] = group("admins", &[]).formerly("x");
    assert_eq!(
        blocks(&world, &remote),
        ["protect: admins is protected, and the roster would change its name"]
    );
}

#[test]
fn the_defaults_of_a_file_are_told_from_its_entries_above_and_below_them() {
    let defaults = "defaults:\n  timezone: Europe/London\n";
    let users = |title: &str| {
        format!(
            "users:\n  - userName: ada\n    email: ada@acme.example\n{title}  - userName: bob\n    email: bob@acme.example\n"
        )
    };
    let head = "version: 1\npolicy: { protect: { users: [ada, bob] } }\n";
    let mut remote = World::of([person("ada"), person("bob")]).photograph();
    for id in ["U-ada", "U-bob"] {
        remote.account(id).set(A::Timezone, "Europe/Paris");
        remote.account(id).set(A::Title, "Other");
    }
    let (plain, titled) = (users(""), users("    title: Founder\n"));
    for (body, guards) in [
        (format!("{defaults}{plain}"), 0),
        (format!("{plain}{defaults}"), 0),
        (format!("{defaults}{titled}"), 1),
        (format!("{titled}{defaults}"), 1),
    ] {
        let source = model::Source { path: "roster.yaml".to_owned(), text: format!("{head}{body}") };
        let roster = model::load::load(vec![source], None).unwrap().roster;
        let diff = crate::world::diff(&roster, &remote.directory()).unwrap();
        assert!(diff.changeset.is_empty());
        assert_eq!(diff.verdicts.len(), guards, "{body}");
        assert_eq!(diff.notes[0].code, "protected");
    }
}
