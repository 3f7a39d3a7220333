//! What is to become of people.

use crate::world::{NOW, World, person, show};
use model::attribute::{Attribute as A, Value};
use model::policy::{AttributeMode, UnlistedUsers};
use model::roster::Wish;
use model::{Action, Dialect, Directory, Located};

#[test]
fn in_sync_nothing_is_written() {
    let world = World::of([
        person("ada").text(A::Title, "Engineer").text(A::Phone, "+44 1").guest(),
        person("bob").manager(0).cleared(A::Title),
        person("gone").inactive(),
    ]);
    assert!(world.changes(&world.photograph()).is_empty());
}

#[test]
fn creates_with_everything_in_one_request_and_leaves_out_what_is_cleared_or_ignored() {
    let mut world = World::of([person("ada")
        .text(A::Title, "Engineer")
        .text(A::Department, "Engines")
        .text(A::ProfileUrl, "https://acme.example/ada")
        .text(A::DisplayName, "Ada")
        .cleared(A::Phone)
        .full_member()]);
    world.policy.attributes.set(A::Department, AttributeMode::Ignore);
    let expected = "create ada: userName=ada email=ada@acme.example displayName=Ada title=Engineer \
                    profileUrl=https://acme.example/ada";
    assert_eq!(world.changes(&crate::remote::Remote::default()), [expected]);
}

#[test]
fn writes_only_what_differs_and_only_what_is_enforced() {
    let mut world = World::of([person("ada")
        .text(A::Title, "Engineer")
        .text(A::DisplayName, "Ada")
        .text(A::Department, "Engines")
        .text(A::ProfileUrl, "https://acme.example/ada")]);
    let mut remote = world.photograph();
    let ada = remote.account("U-ada");
    ada.set(A::Title, "Boss");
    ada.set(A::DisplayName, "A.");
    ada.set(A::Department, "Looms");
    ada.set(A::ProfileUrl, "https://other.example");
    ada.set(A::Division, "Undeclared");
    world.policy.attributes.set(A::Department, AttributeMode::OnCreate);
    assert_eq!(world.changes(&remote), ["U-ada: title Boss>Engineer"]);
}

#[test]
fn null_clears_and_leaves_alone_what_is_clear() {
    let world = World::of([person("ada").cleared(A::Title).cleared(A::Phone).cleared(A::Manager)]);
    let mut remote = world.photograph();
    assert!(world.changes(&remote).is_empty());
    remote.account("U-ada").set(A::Phone, "+44 1");
    assert_eq!(world.changes(&remote), ["U-ada: phone +44 1>-"]);
}

#[test]
fn values_that_share_a_scim_attribute_with_a_change_come_along() {
    let world = World::of([person("ada").text(A::Phone, "+44 1").text(A::Locality, "London")]);
    let mut remote = world.photograph();
    let ada = remote.account("U-ada");
    ada.set(A::Phone, "+44 2");
    ada.set(A::MobilePhone, "+44 3");
    ada.set(A::Locality, "Paris");
    ada.set(A::Country, "GB");
    ada.set(A::SecondaryEmail, "a2@acme.example");
    let diff = world.diff(&remote).unwrap();
    let Action::UpdateUser { siblings, .. } = &diff.changeset.changes[0].action else { panic!("a PATCH") };
    let siblings: Vec<(A, &str)> = siblings.iter().map(|(attribute, value)| (*attribute, &**value)).collect();
    assert_eq!(siblings, [(A::MobilePhone, "+44 3"), (A::Country, "GB")]);
}

#[test]
fn an_address_that_moves_into_the_other_slot_is_not_repeated_in_the_one_it_leaves() {
    let world = World::of([person("ada").email("new@acme.example")]);
    let mut remote = world.photograph();
    let ada = remote.account("U-ada");
    ada.set(A::Email, "old@acme.example");
    ada.set(A::SecondaryEmail, "new@acme.example");
    let diff = world.diff(&remote).unwrap();
    assert_eq!(show(&diff), ["U-ada: email old@acme.example>new@acme.example"]);
    let Action::UpdateUser { siblings, .. } = &diff.changeset.changes[0].action else { panic!("a PATCH") };
    assert!(siblings.is_empty());
}

#[test]
fn a_manager_is_the_same_by_id_address_or_user_name() {
    let world = World::of([person("ada"), person("bob").manager(0)]);
    for form in ["U-ada", "ada", "ADA@acme.example"] {
        let mut remote = world.photograph();
        remote.account("U-bob").set(A::Manager, form);
        assert!(world.changes(&remote).is_empty(), "{form}");
    }
    let mut remote = world.photograph();
    remote.account("U-bob").set(A::Manager, "U-bob");
    assert_eq!(world.changes(&remote), ["U-bob: manager U-bob>U-ada"]);
}

