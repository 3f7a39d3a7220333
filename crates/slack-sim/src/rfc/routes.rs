//! From a request to the answer of a plain service (RFC 7644 §3, §4).

use http::Method;
use serde_json::{Map, Value, json};

use super::clean::clean_resource;
use super::patch;
use super::resources::kind_of;
use super::schemas::{GROUPS, Kind, USERS, schemas, service_provider_config};
use super::search::{MOST, project, search};
use super::store::Store;
use crate::errors::{Answered, Refusal, Version};
use crate::reply::{Query, Reply};
use crate::scim::matching::member;
use crate::slack::Call;
use crate::switches::Switches;

/// Answers, and changes the store accordingly.
pub(crate) fn answer(store: &mut Store, switches: &Switches, call: &Call) -> Answered<Reply> {
    let not_found = || Refusal::rfc(404, None, "there is no such endpoint");
    if call.version == Version::V1 {
        return Err(not_found());
    }
    match (call.collection, call.id) {
        (".search", None) => post_search(store, &[&USERS, &GROUPS], switches, call),
        // §3.11: without a subject to the token there is no "me". Bulk says in its configuration that it is not there.
        ("Me" | "Bulk", _) => Err(Refusal::rfc(501, None, "not implemented")),
        ("ServiceProviderConfig" | "ResourceTypes" | "Schemas", _) => discover(call),
        (collection, id) => {
            let kind = kind_of(collection).ok_or_else(not_found)?;
            match id {
                None => collection_answer(store, kind, switches, call),
                Some(".search") => post_search(store, &[kind], switches, call),
                Some(id) => resource_answer(store, kind, id, call),
            }
        }
    }
}

fn method_not_allowed<T>() -> Answered<T> {
    Err(Refusal::rfc(405, None, "this method is not allowed here"))
}

/// §4: the configuration; "filter" on it is forbidden.
fn discover(call: &Call) -> Answered<Reply> {
    if *call.method != Method::GET {
        return method_not_allowed();
    }
    if call.query.get("filter").is_some() {
        return Err(Refusal::rfc(403, None, "filters are not allowed here"));
    }
    let listed = match call.collection {
        "ServiceProviderConfig" => return Ok(Reply::json(200, &service_provider_config(call.base, MOST))),
        "ResourceTypes" => vec![USERS.json(call.base), GROUPS.json(call.base)],
        _ => schemas(call.base),
    };
    match call.id {
        Some(id) => {
            let found = listed.into_iter().find(|entry| entry["id"] == id);
            found
                .map(|entry| Reply::json(200, &entry))
                .ok_or_else(|| Refusal::rfc(404, None, format!("there is no {id}")))
        }
        None => Ok(Reply::json(
            200,
            &json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                "totalResults": listed.len(),
                "itemsPerPage": listed.len(),
                "startIndex": 1,
                "Resources": listed,
            }),
        )),
    }
}

fn collection_answer(
    store: &mut Store,
    kind: &'static Kind,
    switches: &Switches,
    call: &Call,
) -> Answered<Reply> {
    match *call.method {
        Method::GET => search(store, &[kind], call.query, switches, call.base),
        Method::POST => {
            let attributes = clean_resource(kind, &resource_body(kind, call)?)?;
            let id = store.create(kind, attributes, call.time)?;
            reply(store, kind, &id, call, 201)
        }
        _ => method_not_allowed(),
    }
}

fn resource_answer(store: &mut Store, kind: &'static Kind, id: &str, call: &Call) -> Answered<Reply> {
    let document = store.get(kind, id)?;
    let etag = document.etag();
    let names = |header: Option<&str>| {
        header.is_some_and(|tags| tags.split(',').any(|tag| ["*", etag.as_str()].contains(&tag.trim())))
    };
    if *call.method == Method::GET {
        // §3.14: a copy that is still good is not sent again.
        return if names(call.if_none_match) {
            Ok(Reply::empty(304))
        } else {
            reply(store, kind, id, call, 200)
        };
    }
    if call.if_match.is_some() && !names(call.if_match) {
        return Err(Refusal::rfc(412, None, "the resource has changed"));
    }
    match *call.method {
        Method::PUT => {
            let attributes = clean_resource(kind, &resource_body(kind, call)?)?;
            store.update(kind, id, attributes, call.time)?;
        }
        Method::PATCH => {
            let mut attributes = document.open(store);
            patch::apply(kind, &mut attributes, id, &read_object(call.body)?)?;
            store.update(kind, id, attributes, call.time)?;
        }
        Method::DELETE => {
            store.delete(kind, id)?;
            return Ok(Reply::empty(204));
        }
        _ => return method_not_allowed(),
    }
    reply(store, kind, id, call, 200)
}

fn reply(store: &Store, kind: &Kind, id: &str, call: &Call, status: u16) -> Answered<Reply> {
    let document = store.get(kind, id)?;
    let body = document.body(kind, store, call.base);
    // §3.3: `Location` on creation; §3.14: the version also as a header.
    let location = (status == 201).then(|| format!("{}/scim/v2/{}/{id}", call.base, kind.endpoint));
    let mut reply = Reply::json(status, &project(kind, body, call.query)).at(location);
    reply.etag = Some(document.etag());
    Ok(reply)
}

/// §3.4.3: a query in a body, for what has no place in a log of URLs.
fn post_search(store: &Store, kinds: &[&'static Kind], switches: &Switches, call: &Call) -> Answered<Reply> {
    if *call.method != Method::POST {
        return method_not_allowed();
    }
    let pairs = read_object(call.body)?.into_iter().map(|(name, value)| {
        let text = match value {
            Value::String(text) => text,
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(","),
            other => other.to_string(),
        };
        (name, text)
    });
    search(store, kinds, &Query(pairs.collect()), switches, call.base)
}

fn read_object(body: &[u8]) -> Answered<Map<String, Value>> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => Ok(body),
        _ => Err(Refusal::rfc(400, Some("invalidSyntax"), "the body is no JSON object")),
    }
}

/// A resource sent by a client: it has to say which schema it follows (RFC 7643 §3).
fn resource_body(kind: &Kind, call: &Call) -> Answered<Map<String, Value>> {
    let body = read_object(call.body)?;
    let schemas = member(&body, "schemas").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named = schemas.iter().filter_map(Value::as_str).any(|urn| urn.eq_ignore_ascii_case(kind.schema.id));
    if named {
        Ok(body)
    } else {
        Err(Refusal::rfc(400, Some("invalidSyntax"), format!("schemas has to name {}", kind.schema.id)))
    }
}
