//! Accounts as services answer them, and edits as the differ asks for them.

use jiff::civil::date;
use model::attribute::{Clearing, Value, Writable};
use model::directory::User;
use model::{Action, Attribute, Change, Dialect, Edit, UserId, UserRef};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use scim_adapter::{decode_user, unmet};
use serde_json::{Map, Value as Json, json};

pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub(crate) const GUEST: &str = "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User";
pub(crate) const PROFILE: &str = "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User";

/// Few values, so that they meet: swaps, twins, values that another element has already. One is hostile to filters.
const VALUES: [&str; 4] = ["one@x", "two@x", "Three@x", "a\"] or \\ [b@x"];

fn value() -> impl Strategy<Value = String> {
    select(&VALUES[..]).prop_map(str::to_owned)
}

fn maybe<T: std::fmt::Debug + Clone>(inner: impl Strategy<Value = T>) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(inner)
}

fn object(pairs: Vec<(&str, Option<Json>)>) -> Json {
    Json::Object(pairs.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect())
}

/// Elements that differ in what a filter can see, at most one of them primary, each with a tag to know it by.
fn elements(kinds: &'static [&'static str], max: usize) -> impl Strategy<Value = Json> {
    let element = (value(), maybe(select(kinds)), any::<Option<bool>>());
    proptest::collection::vec(element, 0..=max).prop_map(|list| {
        let mut seen = std::collections::HashSet::new();
        let mut has_primary = false;
        let mut out = Vec::new();
        for (tag, (value, kind, primary)) in list.into_iter().enumerate() {
            let primary = primary.map(|primary| primary && !has_primary);
            let is_primary = primary == Some(true);
            if seen.insert((value.to_lowercase(), kind.map(str::to_lowercase), is_primary)) {
                has_primary |= is_primary;
                out.push(object(vec![
                    ("value", Some(json!(value))),
                    ("type", kind.map(Json::from)),
                    ("primary", primary.map(Json::from)),
                    ("display", Some(json!(tag))),
                ]));
            }
        }
        json!(out)
    })
}

fn addresses() -> impl Strategy<Value = Json> {
    let parts = proptest::collection::vec(maybe(value()), 5);
    let address = (parts, maybe(select(&["work", "home", "Work"][..])), any::<bool>());
    proptest::collection::vec(address, 0..=3).prop_map(|list| {
        let mut seen = std::collections::HashSet::new();
        let mut has_primary = false;
        let mut out = Vec::new();
        for (tag, (parts, kind, primary)) in list.into_iter().enumerate() {
            let names = ["streetAddress", "locality", "region", "postalCode", "country"];
            let is_primary = primary && !has_primary;
            let lower: Vec<_> =
                parts.iter().map(|part| part.as_ref().map(|part| part.to_lowercase())).collect();
            if parts.iter().all(Option::is_none)
                || !seen.insert((lower, kind.map(str::to_lowercase), is_primary))
            {
                continue;
            }
            has_primary |= is_primary;
            let mut pairs: Vec<_> =
                names.into_iter().zip(parts).map(|(n, p)| (n, p.map(Json::from))).collect();
            pairs.extend([("type", kind.map(Json::from)), ("primary", is_primary.then(|| json!(true)))]);
            pairs.push(("tag", Some(json!(tag))));
            out.push(object(pairs));
        }
        json!(out)
    })
}

/// A manager as Slack answers it, or in full (RFC 7643 §4.3).
fn manager_of(key: &str, id: &str) -> Json {
    let mut manager = json!({ key: id });
    if key == "value" {
        manager["$ref"] = json!(format!("../Users/{id}"));
        manager["displayName"] = json!("Old");
    }
    manager
}

