//! Requests that create and change accounts.

use super::patch::{Operation, Piece, encoded, patch as patch_request};
use super::question::{Question, because};
use super::slots::{after, edit};
use super::{CORE_USER, rfc, slack};
use model::attribute::{ENTERPRISE, SLACK_GUEST, SLACK_PROFILE, Value};
use model::plan::{Encoded, Fallback};
use model::{Attribute, Dialect, Edit};
use serde_json::{Map, Value as Json, json};

/// The PATCH of a user, with its fallbacks.
pub(super) fn patch(
    path: &str,
    edits: &[Edit],
    siblings: &[(Attribute, Box<str>)],
    dialect: Dialect,
) -> Encoded {
    let pieces = pieces(edits, siblings, dialect);
    let mut encoded = encoded(path, &pieces);
    let reactivates =
        edit(edits, Attribute::Active).is_some_and(|e| matches!(e.after, Some(Value::Flag(true))));
    if reactivates && let Some((active, rest)) = pieces.split_first().filter(|(_, rest)| !rest.is_empty()) {
        let alone = patch_request(path, std::slice::from_ref(active), &[]);
        encoded.fallbacks.push(Fallback {
            because: because(&[Question::Reactivation]),
            requests: vec![alone, patch_request(path, rest, &[])],
        });
    }
    encoded
}

/// The operations: `active` first, because an account that is inactive may refuse the rest; then in the order of
/// the attributes, those that share a SCIM attribute together.
fn pieces(edits: &[Edit], siblings: &[(Attribute, Box<str>)], dialect: Dialect) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for attribute in Attribute::all() {
        let edit = edit(edits, attribute);
        match (attribute, dialect) {
            // Several attributes that are one on the wire are written where the first of them stands.
            (Attribute::Email, Dialect::Slack) => pieces.extend(slack::emails(edits, siblings)),
            (Attribute::Email, Dialect::Rfc) => pieces.extend(rfc::emails(edits)),
            (Attribute::Phone, Dialect::Slack) => pieces.extend(slack::phones(edits, siblings)),
            (Attribute::Phone, Dialect::Rfc) => pieces.extend(rfc::phones(edits)),
            (Attribute::StreetAddress, Dialect::Slack) => pieces.extend(slack::address(edits, siblings)),
            (Attribute::StreetAddress, Dialect::Rfc) => pieces.extend(rfc::address(edits)),
            (Attribute::Photo, Dialect::Rfc) => pieces.extend(rfc::photos(edits)),
            (Attribute::Role, Dialect::Rfc) => pieces.extend(rfc::roles(edits)),
            (Attribute::Guest, _) => pieces.extend(slack::guest(edits)),
            _ => pieces.extend(edit.into_iter().flat_map(|edit| single(edit, dialect))),
        }
    }
    pieces
}

/// The operations of an attribute that shares its place with no other.
fn single(edit: &Edit, dialect: Dialect) -> Vec<Piece> {
    let path = edit.attribute.row().path;
    match edit.attribute {
        Attribute::Active => {
            let active = matches!(edit.after, Some(Value::Flag(true)));
            vec![Operation::replace(path, json!(active)).into()]
        }
        Attribute::GivenName | Attribute::FamilyName | Attribute::HonorificPrefix => {
            vec![match after(edit) {
                Some(new) => Operation::replace(path, json!(new)).into(),
                None => Operation::remove(path).into(),
            }]
        }
        Attribute::UserName
        | Attribute::DisplayName
        | Attribute::Title
        | Attribute::UserType
        | Attribute::PreferredLanguage
        | Attribute::Locale
        | Attribute::Timezone => vec![match (after(edit), dialect) {
            (Some(new), _) => Operation::replace(path, json!(new)).into(),
            (None, Dialect::Slack) => {
                Piece::or(Operation::replace(path, json!("")), Question::ClearedText, Operation::remove(path))
            }
            (None, Dialect::Rfc) => Operation::remove(path).into(),
        }],
        Attribute::EmployeeNumber
        | Attribute::CostCenter
        | Attribute::Organization
        | Attribute::Division
        | Attribute::Department => vec![match (after(edit), dialect) {
            (_, Dialect::Slack) => slack::enterprise_text(edit),
            (Some(new), Dialect::Rfc) => Operation::add(path, json!(new)).into(),
            (None, Dialect::Rfc) => Operation::remove(path).into(),
        }],
        Attribute::Manager => match dialect {
            Dialect::Slack => vec![slack::manager(edit)],
            Dialect::Rfc => vec![rfc::manager(edit)],
        },
        Attribute::Photo => vec![slack::photo(edit)],
        Attribute::Role => slack::role(edit),
        Attribute::StartDate => vec![slack::start_date(edit, dialect)],
        // Written with the first of their group, or, as `profileUrl`, at creation alone.
        Attribute::Email
        | Attribute::SecondaryEmail
        | Attribute::Phone
        | Attribute::MobilePhone
        | Attribute::StreetAddress
        | Attribute::Locality
        | Attribute::Region
        | Attribute::PostalCode
        | Attribute::Country
        | Attribute::ProfileUrl
        | Attribute::Guest
        | Attribute::GuestExpires => Vec::new(),
    }
}

