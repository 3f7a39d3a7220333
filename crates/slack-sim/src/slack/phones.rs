//! The two phone slots and their inverted labels (S6, "Phone numbers").

use serde_json::{Map, Value};

use super::patch::Op;
use super::render::phones as slots;
use super::slots::{elements, is_type, primary_of, selected, text_of};
use super::user::User;
use crate::errors::{Answered, Refusal};
use crate::scim::path::PatchPath;

const INVALID: &str = "phoneNumbers_invalid";

/// Sets both slots from a whole list; a slot that the list does not fill becomes empty.
pub(crate) fn set(user: &mut User, value: &Value) -> Answered<()> {
    let (phone, mobile) = read(value)?;
    user.phone = phone;
    user.mobile_phone = mobile;
    Ok(())
}

/// A PATCH operation whose path begins with `phoneNumbers`.
pub(crate) fn patch(user: &mut User, op: Op, path: &PatchPath, value: &Value) -> Answered<()> {
    if path.filter.is_none() && path.attribute.sub.is_none() {
        match op {
            Op::Remove => (user.phone, user.mobile_phone) = (None, None),
            Op::Replace => set(user, value)?,
            Op::Add => {
                let (phone, mobile) = read(value)?;
                user.phone = phone.or(user.phone.take());
                user.mobile_phone = mobile.or(user.mobile_phone.take());
            }
        }
        return Ok(());
    }
    // An empty slot is shown with a null, but it is no element that a filter could mean.
    let shown = slots(user);
    let places: Vec<usize> = selected(&shown, path.filter.as_ref())
        .into_iter()
        .filter(|place| !shown[*place]["value"].is_null())
        .collect();
    if places.is_empty() && op != Op::Remove {
        return Err(Refusal::code(INVALID));
    }
    for place in places {
        let new = match (op, path.attribute.sub.as_deref(), value) {
            (Op::Remove, _, _) => None,
            (_, Some(sub), _) if !sub.eq_ignore_ascii_case("value") => continue,
            (_, Some(_), Value::String(text)) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            (_, None, Value::Object(object)) => text_of(object, "value", INVALID)?,
            _ => return Err(Refusal::code(INVALID)),
        };
        if place == 0 {
            user.mobile_phone = new;
        } else {
            user.phone = new;
        }
    }
    Ok(())
}

/// Which number is Slack's primaryPhone and which its mobilePhone.
fn read(value: &Value) -> Answered<(Option<String>, Option<String>)> {
    let mut numbers = Vec::new();
    for element in elements(value, false, INVALID)? {
        if let Some(number) = text_of(&element, "value", INVALID)? {
            numbers.push((element, number));
        }
    }
    if let [(element, number)] = numbers.as_slice() {
        // "it becomes mobilePhone only with `type:"work"`", and `primary:true` is listed for primaryPhone.
        let mobile = is_type(element, "work") && primary_of(element) != Some(true);
        return Ok(if mobile { (None, Some(number.clone())) } else { (Some(number.clone()), None) });
    }
    // Two numbers: `primary:true`, or `type:"mobile"`, or the one that is not `type:"work"`, is the primaryPhone.
    let place = |wanted: &dyn Fn(&Map<String, Value>) -> bool| {
        numbers.iter().position(|(element, _)| wanted(element))
    };
    let primary = place(&|element| primary_of(element) == Some(true))
        .or_else(|| place(&|element| is_type(element, "mobile")))
        .or_else(|| place(&|element| !is_type(element, "work")))
        .unwrap_or_default();
    let others = || numbers.iter().enumerate().filter(|(at, _)| *at != primary).map(|(_, number)| number);
    let mobile = others().find(|(element, _)| is_type(element, "work")).or_else(|| others().next());
    Ok((numbers.get(primary).map(|(_, number)| number.clone()), mobile.map(|(_, number)| number.clone())))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rows_of_s6() {
        let read = |value: Value| read(&value).unwrap();
        let (one, two) = (Some("1".to_owned()), Some("2".to_owned()));
        for element in
            [json!({}), json!({ "primary": true }), json!({ "primary": false }), json!({ "type": "mobile" })]
        {
            let mut element = element;
            element["value"] = "1".into();
            assert_eq!(read(json!([element])), (one.clone(), None), "{element}");
        }
        assert_eq!(read(json!([{ "value": "1", "type": "work" }])), (None, one.clone()));
        for pair in [
            json!([{ "value": "1", "primary": true }, { "value": "2", "primary": false }]),
            json!([{ "value": "2", "type": "work" }, { "value": "1", "type": "mobile" }]),
            json!([{ "value": "1", "primary": true }, { "value": "2" }]),
        ] {
            assert_eq!(read(pair.clone()), (one.clone(), two.clone()), "{pair}");
        }
    }
}
