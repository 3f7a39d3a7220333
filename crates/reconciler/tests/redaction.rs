//! A redacted snapshot tells no address, phone or photo, and a plan against it is the plan against the whole one.

#![allow(clippy::unwrap_used, reason = "a test stops where its world is not as it should be")]

use model::Texts;
use model::attribute::{Attribute, Dialect, Value as Wanted};
use model::change::{Action, Change};
use model::directory::{AccountKind, Directory, RawGroup, User};
use model::load::load;
use model::names::{GroupId, UserId};
use model::place::Source;
use model::plan::{Outcome, Plan, Verdict};
use model::roster::Roster;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use reconciler::planner::{self, Context};
use reconciler::snapshot::{self, Snapshot};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write as _;

const PEOPLE: usize = 6;

fn address(n: usize, form: usize) -> String {
    match form {
        0 => format!("person{n}@acme.example"),
        1 => format!("Person{n}@ACME.example"),
        2 => format!("private{n}@home{n}.example"),
        _ => format!("svc-{n}+x@agency.example"),
    }
}

fn phone(n: usize, form: usize) -> String {
    match form {
        0 => format!("+44 20 7946 000{n}"),
        1 => format!("(020) 7946-11{n}1"),
        _ => format!("55501{n}7"),
    }
}

/// Texts that hold an address or a phone, and texts that seem to.
fn text(n: usize, form: usize) -> String {
    match form {
        0 => "Engineer".to_owned(),
        1 => format!("write to {}", address(n, 0)),
        2 => format!("mailto:{}", address(n, 2).replace('@', "%40")),
        3 => format!("call {} at noon", phone(n, 0)),
        4 => format!("call 20-7946.000{n}, or 55501{n}7!"),
        5 => "Head of R&D @ Acme, room 4711".to_owned(),
        _ => format!("Level {n}"),
    }
}

fn any_text() -> impl Strategy<Value = String> {
    (0..PEOPLE, 0..8_usize).prop_map(|(n, form)| text(n, form))
}

fn any_address() -> impl Strategy<Value = String> {
    (0..PEOPLE, 0..4_usize).prop_map(|(n, form)| address(n, form))
}

/// What varies of one account; the address and the phone are its own, so that no two accounts hold one.
#[derive(Debug, Clone)]
struct Account {
    address: usize,
    secondary: Option<usize>,
    phones: [Option<usize>; 2],
    title: Option<String>,
    display_name: Option<String>,
    locality: Option<&'static str>,
    photo: Option<&'static str>,
    manager: Option<(Index, u8)>,
    active: bool,
    bot: bool,
}

const PHOTOS: [&str; 2] = [
    "https://secure.gravatar.com/avatar/0bc83cb571cd1c50ba6f3e8a78ef1346.jpg?s=192",
    "https://avatars.slack-edge.com/2026-01-05/1_2_512.png",
];

fn account() -> impl Strategy<Value = Account> {
    let maybe = proptest::option::of::<std::ops::Range<usize>>;
    (
        (0..3_usize, maybe(3..4), [maybe(0..1), maybe(1..3)]),
        (proptest::option::of(any_text()), proptest::option::of(any_text())),
        (
            proptest::option::of(select(vec!["London", "Ghent"])),
            proptest::option::of(select(PHOTOS.to_vec())),
        ),
        proptest::option::of((any::<Index>(), 0..4_u8)),
        (proptest::bool::weighted(0.8), proptest::bool::weighted(0.1)),
    )
        .prop_map(
            |(
                (address, secondary, phones),
                (title, display_name),
                (locality, photo),
                manager,
                (active, bot),
            )| Account {
                address,
                secondary,
                phones,
                title,
                display_name,
                locality,
                photo,
                manager,
                active,
                bot,
            },
        )
}

fn mail_of(n: usize, account: &Account) -> String {
    if account.bot { format!("botuser-T{n}-A{n}@slack-bots.com") } else { address(n, account.address) }
}