#[test]
fn a_leavers_request_carries_nothing_else() {
    let world = World::of([person("ada").inactive().text(A::Title, "Gone")]);
    let mut remote = world.photograph();
    let ada = remote.account("U-ada");
    ada.active = true;
    ada.set(A::UserName, "other");
    ada.set(A::Title, "Here");
    assert_eq!(world.changes(&remote), ["U-ada: active true>false"]);
}

#[test]
fn an_account_that_stays_inactive_is_left_alone() {
    let world = World::of([person("ada").inactive().text(A::Title, "Gone"), person("never").inactive()]);
    let mut remote = world.photograph();
    remote.account("U-ada").set(A::UserName, "other");
    remote.accounts.remove("U-never");
    let diff = world.diff(&remote).unwrap();
    assert!(diff.changeset.is_empty() && diff.verdicts.is_empty());
    assert_eq!(diff.notes[0].code, "no-account");
}

#[test]
fn who_comes_back_is_reactivated_with_everything_else_in_the_same_request() {
    let world = World::of([person("ada").text(A::Title, "Engineer").guest_until("2027-01-01T00:00:00Z")]);
    let mut remote = world.photograph();
    let ada = remote.account("U-ada");
    ada.active = false;
    ada.guest = false;
    ada.values.remove(&A::GuestExpires);
    ada.set(A::Title, "Intern");
    assert_eq!(
        world.changes(&remote),
        [
            "U-ada: active false>true, title Intern>Engineer, guest false>true, guest.expires ->2027-01-01T00:00:00Z"
        ]
    );
}

#[test]
fn an_expired_guest_is_neither_brought_back_nor_created() {
    let world = World::of([person("kim").guest_until("2026-05-01T00:00:00Z"), person("lee").guest()]);
    let mut remote = world.photograph();
    remote.account("U-kim").active = false;
    remote.account("U-lee").active = false;
    remote.account("U-lee").set(A::GuestExpires, "2026-06-01T11:59:59Z");
    let diff = world.diff(&remote).unwrap();
    assert!(diff.changeset.is_empty());
    assert_eq!(diff.notes[0].message, "guests whose expiry has passed are not brought back: kim, lee");
    remote.accounts.remove("U-kim");
    assert!(world.changes(&remote).is_empty());
    remote.account("U-lee").set(A::GuestExpires, "2026-06-01T12:00:01Z");
    assert_eq!(world.changes(&remote), ["U-lee: active false>true"]);
}

#[test]
fn an_expired_guest_who_is_to_be_a_full_member_or_gets_more_time_is_brought_back() {
    for entry in [person("kim").full_member(), person("kim").guest_until("2026-07-01T00:00:00Z")] {
        let world = World::of([entry]);
        let mut remote = world.photograph();
        let kim = remote.account("U-kim");
        (kim.active, kim.guest) = (false, true);
        kim.set(A::GuestExpires, "2026-05-01T00:00:00Z");
        assert_eq!(world.changes(&remote).len(), 1);
    }
}

#[test]
fn an_expiry_makes_no_guest_of_a_full_member_unless_the_roster_says_so() {
    let mut world = World::of([person("kim").guest_until("2027-01-01T00:00:00Z")]);
    let mut remote = world.photograph();
    let kim = remote.account("U-kim");
    kim.guest = false;
    kim.values.remove(&A::GuestExpires);
    world.policy.attributes.set(A::Guest, AttributeMode::OnCreate);
    assert!(world.changes(&remote).is_empty());
}

#[test]
fn nobody_who_is_unlisted_leaves_unless_the_policy_says_so_and_bots_never_do() {
    let mut world = World::of([person("ada")]);
    let mut remote = world.photograph();
    remote.add("U2", crate::remote::account("zoe", "zoe@acme.example"));
    remote.add("U1", crate::remote::account("yan", "yan@acme.example"));
    remote.add("U3", crate::remote::account("app", "app@slack-bots.com"));
    remote.account("U3").bot = true;
    let diff = world.diff(&remote).unwrap();
    assert!(diff.changeset.is_empty());
    assert_eq!(diff.notes[0].message, "not in the roster, left alone: 2 active accounts");
    world.policy.unlisted.users = UnlistedUsers::Deactivate;
    assert_eq!(world.changes(&remote), ["U1: active true>false", "U2: active true>false"]);
}

#[test]
fn who_is_unmanaged_is_never_written() {
    let world = World::of([person("ceo").unmanaged().text(A::Title, "CEO"), person("ada").manager(0)]);
    let mut remote = world.photograph();
    remote.account("U-ceo").set(A::Title, "Other");
    remote.account("U-ceo").active = false;
    remote.account("U-ada").values.remove(&A::Manager);
    assert_eq!(world.changes(&remote), ["U-ada: manager ->U-ceo"]);
    remote.accounts.remove("U-ceo");
    assert_eq!(
        world.errors(&remote),
        ["no-account: ceo is `managed: false`, is referred to, and has no account"]
    );
}

