//! Rosters without mistakes, and what is understood of them.

use crate::{load_all, load_one};
use jiff::civil::date;
use model::attribute::{Attribute, Value};
use model::load::{Loaded, load};
use model::policy::{AttributeMode, Limit, UnlistedGroups, UnlistedMembers, UnlistedUsers};
use model::roster::{EntryIndex, UserEntry, Wish};
use model::{Roster, Source};

/// The roster of design §3.
const DESIGN: &str = include_str!("design.yaml");

#[track_caller]
fn roster(text: &str) -> Roster {
    let Loaded { roster, warnings } = load_one(text).unwrap_or_else(|e| panic!("{:#?}", e.diagnostics));
    assert_eq!(warnings, []);
    roster
}

fn user<'r>(roster: &'r Roster, name: &str) -> &'r UserEntry {
    roster.users.iter().find(|user| user.user_name.value.as_str() == name).expect("a person of the roster")
}

#[track_caller]
fn wish<'r>(roster: &'r Roster, name: &str, attribute: Attribute) -> Option<&'r Wish> {
    user(roster, name).setting(attribute).map(|setting| &setting.wish)
}

fn text(value: &str) -> Wish {
    Wish::Set(Value::Text(value.into()))
}

/// A roster of one person, `ada`, with these lines.
fn ada(lines: &str) -> Roster {
    let indented: String = lines.lines().map(|line| format!("    {line}\n")).collect();
    roster(&format!("version: 1\nusers:\n  - userName: ada\n    email: ada@acme.example\n{indented}"))
}

#[test]
fn the_roster_of_the_design_is_understood_as_the_design_says() {
    let roster = roster(DESIGN);
    assert_eq!(roster.workspace.as_ref().map(|w| &*w.value), Some("acme"));
    let names: Vec<_> = roster.users.iter().map(|user| user.user_name.value.as_str()).collect();
    assert_eq!(names, ["ada", "grace", "kim", "bob", "ceo"]);

    let ada = user(&roster, "ada");
    assert_eq!((ada.place.line, ada.place.column), (22, 5));
    assert!(ada.managed && ada.active.value);
    let said: Vec<_> = ada.settings.iter().map(|s| s.attribute.key()).collect();
    let keys = [
        "name.givenName",
        "name.familyName",
        "title",
        "timezone",
        "organization",
        "department",
        "manager",
        "startDate",
    ];
    assert_eq!(said, keys);
    assert_eq!(wish(&roster, "ada", Attribute::Manager), Some(&Wish::Set(Value::Person(EntryIndex(1)))));
    assert_eq!(wish(&roster, "ada", Attribute::StartDate), Some(&Wish::Set(Value::Day(date(2026, 1, 5)))));
    assert_eq!(wish(&roster, "ada", Attribute::Timezone), Some(&text("Europe/London")));
    assert_eq!(ada.setting(Attribute::Timezone).map(|s| s.place.line), Some(19));

    assert_eq!(wish(&roster, "kim", Attribute::Guest), Some(&Wish::Set(Value::Flag(true))));
    let end = "2027-01-31T23:59:59Z".parse().unwrap();
    assert_eq!(wish(&roster, "kim", Attribute::GuestExpires), Some(&Wish::Set(Value::Instant(end))));

    assert_eq!((user(&roster, "bob").active.value, user(&roster, "bob").active.place.line), (false, 36));
    assert!(!user(&roster, "ceo").managed);
    assert_eq!(user(&roster, "ceo").settings.len(), 0, "defaults are not for people who are never written");

    let [group] = &roster.groups.as_ref().unwrap()[..] else { panic!("one group") };
    assert_eq!(&*group.display_name.value, "engineering");
    assert_eq!(group.formerly.iter().map(|f| &*f.value).collect::<Vec<_>>(), ["eng"]);
    let members: Vec<_> = group.members.as_ref().unwrap().list.iter().map(|m| (m.user.0, m.line)).collect();
    assert_eq!(members, [(0, 44), (1, 44)]);

    let policy = &roster.policy;
    assert_eq!(policy.unlisted.users, UnlistedUsers::Keep);
    assert_eq!(
        policy.protect.users.iter().map(|p| p.value.as_str()).collect::<Vec<_>>(),
        ["founder", "break-glass@acme.example"]
    );
    assert_eq!(policy.limits, model::policy::Limits::default(), "the design's numbers are the defaults");
    assert_eq!(policy.email_domains.as_ref().map(Vec::len), Some(2));
}

