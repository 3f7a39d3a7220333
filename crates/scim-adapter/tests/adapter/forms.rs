//! The fixed table: which request each kind of change becomes, and what may take its place.

use crate::worlds::{decode, edit, text, user_change};
use model::attribute::Value;
use model::change::Rename;
use model::directory::User;
use model::{Action, Attribute, Change, Dialect, Edit, GroupId, GroupRef, UserId, UserName, UserRef};
use scim_adapter::encode;
use serde_json::{Value as Json, json};
use std::fmt::Write as _;

/// A change as a reader of a plan would see its requests: one operation a line.
fn forms(change: &Change, dialect: Dialect) -> String {
    let encoded = encode(change, dialect);
    let mut out = String::new();
    let mut show = |label: &str, request: &model::plan::Request| {
        writeln!(out, "{label}{} {}", request.method.as_str(), request.path).unwrap();
        let body: Json =
            request.body.as_ref().map_or(Json::Null, |body| serde_json::from_str(body.get()).unwrap());
        let operations = body["Operations"].as_array().cloned();
        for line in operations.unwrap_or_else(|| vec![body.clone()]).iter().filter(|line| !line.is_null()) {
            let text = match (line["op"].as_str(), line["path"].as_str()) {
                (Some(op), Some(path)) => match line.get("value") {
                    Some(value) => format!("{op} {path} {value}"),
                    None => format!("{op} {path}"),
                },
                _ => line.to_string(),
            };
            writeln!(out, "  {}", text.replace("urn:ietf:params:scim:schemas:", "urn:…:")).unwrap();
        }
    };
    show("", &encoded.request);
    for fallback in &encoded.fallbacks {
        for (at, request) in fallback.requests.iter().enumerate() {
            let label = if at == 0 { format!("or, as {}: ", fallback.because) } else { "then ".to_owned() };
            show(&label, request);
        }
    }
    out
}

