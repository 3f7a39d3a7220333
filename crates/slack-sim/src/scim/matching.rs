//! Whether a JSON value meets a filter.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::filter::{Comparison, Filter, Literal};
use super::path::AttributePath;

/// What a filter has to know of an attribute: whether the case of its letters counts (RFC 7643 §7, `caseExact`).
pub(crate) type CaseExact<'a> = &'a dyn Fn(&AttributePath) -> bool;

impl Filter {
    /// Whether `value`, a resource or an element of a list, meets the condition.
    ///
    /// An element that is a bare string answers to the name `value`, as `roles:["Tech Lead"]` does (S6).
    pub(crate) fn matches(&self, value: &Value, case_exact: CaseExact) -> bool {
        match self {
            Self::And(left, right) => left.matches(value, case_exact) && right.matches(value, case_exact),
            Self::Or(left, right) => left.matches(value, case_exact) || right.matches(value, case_exact),
            Self::Not(inner) => !inner.matches(value, case_exact),
            Self::Present(path) => values(value, path).iter().any(|found| is_present(found)),
            Self::Compare(path, comparison, literal) => {
                let found = values(value, path);
                // RFC 7643 §2.5: unassigned, null and an empty list are the same.
                if found.iter().all(|found| found.is_null()) {
                    return match comparison {
                        Comparison::Equal => *literal == Literal::Null,
                        Comparison::NotEqual => *literal != Literal::Null,
                        _ => false,
                    };
                }
                let exact = case_exact(path);
                found.iter().any(|found| compare(found, *comparison, literal, exact))
            }
            Self::Within(path, inner) => {
                values_of_attribute(value, path).into_iter().any(|found| inner.matches(found, case_exact))
            }
        }
    }
}

/// The member `name` of an object, in any letter case.
pub(crate) fn member<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .or_else(|| object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value))
}

/// The values at a path: of a list each element, of a complex element without a sub-attribute its `value`.
fn values<'a>(value: &'a Value, path: &AttributePath) -> Vec<&'a Value> {
    let found = values_of_attribute(value, path);
    let wanted = path.sub.as_deref().unwrap_or("value");
    found
        .into_iter()
        .flat_map(|found| match found {
            Value::Object(object) if path.sub.is_some() || object.contains_key("value") => {
                member(object, wanted).map(spread).unwrap_or_default()
            }
            other if path.sub.is_none() || wanted.eq_ignore_ascii_case("value") => vec![other],
            _ => Vec::new(),
        })
        .collect()
}

fn values_of_attribute<'a>(value: &'a Value, path: &AttributePath) -> Vec<&'a Value> {
    let Value::Object(object) = value else {
        return if path.is("value", None) { vec![value] } else { Vec::new() };
    };
    let home = match &path.urn {
        Some(urn) => match member(object, urn) {
            Some(Value::Object(extension)) => extension,
            // The URN of a core schema stands for the resource itself.
            _ if urn.to_ascii_lowercase().contains(":core:") => object,
            _ => return Vec::new(),
        },
        None => object,
    };
    member(home, &path.name).map(spread).unwrap_or_default()
}

fn spread(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(elements) => elements.iter().collect(),
        single => vec![single],
    }
}

/// RFC 7644 §3.4.2.2: `pr` is true of a non-empty value, or of a complex one with a non-empty node.
fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(object) => object.values().any(is_present),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compare(found: &Value, comparison: Comparison, literal: &Literal, exact: bool) -> bool {
    match (found, literal) {
        (Value::Null, _) => false,
        (Value::String(found), Literal::Text(wanted) | Literal::Bare(wanted)) => {
            compare_text(found, comparison, wanted, exact)
        }
        (Value::Bool(found), Literal::Boolean(wanted)) => match comparison {
            Comparison::Equal => found == wanted,
            Comparison::NotEqual => found != wanted,
            _ => false,
        },
        (Value::Number(found), Literal::Number(wanted)) => found
            .as_f64()
            .and_then(|found| found.partial_cmp(wanted))
            .is_some_and(|order| holds(comparison, order)),
        // A value of another type is unequal, and neither above nor below.
        _ => comparison == Comparison::NotEqual,
    }
}

fn compare_text(found: &str, comparison: Comparison, wanted: &str, exact: bool) -> bool {
    let fold = |text: &str| if exact { text.to_owned() } else { text.to_lowercase() };
    // Instants are compared as instants: `+00:00` and `Z` are the same moment.
    if let (Ok(found), Ok(wanted)) = (found.parse::<jiff::Timestamp>(), wanted.parse::<jiff::Timestamp>())
        && !matches!(comparison, Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith)
    {
        return holds(comparison, found.cmp(&wanted));
    }
    let (found, wanted) = (fold(found), fold(wanted));
    match comparison {
        Comparison::Contains => found.contains(&wanted),
        Comparison::StartsWith => found.starts_with(&wanted),
        Comparison::EndsWith => found.ends_with(&wanted),
        _ => holds(comparison, found.cmp(&wanted)),
    }
}

fn holds(comparison: Comparison, order: Ordering) -> bool {
    match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Contains | Comparison::StartsWith | Comparison::EndsWith => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::lexer::Strictness;

    #[test]
    fn the_rows_of_the_rfc_table_hold() {
        let user = json!({
            "userName": "bjensen", "title": "", "age": 30, "active": true,
            "name": { "familyName": "O'Malley" },
            "emails": [{ "value": "b@example.com", "type": "work" }, { "value": "b@home.test", "type": "home" }],
            "meta": { "lastModified": "2011-05-13T04:42:34Z" },
            "urn:x:2.0:User": { "department": "Tools" },
        });
        let holds = |text: &str| Filter::parse(text, Strictness::Rfc).unwrap().matches(&user, &|_| false);
        for yes in [
            "USERNAME eq \"BJENSEN\"",
            "name.familyName co \"'mal\"",
            "not (title pr)",
            "age gt 29",
            "active eq true",
            "emails[type eq \"work\" and value ew \"example.com\"]",
            "emails co \"home\"",
            "emails.type eq \"home\"",
            "meta.lastModified eq \"2011-05-13T04:42:34+00:00\"",
            "urn:x:2.0:User:department sw \"too\"",
            "nickName ne \"x\"",
            "nickName eq null",
            "userName ge \"b\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"bjensen\"",
        ] {
            assert!(holds(yes), "{yes}");
        }
        for no in [
            "emails[type eq \"work\" and value co \"home\"]",
            "nickName pr",
            "active gt false",
            "age eq \"30\"",
            "title co \"x\"",
        ] {
            assert!(!holds(no), "{no}");
        }
    }
}
