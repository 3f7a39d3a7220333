//! The two e-mail slots (S6, "E-mails").

use serde_json::{Map, Value, json};

use super::names::is_email;
use super::patch::Op;
use super::slots::{elements, primary_of, primary_place, selected, text_of};
use super::user::User;
use crate::errors::{Answered, Refusal};
use crate::scim::path::PatchPath;
use crate::switches::{ReplaceEmails, SecondPrimary, Switches};

const INVALID: &str = "emails_invalid";

/// Sets both slots from a whole list: POST, PUT, and PATCH where it replaces.
pub(crate) fn set(user: &mut User, value: &Value) -> Answered<()> {
    let found = read(value)?;
    let Some(first) = found.get(primary_place(&found)) else {
        return Err(Refusal::code("missing_primary_email"));
    };
    let primary = address(first)?;
    let others = found.iter().filter(|element| !std::ptr::eq(*element, first));
    let secondary = others.map(address).next().transpose()?.filter(|other| !same(other, &primary));
    user.email = primary;
    user.secondary_email = secondary;
    Ok(())
}

/// A PATCH operation whose path begins with `emails`.
pub(crate) fn patch(
    user: &mut User,
    op: Op,
    path: &PatchPath,
    value: &Value,
    switches: &Switches,
) -> Answered<()> {
    match (&path.filter, &path.attribute.sub) {
        (None, None) => match (op, switches.replace_emails) {
            // S6: "`remove` path `emails` drops only the secondary".
            (Op::Remove, _) => {
                user.secondary_email = None;
                Ok(())
            }
            (Op::Replace, ReplaceEmails::Replaces) => set(user, value),
            (Op::Replace, ReplaceEmails::Refused) => Err(Refusal::code("invalid_request_payload")),
            (Op::Replace, ReplaceEmails::Merges) if elements(value, false, INVALID)?.is_empty() => {
                Err(Refusal::code("missing_primary_email"))
            }
            _ => merge(user, value, switches),
        },
        (filter, sub) => {
            let slots = slots(user);
            let places = selected(&slots, filter.as_ref());
            if places.is_empty() && op != Op::Remove {
                return Err(Refusal::code(INVALID));
            }
            for place in places {
                patch_slot(user, place, op, sub.as_deref(), value)?;
            }
            Ok(())
        }
    }
}

fn patch_slot(user: &mut User, place: usize, op: Op, sub: Option<&str>, value: &Value) -> Answered<()> {
    let is_value = sub.is_none_or(|sub| sub.eq_ignore_ascii_case("value"));
    match (op, place) {
        // `type` is not kept (S5), so there is nothing to do; `primary` follows the slot.
        (_, _) if !is_value => return Ok(()),
        (Op::Remove, 0) => return Err(Refusal::code("missing_primary_email")),
        (Op::Remove, _) => user.secondary_email = None,
        (_, place) => {
            let element = match (sub, value) {
                (None, Value::Object(object)) => object.clone(),
                (_, Value::String(text)) => Map::from_iter([("value".to_owned(), json!(text))]),
                (None, Value::Array(list)) if list.len() == 1 => {
                    return patch_slot(user, place, op, sub, &list[0]);
                }
                _ => return Err(Refusal::code(INVALID)),
            };
            let new = address(&element)?;
            if place == 0 {
                user.email = new;
            } else if primary_of(&element) == Some(true) {
                user.email = new;
                user.secondary_email = None;
            } else {
                user.secondary_email = Some(new);
            }
        }
    }
    Ok(())
}

/// Adds to what is there: an element marked primary takes the first slot, any other the second; a list of several
/// without a mark is a whole list (S11: "`add` (array, or one object)").
fn merge(user: &mut User, value: &Value, switches: &Switches) -> Answered<()> {
    let found = read(value)?;
    let primary = found.iter().find(|element| primary_of(element) == Some(true));
    if let Some(primary) = primary {
        let new = address(primary)?;
        // S6: "adding/replacing `emails` with another `primary:true` element raised a 'more than one primary
        // element' conflict" in one org, while Slack's documents show whole arrays.
        if switches.second_primary == SecondPrimary::Refused && !same(&new, &user.email) {
            return Err(Refusal::code(INVALID).with("(more than one primary element)").status(409));
        }
        if user.secondary_email.as_ref().is_some_and(|secondary| same(secondary, &new)) {
            user.secondary_email = None;
        }
        user.email = new;
    } else if found.len() > 1 {
        return set(user, value);
    }
    for element in found.iter().filter(|element| primary_of(element) != Some(true)) {
        let new = address(element)?;
        if !same(&new, &user.email) {
            user.secondary_email = Some(new);
        }
    }
    Ok(())
}

/// The elements, without those whose value is empty.
fn read(value: &Value) -> Answered<Vec<Map<String, Value>>> {
    let found = elements(value, false, INVALID)?;
    let several = found.len() > 1;
    let mut kept = Vec::new();
    for element in found {
        match text_of(&element, "value", INVALID)? {
            Some(_) => kept.push(element),
            // A reader that sends back the empty second slot of S5 means nothing by it.
            None if several => {}
            None => return Err(Refusal::code("email_empty")),
        }
    }
    Ok(kept)
}

fn address(element: &Map<String, Value>) -> Answered<String> {
    let text = text_of(element, "value", INVALID)?.ok_or_else(|| Refusal::code("email_empty"))?;
    if is_email(&text) { Ok(text) } else { Err(Refusal::code("bad_email_address")) }
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

fn slots(user: &User) -> Vec<Value> {
    let mut slots = vec![json!({ "value": user.email, "primary": true })];
    slots.extend(user.secondary_email.as_ref().map(|value| json!({ "value": value, "primary": false })));
    slots
}
