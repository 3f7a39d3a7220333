//! What comes before what, how circles are cut, and what `--only` keeps.

use crate::remote::{Remote, account};
use crate::world::{NOW, World, group, person, show};
use differ::Options;
use model::attribute::Attribute as A;
use model::policy::UnlistedGroups;

#[test]
fn what_is_taken_away_comes_first_and_deletions_last() {
    let mut world = World::of([
        person("new").manager(1),
        person("boss"),
        person("ada").text(A::Title, "x"),
        person("leaver").inactive(),
    ])
    .groups([group("eng", &["ada", "new"]), group("ops", &["ada"]), group("fresh", &["ada"])]);
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let mut remote = world.photograph();
    for id in ["U-new", "U-boss"] {
        remote.accounts.remove(id);
    }
    remote.account("U-ada").values.remove(&A::Title);
    remote.account("U-leaver").active = true;
    remote.groups.clear();
    remote.add_group("S1", "eng", &["U-ada", "U-leaver"]);
    remote.add_group("S2", "ops", &["U-ada", "U-leaver"]);
    remote.add_group("S3", "old", &["U-ada"]);
    assert_eq!(
        world.changes(&remote),
        [
            "S2: -U-leaver",
            "create boss: userName=boss email=boss@acme.example",
            "create new: userName=new email=new@acme.example manager=@user:boss after 1!",
            "U-ada: title ->x",
            "S1: -U-leaver +@user:new after 2",
            "U-leaver: active true>false after 0 4",
            "create group fresh: +U-ada",
            "delete S3",
        ]
    );
}

#[test]
fn gives_up_the_user_name_before_another_takes_it() {
    let world = World::of([person("a").id("U1"), person("b").id("U2"), person("c").id("U3")]);
    let mut remote = Remote::default();
    remote.add("U1", account("x", "a@acme.example"));
    remote.add("U2", account("a", "b@acme.example"));
    remote.add("U3", account("b", "c@acme.example"));
    assert_eq!(
        world.changes(&remote),
        ["U3: userName b>c", "U2: userName a>b after 0!", "U1: userName x>a after 1!"]
    );
}

#[test]
fn an_inactive_account_gives_up_just_what_is_needed_of_it_and_so_on_along_the_chain() {
    let world = World::of([
        person("ada"),
        person("ada-old").email("ada-old@acme.example").id("U2").inactive(),
        person("leaver").email("old@acme.example").id("U3").inactive(),
    ]);
    let mut remote = Remote::default();
    remote.add("U2", account("other", "ada@acme.example"));
    remote.account("U2").active = false;
    remote.add("U3", account("leaver", "ada-old@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "U3: email ada-old@acme.example>old@acme.example",
            "U3: active true>false after 0",
            "U2: email ada@acme.example>ada-old@acme.example after 0!",
            "create ada: userName=ada email=ada@acme.example after 2!",
        ]
    );
}

#[test]
fn two_who_swap_user_names_go_through_one_temporary_name() {
    let world = World::of([person("a").id("U1"), person("b").id("U2")]);
    let mut remote = Remote::default();
    remote.add("U1", account("b", "a@acme.example"));
    remote.add("U2", account("a", "b@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "U1: userName b>~tmp-7e29f93b",
            "U2: userName a>b after 0!",
            "U1: userName tmp-7e29f93b>a after 0! 1!",
        ]
    );
}

#[test]
fn two_who_swap_addresses_go_through_one_temporary_address_of_the_same_domain() {
    let world = World::of([
        person("a").id("U1").email("b@acme.example"),
        person("b").id("U2").email("a@acme.example"),
    ]);
    let mut remote = Remote::default();
    remote.add("U1", account("a", "a@acme.example"));
    remote.add("U2", account("b", "b@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "U1: email a@acme.example>~a+rosterctl-7e29f93b@acme.example",
            "U2: email b@acme.example>a@acme.example after 0!",
            "U1: email a+rosterctl-7e29f93b@acme.example>b@acme.example after 0! 1!",
        ]
    );
}

#[test]
fn two_who_swap_second_addresses_do_without_one_for_a_while() {
    let world = World::of([
        person("a").text(A::SecondaryEmail, "y@acme.example"),
        person("b").text(A::SecondaryEmail, "x@acme.example"),
    ]);
    let mut remote = world.photograph();
    remote.account("U-a").set(A::SecondaryEmail, "x@acme.example");
    remote.account("U-b").set(A::SecondaryEmail, "y@acme.example");
    assert_eq!(
        world.changes(&remote),
        [
            "U-a: secondaryEmail x@acme.example>~-",
            "U-b: secondaryEmail y@acme.example>x@acme.example after 0!",
            "U-a: secondaryEmail ->y@acme.example after 0! 1!",
        ]
    );
}

#[test]
fn a_circle_of_a_name_and_an_address_is_cut_without_a_temporary_value() {
    let world = World::of([
        person("a").id("U1").email("b@acme.example").text(A::Title, "x"),
        person("b2").id("U2").email("new@acme.example"),
    ]);
    let mut world = world;
    world.entries[1].name = "old-a".to_owned();
    let mut remote = Remote::default();
    remote.add("U1", account("old-a", "a@acme.example"));
    remote.add("U2", account("b", "b@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "U1: userName old-a>a, title ->x",
            "U2: userName b>old-a, email b@acme.example>new@acme.example after 0!",
            "U1: email a@acme.example>b@acme.example after 0! 1!",
        ]
    );
}