fn user(n: usize, all: &[Account], dialect: Dialect) -> User {
    let account = &all[n];
    let mut attributes = Texts::from([
        (Attribute::UserName, format!("p{n}")),
        (Attribute::Email, mail_of(n, account)),
        (Attribute::GivenName, "Given".to_owned()),
        (Attribute::FamilyName, format!("Family{n}")),
        (Attribute::ProfileUrl, format!("https://acme.enterprise.slack.com/team/{}", mail_of(n, account))),
    ]);
    let mut set = |attribute, value: Option<String>| attributes.set(attribute, value.as_deref());
    set(Attribute::SecondaryEmail, account.secondary.map(|form| address(n, form)));
    set(Attribute::Phone, account.phones[0].map(|form| phone(n, form)));
    set(Attribute::MobilePhone, account.phones[1].map(|form| phone(n, form)));
    set(Attribute::Title, account.title.clone());
    set(Attribute::DisplayName, account.display_name.clone());
    set(Attribute::Locality, account.locality.map(str::to_owned));
    set(Attribute::Photo, account.photo.map(str::to_owned));
    let manager = account.manager.as_ref().map(|(index, form)| (index.index(all.len()), form));
    set(
        Attribute::Manager,
        manager.map(|(manager, form)| match form {
            0 => format!("U{manager}"),
            1 => format!("p{manager}"),
            2 => mail_of(manager, &all[manager]),
            _ => mail_of(manager, &all[manager]).to_uppercase(),
        }),
    );
    let is_slot = |attribute| {
        matches!(
            attribute,
            Attribute::Email | Attribute::SecondaryEmail | Attribute::Phone | Attribute::Locality
        )
    };
    let selectors = attributes
        .iter()
        .filter(|(attribute, _)| dialect == Dialect::Rfc && is_slot(*attribute))
        .map(|(attribute, value)| (attribute, format!("value eq {}", json!(value))))
        .collect();
    let kind = if account.bot { AccountKind::Bot } else { AccountKind::Person };
    User {
        id: UserId::new(format!("U{n}")),
        kind,
        active: account.active,
        guest: false,
        attributes,
        selectors,
    }
}

fn directory() -> impl Strategy<Value = Directory> {
    let groups =
        proptest::collection::vec((any_text(), proptest::collection::vec(0..PEOPLE + 2, 0..5)), 0..4);
    let dialect = select(vec![Dialect::Slack, Dialect::Rfc]);
    (proptest::collection::vec(account(), 1..=PEOPLE), groups, dialect).prop_map(
        |(accounts, groups, dialect)| {
            let users = (0..accounts.len()).map(|n| user(n, &accounts, dialect)).collect();
            let group = |(n, (name, members)): (usize, (String, Vec<usize>))| RawGroup {
                id: GroupId::new(format!("S{n}")),
                display_name: format!("{name} {n}").into(),
                members: members.into_iter().map(|member| format!("U{member}").into()).collect(),
            };
            Directory::new(dialect, users, groups.into_iter().enumerate().map(group).collect())
        },
    )
}

/// An entry of person `n`, with the wishes that are given.
fn entry(n: usize, managers: &[usize]) -> impl Strategy<Value = Value> + use<> {
    let managers: Vec<String> = managers.iter().filter(|m| **m != n).map(|m| format!("p{m}")).collect();
    let manager =
        if managers.is_empty() { Just(None).boxed() } else { proptest::option::of(select(managers)).boxed() };
    let wish = |strategy: BoxedStrategy<String>| prop_oneof![2 => Just(None), 1 => Just(Some(Value::Null)), 3 => strategy.prop_map(|text| Some(json!(text)))];
    (
        (0..3_usize, proptest::bool::weighted(0.2), proptest::bool::weighted(0.85)),
        wish(any_text().boxed()),
        wish((0..PEOPLE, 0..3_usize).prop_map(|(n, form)| phone(n, form)).boxed()),
        wish(Just(address(n, 3)).boxed()),
        wish(select(vec!["London".to_owned(), "Paris".to_owned()]).boxed()),
        wish(select(PHOTOS.iter().map(|url| (*url).to_owned()).collect::<Vec<_>>()).boxed()),
        manager,
    )
        .prop_map(move |((form, by_id, active), title, phone, secondary, locality, photo, manager)| {
            let mut entry = json!({ "userName": format!("p{n}"), "email": address(n, form), "active": active,
                "name": { "givenName": "Given", "familyName": format!("Family{n}") } });
            if by_id {
                entry["id"] = json!(format!("U{n}"));
            }
            if let Some(manager) = manager {
                entry["manager"] = json!(manager);
            }
            if let Some(locality) = locality {
                entry["address"] = json!({ "locality": locality });
            }
            for (key, wish) in
                [("title", title), ("phone", phone), ("secondaryEmail", secondary), ("photo", photo)]
            {
                if let Some(wish) = wish {
                    entry[key] = wish;
                }
            }
            entry
        })
}