fn scalars(manager_key: &'static str) -> impl Strategy<Value = Map<String, Json>> {
    let text = || maybe(value());
    let core = (text(), text(), text(), text(), text(), any::<bool>());
    let extension =
        (text(), text(), maybe(select(&["U7", "U8"][..])), any::<bool>(), any::<bool>(), any::<bool>());
    (core, extension).prop_map(
        |(
            (given, family, display, title, locale, active),
            (department, cost, manager, start, guest, ends),
        )| {
            let user = object(vec![
                ("id", Some(json!("U1"))),
                ("userName", Some(json!("ada"))),
                ("nickName", Some(json!("kept"))),
                (
                    "name",
                    Some(object(vec![
                        ("givenName", given.map(Json::from)),
                        ("familyName", family.map(Json::from)),
                        ("formatted", Some(json!("kept"))),
                    ])),
                ),
                ("displayName", display.map(Json::from)),
                ("title", title.map(Json::from)),
                ("locale", locale.map(Json::from)),
                ("timezone", Some(json!("Europe/London"))),
                ("active", Some(json!(active))),
                (
                    ENTERPRISE,
                    Some(object(vec![
                        ("department", department.map(Json::from)),
                        ("costCenter", cost.map(Json::from)),
                        ("manager", manager.map(|m| manager_of(manager_key, m))),
                    ])),
                ),
                (PROFILE, start.then(|| json!({ "startDate": "2024-04-10T00:00:00+0000" }))),
                (
                    GUEST,
                    guest.then(|| {
                        object(vec![
                            ("type", Some(json!("multi"))),
                            ("expiration", ends.then(|| json!("2027-01-31T23:59:59Z"))),
                        ])
                    }),
                ),
            ]);
            match user {
                Json::Object(map) => map,
                _ => Map::new(),
            }
        },
    )
}

/// An account at a service that keeps to the RFC.
pub(crate) fn rfc_user() -> impl Strategy<Value = Json> {
    let lists = (
        elements(&["work", "home", "other", "WORK"], 3),
        elements(&["work", "mobile", "home", "fax", "Mobile"], 4),
        elements(&["photo", "thumbnail"], 2),
        elements(&["work"], 2),
        addresses(),
    );
    (scalars("value"), lists).prop_map(|(mut user, (emails, phones, photos, roles, addresses))| {
        user.insert("emails".into(), emails);
        user.insert("phoneNumbers".into(), phones);
        user.insert("photos".into(), photos);
        user.insert("roles".into(), roles);
        user.insert("addresses".into(), addresses);
        Json::Object(user)
    })
}

/// An account at Slack, in the full form with its nulls (sheet S5).
pub(crate) fn slack_user() -> impl Strategy<Value = Json> {
    let emails = subsequence(&VALUES[..], 1..=2).prop_shuffle();
    let lists = (
        emails,
        maybe(value()),
        maybe(value()),
        maybe(value()),
        proptest::collection::vec(maybe(value()), 5),
        any::<bool>(),
    );
    (scalars("managerId"), lists).prop_map(|(mut user, (emails, phone, mobile, role, address, has_photo))| {
        let mut list = vec![json!({ "value": emails[0], "primary": true })];
        list.extend(emails.get(1).map(|second| json!({ "value": second, "primary": false })));
        user.insert("emails".into(), json!(list));
        user.insert(
            "phoneNumbers".into(),
            json!([{ "value": mobile, "type": "mobile" }, { "value": phone, "primary": true }]),
        );
        user.insert("roles".into(), json!([{ "value": role, "primary": true }]));
        let names = ["streetAddress", "locality", "region", "postalCode", "country"];
        let address: Map<String, Json> =
            names.into_iter().map(str::to_owned).zip(address.into_iter().map(Json::from)).collect();
        user.insert("addresses".into(), json!([address]));
        let photo = if has_photo {
            "https://avatars.example/0.png"
        } else {
            "https://secure.gravatar.com/avatar/00.jpg"
        };
        user.insert("photos".into(), json!([{ "value": photo, "type": "photo" }]));
        Json::Object(user)
    })
}

fn wish(attribute: Attribute) -> BoxedStrategy<Option<Value<UserRef>>> {
    let text = |text: String| Some(Value::Text(text.into()));
    match attribute {
        Attribute::Active | Attribute::Guest => {
            any::<bool>().prop_map(|flag| Some(Value::Flag(flag))).boxed()
        }
        Attribute::UserName => Just(text("bob".to_owned())).boxed(),
        Attribute::Timezone => Just(text("Asia/Tokyo".to_owned())).boxed(),
        Attribute::Manager => maybe(select(&["U7", "U9"][..]))
            .prop_map(|id| id.map(|id| Value::Person(UserRef::Existing(UserId::new(id)))))
            .boxed(),
        Attribute::StartDate => maybe(Just(Value::Day(date(2026, 1, 5)))).boxed(),
        Attribute::GuestExpires => {
            maybe(Just(Value::Instant("2028-01-31T23:59:59Z".parse().unwrap()))).boxed()
        }
        _ => match attribute.row().clearing {
            Clearing::Possible => maybe(value()).prop_map(move |value| value.and_then(text)).boxed(),
            Clearing::Impossible(_) => value().prop_map(text).boxed(),
        },
    }
}

