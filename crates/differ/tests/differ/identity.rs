//! Who is who.

use crate::remote::account;
use crate::world::{World, group, person, show};
use model::attribute::Attribute as A;
use model::plan::Outcome;
use model::policy::UnlistedUsers;

/// The guard and the remedy of every verdict.
fn verdicts(world: &World, remote: &crate::remote::Remote) -> Vec<(&'static str, String)> {
    let diff = world.diff(remote).unwrap();
    assert!(diff.verdicts.iter().all(|verdict| verdict.outcome == Outcome::Block));
    diff.verdicts.into_iter().map(|verdict| (verdict.guard, verdict.remedy)).collect()
}

#[test]
fn the_id_claims_first_then_the_address_then_the_user_name() {
    let world = World::of([
        person("a").email("two@acme.example").id("U1"),
        person("b").email("THREE@acme.example"),
        person("c").email("new@acme.example"),
    ]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("b", "one@acme.example"));
    remote.add("U2", account("x", "three@acme.example"));
    remote.add("U3", account("C", "old@acme.example"));
    let diff = world.diff(&remote).unwrap();
    let ids: Vec<_> = diff.matched.users.iter().map(|user| user.unwrap().0).collect();
    assert_eq!(ids, [0, 1, 2]);
}

#[test]
fn an_id_that_nobody_has_and_an_account_claimed_twice_are_errors() {
    let mut world = World::of([person("ada").id("U9"), person("bob").id("U1"), person("cy").id("U1")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("bob", "bob@acme.example"));
    assert_eq!(
        world.errors(&remote),
        [
            "unknown-id: ada: no account has the id U9",
            "claimed-twice: cy and bob are both the account U1 (bob, bob@acme.example)"
        ]
    );
    world.entries.truncate(0);
    assert!(world.changes(&remote).is_empty());
}

#[test]
fn what_an_id_claims_is_out_of_the_rest_of_the_ladder() {
    let world = World::of([
        person("ada").id("U1").email("new@acme.example"),
        person("bob").email("old@acme.example"),
    ]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("bob", "old@acme.example"));
    assert_eq!(
        world.changes(&remote),
        [
            "U1: userName bob>ada, email old@acme.example>new@acme.example",
            "create bob: userName=bob email=old@acme.example after 0!"
        ]
    );
}

#[test]
fn the_order_of_the_file_decides_nothing() {
    let mut world =
        World::of([person("ada").email("x@acme.example"), person("bob").email("ada@acme.example")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("ada", "ada@acme.example"));
    world.entries[1] = world.entries[1].clone().id("U1");
    let forth = world.changes(&remote);
    world.entries.reverse();
    assert_eq!(forth, world.changes(&remote));
    assert_eq!(forth, ["U1: userName ada>bob", "create ada: userName=ada email=x@acme.example after 0!"]);
}

#[test]
fn an_account_that_one_entry_has_by_address_and_another_by_user_name_is_claimed_twice() {
    let mut world =
        World::of([person("ada").email("x@acme.example"), person("bob").email("ada@acme.example")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("ada", "ada@acme.example"));
    let claimed = ["claimed-twice: ada and bob are both the account U1 (ada, ada@acme.example)"];
    assert_eq!(world.errors(&remote), claimed);
    world.entries.reverse();
    assert_eq!(world.errors(&remote), claimed);
}

#[test]
fn two_accounts_on_one_rung_are_an_error() {
    let world = World::of([person("ada")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("a1", "ada@acme.example"));
    remote.add("U2", account("a2", "Ada@acme.example"));
    let errors = world.errors(&remote);
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].starts_with("ambiguous-account: ada has more than one account with this e-mail"),
        "{errors:?}"
    );
    let reversed = remote.directory_in(&mut |positions| positions.reverse());
    let again = crate::world::diff(&world.roster(), &reversed).unwrap_err();
    assert_eq!(format!("{}: {}", again[0].code, again[0].message), errors[0]);
}

#[test]
fn a_bot_is_nobodys_account() {
    let world = World::of([person("ada"), person("bob").id("U2"), person("cy")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("x", "ada@acme.example"));
    remote.add("U2", account("bob", "bob@acme.example"));
    remote.add("U3", account("cy", "z@acme.example"));
    remote.accounts.values_mut().for_each(|account| account.bot = true);
    let codes =
        |e: Vec<String>| e.iter().map(|e| e.split(':').next().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(codes(world.errors(&remote)), ["bot", "bot", "bot"]);
}

#[test]
fn a_name_or_address_that_its_holder_keeps_is_an_error_wherever_it_is_held() {
    let world = World::of([person("ada").id("U1").text(A::SecondaryEmail, "second@acme.example")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("old", "old@acme.example"));
    remote.add("U2", account("ada", "two@acme.example"));
    remote.add("U3", account("three", "three@acme.example"));
    remote.add("U4", account("four", "second@acme.example"));
    remote.account("U3").set(A::SecondaryEmail, "ada@acme.example");
    remote.account("U4").active = false;
    let errors = world.errors(&remote);
    assert_eq!(errors.len(), 3);
    assert!(
        errors[0].starts_with("name-held: ada is to have the userName ada, but the account U2 (ada,"),
        "{errors:?}"
    );
    assert!(errors[1].contains("account U3 (three, three@acme.example) holds it as its secondary address"));
    assert!(errors[2].contains("deactivated account U4"));
}

#[test]
fn a_holder_who_is_unmanaged_protected_or_a_bot_gives_nothing_up() {
    let holder = person("b").email("b@acme.example").id("U2");
    for (world, bot) in [
        (World::of([person("a").id("U1"), holder.clone().unmanaged()]), false),
        (World::of([person("a").id("U1"), holder]).protect_user("U2"), false),
        (World::of([person("a").id("U1")]), true),
    ] {
        let mut remote = crate::remote::Remote::default();
        remote.add("U1", account("x", "a@acme.example"));
        remote.add("U2", account("a", "b@acme.example"));
        remote.account("U2").bot = bot;
        assert!(world.errors(&remote)[0].starts_with("name-held"));
    }
}

#[test]
fn two_who_are_to_have_the_same_address_are_an_error() {
    let world = World::of([
        person("a").text(A::SecondaryEmail, "x@acme.example"),
        person("b").email("x@acme.example"),
    ]);
    assert!(world.errors(&crate::remote::Remote::default())[0].starts_with("wanted-twice: b and a are both"));
}

#[test]
fn a_deactivated_account_found_by_user_name_alone_needs_its_id() {
    let mut world = World::of([person("ada").email("new@acme.example")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("ada", "old@acme.example"));
    remote.account("U1").active = false;
    assert_eq!(
        verdicts(&world, &remote),
        [("identity", "if it is the same person's, add `id: U1` to the entry of ada".to_owned())]
    );
    assert_eq!(world.changes(&remote).len(), 1, "the change is shown all the same");
    world.entry("ada").id = Some("U1".to_owned());
    assert!(verdicts(&world, &remote).is_empty());
}

#[test]
fn a_deactivated_account_found_by_address_under_another_name_needs_its_id() {
    let mut world = World::of([person("ada")]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("other", "ada@acme.example"));
    remote.account("U1").active = false;
    assert_eq!(verdicts(&world, &remote)[0].0, "identity");
    remote.account("U1").set(A::UserName, "Ada");
    assert!(verdicts(&world, &remote).is_empty(), "name and address agree");
    remote.account("U1").set(A::UserName, "other");
    world.entry("ada").active = false;
    assert!(verdicts(&world, &remote).is_empty(), "nothing is written");
}

#[test]
fn a_creation_that_looks_like_somebody_about_to_be_deactivated_is_blocked() {
    let mut world = World::of([
        person("ada").text(A::GivenName, "Ada").text(A::FamilyName, "Lovelace"),
        person("bob").text(A::MobilePhone, "+44 (20) 1234"),
        person("cy").text(A::GivenName, "Cy"),
    ]);
    let mut remote = crate::remote::Remote::default();
    remote.add("U1", account("al", "al@acme.example"));
    remote.account("U1").set(A::GivenName, "ADA");
    remote.account("U1").set(A::FamilyName, "lovelace");
    remote.add("U2", account("robert", "robert@acme.example"));
    remote.account("U2").set(A::Phone, "+44201234");
    remote.add("U3", account("cyrus", "cyrus@acme.example"));
    remote.account("U3").set(A::GivenName, "Cy");
    assert!(verdicts(&world, &remote).is_empty(), "nobody is deactivated");
    world.policy.unlisted.users = UnlistedUsers::Deactivate;
    let found = verdicts(&world, &remote);
    assert_eq!(found.iter().map(|(guard, _)| *guard).collect::<Vec<_>>(), ["lookAlike", "lookAlike"]);
    assert!(found[0].1.contains("`id: U1` to the entry of ada") && found[1].1.contains("`id: U2`"));
}

#[test]
fn groups_are_found_by_id_then_name_then_a_former_name() {
    let world = World::default().groups([
        group("new-a", &[]).id("S1"),
        group("B", &[]).formerly("gone"),
        group("new-c", &[]).formerly("c"),
        group("d", &[]).formerly("old-d"),
    ]);
    let mut remote = crate::remote::Remote::default();
    remote.add_group("S1", "a", &[]);
    remote.add_group("S2", "b", &[]);
    remote.add_group("S3", "C", &[]);
    remote.add_group("S4", "d", &[]);
    remote.add_group("S5", "old-d", &[]);
    let diff = world.diff(&remote).unwrap();
    assert_eq!(diff.matched.groups, [Some(0), Some(1), Some(2), Some(3)]);
    assert_eq!(show(&diff), ["S1: a>new-a", "S2: b>B", "S3: C>new-c"]);
}

#[test]
fn a_former_name_that_another_entry_bears_or_that_is_not_unique_is_an_error() {
    let mut remote = crate::remote::Remote::default();
    remote.add_group("S1", "eng", &[]);
    remote.add_group("S2", "dev", &[]);
    let world = World::default().groups([group("engineering", &[]).formerly("eng"), group("eng", &[])]);
    assert!(
        world.errors(&remote)[0]
            .starts_with("claimed-twice: engineering was formerly eng, but eng is in the roster")
    );
    let world = World::default().groups([group("engineering", &[]).formerly("eng").formerly("dev")]);
    assert!(world.errors(&remote)[0].starts_with("ambiguous-group"));
    let world = World::default().groups([group("x", &[]).formerly("eng"), group("y", &[]).formerly("eng")]);
    assert!(world.errors(&remote)[0].starts_with("claimed-twice: y and x are both the live group S1"));
    let world = World::default().groups([group("dev", &[]).id("S1")]);
    assert!(world.errors(&remote)[0].starts_with("group-name-held"));
}
