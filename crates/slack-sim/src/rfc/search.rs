//! Lists of a plain service: filter, sort, page, projection (RFC 7644 §3.4.2, §3.9).

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use super::resources::Document;
use super::schemas::{Kind, USERS};
use super::store::Store;
use crate::errors::{Answered, Refusal};
use crate::reply::{Query, Reply};
use crate::scim::filter::{Comparison, Filter, Literal};
use crate::scim::lexer::Strictness;
use crate::scim::matching::member;
use crate::scim::path::AttributePath;
use crate::switches::{ItemsPerPage, Switches};

/// The most resources of one answer: what `filter.maxResults` says.
pub(crate) const MOST: usize = 1000;

const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";

/// Answers a search over these kinds of resources.
pub(crate) fn search(
    store: &Store,
    kinds: &[&'static Kind],
    query: &Query,
    switches: &Switches,
    base: &str,
) -> Answered<Reply> {
    let filter = query.get("filter").map(|text| Filter::parse(text, Strictness::Rfc)).transpose();
    let filter = filter.map_err(|error| Refusal::rfc(400, Some("invalidFilter"), error.to_string()))?;
    let mut found = Vec::new();
    for kind in kinds {
        find(store, kind, filter.as_ref(), base, &mut found);
    }
    sort(&mut found, store, query, base)?;
    let total = found.len();
    let requested =
        query.number("count").map_or(MOST, |count| usize::try_from(count).unwrap_or_default()).min(MOST);
    let take = if switches.page_cap > 0 { requested.min(switches.page_cap) } else { requested };
    let asked = usize::try_from(query.number("startIndex").unwrap_or(1)).unwrap_or(1).max(1);
    let start_index = if switches.ignore_start_index { 1 } else { asked };
    let skip = if switches.wrap_past_end && start_index > total { 0 } else { start_index - 1 };
    let resources: Vec<Value> = found
        .into_iter()
        .skip(skip)
        .take(take)
        .map(|(kind, document)| project(kind, document.body(kind, store, base), query))
        .collect();
    let items_per_page = match switches.items_per_page {
        ItemsPerPage::Returned => resources.len(),
        ItemsPerPage::Requested => requested,
    };
    let total = i64::try_from(total).unwrap_or(i64::MAX).saturating_add(switches.total_results_error).max(0);
    let mut body = json!({
        "schemas": [LIST],
        "totalResults": total,
        "itemsPerPage": items_per_page,
        "startIndex": start_index,
    });
    // Moved in: the macro would copy every resource.
    body["Resources"] = Value::Array(resources);
    Ok(Reply::json(200, &body))
}

type Found<'a> = Vec<(&'static Kind, &'a Document)>;

fn find<'a>(
    store: &'a Store,
    kind: &'static Kind,
    filter: Option<&Filter>,
    base: &str,
    found: &mut Found<'a>,
) {
    // The usual question, `userName eq`, needs no look at everybody.
    if let Some(Filter::Compare(path, Comparison::Equal, Literal::Text(name))) = filter
        && kind.name == USERS.name
        && path.is("userName", None)
        && path.urn.is_none()
    {
        found.extend(store.by_user_name(name).map(|user| (kind, user)));
        return;
    }
    let case_exact = |path: &AttributePath| kind.case_exact(path);
    let meets = |document: &Document| {
        filter.is_none_or(|filter| filter.matches(&document.body(kind, store, base), &case_exact))
    };
    found.extend(
        store
            .table(kind)
            .iter()
            .map(|(_, document)| (kind, document))
            .filter(|(_, document)| meets(document)),
    );
}