/// What is wished for some of the attributes that a PATCH can write.
pub(crate) fn wishes() -> impl Strategy<Value = Vec<(Attribute, Option<Value<UserRef>>)>> {
    let writable: Vec<Attribute> =
        Attribute::all().filter(|a| a.row().writable == Writable::Always).collect();
    subsequence(writable, 1..=12).prop_flat_map(|attributes| {
        attributes.into_iter().map(|attribute| (Just(attribute), wish(attribute))).collect::<Vec<_>>()
    })
}

/// The change that grants the wishes, as the differ would make it: only what differs, with the live values beside it.
/// `None` when nothing differs, or the wishes are none that a roster can have.
pub(crate) fn change(
    live: &User,
    wishes: &[(Attribute, Option<Value<UserRef>>)],
    dialect: Dialect,
) -> Option<Change> {
    let wish = |attribute| wishes.iter().find(|(a, _)| *a == attribute).map(|(_, wish)| wish);
    let text = |attribute| match wish(attribute) {
        Some(wish) => wish.as_ref().map(|value| value.text().to_lowercase()),
        None => live.get(attribute).map(str::to_lowercase),
    };
    // One address in both slots is a mistake of the roster, and so is the end of a guest who is none.
    if text(Attribute::Email) == text(Attribute::SecondaryEmail) && wish(Attribute::Email).is_some() {
        return None;
    }
    if wish(Attribute::SecondaryEmail).is_some() && text(Attribute::SecondaryEmail) == text(Attribute::Email)
    {
        return None;
    }
    // Every entry of a roster has an address.
    text(Attribute::Email)?;
    let guest = match wish(Attribute::Guest) {
        Some(wish) => matches!(wish, Some(Value::Flag(true))),
        None => live.guest,
    };
    if wish(Attribute::GuestExpires).is_some() && !guest {
        return None;
    }
    let edits: Vec<Edit> =
        wishes.iter().map(|(attribute, after)| edit(*attribute, after.clone(), live)).collect();
    let missing = unmet(&edits, live, dialect, is_by_id);
    let edits: Vec<Edit> = edits.into_iter().filter(|edit| missing.contains(&edit.attribute)).collect();
    if edits.is_empty() {
        return None;
    }
    let siblings = live.attributes.iter().filter(|(attribute, _)| !missing.contains(attribute));
    let siblings = siblings.map(|(attribute, text)| (attribute, text.into())).collect();
    Some(user_change(Action::UpdateUser { id: UserRef::Existing(live.id.clone()), edits, siblings }))
}

/// Whether a manager is the one with this id, as far as one account's answer tells.
pub(crate) fn is_by_id(person: &UserRef, manager: &str) -> bool {
    matches!(person, UserRef::Existing(id) if id.as_str() == manager)
}

pub(crate) fn user_change(action: Action) -> Change {
    Change { action, name: "ada".into(), origin: None, waits_for: Vec::new() }
}

pub(crate) fn edit(attribute: Attribute, after: Option<Value<UserRef>>, live: &User) -> Edit {
    let before = match attribute {
        Attribute::Active => Some(live.active.to_string().into()),
        Attribute::Guest => Some(live.guest.to_string().into()),
        attribute => live.get(attribute).map(Into::into),
    };
    Edit {
        attribute,
        before,
        after,
        selector: live.selector(attribute).map(Into::into),
        temporary: false,
        origin: None,
    }
}

/// An edit that sets or clears a text.
pub(crate) fn text(attribute: Attribute, after: Option<&str>, live: &User) -> Edit {
    edit(attribute, after.map(|text| Value::Text(text.into())), live)
}

pub(crate) fn decode(wire: &Json, dialect: Dialect) -> User {
    decode_user(wire.to_string().as_bytes(), dialect).unwrap()
}