#[test]
fn scalars_are_texts_as_they_are_written() {
    let lines = "employeeNumber: 0042\ntitle: 12\ndepartment: no\ndivision: 1.50\nrole: \"null\"\nlocale: 0x1F\nuserType: true\n\
                 costCenter: !!str 7\naddress: { country: no, postalCode: 01234 }\norganization: >-\n  two\n  lines";
    let roster = ada(lines);
    for (attribute, written) in [
        (Attribute::EmployeeNumber, "0042"),
        (Attribute::Title, "12"),
        (Attribute::Department, "no"),
        (Attribute::Division, "1.50"),
        (Attribute::Role, "null"),
        (Attribute::Locale, "0x1F"),
        (Attribute::UserType, "true"),
        (Attribute::CostCenter, "7"),
        (Attribute::Country, "no"),
        (Attribute::PostalCode, "01234"),
        (Attribute::Organization, "two lines"),
    ] {
        assert_eq!(wish(&roster, "ada", attribute), Some(&text(written)), "{attribute:?}");
    }
}

#[test]
fn absent_is_not_managed_and_null_is_cleared() {
    for null in ["null", "~", "", "Null"] {
        let roster = ada(&format!("title: {null}\naddress: {null}"));
        assert_eq!(wish(&roster, "ada", Attribute::Title), Some(&Wish::Clear));
        let cleared: Vec<_> = user(&roster, "ada").settings.iter().map(|s| s.attribute.key()).collect();
        let address = [
            "address.streetAddress",
            "address.locality",
            "address.region",
            "address.postalCode",
            "address.country",
        ];
        assert_eq!(cleared, [&["title"][..], &address].concat());
    }
    assert_eq!(user(&ada(""), "ada").settings.len(), 0);
}

#[test]
fn a_guest_is_absent_null_empty_or_with_an_end() {
    let guest = |line: &str| {
        let roster = ada(line);
        let wish = |attribute| wish(&roster, "ada", attribute).cloned();
        (wish(Attribute::Guest), wish(Attribute::GuestExpires))
    };
    let is_guest = || Some(Wish::Set(Value::Flag(true)));
    let at = |instant: &str| Some(Wish::Set(Value::Instant(instant.parse().unwrap())));
    assert_eq!(guest(""), (None, None));
    assert_eq!(guest("guest:"), (Some(Wish::Clear), None));
    assert_eq!(guest("guest: {}"), (is_guest(), None));
    assert_eq!(guest("guest: { expires: null }"), (is_guest(), Some(Wish::Clear)));
    assert_eq!(guest("guest: { expires: 2027-02-28 }"), (is_guest(), at("2027-02-28T23:59:59Z")));
    assert_eq!(
        guest("guest: { expires: 2027-02-28T12:00:00+02:00 }"),
        (is_guest(), at("2027-02-28T10:00:00Z"))
    );
}