fn roster() -> impl Strategy<Value = String> {
    let listed = proptest::sample::subsequence((0..PEOPLE).collect::<Vec<_>>(), 1..=PEOPLE);
    let protect = proptest::option::of(prop_oneof![
        Just("*@acme.example".to_owned()),
        Just("*@home1.example".to_owned()),
        any_address(),
        (0..PEOPLE).prop_map(|n| format!("p{n}")),
    ]);
    let groups =
        proptest::collection::vec((any_text(), proptest::collection::vec(any::<Index>(), 0..4)), 0..3);
    (listed, groups, protect, any::<bool>(), any::<bool>()).prop_flat_map(|(listed, groups, protect, leave, enforce)| {
        let entries: Vec<_> = listed.iter().map(|n| entry(*n, &listed)).collect();
        entries.prop_map(move |entries| {
            let active: Vec<&Value> = entries.iter().filter(|entry| entry["active"] == true).collect();
            let member = |index: &Index| index.get(&active)["userName"].clone();
            let groups: Vec<Value> = groups
                .iter()
                .enumerate()
                .map(|(n, (name, members))| {
                    let members: BTreeSet<String> = if active.is_empty() {
                        BTreeSet::new()
                    } else {
                        members.iter().map(|index| member(index).as_str().unwrap_or_default().to_owned()).collect()
                    };
                    json!({ "displayName": format!("{name} {n}"), "members": members })
                })
                .collect();
            let mut policy = json!({
                "unlisted": { "users": if leave { "deactivate" } else { "keep" } },
                "limits": { "deactivateUsers": "100%", "changeEmails": "100%", "removeMembers": "100%" },
            });
            if enforce {
                policy["attributes"] = json!({ "displayName": "enforce" });
            }
            if let Some(protect) = &protect {
                policy["protect"] = json!({ "users": [protect] });
            }
            json!({ "version": 1, "workspace": "acme", "policy": policy, "users": entries, "groups": groups }).to_string()
        })
    })
}

fn loaded(text: &str) -> Option<Roster> {
    load(vec![Source { path: "roster.yaml".into(), text: text.to_owned() }], None)
        .ok()
        .map(|loaded| loaded.roster)
}

