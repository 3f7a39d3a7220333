//! Slack's slots and spellings (sheet S6, S11).

use super::patch::{Operation, Piece};
use super::question::Question;
use super::slots::{self, SlotEdit, after, edit, live, value_filter, wanted};
use model::attribute::{ENTERPRISE, SLACK_GUEST, SLACK_PROFILE};
use model::names::fold;
use model::{Attribute, Dialect, Edit};
use serde_json::{Map, Value as Json, json};

type Siblings<'a> = &'a [(Attribute, Box<str>)];

/// The two addresses. The filters name `primary` rather than a value where they can, because the primary address
/// may be changed but never removed (sheet S6: `missing_primary_email`).
pub(super) fn emails(edits: &[Edit], siblings: Siblings<'_>) -> Vec<Piece> {
    let primary = edit(edits, Attribute::Email).and_then(after);
    let second = edit(edits, Attribute::SecondaryEmail);
    let live_primary = live(edits, siblings, Attribute::Email);
    let live_second = live(edits, siblings, Attribute::SecondaryEmail);
    let same = |a: Option<&str>, b: Option<&str>| a.is_some() && a.map(fold) == b.map(fold);

    let second_after = second.and_then(after);
    // An address never stands twice in the account, not even between two operations of one request.
    let trade = second_after.is_some()
        && live_second.is_some()
        && (same(primary.as_deref(), live_second)
            || (primary.is_some() && same(second_after.as_deref(), live_primary)));
    let mut pieces = Vec::new();
    if let Some(old) = live_second.filter(|_| second.is_some() && (second_after.is_none() || trade)) {
        let filter =
            if same(live_primary, Some(old)) { "primary eq false".to_owned() } else { value_filter(old) };
        pieces.push(Operation::remove(format!("emails[{filter}]")).into());
    }
    if let Some(new) = &primary {
        let add = Operation::add("emails", json!([{ "value": new, "primary": true }]));
        pieces.push(match live_primary {
            Some(_) => {
                let replace = Operation::replace("emails[primary eq true].value", json!(new));
                Piece::or(replace, Question::PrimaryEmail, add)
            }
            None => add.into(),
        });
    }
    if let Some(new) = &second_after {
        let element = json!({ "value": new, "primary": false });
        pieces.push(match live_second.filter(|_| !trade) {
            Some(old) => Piece::or(
                Operation::replace("emails[primary eq false]", element),
                Question::SecondEmail,
                Operation::replace(format!("emails[{}].value", value_filter(old)), json!(new)),
            ),
            None => Operation::add("emails", json!([element])).into(),
        });
    }
    pieces
}

/// The elements of a request that set these phone numbers. Slack's labels are inverted between request and answer,
/// and a single number goes to the mobile slot only when it is called `work` (sheet S6).
pub(super) fn phone_elements(phone: Option<&str>, mobile: Option<&str>) -> Vec<Json> {
    match (phone, mobile) {
        (Some(phone), Some(mobile)) => {
            vec![json!({ "value": phone, "primary": true }), json!({ "value": mobile, "primary": false })]
        }
        (Some(phone), None) => vec![json!({ "value": phone, "primary": true })],
        (None, Some(mobile)) => vec![json!({ "value": mobile, "type": "work" })],
        (None, None) => Vec::new(),
    }
}

/// The two phone numbers, picked by their values: the only filter that Slack documents for them (sheet S11).
pub(super) fn phones(edits: &[Edit], siblings: Siblings<'_>) -> Vec<Piece> {
    const BOTH: [Attribute; 2] = [Attribute::Phone, Attribute::MobilePhone];
    let now = BOTH.map(|slot| live(edits, siblings, slot));
    let next = BOTH.map(|slot| wanted(edits, siblings, slot));
    let [phone, mobile] = &next;
    let add_pair = || {
        let elements = phone_elements(phone.as_deref(), mobile.as_deref());
        (!elements.is_empty()).then(|| Operation::add("phoneNumbers", Json::Array(elements)))
    };
    if !BOTH.iter().any(|slot| edit(edits, *slot).is_some()) {
        return Vec::new();
    }
    if now == [None, None] {
        return add_pair().map(Piece::from).into_iter().collect();
    }
    let slots = BOTH
        .into_iter()
        .zip(now)
        .filter_map(|(slot, before)| {
            let after = after(edit(edits, slot)?);
            let fresh = match slot {
                Attribute::Phone => phone_elements(after.as_deref(), None),
                _ => phone_elements(None, after.as_deref()),
            };
            let fresh = fresh.into_iter().next().unwrap_or(Json::Null);
            let filter = before.map(value_filter).unwrap_or_default();
            Some(SlotEdit { before: before.map(Into::into), after, filter, fresh })
        })
        .collect();
    let twins = matches!(now, [Some(phone), Some(mobile)] if fold(phone) == fold(mobile));
    let operations = if twins { None } else { slots::operations("phoneNumbers", slots) };
    // Where values cannot tell the two apart, both are written anew.
    let operations = operations
        .unwrap_or_else(|| std::iter::once(Operation::remove("phoneNumbers")).chain(add_pair()).collect());
    operations.into_iter().map(Piece::from).collect()
}

/// The one address (sheet S6), written as a whole: Slack documents no path into it.
pub(super) fn address(edits: &[Edit], siblings: Siblings<'_>) -> Vec<Piece> {
    if !ADDRESS.iter().any(|(part, _)| edit(edits, *part).is_some()) {
        return Vec::new();
    }
    let had_one = ADDRESS.iter().any(|(part, _)| live(edits, siblings, *part).is_some());
    let element = address_element(|part| wanted(edits, siblings, part));
    let mut operations = Vec::new();
    if had_one {
        operations.push(Operation::remove("addresses"));
    }
    if let Some(mut element) = element {
        element.insert("primary".to_owned(), json!(true));
        operations.push(Operation::add("addresses", json!([element])));
    }
    operations.into_iter().map(Piece::from).collect()
}

