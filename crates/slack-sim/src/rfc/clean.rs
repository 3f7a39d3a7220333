//! What a client sends, held against the schemas (RFC 7643 §2, RFC 7644 §3.3, §3.5.1).

use serde_json::{Map, Value};

use super::schemas::Kind;
use crate::errors::{Answered, Refusal};
use crate::schema::{Attribute, Type};
use crate::scim::matching::member;

pub(crate) fn invalid_value(detail: impl Into<String>) -> Refusal {
    Refusal::rfc(400, Some("invalidValue"), detail)
}

/// The attributes of a resource that may be written, by their names in the schema and of the right types. What is
/// read-only or unknown is left out, as RFC 7644 §3.5.1 says of read-only attributes; so is what is null or empty, which
/// is the same as absent (RFC 7643 §2.5).
pub(crate) fn clean_resource(kind: &Kind, body: &Map<String, Value>) -> Answered<Map<String, Value>> {
    let mut clean = Map::new();
    if let Some(Value::String(external)) = member(body, "externalId").filter(|value| !value.is_null()) {
        clean.insert("externalId".to_owned(), external.clone().into());
    }
    clean_attributes(kind.schema.attributes, body, &mut clean)?;
    for extension in kind.extensions {
        match member(body, extension.id) {
            None | Some(Value::Null) => {}
            Some(Value::Object(given)) => {
                let mut inner = Map::new();
                clean_attributes(extension.attributes, given, &mut inner)?;
                if !inner.is_empty() {
                    clean.insert(extension.id.to_owned(), Value::Object(inner));
                }
            }
            Some(_) => return Err(invalid_value(format!("{} has to be an object", extension.id))),
        }
    }
    require(kind, &clean)?;
    Ok(clean)
}

fn clean_attributes(
    attributes: &[Attribute],
    body: &Map<String, Value>,
    into: &mut Map<String, Value>,
) -> Answered<()> {
    for attribute in attributes.iter().filter(|attribute| attribute.mutability != "readOnly") {
        if let Some(given) = member(body, attribute.name)
            && let Some(value) = clean_value(attribute, given)?
        {
            if primaries(&value) > 1 {
                return Err(invalid_value(format!("{} has more than one primary value", attribute.name)));
            }
            into.insert(attribute.name.to_owned(), value);
        }
    }
    Ok(())
}

/// The attributes that the schema requires are there, and not empty.
pub(crate) fn require(kind: &Kind, resource: &Map<String, Value>) -> Answered<()> {
    let missing = kind.schema.attributes.iter().find(|attribute| {
        attribute.required
            && resource
                .get(attribute.name)
                .is_none_or(|value| value.as_str().is_some_and(|text| text.trim().is_empty()))
    });
    missing.map_or(Ok(()), |attribute| Err(invalid_value(format!("{} is required", attribute.name))))
}

/// A value in the form of its attribute; `None` where it is unassigned.
pub(crate) fn clean_value(attribute: &Attribute, value: &Value) -> Answered<Option<Value>> {
    match value {
        Value::Null => Ok(None),
        Value::Array(elements) if attribute.multi => {
            let clean: Answered<Vec<Option<Value>>> =
                elements.iter().map(|element| clean_single(attribute, element)).collect();
            let clean: Vec<Value> = clean?.into_iter().flatten().collect();
            Ok(Some(clean).filter(|clean| !clean.is_empty()).map(Value::Array))
        }
        _ if attribute.multi => Err(invalid_value(format!("{} is a list", attribute.name))),
        single => clean_single(attribute, single),
    }
}

/// One value, or one element of a list.
pub(crate) fn clean_single(attribute: &Attribute, value: &Value) -> Answered<Option<Value>> {
    let right = match (attribute.kind, value) {
        (_, Value::Null) => return Ok(None),
        (Type::Complex, Value::Object(given)) => {
            let mut clean = Map::new();
            for sub in attribute.subs.iter().filter(|sub| sub.mutability != "readOnly") {
                if let Some(given) = member(given, sub.name)
                    && let Some(value) = clean_value(sub, given)?
                {
                    clean.insert(sub.name.to_owned(), value);
                }
            }
            return Ok(Some(clean).filter(|clean| !clean.is_empty()).map(Value::Object));
        }
        (Type::DateTime, Value::String(text)) => text.parse::<jiff::Timestamp>().is_ok(),
        (Type::Text | Type::Reference | Type::Binary, Value::String(_)) | (Type::Boolean, Value::Bool(_)) => {
            true
        }
        _ => false,
    };
    if right {
        Ok(Some(value.clone()))
    } else {
        Err(invalid_value(format!("the value of {} has the wrong type", attribute.name)))
    }
}

/// How many elements of a list are primary: RFC 7643 §2.4 allows one.
pub(crate) fn primaries(value: &Value) -> usize {
    let elements = value.as_array().map(Vec::as_slice).unwrap_or_default();
    elements.iter().filter(|element| element["primary"] == true).count()
}