#[test]
fn new_people_who_manage_each_other_are_created_and_then_introduced() {
    let world = World::of([person("a").manager(1), person("b").manager(0)]);
    assert_eq!(
        world.changes(&Remote::default()),
        [
            "create a: userName=a email=a@acme.example",
            "create b: userName=b email=b@acme.example manager=@user:a after 0!",
            "@user:a: manager ->@user:b after 0! 1!",
        ]
    );
}

#[test]
fn a_new_person_can_take_a_second_address_and_get_a_manager_later_in_one_request() {
    let world = World::of([
        person("n").manager(1).text(A::SecondaryEmail, "old@acme.example"),
        person("m").manager(0),
        person("u").id("U1").manager(0),
    ]);
    let mut remote = Remote::default();
    remote.add("U1", account("u", "old@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "create n: userName=n email=n@acme.example",
            "create m: userName=m email=m@acme.example manager=@user:n after 0!",
            "U1: email old@acme.example>u@acme.example, manager ->@user:n after 0!",
            "@user:n: secondaryEmail ->old@acme.example, manager ->@user:m after 0! 1! 2!",
        ]
    );
}

#[test]
fn a_manager_who_takes_the_name_of_a_report_is_created_in_between() {
    let world = World::of([person("renamed").id("U1").manager(1), person("ada").email("new@acme.example")]);
    let mut remote = Remote::default();
    remote.add("U1", account("ada", "ada@acme.example"));
    remote.account("U1").set(A::Email, "renamed@acme.example");
    assert_eq!(
        world.changes(&remote),
        [
            "U1: userName ada>renamed",
            "create ada: userName=ada email=new@acme.example after 0!",
            "U1: manager ->@user:ada after 0! 1!",
        ]
    );
}

#[test]
fn a_long_rotation_needs_one_extra_request() {
    let names: Vec<String> = (0..2_000).map(|n| format!("p{n:04}")).collect();
    let mut world = World::default();
    let mut remote = Remote::default();
    for (at, name) in names.iter().enumerate() {
        world.entries.push(person(name).id(&format!("U{at}")));
        remote
            .add(&format!("U{at}"), account(&names[(at + 1) % names.len()], &format!("{name}@acme.example")));
    }
    assert_eq!(world.changes(&remote).len(), names.len() + 1);
}

#[test]
fn groups_pass_their_names_on_in_order_and_swap_them_through_a_temporary_one() {
    let mut world = World::of([person("ada")]).groups([
        group("a", &["ada"]).id("S1"),
        group("b", &[]).id("S2"),
        group("c", &[]).id("S3"),
        group("gone", &[]),
    ]);
    world.policy.unlisted.groups = UnlistedGroups::Delete;
    let mut remote = World::of([person("ada")]).photograph();
    remote.add_group("S1", "b", &[]);
    remote.add_group("S2", "a", &[]);
    remote.add_group("S3", "Gone", &[]);
    remote.add_group("S4", "C", &["U-ada"]);
    assert_eq!(
        world.changes(&remote),
        [
            "S1: b>~rosterctl-tmp-7fa4aa00 +U-ada",
            "S2: a>b after 0!",
            "S1: rosterctl-tmp-7fa4aa00>a after 0! 1!",
            "delete S4",
            "S3: Gone>c after 3!",
            "create group gone: after 4!",
        ]
    );
}

fn only(world: &World, remote: &Remote, names: &[&str]) -> Result<Vec<String>, String> {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let options = Options { now: NOW.parse().unwrap(), only: &names };
    match differ::diff(&world.roster(), &remote.directory(), &options) {
        Ok(diff) => Ok(show(&diff)),
        Err(errors) => Err(errors[0].message.clone()),
    }
}

#[test]
fn only_keeps_the_named_and_what_they_need() {
    let world = World::of([person("boss"), person("ada").manager(0), person("bob").text(A::Title, "x")])
        .groups([group("eng", &["ada", "bob"])]);
    let mut remote = World::of([person("bob")]).photograph();
    remote.add_group("S1", "eng", &[]);
    let boss = "create boss: userName=boss email=boss@acme.example";
    let ada = "create ada: userName=ada email=ada@acme.example manager=@user:boss after 0!";
    assert_eq!(only(&world, &remote, &["ADA@acme.example"]).unwrap(), [boss, ada]);
    assert_eq!(only(&world, &remote, &["eng"]).unwrap(), ["S1: +U-bob"]);
    assert_eq!(only(&world, &remote, &["S1", "ada"]).unwrap(), [boss, ada, "S1: +@user:ada +U-bob after 1"]);
    assert_eq!(only(&world, &remote, &["U-bob"]).unwrap(), ["U-bob: title ->x"]);
    assert_eq!(
        only(&world, &remote, &["adda"]).unwrap_err(),
        "`--only adda` names nobody and no group of the roster or the directory"
    );
}

#[test]
fn only_never_leaves_a_temporary_value_behind() {
    let world = World::of([person("a").id("U1"), person("b").id("U2")]);
    let mut remote = Remote::default();
    remote.add("U1", account("b", "a@acme.example"));
    remote.add("U2", account("a", "b@acme.example"));
    for name in ["U1", "U2"] {
        assert_eq!(only(&world, &remote, &[name]).unwrap().len(), 3);
    }
}