/// The parts of an address with their names on the wire.
pub(super) const ADDRESS: [(Attribute, &str); 5] = [
    (Attribute::StreetAddress, "streetAddress"),
    (Attribute::Locality, "locality"),
    (Attribute::Region, "region"),
    (Attribute::PostalCode, "postalCode"),
    (Attribute::Country, "country"),
];

/// An address of the parts that have a value; `None` when none has.
pub(super) fn address_element(part: impl Fn(Attribute) -> Option<String>) -> Option<Map<String, Json>> {
    let element: Map<String, Json> = ADDRESS
        .iter()
        .filter_map(|(attribute, name)| Some(((*name).to_owned(), json!(part(*attribute)?))))
        .collect();
    (!element.is_empty()).then_some(element)
}

/// The one role (sheet S6).
pub(super) fn role(edit: &Edit) -> Vec<Piece> {
    let mut operations = Vec::new();
    if edit.before.is_some() {
        operations.push(Operation::remove("roles"));
    }
    if let Some(new) = after(edit) {
        operations.push(Operation::add("roles", json!([{ "value": new, "primary": true }])));
    }
    operations.into_iter().map(Piece::from).collect()
}

/// The photo.
pub(super) fn photo(edit: &Edit) -> Piece {
    if let Some(new) = after(edit) {
        return Operation::add("photos", json!([{ "value": new, "type": "photo" }])).into();
    }
    let remove = Operation::remove("photos");
    Piece::or(Operation::replace("photos", json!([])), Question::ClearedPhoto, remove)
}

/// A text of the enterprise extension.
pub(super) fn enterprise_text(edit: &Edit) -> Piece {
    let path = edit.attribute.row().path;
    let name = path.strip_prefix(ENTERPRISE).and_then(|name| name.strip_prefix(':')).unwrap_or(path);
    let object = |value: &str| Operation::add(ENTERPRISE, json!({ name: value }));
    let Some(new) = after(edit) else {
        let by_dot = Operation::remove(format!("{ENTERPRISE}.{name}"));
        return Piece::or(Operation::remove(path), Question::ExtensionPath, by_dot)
            .and_or(Question::ClearedExtension, object(""));
    };
    // Where empty texts clear, the request may have to do without any colon.
    Piece::or(Operation::add(path, json!(new)), Question::ExtensionPath, object(&new))
        .along_with(Question::ClearedExtension, object(&new))
}

/// The manager: `managerId` where the RFC has `value` (sheet S6).
pub(super) fn manager(edit: &Edit) -> Piece {
    let Some(id) = after(edit) else {
        let first = Operation::remove(format!("{ENTERPRISE}:manager.managerId"));
        let by_dot = Operation::remove(format!("{ENTERPRISE}.manager.managerId"));
        return Piece::or(first, Question::Manager, by_dot.clone())
            .along_with(Question::ExtensionPath, by_dot);
    };
    let first = Operation::add(format!("{ENTERPRISE}:manager"), json!({ "managerId": id }));
    let object = Operation::add(ENTERPRISE, json!({ "manager": { "managerId": id } }));
    Piece::or(first, Question::Manager, object.clone())
        .along_with(Question::ExtensionPath, object.clone())
        .along_with(Question::ClearedExtension, object)
}

/// The start date.
pub(super) fn start_date(edit: &Edit, dialect: Dialect) -> Piece {
    let new = after(edit);
    let at = |separator: char| {
        let path = format!("{SLACK_PROFILE}{separator}startDate");
        match &new {
            Some(new) => Operation::add(path, json!(new)),
            None => Operation::remove(path),
        }
    };
    let object = Operation::add(SLACK_PROFILE, json!({ "startDate": new.as_deref().unwrap_or_default() }));
    let piece = Piece::or(at(':'), Question::StartDate, object);
    match dialect {
        Dialect::Slack => piece.and_or(Question::ExtensionPath, at('.')),
        Dialect::Rfc => piece,
    }
}

/// What makes a guest, a full member, or changes when a guest's account ends.
pub(super) fn guest(edits: &[Edit]) -> Option<Piece> {
    let expires = edit(edits, Attribute::GuestExpires);
    let is_guest =
        edit(edits, Attribute::Guest).map(|edit| edit.after.as_ref().is_some_and(|v| v.text() == "true"));
    if is_guest == Some(false) {
        return Some(Operation::remove(SLACK_GUEST).into());
    }
    let expiration = expires.and_then(after);
    if is_guest == Some(true) || expiration.is_some() {
        return Some(Operation::add(SLACK_GUEST, guest_object(expiration)).into());
    }
    expires.map(|_| {
        let by_dot = Operation::remove(format!("{SLACK_GUEST}.expiration"));
        Piece::or(
            Operation::remove(format!("{SLACK_GUEST}:expiration")),
            Question::GuestExpiry,
            by_dot.clone(),
        )
        .along_with(Question::ExtensionPath, by_dot)
    })
}

/// The guest extension; `multi` is the only type there is (sheet S6).
pub(super) fn guest_object(expiration: Option<String>) -> Json {
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("multi"));
    if let Some(expiration) = expiration {
        object.insert("expiration".to_owned(), json!(expiration));
    }
    Json::Object(object)
}