#[test]
fn a_manager_without_an_account_is_left_out_with_a_note() {
    let world = World::of([person("gone").inactive(), person("ada").manager(0)]);
    let mut remote = world.photograph();
    remote.accounts.remove("U-gone");
    remote.account("U-ada").values.remove(&A::Manager);
    let diff = world.diff(&remote).unwrap();
    assert!(diff.changeset.is_empty());
    assert_eq!(diff.notes[0].code, "no-manager");
}

#[test]
fn every_edit_knows_the_line_that_asks_for_it() {
    let world =
        World::of([person("ada").text(A::Title, "Engineer").default_text(A::Timezone, "Europe/London")]);
    let mut remote = world.photograph();
    remote.account("U-ada").values.retain(|attribute, _| matches!(attribute, A::UserName | A::Email));
    let roster = world.roster();
    let diff = world.diff(&remote).unwrap();
    let Action::UpdateUser { edits, .. } = &diff.changeset.changes[0].action else { panic!("a PATCH") };
    let places: Vec<_> = edits.iter().map(|edit| edit.origin).collect();
    assert_eq!(
        places,
        roster.users[0].settings.iter().map(|setting| Some(setting.place)).collect::<Vec<_>>()
    );
    assert_eq!(Located::new((), edits[1].origin.unwrap()).place.line, 1);
}

#[test]
fn a_display_name_that_slack_made_of_the_user_name_is_as_clear_as_it_gets() {
    let mut world = World::of([person("ada").cleared(A::DisplayName)]);
    world.policy.attributes.set(A::DisplayName, AttributeMode::Enforce);
    let mut remote = world.photograph();
    remote.account("U-ada").set(A::DisplayName, "ada");
    assert!(world.changes(&remote).is_empty());
    remote.account("U-ada").set(A::DisplayName, "Ada L");
    assert_eq!(world.changes(&remote), ["U-ada: displayName Ada L>-"]);
}

#[test]
fn slacks_own_attributes_are_left_out_where_the_service_is_not_slack() {
    let start = Wish::Set(Value::Day(jiff::civil::date(2026, 1, 5)));
    let mut ada = person("ada").text(A::Title, "Engineer");
    ada.settings.insert(A::StartDate, start);
    ada.settings.insert(A::Guest, Wish::Set(Value::Flag(true)));
    let world = World::of([ada]);
    let roster = world.roster();
    let directory = Directory::new(Dialect::Rfc, Vec::new(), Vec::new());
    let options = differ::Options { now: NOW.parse().unwrap(), only: &[] };
    let diff = differ::diff(&roster, &directory, &options).unwrap();
    assert_eq!(show(&diff), ["create ada: userName=ada email=ada@acme.example title=Engineer"]);
    assert!(
        diff.notes
            .iter()
            .any(|note| note.code == "not-in-dialect" && note.message.ends_with("guest, startDate"))
    );
}

/// So many that they are planned in parts, on threads of their own.
#[test]
fn of_many_people_each_gets_what_they_would_get_alone() {
    let name = |n: usize| format!("p{n:04}");
    let want = |n: usize| person(&name(n)).text(A::Title, &format!("title {n}"));
    let mut world = World { entries: (0..3_001).map(want).collect(), ..World::default() };
    world.entries.push(person("absent").inactive());
    world.entries.push(person("boss"));
    let mut remote = world.photograph();
    remote.accounts.remove("U-absent");
    for n in (0..3_001).step_by(3) {
        remote.account(&format!("U-{}", name(n))).set(A::Title, "Boss");
    }
    for n in (0..3_001).step_by(500) {
        world.entries[n] = want(n).manager(3_001);
    }
    // The address says who this is, and the userName is another one's.
    remote.account("U-p1500").set(A::UserName, "p1500-old");
    let backwards = remote.directory_in(&mut |positions| positions.reverse());
    for directory in [remote.directory(), backwards] {
        let diff = crate::world::diff(&world.roster(), &directory).unwrap();
        let change = |n: usize| {
            let rename = if n == 1_500 { "userName p1500-old>p1500, " } else { "" };
            format!("U-{}: {rename}title Boss>title {n}", name(n))
        };
        let expected: Vec<String> = (0..3_001).step_by(3).map(change).collect();
        assert_eq!(show(&diff), expected);
        let told: Vec<&str> = diff.notes.iter().map(|note| note.message.as_str()).collect();
        assert_eq!(
            told,
            [
                "managers not set, because they have no account: absent of p0000, absent of p0500, absent of p1000, \
                 absent of p1500, absent of p2000 and 2 more",
                "to be inactive and without an account, so nothing is done: absent",
            ]
        );
    }
}
