//! PATCH by RFC 7644 §3.5.2, on a resource as JSON.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::clean::{clean_single, clean_value, invalid_value, primaries, require};
use super::schemas::{Kind, Target};
use crate::errors::{Answered, Refusal};
use crate::schema::{Attribute, Type};
use crate::scim::filter::Filter;
use crate::scim::lexer::Strictness;
use crate::scim::matching::member;
use crate::scim::path::PatchPath;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

fn refuse<T>(scim_type: &'static str, detail: impl Into<String>) -> Answered<T> {
    Err(Refusal::rfc(400, Some(scim_type), detail))
}

/// Carries out all operations of a `PatchOp`, or none of them: the caller keeps the resource only on success.
pub(crate) fn apply(
    kind: &'static Kind,
    resource: &mut Map<String, Value>,
    id: &str,
    body: &Map<String, Value>,
) -> Answered<()> {
    let schemas = member(body, "schemas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let is_patch = |schema: &Value| {
        schema
            .as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case("urn:ietf:params:scim:api:messages:2.0:PatchOp"))
    };
    if !schemas.iter().any(is_patch) {
        return refuse("invalidSyntax", "schemas has to name the PatchOp message");
    }
    let Some(Value::Array(operations)) = member(body, "Operations") else {
        return refuse("invalidSyntax", "Operations is required");
    };
    for operation in operations {
        let Some(operation) = operation.as_object() else {
            return refuse("invalidSyntax", "an operation is an object");
        };
        // RFC 7644 §3.5.2 spells them in lower case; Entra does not.
        let op = match member(operation, "op").and_then(Value::as_str).map(str::to_ascii_lowercase).as_deref()
        {
            Some("add") => Op::Add,
            Some("replace") => Op::Replace,
            Some("remove") => Op::Remove,
            _ => return refuse("invalidSyntax", "op is add, replace or remove"),
        };
        let value = member(operation, "value");
        if value.is_none() && op != Op::Remove {
            return refuse("invalidValue", "value is required");
        }
        let value = value.unwrap_or(&Value::Null);
        match member(operation, "path") {
            None | Some(Value::Null) if op == Op::Remove => return refuse("noTarget", "remove needs a path"),
            None | Some(Value::Null) => apply_all(kind, resource, id, op, value)?,
            Some(Value::String(text)) => {
                let Ok(path) = PatchPath::parse(text, Strictness::Rfc) else {
                    return refuse("invalidPath", format!("the path `{text}` cannot be read"));
                };
                apply_at(kind, resource, op, &path, value)?;
            }
            Some(_) => return refuse("invalidPath", "path is a string"),
        }
    }
    // §3.5.2.2: what is required may not become unassigned.
    require(kind, resource).map_err(|refusal| Refusal { scim_type: Some("mutability"), ..refusal })
}

/// An operation without a path: its value is a set of attributes (§3.5.2.1, §3.5.2.3).
fn apply_all(
    kind: &'static Kind,
    resource: &mut Map<String, Value>,
    id: &str,
    op: Op,
    value: &Value,
) -> Answered<()> {
    let Some(attributes) = value.as_object() else {
        return refuse("invalidValue", "without a path the value is an object");
    };
    for (name, value) in attributes {
        // Saying what the resource is changes nothing.
        if name.eq_ignore_ascii_case("schemas")
            || (name.eq_ignore_ascii_case("id") && value.as_str() == Some(id))
        {
            continue;
        }
        let Ok(path) = PatchPath::parse(name, Strictness::Rfc) else {
            return refuse("invalidPath", format!("`{name}` is no attribute"));
        };
        apply_at(kind, resource, op, &path, value)?;
    }
    Ok(())
}

fn apply_at(
    kind: &'static Kind,
    resource: &mut Map<String, Value>,
    op: Op,
    path: &PatchPath,
    value: &Value,
) -> Answered<()> {
    let Some(target) = kind.resolve(&path.attribute) else {
        return refuse("invalidPath", format!("no attribute is at `{}`", path.text));
    };
    check_mutability(&target, path, op)?;
    let Some(attribute) = target.attribute else {
        return apply_extension(kind, resource, op, &target, value);
    };
    if path.filter.is_some() && !attribute.multi {
        return refuse("invalidPath", format!("`{}` is no list", attribute.name));
    }
    let home = match target.extension {
        None => &mut *resource,
        Some(urn) => match resource.entry(urn.to_owned()).or_insert_with(|| Value::Object(Map::new())) {
            Value::Object(home) => home,
            _ => return refuse("invalidPath", "the extension is no object"),
        },
    };
    let before = home.get(attribute.name).cloned();
    if attribute.multi {
        apply_to_list(kind, home, op, attribute, &target, path, value)?;
    } else {
        apply_to_single(home, op, attribute, target.sub, value)?;
    }
    if let Some(after) = home.get_mut(attribute.name) {
        demote(attribute, before.as_ref(), after)?;
    }
    if let Some(urn) = target.extension
        && resource.get(urn).and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        resource.remove(urn);
    }
    Ok(())
}