#[test]
fn defaults_fill_up_and_never_overrule() {
    let roster = roster(
        "version: 1\nusers:\n\
         - { userName: a, email: a@x.y }\n\
         - { userName: b, email: b@x.y, title: Own, address: { locality: Bath }, guest: {}, active: true, manager: null }\n\
         - { userName: boss, email: boss@x.y, address: null }\n\
         defaults: { title: Given, address: { country: UK, locality: Leeds }, guest: { expires: 2027-01-31 }, active: false, manager: Boss }\n",
    );
    assert_eq!(wish(&roster, "a", Attribute::Title), Some(&text("Given")));
    assert_eq!(wish(&roster, "b", Attribute::Title), Some(&text("Own")));
    assert_eq!(wish(&roster, "b", Attribute::Locality), Some(&text("Bath")));
    assert_eq!(wish(&roster, "b", Attribute::Country), Some(&text("UK")));
    assert_eq!(wish(&roster, "b", Attribute::GuestExpires), None, "`guest: {{}}` leaves the expiry alone");
    assert!(wish(&roster, "a", Attribute::GuestExpires).is_some());
    assert_eq!(wish(&roster, "boss", Attribute::Country), Some(&Wish::Clear));
    assert_eq!((user(&roster, "a").active.value, user(&roster, "b").active.value), (false, true));
    assert_eq!(wish(&roster, "a", Attribute::Manager), Some(&Wish::Set(Value::Person(EntryIndex(2)))));
    assert_eq!(wish(&roster, "b", Attribute::Manager), Some(&Wish::Clear));
    assert_eq!(
        wish(&roster, "boss", Attribute::Manager),
        None,
        "nobody becomes their own manager by default"
    );
    for user in &roster.users {
        assert!(
            user.settings.is_sorted_by(|a, b| a.attribute < b.attribute),
            "each attribute once, in order"
        );
    }
}

#[test]
fn defaults_are_for_the_people_of_their_own_file() {
    let file = |name: &str, more: &str| {
        format!("version: 1\n{more}users: [ {{ userName: {name}, email: {name}@x.y }} ]\n")
    };
    let roster = load_all(&[&file("a", "defaults: { title: T }\n"), &file("b", "")]).unwrap().roster;
    assert!(wish(&roster, "a", Attribute::Title).is_some());
    assert!(wish(&roster, "b", Attribute::Title).is_none());
}

#[test]
fn several_files_are_one_roster_in_their_order() {
    let files = [
        "version: 1\ngroups:\n- displayName: all\n  members: [ada, bob]\n",
        "version: 1\nusers: [ { userName: ada, email: ada@x.y, manager: bob } ]\n",
        "version: 1\nworkspace: acme\nusers: [ { userName: bob, email: bob@x.y } ]\ngroups: [ { displayName: more } ]\n",
    ];
    let roster = load_all(&files).unwrap().roster;
    assert_eq!(roster.users.iter().map(|u| u.user_name.value.as_str()).collect::<Vec<_>>(), ["ada", "bob"]);
    assert_eq!(
        roster.groups.as_ref().unwrap().iter().map(|g| &*g.display_name.value).collect::<Vec<_>>(),
        ["all", "more"]
    );
    assert_eq!(roster.sources.display(roster.users[1].place), "3.yaml:3:12");
}

#[test]
fn without_a_groups_key_no_group_is_managed_and_without_members_no_member() {
    let head = "version: 1\nusers: [ { userName: a, email: a@x.y } ]\n";
    assert!(roster(head).groups.is_none());
    for none in ["groups:\n", "groups: []\n"] {
        assert_eq!(roster(&format!("{head}{none}")).groups.map(|groups| groups.len()), Some(0));
    }
    let roster = roster(&format!("{head}groups:\n- displayName: a\n- displayName: b\n  members: []\n"));
    let members: Vec<_> =
        roster.groups.unwrap().into_iter().map(|g| g.members.map(|m| m.list.len())).collect();
    assert_eq!(members, [None, Some(0)]);
}

#[test]
fn anchors_and_merge_keys_save_writing() {
    let roster = roster(
        "version: 1\nusers:\n\
         - &a { userName: a, email: a@x.y, title: &t Engineer, department: Engines }\n\
         - { <<: *a, userName: b, email: b@x.y, department: Ships }\n\
         - { <<: [ { role: One, title: Own }, *a ], userName: c, email: c@x.y, division: *t }\n\
         groups:\n- displayName: g\n  members: &everybody [a, b]\n- displayName: h\n  members: *everybody\n",
    );
    assert_eq!(wish(&roster, "b", Attribute::Title), Some(&text("Engineer")));
    assert_eq!(wish(&roster, "b", Attribute::Department), Some(&text("Ships")));
    assert_eq!(wish(&roster, "c", Attribute::Title), Some(&text("Own")), "the first source says it");
    assert_eq!(wish(&roster, "c", Attribute::Division), Some(&text("Engineer")));
    let groups = roster.groups.as_ref().unwrap();
    assert!(groups.iter().all(|g| g.members.as_ref().is_some_and(|m| m.list.len() == 2)));
}

