//! Slack's slots as the sheet has them (S6): two addresses, two phone numbers under inverted labels, one postal address,
//! one role, one photo. Everything else is left to the RFC's engine.

use crate::engine::{Filter, apply_one, parse_path};
use serde_json::{Value as Json, json};

const GRAVATAR: &str = "https://secure.gravatar.com/avatar/00.jpg?s=192";

/// Applies the body of a PATCH as Slack would.
pub(crate) fn apply(user: &mut Json, body: &Json) -> Result<(), String> {
    for operation in body["Operations"].as_array().ok_or("no Operations")? {
        let path = parse_path(operation["path"].as_str().ok_or("no path")?)?;
        let op = operation["op"].as_str().ok_or("no op")?;
        let value = &operation["value"];
        match path.attribute.as_deref() {
            Some("emails") => emails(user, op, path.filter.as_ref(), value)?,
            Some("phoneNumbers") => phones(user, op, path.filter.as_ref(), value)?,
            Some(list @ ("addresses" | "roles")) => one_kept(user, list, op, value)?,
            Some("photos") => match (op, value.as_array()) {
                ("add", Some(_)) => {
                    user["photos"] = json!([{ "value": "https://avatars.example/1.png", "type": "photo" }]);
                }
                ("replace", Some(list)) if list.is_empty() => {
                    user["photos"] = json!([{ "value": GRAVATAR, "type": "photo" }]);
                }
                _ => return Err(format!("{op} photos")),
            },
            _ => apply_one(user, operation)?,
        }
    }
    Ok(())
}

fn slot(list: &Json, is_ours: impl Fn(&Json) -> bool) -> Option<String> {
    let element = list.as_array()?.iter().find(|element| is_ours(element))?;
    element["value"].as_str().filter(|value| !value.is_empty()).map(str::to_owned)
}

/// The value a filter asks for; which of two slots it means is the caller's business.
fn by_value(filter: &Filter) -> Option<String> {
    match filter {
        Filter::Eq(name, Json::String(value)) if name == "value" => Some(value.to_lowercase()),
        _ => None,
    }
}

fn emails(user: &mut Json, op: &str, filter: Option<&Filter>, value: &Json) -> Result<(), String> {
    let mut primary = slot(&user["emails"], |e| e["primary"] == json!(true));
    let mut second = slot(&user["emails"], |e| e["primary"] != json!(true));
    let text = value.as_str().or_else(|| value["value"].as_str()).map(str::to_owned);
    let is =
        |slot: &Option<String>, value: &str| slot.as_ref().is_some_and(|slot| slot.to_lowercase() == value);
    match (op, filter) {
        ("add", None) => {
            for element in value.as_array().ok_or("add emails takes an array")? {
                let text = element["value"].as_str().map(str::to_owned);
                if element["primary"] == json!(true) { primary = text } else { second = text }
            }
        }
        ("replace", Some(Filter::Eq(name, Json::Bool(true)))) if name == "primary" => primary = text,
        (_, Some(Filter::Eq(name, Json::Bool(false)))) if name == "primary" => {
            if second.is_none() {
                return Err("no second address".to_owned());
            }
            second = text;
        }
        (_, Some(filter)) => {
            let wanted = by_value(filter).ok_or("an unknown filter")?;
            if !is(&primary, &wanted) && !is(&second, &wanted) {
                return Err("nothing fits".to_owned());
            }
            if is(&primary, &wanted) {
                primary.clone_from(&text);
            }
            if is(&second, &wanted) {
                second = text;
            }
        }
        _ => return Err(format!("{op} emails")),
    }
    let primary = primary.ok_or("missing_primary_email")?;
    if second.as_ref().is_some_and(|second| second.to_lowercase() == primary.to_lowercase()) {
        return Err("one address twice".to_owned());
    }
    let mut list = vec![json!({ "value": primary, "primary": true })];
    list.extend(second.map(|second| json!({ "value": second, "primary": false })));
    user["emails"] = json!(list);
    Ok(())
}

fn phones(user: &mut Json, op: &str, filter: Option<&Filter>, value: &Json) -> Result<(), String> {
    let mut mobile = slot(&user["phoneNumbers"], |e| e["type"] == json!("mobile"));
    let mut phone = slot(&user["phoneNumbers"], |e| e["primary"] == json!(true));
    match (op, filter) {
        ("add", None) => {
            let text = |element: &Json| element["value"].as_str().map(str::to_owned);
            match value.as_array().ok_or("add phoneNumbers takes an array")?.as_slice() {
                [one] if one["type"] == json!("work") => mobile = text(one),
                [one] => phone = text(one),
                [a, b] if a["primary"] == json!(true) && b["primary"] != json!(true) => {
                    (phone, mobile) = (text(a), text(b));
                }
                _ => return Err("an undocumented pair".to_owned()),
            }
        }
        ("remove", None) => (phone, mobile) = (None, None),
        (_, Some(filter)) => {
            let wanted = by_value(filter).ok_or("an unknown filter")?;
            let new = value.as_str().map(str::to_owned);
            let mut fits = 0;
            for slot in [&mut phone, &mut mobile] {
                if slot.as_ref().is_some_and(|slot| slot.to_lowercase() == wanted) {
                    slot.clone_from(&new);
                    fits += 1;
                }
            }
            if fits != 1 {
                return Err(format!("{fits} numbers fit"));
            }
        }
        _ => return Err(format!("{op} phoneNumbers")),
    }
    user["phoneNumbers"] =
        json!([{ "value": mobile, "type": "mobile" }, { "value": phone, "primary": true }]);
    Ok(())
}

/// A list of one. What a second one would do to the first is not documented, so it is an error here.
fn one_kept(user: &mut Json, list: &str, op: &str, value: &Json) -> Result<(), String> {
    let is_set = |e: &Json| e.as_object().is_some_and(|e| e.iter().any(|(_, v)| v.is_string()));
    match op {
        "remove" => user[list] = json!([]),
        "add" if user[list].as_array().is_some_and(|list| list.iter().any(is_set)) => {
            return Err(format!("a second of {list}"));
        }
        "add" => user[list] = value.clone(),
        _ => return Err(format!("{op} {list}")),
    }
    Ok(())
}