/// §3.5.2: "readOnly" and, once set, "immutable" values are not for PATCH.
fn check_mutability(target: &Target, path: &PatchPath, op: Op) -> Answered<()> {
    let read_only =
        |attribute: Option<&Attribute>| attribute.is_some_and(|attribute| attribute.mutability == "readOnly");
    let fixed = target.sub.is_some_and(|sub| sub.mutability == "immutable")
        && (op != Op::Add || path.filter.is_some());
    if read_only(target.attribute) || read_only(target.sub) || fixed {
        return refuse("mutability", format!("`{}` cannot be changed", path.text));
    }
    let required = target.sub.is_none() && target.attribute.is_some_and(|attribute| attribute.required);
    if op == Op::Remove && required {
        return refuse("mutability", format!("`{}` is required", path.text));
    }
    Ok(())
}

/// The URN of an extension as the path: its attributes, as a complex value.
fn apply_extension(
    kind: &'static Kind,
    resource: &mut Map<String, Value>,
    op: Op,
    target: &Target,
    value: &Value,
) -> Answered<()> {
    let urn = target.extension.unwrap_or_default();
    if op == Op::Remove {
        resource.remove(urn);
        return Ok(());
    }
    let Some(attributes) = value.as_object() else {
        return refuse("invalidValue", "an extension is an object");
    };
    for (name, value) in attributes.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("schemas")) {
        let text = format!("{urn}:{name}");
        let Ok(path) = PatchPath::parse(&text, Strictness::Rfc) else { return refuse("invalidPath", text) };
        apply_at(kind, resource, op, &path, value)?;
    }
    Ok(())
}

fn apply_to_single(
    home: &mut Map<String, Value>,
    op: Op,
    attribute: &'static Attribute,
    sub: Option<&'static Attribute>,
    value: &Value,
) -> Answered<()> {
    if op == Op::Remove && sub.is_none() {
        home.remove(attribute.name);
        return Ok(());
    }
    if attribute.kind != Type::Complex {
        return if let Some(value) = clean_value(attribute, value)? {
            home.insert(attribute.name.to_owned(), value);
            Ok(())
        } else {
            home.remove(attribute.name);
            Ok(())
        };
    }
    let mut parts = home.get(attribute.name).and_then(Value::as_object).cloned().unwrap_or_default();
    match sub {
        Some(sub) => set_part(&mut parts, sub, if op == Op::Remove { &Value::Null } else { value })?,
        None if value.is_null() => parts.clear(),
        None => {
            let Some(given) = value.as_object() else {
                return Err(invalid_value(format!("{} is an object", attribute.name)));
            };
            // §3.5.2.3: "Sub-attributes that are not specified … SHALL be left unchanged".
            for sub in attribute.subs.iter().filter(|sub| sub.mutability != "readOnly") {
                if let Some(value) = member(given, sub.name) {
                    set_part(&mut parts, sub, value)?;
                }
            }
        }
    }
    if parts.is_empty() {
        home.remove(attribute.name);
    } else {
        home.insert(attribute.name.to_owned(), Value::Object(parts));
    }
    Ok(())
}

fn set_part(parts: &mut Map<String, Value>, sub: &Attribute, value: &Value) -> Answered<()> {
    match clean_value(sub, value)? {
        Some(value) => parts.insert(sub.name.to_owned(), value),
        None => parts.shift_remove(sub.name),
    };
    Ok(())
}

fn apply_to_list(
    kind: &Kind,
    home: &mut Map<String, Value>,
    op: Op,
    attribute: &'static Attribute,
    target: &Target,
    path: &PatchPath,
    value: &Value,
) -> Answered<()> {
    let mut elements = match home.get_mut(attribute.name) {
        Some(Value::Array(elements)) => std::mem::take(elements),
        _ => Vec::new(),
    };
    match (&path.filter, target.sub) {
        (None, None) => match op {
            // RFC 7644 §3.5.2.2: without a filter the whole attribute goes, whatever `value` says.
            Op::Remove => elements.clear(),
            Op::Replace => elements = listed(attribute, value)?,
            Op::Add => add_new(&mut elements, listed(attribute, value)?),
        },
        (filter, sub) => select(kind, &mut elements, op, attribute, filter.as_ref(), sub, path, value)?,
    }
    if elements.is_empty() {
        home.remove(attribute.name);
    } else {
        home.insert(attribute.name.to_owned(), Value::Array(elements));
    }
    Ok(())
}

