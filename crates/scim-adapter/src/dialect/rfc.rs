//! The slots of a service that keeps to RFC 7643: any number of elements, of which a roster key means one.

use super::patch::{Operation, Piece};
use super::selector;
use super::slack::{ADDRESS, address_element};
use super::slots::{self, SlotEdit, after, edit, value_filter};
use model::attribute::ENTERPRISE;
use model::{Attribute, Edit};
use serde_json::{Value as Json, json};

/// The element that is added for a value.
type Label = fn(&str) -> Json;

/// One element of a multi-valued attribute whose `value` is the roster's value.
fn slot(edit: &Edit, label: Label) -> SlotEdit {
    let after = after(edit);
    let before = edit.before.clone().filter(|value| !value.trim().is_empty());
    let filter = match (&edit.selector, &before) {
        (Some(selector), _) => selector.to_string(),
        (None, Some(before)) => value_filter(before),
        (None, None) => String::new(),
    };
    let fresh = after.as_deref().map_or(Json::Null, label);
    SlotEdit { before, after, filter, fresh }
}

/// The operations of the slots of one attribute. Where two elements that only their values tell apart change
/// places, the second is written anew, so that no filter ever fits both.
fn slots(path: &str, slots: &[SlotEdit]) -> Vec<Piece> {
    let operations = slots::operations(path, slots.to_vec()).unwrap_or_else(|| {
        let anew = slots.iter().rev().take(1);
        let rest = slots.iter().rev().skip(1).cloned().collect();
        let removals = anew.clone().map(|slot| Operation::remove(format!("{path}[{}]", slot.filter)));
        let additions = anew.map(|slot| Operation::add(path, json!([slot.fresh])));
        removals.chain(slots::operations(path, rest).unwrap_or_default()).chain(additions).collect()
    });
    operations.into_iter().map(Piece::from).collect()
}

fn of(edits: &[Edit], path: &str, attributes: &[(Attribute, Label)]) -> Vec<Piece> {
    let list =
        attributes.iter().filter_map(|(attribute, label)| Some(slot(edit(edits, *attribute)?, *label)));
    slots(path, &list.collect::<Vec<_>>())
}

/// The primary address, as it is added.
pub(super) fn primary_email(value: &str) -> Json {
    json!({ "value": value, "type": "work", "primary": true })
}

/// The second address, as it is added.
pub(super) fn second_email(value: &str) -> Json {
    json!({ "value": value, "type": "other", "primary": false })
}

/// A phone number, as it is added.
pub(super) fn phone(value: &str) -> Json {
    json!({ "value": value, "type": "work" })
}

/// A mobile phone number, as it is added.
pub(super) fn mobile(value: &str) -> Json {
    json!({ "value": value, "type": "mobile" })
}

/// A photo, as it is added.
pub(super) fn photo(value: &str) -> Json {
    json!({ "value": value, "type": "photo" })
}

/// A role, as it is added.
pub(super) fn role(value: &str) -> Json {
    json!({ "value": value, "primary": true })
}

pub(super) fn emails(edits: &[Edit]) -> Vec<Piece> {
    of(edits, "emails", &[(Attribute::Email, primary_email), (Attribute::SecondaryEmail, second_email)])
}

pub(super) fn phones(edits: &[Edit]) -> Vec<Piece> {
    of(edits, "phoneNumbers", &[(Attribute::Phone, phone), (Attribute::MobilePhone, mobile)])
}

pub(super) fn photos(edits: &[Edit]) -> Vec<Piece> {
    of(edits, "photos", &[(Attribute::Photo, photo)])
}

pub(super) fn roles(edits: &[Edit]) -> Vec<Piece> {
    of(edits, "roles", &[(Attribute::Role, role)])
}

/// The address, part by part, so that what the roster does not know of (`formatted`, `type`) stays.
pub(super) fn address(edits: &[Edit]) -> Vec<Piece> {
    let edited: Vec<(&Edit, &str)> =
        ADDRESS.iter().filter_map(|(part, name)| Some((edit(edits, *part)?, *name))).collect();
    let Some(selector) = edited.iter().find_map(|(edit, _)| edit.selector.as_deref()) else {
        let element = address_element(|part| after(edit(edits, part)?));
        let add = element.map(|mut element| {
            element.insert("type".to_owned(), json!("work"));
            Operation::add("addresses", json!([element])).into()
        });
        return add.into_iter().collect();
    };
    let mut filter = selector.to_owned();
    // Parts by which the filter finds the address change last, and the filter then finds it by what they have become.
    // Of these, what is set changes before what is not: where only a lack tells two addresses apart, filling it first
    // would make them the same.
    let (mut last, first): (Vec<_>, Vec<_>) = edited
        .into_iter()
        .partition(|(edit, name)| selector.contains(&part_term(name, edit.before.as_deref())));
    last.sort_by_key(|(edit, _)| edit.before.is_none());
    let operations = first.into_iter().chain(last).map(|(edit, name)| {
        let path = format!("addresses[{filter}].{name}");
        let after = after(edit);
        filter = filter.replace(&part_term(name, edit.before.as_deref()), &part_term(name, after.as_deref()));
        match after {
            Some(new) => Operation::replace(path, json!(new)),
            None => Operation::remove(path),
        }
        .into()
    });
    operations.collect()
}

/// What a filter says of a part of an address.
fn part_term(name: &str, value: Option<&str>) -> String {
    selector::term(name, selector::text(value).as_ref())
}

/// The manager (RFC 7643 §4.3). An `add` to one that is set would keep the old one's `$ref` and `displayName` beside
/// the new `value` (RFC 7644 §3.5.2.1: what is not named stays).
pub(super) fn manager(edit: &Edit) -> Piece {
    let path = format!("{ENTERPRISE}:manager");
    match after(edit) {
        Some(id) if edit.before.as_deref().is_some_and(|before| !before.trim().is_empty()) => {
            Operation::replace(path, json!({ "value": id }))
        }
        Some(id) => Operation::add(path, json!({ "value": id })),
        None => Operation::remove(path),
    }
    .into()
}
