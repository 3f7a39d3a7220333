//! What is to become of groups.

use crate::remote::account;
use crate::world::{World, diff, group, person, show};
use model::attribute::Attribute as A;
use model::policy::{UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::{Action, UserId};

#[test]
fn one_request_renames_removes_and_adds() {
    let world = World::of([person("ada"), person("bob"), person("cy")]).groups([group(
        "engineering",
        &["ada", "cy"],
    )
    .formerly("eng")]);
    let mut remote = world.photograph();
    remote.groups.clear();
    remote.add_group("S1", "eng", &["U-bob", "U-ada"]);
    assert_eq!(world.changes(&remote), ["S1: eng>engineering -U-bob +U-cy"]);
}

#[test]
fn who_goes_is_listed_by_name_in_whatever_order_the_service_lists_them() {
    let mut world = World::of([person("ada")]).groups([group("eng", &["ada"])]);
    world.policy.unlisted.users = UnlistedUsers::Deactivate;
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let mut remote = world.photograph();
    let (leavers, lines) = (["U3", "U1", "U2"], ["bea", "Cleo", "dan"]);
    for (id, name) in leavers.into_iter().zip(lines) {
        remote.add(id, account(name, &format!("{name}@acme.example")));
        remote.group("S-eng").members.insert(id.to_owned());
    }
    remote.add_group("S9", "old", &leavers);
    let backwards = remote.directory_in(&mut |positions| positions.reverse());
    for directory in [remote.directory(), backwards] {
        let diff = diff(&world.roster(), &directory).unwrap();
        let lines = show(&diff);
        assert_eq!(lines[0], "S-eng: -U3 -U1 -U2");
        let then: Vec<&str> = lines[1..4].iter().filter_map(|line| line.get(..2)).collect();
        assert_eq!(then, leavers);
        let Action::DeleteGroup { members, .. } = &diff.changeset.changes[4].action else {
            panic!("a DELETE")
        };
        assert_eq!(members.iter().map(UserId::as_str).collect::<Vec<_>>(), leavers);
    }
}

#[test]
fn without_a_groups_key_no_group_is_managed() {
    let mut world = World::of([person("ada")]);
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let mut remote = world.photograph();
    remote.add_group("S1", "eng", &["U-ada"]);
    assert!(world.changes(&remote).is_empty());
    world.groups = Some(Vec::new());
    assert_eq!(world.changes(&remote), ["delete S1"]);
}

#[test]
fn without_a_members_key_membership_is_not_managed() {
    let mut world = World::of([person("ada"), person("bob").inactive()]).groups([group("eng", &[])]);
    world.groups.as_mut().unwrap()[0].members = None;
    let mut remote = world.photograph();
    remote.group("S-eng").members.extend(["U-ada".to_owned(), "U-bob".to_owned()]);
    remote.account("U-bob").active = true;
    assert_eq!(world.changes(&remote), ["U-bob: active true>false"]);
}

#[test]
fn bots_and_foreign_members_stay_and_deactivated_surplus_goes() {
    let world = World::of([person("ada"), person("gone").inactive()]).groups([group("eng", &["ada"])]);
    let mut remote = world.photograph();
    remote.add("B1", account("app", "app@slack-bots.com"));
    remote.account("B1").bot = true;
    remote.group("S-eng").members.extend(["B1".to_owned(), "foreign-1".to_owned(), "U-gone".to_owned()]);
    let diff = world.diff(&remote).unwrap();
    assert_eq!(show(&diff), ["S-eng: -U-gone"]);
    let notes: Vec<&str> = diff.notes.iter().map(|note| note.code).collect();
    assert_eq!(notes, ["kept-members", "foreign-members"]);
}

#[test]
fn with_members_kept_only_leavers_are_removed() {
    let mut world = World::of([person("ada"), person("bob"), person("leaver").inactive()])
        .groups([group("eng", &["ada"])]);
    world.policy.unlisted.members = UnlistedMembers::Keep;
    let mut remote = world.photograph();
    remote.account("U-leaver").active = true;
    remote.group("S-eng").members.extend(["U-bob".to_owned(), "U-leaver".to_owned()]);
    assert_eq!(world.changes(&remote), ["S-eng: -U-leaver", "U-leaver: active true>false after 0"]);
}

#[test]
fn who_cannot_be_a_member_now_is_left_out_with_a_note() {
    let world = World::of([
        person("kim").guest_until("2026-05-01T00:00:00Z"),
        person("ceo").unmanaged(),
        person("boss"),
        person("ada"),
    ])
    .groups([group("eng", &["kim", "ceo", "boss", "ada"])])
    .protect_user("boss");
    let mut remote = world.photograph();
    remote.group("S-eng").members.clear();
    for id in ["U-kim", "U-ceo"] {
        remote.account(id).active = false;
    }
    remote.accounts.remove("U-boss");
    let diff = world.diff(&remote).unwrap();
    assert_eq!(show(&diff), ["S-eng: +U-ada"]);
    assert_eq!(
        diff.notes[0].message,
        "eng: members left out: kim (deactivated), ceo (deactivated), boss (no account)"
    );
    remote.accounts.remove("U-ceo");
    assert!(world.errors(&remote)[0].starts_with("no-account: ceo"));
}

#[test]
fn a_rename_names_every_member_there_will_be() {
    let world =
        World::of([person("ada"), person("new")]).groups([group("engineering", &["ada", "new"]).id("S1")]);
    let mut remote = World::of([person("ada")]).photograph();
    remote.add("B1", account("app", "app@slack-bots.com"));
    remote.account("B1").bot = true;
    remote.add_group("S1", "eng", &["B1", "foreign-1", "U-ada"]);
    let diff = world.diff(&remote).unwrap();
    let Action::UpdateGroup { rename, .. } = &diff.changeset.changes[1].action else { panic!("a PATCH") };
    let after: Vec<String> = rename.as_ref().unwrap().members_after.iter().map(ToString::to_string).collect();
    assert_eq!(after, ["B1", "U-ada", "foreign-1", "@user:new"]);
}

#[test]
fn more_than_five_thousand_members_take_several_requests_that_remove_first() {
    let names: Vec<String> = (0..12_001).map(|n| format!("p{n:05}")).collect();
    let entries = names.iter().map(|name| person(name)).collect();
    let mut world = World { entries, ..World::default() };
    let mut remote = world.photograph();
    let refs: Vec<&str> = names.iter().map(String::as_str).collect();
    world = world.groups([group("all", &refs[..12_000]), group("none", &refs[..6_000])]);
    remote.add_group("S1", "none", &[]);
    remote.group("S1").members = names[6_000..12_000].iter().map(|name| format!("U-{name}")).collect();
    let diff = world.diff(&remote).unwrap();
    let sizes: Vec<(usize, usize)> = diff
        .changeset
        .changes
        .iter()
        .map(|change| match &change.action {
            Action::CreateGroup { members, .. } => (0, members.len()),
            Action::UpdateGroup { add, remove, .. } => (remove.len(), add.len()),
            _ => panic!("only groups change"),
        })
        .collect();
    assert_eq!(sizes, [(5_000, 0), (0, 5_000), (0, 5_000), (0, 2_000), (1_000, 4_000), (0, 2_000)]);
    let last = &diff.changeset.changes[3];
    assert!(show(&diff)[3].ends_with(" after 2!") && show(&diff)[5].ends_with(" after 4"), "{last:?}");
}

#[test]
fn a_full_member_in_the_making_joins_after_becoming_one() {
    let world = World::of([person("kim").full_member()]).groups([group("eng", &["kim"])]);
    let mut remote = world.photograph();
    remote.account("U-kim").guest = true;
    remote.account("U-kim").set(A::Title, "x");
    remote.group("S-eng").members.clear();
    assert_eq!(world.changes(&remote), ["U-kim: guest true>false", "S-eng: +U-kim after 0"]);
}

#[test]
fn a_member_without_an_account_is_shown_on_the_line_that_names_him() {
    let text = "version: 1\nusers:\n  - { userName: ada, email: ada@acme.example }\n  \
                - { userName: ceo, email: ceo@acme.example, managed: false }\n\
                groups:\n  - displayName: eng\n    members:\n      - ada\n      - ceo\n";
    let source = model::Source { path: "roster.yaml".into(), text: text.into() };
    let roster = model::load::load(vec![source], None).unwrap().roster;
    let directory = model::Directory::default();
    let options = differ::Options { now: crate::world::NOW.parse().unwrap(), only: &[] };
    let errors = differ::diff(&roster, &directory, &options).unwrap_err();
    let place = errors[0].related[0].place.unwrap();
    let shown = &text[place.start as usize..][..place.len as usize];
    assert_eq!((errors[0].code, place.line, place.column, shown), ("no-account", 9, 7, "- ceo"));
}
