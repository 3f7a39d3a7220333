//! Slots: two or more roster attributes that live in one multi-valued SCIM attribute.

use super::patch::Operation;
use model::attribute::Value;
use model::names::fold;
use model::{Attribute, Edit, UserRef};
use serde_json::{Value as Json, json};

/// What is asked of one element of a multi-valued attribute.
#[derive(Debug, Clone)]
pub(super) struct SlotEdit {
    /// The value the element has; `None` when the slot is empty.
    pub(super) before: Option<Box<str>>,
    /// The value it is to have; `None` clears the slot.
    pub(super) after: Option<String>,
    /// The filter that picks the live element.
    pub(super) filter: String,
    /// The element that is added when the slot is empty.
    pub(super) fresh: Json,
}

impl SlotEdit {
    /// Whether this operation must come before `other`, because `other` makes an element that this one's filter
    /// would pick as well. The operations of a PATCH are applied in turn (RFC 7644 §3.5.2).
    fn precedes(&self, other: &Self) -> bool {
        let by_value = self.filter.contains("value eq ");
        match (&self.before, &other.after) {
            (Some(before), Some(after)) => by_value && fold(before) == fold(after),
            _ => false,
        }
    }

    fn operation(&self, path: &str) -> Option<Operation> {
        let filter = &self.filter;
        match (&self.before, &self.after) {
            (Some(_), Some(after)) => {
                Some(Operation::replace(format!("{path}[{filter}].value"), json!(after)))
            }
            (Some(_), None) => Some(Operation::remove(format!("{path}[{filter}]"))),
            (None, Some(_)) => Some(Operation::add(path, json!([self.fresh]))),
            (None, None) => None,
        }
    }
}

/// The operations of up to two slots in an order in which no filter picks what an earlier operation made; `None`
/// when no order will do, as when two numbers that are told apart only by their values change places.
pub(super) fn operations(path: &str, mut slots: Vec<SlotEdit>) -> Option<Vec<Operation>> {
    if let [first, second] = slots.as_slice() {
        match (first.precedes(second), second.precedes(first)) {
            (true, true) => return None,
            (false, true) => slots.reverse(),
            _ => {}
        }
    }
    Some(slots.iter().filter_map(|slot| slot.operation(path)).collect())
}

/// The edit of an attribute, if there is one.
pub(super) fn edit(edits: &[Edit], attribute: Attribute) -> Option<&Edit> {
    edits.iter().find(|edit| edit.attribute == attribute)
}

/// The live value of an attribute, whether it changes or not.
pub(super) fn live<'a>(
    edits: &'a [Edit],
    siblings: &'a [(Attribute, Box<str>)],
    attribute: Attribute,
) -> Option<&'a str> {
    let value = match edit(edits, attribute) {
        Some(edit) => edit.before.as_deref(),
        None => siblings.iter().find(|(name, _)| *name == attribute).map(|(_, value)| &**value),
    };
    value.filter(|value| !value.trim().is_empty())
}

/// The value an attribute has once the edits are done.
pub(super) fn wanted(
    edits: &[Edit],
    siblings: &[(Attribute, Box<str>)],
    attribute: Attribute,
) -> Option<String> {
    match edit(edits, attribute) {
        Some(edit) => after(edit),
        None => live(edits, siblings, attribute).map(str::to_owned),
    }
}

/// The text an edit asks for; `None` clears.
pub(super) fn after(edit: &Edit) -> Option<String> {
    edit.after.as_ref().map(Value::<UserRef>::text).filter(|text| !text.trim().is_empty())
}

/// A filter by value, its literal a JSON string (RFC 7644 §3.4.2.2).
pub(super) fn value_filter(value: &str) -> String {
    format!("value eq {}", json!(value))
}
