//! Lists of which Slack keeps one or two elements, as slots that a PATCH filter can point at.

use serde_json::{Map, Value};

use crate::errors::{Answered, Refusal};
use crate::scim::filter::Filter;
use crate::scim::matching::member;

/// The elements of a multi-valued attribute as sent: an array, one object, or (where `strings` says so) bare strings.
/// Bare strings become `{"value": …}`. `code` is the refusal of anything else.
pub(crate) fn elements(value: &Value, strings: bool, code: &str) -> Answered<Vec<Map<String, Value>>> {
    let one = std::slice::from_ref(value);
    let found = match value {
        Value::Array(elements) => elements.as_slice(),
        Value::Null => &[],
        _ => one,
    };
    found
        .iter()
        .map(|element| match element {
            Value::Object(object) => Ok(object.clone()),
            Value::String(_) if strings => Ok(Map::from_iter([("value".to_owned(), element.clone())])),
            _ => Err(Refusal::code(code)),
        })
        .collect()
}

/// The sub-attribute `name` of an element as a trimmed text; `None` where it is missing, null or empty.
pub(crate) fn text_of(element: &Map<String, Value>, name: &str, code: &str) -> Answered<Option<String>> {
    match member(element, name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(Value::Number(number)) => Ok(Some(number.to_string())),
        Some(_) => Err(Refusal::code(code)),
    }
}

/// `primary` of an element. Slack's own example sends it as a string in `roles` (Appendix A).
pub(crate) fn primary_of(element: &Map<String, Value>) -> Option<bool> {
    match member(element, "primary") {
        Some(Value::Bool(primary)) => Some(*primary),
        Some(Value::String(text)) => Some(text.eq_ignore_ascii_case("true")),
        _ => None,
    }
}

/// Whether an element's `type` is this.
pub(crate) fn is_type(element: &Map<String, Value>, wanted: &str) -> bool {
    member(element, "type").and_then(Value::as_str).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
}

/// The place of the element that is the primary one: `primary:true`, else `type:"work"`, else the first (S6).
pub(crate) fn primary_place(elements: &[Map<String, Value>]) -> usize {
    let first = |wanted: &dyn Fn(&Map<String, Value>) -> bool| elements.iter().position(wanted);
    first(&|element| primary_of(element) == Some(true))
        .or_else(|| first(&|element| is_type(element, "work")))
        .unwrap_or_default()
}

/// Which slots, as shown in responses, meet the filter of a path.
pub(crate) fn selected(slots: &[Value], filter: Option<&Filter>) -> Vec<usize> {
    let meets = |slot: &Value| filter.is_none_or(|filter| filter.matches(slot, &|_| false));
    (0..slots.len()).filter(|place| meets(&slots[*place])).collect()
}