#[test]
fn names_are_folded_and_blanks_around_texts_dropped() {
    let roster = roster(
        "version: 1\nusers: [ { userName: ADA, email: Ada@X.y, title: ' Dr ' } ]\ngroups: [ { displayName: 'eng ', members: [Ada] } ]\n",
    );
    assert_eq!(roster.users[0].user_name.value.as_str(), "ada");
    assert_eq!(&*roster.users[0].email.value, "Ada@X.y");
    assert_eq!(wish(&roster, "ada", Attribute::Title), Some(&text("Dr")));
    assert_eq!(&*roster.groups.unwrap()[0].display_name.value, "eng");
}

#[test]
fn a_policy_says_what_differs_from_the_defaults() {
    let text = "version: 1\nunlisted: { users: deactivate, groups: delete, members: keep }\n\
         limits: { deactivateUsers: 7, createUsers: 3%, removeMembers: { atLeast: 1 }, deleteGroups: { percent: 100, atLeast: 2 } }\n\
         emailDomains: [Acme.Example]\n\
         attributes: { name.givenName: enforce, name: ignore, guest: onCreate, displayName: enforce }\n";
    let roster = vec![Source {
        path: "r".into(),
        text: "version: 1\nusers: [ { userName: a, email: a@ACME.example } ]\n".into(),
    }];
    let policy = load(roster, Some(Source { path: "p".into(), text: text.into() })).unwrap().roster.policy;
    assert_eq!(
        (policy.unlisted.users, policy.unlisted.groups, policy.unlisted.members),
        (UnlistedUsers::Deactivate, UnlistedGroups::Delete, UnlistedMembers::Keep)
    );
    let limit = |at_least, percent| Limit { at_least, percent };
    assert_eq!(policy.limits.deactivate_users, limit(7, 0));
    assert_eq!(policy.limits.create_users, limit(0, 3));
    assert_eq!(policy.limits.remove_members, limit(1, 0));
    assert_eq!(policy.limits.delete_groups, limit(2, 100));
    assert_eq!(policy.limits.empty_groups, limit(0, 0));
    assert_eq!(policy.email_domains.map(|d| d[0].value.clone()), Some("acme.example".into()));
    let mode = |attribute| policy.attributes.get(attribute);
    assert_eq!(
        mode(Attribute::GivenName),
        AttributeMode::Enforce,
        "one attribute counts more than its mapping"
    );
    assert_eq!(mode(Attribute::FamilyName), AttributeMode::Ignore);
    assert_eq!(
        (mode(Attribute::Guest), mode(Attribute::GuestExpires)),
        (AttributeMode::OnCreate, AttributeMode::OnCreate)
    );
    assert_eq!(mode(Attribute::DisplayName), AttributeMode::Enforce);
    assert_eq!(mode(Attribute::Title), AttributeMode::Enforce);
}

#[test]
fn an_unmanaged_person_may_be_anywhere_and_a_deactivated_one_may_manage() {
    let roster = roster(
        "version: 1\npolicy: { emailDomains: [x.y] }\nusers:\n\
         - { userName: a, email: a@x.y, manager: gone }\n\
         - { userName: gone, email: g@x.y, active: false }\n\
         - { userName: ext, email: e@other.example, managed: false, id: U1 }\n\
         groups: [ { displayName: g, members: [ext] } ]\n",
    );
    assert_eq!(roster.groups.unwrap()[0].members.as_ref().unwrap().list.len(), 1);
}