/// RFC 7644 §3.4.2.3: by the value, of a list by its primary or first one; what has none comes last when ascending.
fn sort(found: &mut Found, store: &Store, query: &Query, base: &str) -> Answered<()> {
    let Some(by) = query.get("sortBy") else { return Ok(()) };
    let path = AttributePath::parse(by)
        .map_err(|error| Refusal::rfc(400, Some("invalidPath"), error.to_string()))?;
    let mut keyed: Vec<(Option<String>, (&'static Kind, &Document))> = found
        .drain(..)
        .map(|(kind, document)| (sort_key(kind, &document.body(kind, store, base), &path), (kind, document)))
        .collect();
    keyed.sort_by(|(left, _), (right, _)| match (left, right) {
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => match (left.is_some(), right.is_some()) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => Ordering::Equal,
        },
    });
    if query.get("sortOrder").is_some_and(|order| order.eq_ignore_ascii_case("descending")) {
        keyed.reverse();
    }
    found.extend(keyed.into_iter().map(|(_, entry)| entry));
    Ok(())
}

fn sort_key(kind: &Kind, body: &Value, path: &AttributePath) -> Option<String> {
    let home = match path.urn.as_deref() {
        Some(urn) if !urn.eq_ignore_ascii_case(kind.schema.id) => {
            member(body.as_object()?, urn)?.as_object()?
        }
        _ => body.as_object()?,
    };
    let mut value = member(home, &path.name)?;
    if let Value::Array(elements) = value {
        value = elements.iter().find(|element| element["primary"] == true).or_else(|| elements.first())?;
    }
    if let Value::Object(parts) = value {
        value = member(parts, path.sub.as_deref().unwrap_or("value"))?;
    }
    let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    Some(if kind.case_exact(path) { text } else { text.to_lowercase() })
}

/// Leaves out what `attributes` and `excludedAttributes` say (RFC 7644 §3.9). What is "always" returned stays.
pub(crate) fn project(kind: &Kind, body: Value, query: &Query) -> Value {
    let parse = |names: Vec<&str>| {
        names.into_iter().filter_map(|name| AttributePath::parse(name).ok()).collect::<Vec<_>>()
    };
    let Value::Object(mut body) = body else { return body };
    if let Some(wanted) = query.names("attributes").map(parse) {
        let mut kept: Map<String, Value> = ["schemas", "id"]
            .into_iter()
            .filter_map(|name| body.get(name).map(|value| (name.to_owned(), value.clone())))
            .collect();
        for path in wanted {
            keep(kind, &body, &path, &mut kept);
        }
        body = kept;
    } else if let Some(unwanted) = query.names("excludedAttributes").map(parse) {
        for path in unwanted {
            drop_attribute(kind, &mut body, &path);
        }
    }
    Value::Object(body)
}

/// The name under which the extension of a path stands in a resource.
fn extension_of(kind: &Kind, path: &AttributePath) -> Option<String> {
    path.urn.clone().filter(|urn| !urn.eq_ignore_ascii_case(kind.schema.id))
}

fn keep(kind: &Kind, body: &Map<String, Value>, path: &AttributePath, kept: &mut Map<String, Value>) {
    let (from, into) = match extension_of(kind, path) {
        None => (body, kept),
        Some(urn) => {
            let Some((name, Value::Object(from))) =
                body.iter().find(|(key, _)| key.eq_ignore_ascii_case(&urn))
            else {
                return;
            };
            if path.name.is_empty() {
                kept.insert(name.clone(), Value::Object(from.clone()));
                return;
            }
            let Value::Object(into) = kept.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()))
            else {
                return;
            };
            (from, into)
        }
    };
    let Some((name, value)) = from.iter().find(|(key, _)| key.eq_ignore_ascii_case(&path.name)) else {
        return;
    };
    match &path.sub {
        None => {
            into.insert(name.clone(), value.clone());
        }
        Some(sub) => {
            let part = |value: &Value| {
                let found = value.as_object()?.iter().find(|(key, _)| key.eq_ignore_ascii_case(sub))?;
                Some((found.0.clone(), found.1.clone()))
            };
            match (value, into.get_mut(name)) {
                (Value::Array(elements), Some(Value::Array(kept))) => {
                    for (element, kept) in elements.iter().zip(kept) {
                        if let (Some(part), Some(kept)) = (part(element), kept.as_object_mut()) {
                            kept.insert(part.0, part.1);
                        }
                    }
                }
                (Value::Array(elements), _) => {
                    let kept =
                        elements.iter().map(|element| Value::Object(part(element).into_iter().collect()));
                    into.insert(name.clone(), kept.collect());
                }
                (value, Some(Value::Object(kept))) => kept.extend(part(value)),
                (value, _) => {
                    into.insert(name.clone(), Value::Object(part(value).into_iter().collect()));
                }
            }
        }
    }
}

fn drop_attribute(kind: &Kind, body: &mut Map<String, Value>, path: &AttributePath) {
    let home = match extension_of(kind, path) {
        None => body,
        Some(urn) => {
            let Some(name) = body.keys().find(|key| key.eq_ignore_ascii_case(&urn)).cloned() else { return };
            if path.name.is_empty() {
                body.shift_remove(&name);
                return;
            }
            match body.get_mut(&name) {
                Some(Value::Object(extension)) => extension,
                _ => return,
            }
        }
    };
    let Some(name) = home.keys().find(|key| key.eq_ignore_ascii_case(&path.name)).cloned() else { return };
    if ["id", "schemas"].contains(&name.as_str()) {
        return;
    }
    let strip = |value: &mut Value, sub: &str| {
        if let Some(parts) = value.as_object_mut() {
            parts.retain(|key, _| !key.eq_ignore_ascii_case(sub));
        }
    };
    match (&path.sub, home.get_mut(&name)) {
        (None, _) => {
            home.shift_remove(&name);
        }
        (Some(sub), Some(Value::Array(elements))) => {
            for element in elements {
                strip(element, sub);
            }
        }
        (Some(sub), Some(value)) => strip(value, sub),
        (Some(_), None) => {}
    }
}