/// The elements in a value: one may come without its array.
fn listed(attribute: &'static Attribute, value: &Value) -> Answered<Vec<Value>> {
    let given = match value {
        Value::Array(given) => given.as_slice(),
        single => std::slice::from_ref(single),
    };
    let clean: Answered<Vec<Option<Value>>> =
        given.iter().map(|element| clean_single(attribute, element)).collect();
    let clean: Vec<Value> = clean?.into_iter().flatten().collect();
    if clean.iter().filter(|element| element["primary"] == true).count() > 1 {
        return Err(invalid_value(format!("{} has more than one primary value", attribute.name)));
    }
    Ok(clean)
}

/// §3.5.2.1: a value that is there already is not added again. Members are the same if their `value` is.
fn add_new(elements: &mut Vec<Value>, given: Vec<Value>) {
    let identity = |element: &Value| {
        let is_member = element.get("primary").is_none()
            && element.get("type").is_none_or(|kind| kind == "User" || kind == "Group");
        match element.get("value").and_then(Value::as_str).filter(|_| is_member) {
            Some(value) => value.to_owned(),
            None => element.to_string(),
        }
    };
    let mut known: HashSet<String> = elements.iter().map(identity).collect();
    elements.extend(given.into_iter().filter(|element| known.insert(identity(element))));
}

/// An operation on the elements that meet a filter, or on a sub-attribute of all of them.
#[expect(clippy::too_many_arguments, reason = "they are the parts of one operation")]
fn select(
    kind: &Kind,
    elements: &mut Vec<Value>,
    op: Op,
    attribute: &'static Attribute,
    filter: Option<&Filter>,
    sub: Option<&'static Attribute>,
    path: &PatchPath,
    value: &Value,
) -> Answered<()> {
    let case_exact = |inner: &crate::scim::path::AttributePath| {
        let path =
            crate::scim::path::AttributePath { sub: Some(inner.name.clone()), ..path.attribute.clone() };
        kind.case_exact(&path)
    };
    let meets = |element: &Value| filter.is_none_or(|filter| filter.matches(element, &case_exact));
    match (op, sub) {
        // A removal that finds nothing has nothing to do; §3.5.2.2 knows no error for it.
        (Op::Remove, None) => elements.retain(|element| !meets(element)),
        (Op::Remove, Some(sub)) => {
            for element in elements.iter_mut().filter(|element| meets(element)) {
                if let Some(parts) = element.as_object_mut() {
                    parts.shift_remove(sub.name);
                }
            }
            elements.retain(|element| element.as_object().is_none_or(|parts| !parts.is_empty()));
        }
        _ => {
            let mut found = false;
            for element in elements.iter_mut().filter(|element| meets(element)) {
                found = true;
                match (sub, element.as_object_mut()) {
                    (Some(sub), Some(parts)) => set_part(parts, sub, value)?,
                    // §3.5.2.3: "all matching record values SHALL be replaced"; an addition keeps what it does not name.
                    (None, parts) => {
                        let Some(new) = clean_single(attribute, value)? else {
                            return refuse("invalidValue", "the value is empty");
                        };
                        match (op, parts, new) {
                            (Op::Add, Some(parts), Value::Object(new)) => parts.extend(new),
                            (_, _, new) => *element = new,
                        }
                    }
                    (Some(_), None) => {
                        return refuse("invalidPath", format!("`{}` has no parts", attribute.name));
                    }
                }
            }
            // §3.5.2.3: "no record match was made … `noTarget`".
            if !found {
                return refuse("noTarget", format!("nothing meets `{}`", path.text));
            }
        }
    }
    Ok(())
}

/// §3.5.2: setting `primary` to true sets it to false everywhere else in the list.
fn demote(attribute: &Attribute, before: Option<&Value>, after: &mut Value) -> Answered<()> {
    if !attribute.multi || primaries(after) <= 1 {
        return Ok(());
    }
    let before = before.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let Some(elements) = after.as_array_mut() else { return Ok(()) };
    let is_new = |element: &Value| element["primary"] == true && !before.contains(element);
    if elements.iter().filter(|element| is_new(element)).count() > 1 {
        return Err(invalid_value(format!("{} has more than one primary value", attribute.name)));
    }
    for element in elements.iter_mut() {
        if element["primary"] == true && before.contains(element) {
            element["primary"] = false.into();
        }
    }
    Ok(())
}