fn slack_live() -> User {
    let body = json!({
        "id": "U1", "userName": "ada", "active": true, "title": "Engineer",
        "emails": [{ "value": "a@x", "primary": true }, { "value": "b@x", "primary": false }],
        "phoneNumbers": [{ "value": "2", "type": "mobile" }, { "value": "1", "primary": true }],
        "addresses": [{ "streetAddress": "1 Road", "locality": "London" }],
        "roles": [{ "value": "Lead", "primary": true }],
        "photos": [{ "value": "https://avatars.example/1.png", "type": "photo" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "R", "manager": { "managerId": "U7" } },
        "urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User": { "startDate": "2024-04-10T00:00:00+0000" },
        "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User": { "type": "multi", "expiration": "2027-01-31T23:59:59Z" },
    });
    decode(&body, Dialect::Slack)
}

fn rfc_live() -> User {
    let body = json!({
        "id": "2819", "userName": "ada", "active": true, "title": "Engineer",
        "emails": [{ "value": "a@x", "type": "work", "primary": true }, { "value": "b@x", "type": "home" }],
        "phoneNumbers": [{ "value": "1", "type": "work" }, { "value": "2", "type": "mobile" }, { "value": "3", "type": "fax" }],
        "addresses": [{ "locality": "London", "type": "work", "formatted": "London" }, { "locality": "Rome", "type": "home" }],
        "roles": [{ "value": "Lead" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "R", "manager": { "value": "7" } },
    });
    decode(&body, Dialect::Rfc)
}

fn patch(live: &User, edits: Vec<Edit>) -> Change {
    let siblings = live.attributes.iter().filter(|(a, _)| !edits.iter().any(|e| e.attribute == *a));
    let siblings = siblings.map(|(attribute, text)| (attribute, text.into())).collect();
    user_change(Action::UpdateUser { id: UserRef::Existing(live.id.clone()), edits, siblings })
}

fn set(live: &User, edits: &[(Attribute, Option<&str>)]) -> Change {
    patch(live, edits.iter().map(|(attribute, value)| text(*attribute, *value, live)).collect())
}

fn flag(attribute: Attribute, value: bool, live: &User) -> Edit {
    edit(attribute, Some(Value::Flag(value)), live)
}

fn manager(live: &User, person: Option<UserRef>) -> Change {
    patch(live, vec![edit(Attribute::Manager, person.map(Value::Person), live)])
}

#[test]
fn of_an_update_at_slack() {
    let live = slack_live();
    let set = |edits: &[_]| forms(&set(&live, edits), Dialect::Slack);
    let mut out = String::new();
    for (name, forms) in [
        (
            "scalars",
            set(&[
                (Attribute::UserName, Some("bob")),
                (Attribute::GivenName, None),
                (Attribute::Title, Some("CTO")),
            ]),
        ),
        ("cleared", set(&[(Attribute::Title, None), (Attribute::Department, None)])),
        ("address", set(&[(Attribute::Email, Some("new@x"))])),
        ("second address", set(&[(Attribute::SecondaryEmail, Some("new@x"))])),
        ("no second address", set(&[(Attribute::SecondaryEmail, None)])),
        (
            "addresses trade places",
            set(&[(Attribute::Email, Some("b@x")), (Attribute::SecondaryEmail, Some("a@x"))]),
        ),
        ("phones move on", set(&[(Attribute::Phone, Some("2")), (Attribute::MobilePhone, Some("3"))])),
        ("phones trade places", set(&[(Attribute::Phone, Some("2")), (Attribute::MobilePhone, Some("1"))])),
        ("no phone", set(&[(Attribute::Phone, None)])),
        ("place and role", set(&[(Attribute::Locality, Some("Rome")), (Attribute::Role, Some("Head"))])),
        ("no photo", set(&[(Attribute::Photo, None)])),
        (
            "manager",
            forms(&manager(&live, Some(UserRef::New(UserName::parse("grace").unwrap()))), Dialect::Slack),
        ),
        ("no manager", forms(&manager(&live, None), Dialect::Slack)),
        ("department", set(&[(Attribute::Department, Some("X"))])),
        (
            "department, no cost center and no manager",
            set(&[
                (Attribute::Department, Some("X")),
                (Attribute::CostCenter, None),
                (Attribute::Manager, None),
            ]),
        ),
        ("no start date", set(&[(Attribute::StartDate, None)])),
        ("full member", forms(&patch(&live, vec![flag(Attribute::Guest, false, &live)]), Dialect::Slack)),
        ("no expiry", set(&[(Attribute::GuestExpires, None)])),
        (
            "back, with a title",
            forms(
                &patch(
                    &live,
                    vec![flag(Attribute::Active, true, &live), text(Attribute::Title, Some("CTO"), &live)],
                ),
                Dialect::Slack,
            ),
        ),
    ] {
        writeln!(out, "# {name}\n{forms}").unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn of_an_update_by_the_rfc() {
    let live = rfc_live();
    let set = |edits: &[_]| forms(&set(&live, edits), Dialect::Rfc);
    let mut out = String::new();
    for (name, forms) in [
        (
            "scalars",
            set(&[
                (Attribute::UserName, Some("bob")),
                (Attribute::Title, None),
                (Attribute::Department, None),
            ]),
        ),
        (
            "addresses trade places",
            set(&[(Attribute::Email, Some("b@x")), (Attribute::SecondaryEmail, Some("a@x"))]),
        ),
        ("phones", set(&[(Attribute::Phone, Some("2")), (Attribute::MobilePhone, None)])),
        (
            "place",
            set(&[
                (Attribute::Locality, Some("Paris")),
                (Attribute::Country, Some("France")),
                (Attribute::Region, None),
            ]),
        ),
        (
            "role and photo",
            set(&[(Attribute::Role, Some("Head")), (Attribute::Photo, Some("https://x/1.png"))]),
        ),
        ("manager", forms(&manager(&live, Some(UserRef::Existing(UserId::new("9")))), Dialect::Rfc)),
        (
            "first manager",
            forms(
                &manager(
                    &decode(&json!({ "id": "2819", "userName": "ada" }), Dialect::Rfc),
                    Some(UserRef::Existing(UserId::new("9"))),
                ),
                Dialect::Rfc,
            ),
        ),
        ("no manager", forms(&manager(&live, None), Dialect::Rfc)),
    ] {
        writeln!(out, "# {name}\n{forms}").unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn of_a_creation() {
    let nobody = decode(&json!({ "id": "none" }), Dialect::Slack);
    let mut edits: Vec<Edit> = Vec::new();
    for attribute in Attribute::all() {
        let value = match attribute {
            Attribute::Active | Attribute::Guest => Value::Flag(true),
            Attribute::Manager => Value::Person(UserRef::New(UserName::parse("grace").unwrap())),
            Attribute::StartDate => Value::Day(jiff::civil::date(2026, 1, 5)),
            Attribute::GuestExpires => Value::Instant("2027-01-31T23:59:59Z".parse().unwrap()),
            other => Value::Text(other.key().into()),
        };
        edits.push(edit(attribute, Some(value), &nobody));
    }
    let create = |edits: &[Edit]| {
        user_change(Action::CreateUser { user_name: UserName::parse("ada").unwrap(), edits: edits.to_vec() })
    };
    let lean: Vec<Edit> = edits
        .iter()
        .filter(|e| {
            [Attribute::Active, Attribute::UserName, Attribute::Email, Attribute::MobilePhone]
                .contains(&e.attribute)
        })
        .cloned()
        .collect();
    let group = user_change(Action::CreateGroup {
        display_name: "@user:ada".into(),
        members: vec![UserRef::Existing(UserId::new("U2")), UserRef::New(UserName::parse("ada").unwrap())],
    });
    let mut out = String::new();
    for (name, change, dialect) in [
        ("everything, slack", create(&edits), Dialect::Slack),
        ("everything, rfc", create(&edits), Dialect::Rfc),
        ("lean, slack", create(&lean), Dialect::Slack),
        ("lean, rfc", create(&lean), Dialect::Rfc),
        ("group", group, Dialect::Slack),
    ] {
        writeln!(out, "# {name}\n{}", forms(&change, dialect)).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn of_a_group() {
    let change = |rename: bool, add: &[&str], remove: &[&str]| {
        user_change(Action::UpdateGroup {
            id: GroupRef::Existing(GroupId::new("S1")),
            rename: rename.then(|| Rename {
                before: "eng".into(),
                after: "engineering".into(),
                temporary: false,
                members_after: vec![UserRef::Existing(UserId::new("U3"))],
            }),
            add: add.iter().map(|id| UserRef::Existing(UserId::new(*id))).collect(),
            remove: remove.iter().map(|id| UserId::new(*id)).collect(),
        })
    };
    let mut out = String::new();
    for (name, change, dialect) in [
        ("all, slack", change(true, &["U3"], &["U1", "U2"]), Dialect::Slack),
        ("all, rfc", change(true, &["U3"], &["U1", "U2"]), Dialect::Rfc),
        ("an odd id, slack", change(false, &[], &["a\"] or [b"]), Dialect::Slack),
        (
            "deletion",
            user_change(Action::DeleteGroup { id: GroupId::new("S1"), members: Vec::new() }),
            Dialect::Slack,
        ),
    ] {
        writeln!(out, "# {name}\n{}", forms(&change, dialect)).unwrap();
    }
    insta::assert_snapshot!(out);
}

#[test]
fn never_sends_remove_members_with_a_value_nor_a_whole_list() {
    let live = slack_live();
    let everything =
        Attribute::all().filter(|a| *a != Attribute::ProfileUrl).map(|a| text(a, None, &live)).collect();
    let user = encode(&patch(&live, everything), Dialect::Slack);
    for request in std::iter::once(&user.request).chain(user.fallbacks.iter().flat_map(|f| &f.requests)) {
        let body: Json = serde_json::from_str(request.body.as_ref().unwrap().get()).unwrap();
        for operation in body["Operations"].as_array().unwrap() {
            assert!(operation["op"] != json!("remove") || operation.get("value").is_none(), "{operation}");
            assert!(
                !matches!(
                    operation["path"].as_str(),
                    Some("externalId" | "nickName" | "password" | "profileUrl")
                ),
                "{operation}"
            );
        }
    }
}