/// The resource of a POST. Of the schemas it lists those it uses: Slack wants the URN of an extension there (sheet
/// S6, startDate), and the guest extension's object is what makes a guest (S7).
pub(super) fn resource(edits: &[Edit], dialect: Dialect) -> Json {
    let value = |attribute| edit(edits, attribute).and_then(after);
    let mut body = Map::new();
    body.insert("schemas".to_owned(), Json::Null);
    let mut put = |key: &str, value: Option<Json>| {
        if let Some(value) = value {
            body.insert(key.to_owned(), value);
        }
    };
    let text = |attribute| value(attribute).map(Json::from);

    put("userName", text(Attribute::UserName));
    put(
        "name",
        object([
            ("givenName", text(Attribute::GivenName)),
            ("familyName", text(Attribute::FamilyName)),
            ("honorificPrefix", text(Attribute::HonorificPrefix)),
        ]),
    );
    put("displayName", text(Attribute::DisplayName));
    put("profileUrl", text(Attribute::ProfileUrl));
    put("title", text(Attribute::Title));
    put("timezone", text(Attribute::Timezone));
    put("active", edit(edits, Attribute::Active).map(|e| json!(matches!(e.after, Some(Value::Flag(true))))));
    let (email, second) = (value(Attribute::Email), value(Attribute::SecondaryEmail));
    let (phone, mobile) = (value(Attribute::Phone), value(Attribute::MobilePhone));
    let address = slack::address_element(value);
    match dialect {
        Dialect::Slack => {
            let primary = email.map(|value| json!({ "value": value, "primary": true }));
            let second = second.map(|value| json!({ "value": value, "primary": false }));
            put("emails", list(primary.into_iter().chain(second)));
            let photo = value(Attribute::Photo).map(|value| json!({ "value": value, "type": "photo" }));
            put("photos", list(photo));
            put("addresses", list(address.map(|address| labelled(address, "primary", json!(true)))));
            put("phoneNumbers", list(slack::phone_elements(phone.as_deref(), mobile.as_deref())));
        }
        Dialect::Rfc => {
            let second = second.as_deref().map(rfc::second_email);
            put("emails", list(email.as_deref().map(rfc::primary_email).into_iter().chain(second)));
            put("photos", list(value(Attribute::Photo).as_deref().map(rfc::photo)));
            put("addresses", list(address.map(|address| labelled(address, "type", json!("work")))));
            let mobile = mobile.as_deref().map(rfc::mobile);
            put("phoneNumbers", list(phone.as_deref().map(rfc::phone).into_iter().chain(mobile)));
        }
    }
    put("userType", text(Attribute::UserType));
    put("roles", list(value(Attribute::Role).map(|value| json!({ "value": value, "primary": true }))));
    put("preferredLanguage", text(Attribute::PreferredLanguage));
    put("locale", text(Attribute::Locale));

    let manager_key = if dialect == Dialect::Slack { "managerId" } else { "value" };
    let enterprise = object([
        ("employeeNumber", text(Attribute::EmployeeNumber)),
        ("costCenter", text(Attribute::CostCenter)),
        ("organization", text(Attribute::Organization)),
        ("division", text(Attribute::Division)),
        ("department", text(Attribute::Department)),
        ("manager", object([(manager_key, text(Attribute::Manager))])),
    ]);
    let profile = object([("startDate", text(Attribute::StartDate))]);
    let expiration = value(Attribute::GuestExpires);
    let is_guest = expiration.is_some() || value(Attribute::Guest).as_deref() == Some("true");
    let guest = is_guest.then(|| slack::guest_object(expiration));

    let mut schemas = vec![CORE_USER];
    for (urn, extension) in [(ENTERPRISE, enterprise), (SLACK_PROFILE, profile), (SLACK_GUEST, guest)] {
        if extension.is_some() {
            schemas.push(urn);
        }
        put(urn, extension);
    }
    body.insert("schemas".to_owned(), json!(schemas));
    Json::Object(body)
}

/// An object of the members that have a value; `None` when none has.
fn object<const N: usize>(members: [(&str, Option<Json>); N]) -> Option<Json> {
    let object: Map<String, Json> =
        members.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect();
    (!object.is_empty()).then_some(Json::Object(object))
}

fn list(elements: impl IntoIterator<Item = Json>) -> Option<Json> {
    let elements: Vec<Json> = elements.into_iter().collect();
    (!elements.is_empty()).then_some(Json::Array(elements))
}

fn labelled(mut element: Map<String, Json>, key: &str, value: Json) -> Json {
    element.insert(key.to_owned(), value);
    Json::Object(element)
}