fn redacted(directory: &Directory) -> String {
    let snapshot = Snapshot::redacted(directory, Some("https://api.slack.com/scim/v2".into()));
    let mut bytes = Vec::new();
    snapshot::write(&snapshot, &mut bytes, |out, value| write!(out, "{value}")).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Whatever of a directory a redacted snapshot must not hold, as people and programs may write it.
fn secrets(directory: &Directory) -> Vec<String> {
    let mut secrets = Vec::new();
    for user in &directory.users {
        for attribute in [Attribute::Email, Attribute::SecondaryEmail] {
            let Some(address) = user.get(attribute) else { continue };
            let address = address.to_lowercase();
            secrets.extend([address.replace('@', "%40"), address.replace('@', "\\u0040")]);
            secrets.push(address);
        }
        for attribute in [Attribute::Phone, Attribute::MobilePhone] {
            let Some(phone) = user.get(attribute) else { continue };
            let blocks: Vec<&str> =
                phone.split(|c: char| !c.is_ascii_digit()).filter(|b| !b.is_empty()).collect();
            secrets.extend(["", " ", "-", "."].map(|between| blocks.join(between)));
            secrets.push(phone.to_lowercase());
        }
        secrets.extend(user.get(Attribute::Locality).map(str::to_lowercase));
    }
    secrets.extend([
        "gravatar".to_owned(),
        "0bc83cb571cd1c50ba6f3e8a78ef1346".to_owned(),
        "slack-edge".to_owned(),
    ]);
    secrets
}

/// What the file says is hidden of each account.
fn hidden(file: &str) -> BTreeSet<(String, String)> {
    let file: Value = serde_json::from_str(file).unwrap();
    let keys = |user: &Value| {
        let id = user["id"].as_str().unwrap_or_default().to_owned();
        let keys = user["hidden"].as_array().cloned().unwrap_or_default();
        keys.into_iter().map(move |key| (id.clone(), key.as_str().unwrap_or_default().to_owned()))
    };
    file["users"].as_array().into_iter().flatten().flat_map(keys).collect()
}

/// A change without what a redaction may hide: addresses as they were, and hidden attributes that get another value.
fn essence(change: &Change, hidden: &BTreeSet<(String, String)>) -> Option<String> {
    let mut change = change.clone();
    change.waits_for.clear();
    if let Action::UpdateUser { id, edits, siblings } = &mut change.action {
        siblings.clear();
        edits.retain(|edit| {
            let is_hidden = hidden.contains(&(id.to_string(), edit.attribute.key().to_owned()));
            let is_set = matches!(&edit.after, Some(Wanted::Text(text)) if !text.trim().is_empty());
            !(is_hidden && is_set)
        });
        for edit in &mut *edits {
            let is_address =
                matches!(edit.attribute, Attribute::Email | Attribute::SecondaryEmail | Attribute::Manager);
            if is_address || hidden.contains(&(id.to_string(), edit.attribute.key().to_owned())) {
                edit.before = edit.before.as_ref().map(|_| "something".into());
                edit.selector = None;
            }
            // Slack's default picture is none, and its URL is not told.
            if edit.attribute == Attribute::Photo {
                edit.before = None;
            }
        }
        if edits.is_empty() {
            return None;
        }
    }
    Some(format!("{change:?}"))
}

/// What a roster would change of somebody who is protected, without what is hidden; `None` where nothing else is left.
fn contradicted(message: &str, who: &[String], hidden: &BTreeSet<(String, String)>) -> Option<Vec<String>> {
    let Some((_, keys)) = message.split_once("the roster would change ") else { return Some(Vec::new()) };
    let id = who.first().map(|name| name.replacen('p', "U", 1)).unwrap_or_default();
    let keys = keys.split(", ").map(str::to_owned).filter(|key| !hidden.contains(&(id.clone(), key.clone())));
    Some(keys.collect::<Vec<_>>()).filter(|keys| !keys.is_empty())
}

/// A text about groups in the names that they have in `directory`, `revealed` being the same one; lists in one order.
fn in_names_of(directory: &Directory, revealed: &Directory, text: &str) -> Vec<String> {
    let groups = directory.groups.iter().zip(&revealed.groups);
    let text = groups.fold(text.to_owned(), |text, (group, hidden)| {
        text.replace(&*hidden.display_name, &group.display_name)
    });
    let mut parts: Vec<String> = text.split(", ").map(str::to_owned).collect();
    parts.sort_unstable();
    parts
}

fn compare(
    (whole, directory): (&Plan, &Directory),
    (redacted, revealed): (&Plan, &Directory),
    hidden: &BTreeSet<(String, String)>,
) {
    let names = |text: &str| in_names_of(directory, revealed, text);
    let essences = |plan: &Plan| {
        plan.changeset.changes.iter().filter_map(|change| essence(change, hidden)).collect::<Vec<_>>()
    };
    assert_eq!(essences(whole), essences(redacted));
    let verdicts = |plan: &Plan| {
        // That nothing contradicts what is protected is said where nothing else is, be it for being hidden.
        let says_nothing =
            |verdict: &&Verdict| verdict.guard == "protect" && verdict.outcome == Outcome::Pass;
        let verdicts = plan.verdicts.iter().filter(|verdict| verdict.guard != "lookAlike");
        verdicts
            .filter(|verdict| !says_nothing(verdict))
            .filter_map(|verdict| {
                let what = contradicted(&verdict.message, &verdict.resources, hidden)?;
                Some(format!(
                    "{} {:?} {:?} {:?} {what:?}",
                    verdict.guard,
                    verdict.outcome,
                    verdict.measured,
                    names(&verdict.resources.join(", "))
                ))
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(verdicts(whole), verdicts(redacted));
    let by_name = |plan: &Plan| {
        let verdicts = plan.verdicts.iter().filter(|verdict| verdict.guard == "lookAlike");
        verdicts.filter(|verdict| verdict.message.contains("full name")).count()
    };
    assert_eq!(by_name(whole), by_name(redacted));
    let notes = |plan: &Plan| plan.notes.iter().map(|note| names(&note.message)).collect::<Vec<_>>();
    assert_eq!(notes(whole), notes(redacted));
    assert_eq!((&whole.workspace, whole.totals), (&redacted.workspace, redacted.totals));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_address_phone_or_photo_is_in_the_file(directory in directory()) {
        let file = redacted(&directory);
        let file = file.to_lowercase();
        for secret in secrets(&directory) {
            prop_assert!(!file.contains(&secret), "{secret} in {file}");
        }
    }

    #[test]
    fn a_plan_against_it_differs_in_what_is_hidden_alone(directory in directory(), text in roster()) {
        let Some(roster) = loaded(&text) else { return Err(TestCaseError::reject("not a roster")) };
        let file = redacted(&directory);
        let (revealed, note) = snapshot::read(&file).unwrap().reveal(&roster, &[]);
        prop_assert_eq!(note.map(|note| note.code), Some("redacted"));
        let context = Context { target: None, ..Context::default() };
        match (planner::plan(&roster, &directory, &context), planner::plan(&roster, &revealed, &context)) {
            (Ok(whole), Ok(redacted)) => {
                compare((&whole, &directory), (&redacted, &revealed), &hidden(&file));
            }
            (Err(whole), Err(redacted)) => {
                let codes = |list: Vec<model::Diagnostic>| list.into_iter().map(|d| (d.code, d.label.place)).collect::<Vec<_>>();
                prop_assert_eq!(codes(whole), codes(redacted));
            }
            (whole, redacted) => prop_assert!(false, "{whole:?}\n{redacted:?}"),
        }
    }
}

/// A service that names everything by address.
fn by_address() -> Directory {
    let user = |address: &str, manager: &str| User {
        id: UserId::new(address),
        kind: AccountKind::Person,
        active: true,
        guest: false,
        attributes: Texts::from([
            (Attribute::UserName, address),
            (Attribute::Email, address),
            (Attribute::Role, "Lead"),
            (Attribute::Manager, manager),
        ]),
        selectors: Texts::from([
            (Attribute::Email, format!("value eq {}", json!(address))),
            (Attribute::Role, "type eq \"work\"".to_owned()),
        ]),
    };
    let group = RawGroup {
        id: GroupId::new("all@acme.example"),
        display_name: "all@acme.example".into(),
        members: vec!["ada@acme.example".into(), "elsewhere@acme.example".into()],
    };
    let users =
        vec![user("ada@acme.example", "bob@acme.example"), user("bob@acme.example", "ada@acme.example")];
    Directory::new(Dialect::Rfc, users, vec![group])
}

#[test]
fn a_roster_that_knows_every_address_sees_the_directory_as_it_was() {
    let directory = by_address();
    let file = redacted(&directory);
    assert!(!file.contains("acme.example"), "{file}");
    let roster = loaded(
        "{ version: 1, users: [ { userName: ada, email: ada@acme.example }, { userName: bob, email: bob@acme.example } ],
           groups: [ { displayName: all@acme.example }, { displayName: elsewhere@acme.example } ] }",
    );
    let (revealed, _) = snapshot::read(&file).unwrap().reveal(&roster.unwrap(), &[]);
    assert_eq!((&revealed.users, &revealed.groups), (&directory.users, &directory.groups));
}

#[test]
fn an_address_that_only_the_command_line_names_is_shown() {
    let roster = loaded("{ version: 1, users: [ { userName: eve, email: eve@other.example } ] }").unwrap();
    let snapshot = snapshot::read(&redacted(&by_address())).unwrap();
    let (revealed, _) = snapshot.reveal(&roster, &["Ada@acme.example".to_owned()]);
    let emails: Vec<_> = revealed.users.iter().filter_map(|user| user.get(Attribute::Email)).collect();
    assert_eq!(emails[0], "Ada@acme.example");
    assert!(emails[1].starts_with("redacted-") && emails[1].ends_with("@acme.example"), "{emails:?}");
}

#[test]
fn a_filter_that_tells_an_address_of_somebody_else_is_left_out() {
    let mut directory = by_address();
    directory.users[0].selectors = Texts::from([
        (Attribute::Email, "value eq \"older@acme.example\""),
        (Attribute::Role, "type eq \"bob@acme.example\""),
    ]);
    let read = snapshot::read(&redacted(&directory)).unwrap().directory;
    assert!(read.users[0].selectors.is_empty(), "{:?}", read.users[0]);
}

#[test]
fn a_bot_stays_one_for_whoever_goes_by_its_address() {
    let mut directory = by_address();
    directory.users[0].kind = AccountKind::Bot;
    directory.users[0].attributes.set(Attribute::Email, Some("botuser-T1-A1@slack-bots.com"));
    let read = snapshot::read(&redacted(&directory)).unwrap().directory;
    assert_eq!(read.users[0].kind, AccountKind::Bot);
    let address = read.users[0].get(Attribute::Email).unwrap();
    assert!(address.starts_with("botuser-") && address.ends_with("@slack-bots.com"), "{address}");
    assert!(!address.contains("T1"));
}
