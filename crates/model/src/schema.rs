//! The roster as a JSON Schema, for editors that complete and check while somebody types.
//!
//! It is made of the table of attributes and of the keys that [`load`](crate::load::load) knows. An editor cannot
//! find everything with it (duplicates and references need the whole roster), but what it refuses is refused.

use crate::attribute::{Attribute, Clearing, Row, TABLE, ValueKind};
use crate::load::people::PERSONAL_KEYS;
use crate::load::policy::ATTRIBUTE_GROUPS;
use crate::names::USER_NAME_MAX;
use crate::policy::Limits;
use serde_json::{Map, Value as Json, json};

/// The JSON Schema (draft 2020-12) of a roster file.
pub fn json_schema() -> Json {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "rosterctl roster",
        "description": "The people and groups of a Slack workspace.",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "properties": {
            "version": { "description": "The version of the roster's form.", "enum": [1, "1"] },
            "workspace": {
                "description": "The workspace that live accounts must belong to: `acme` for acme.slack.com.",
                "type": "string",
                "minLength": 1,
            },
            "policy": nullable(policy()),
            "defaults": nullable(object("What the users of this file have who do not say otherwise.", user_properties(true))),
            "users": nullable(json!({ "description": "The people.", "type": "array", "items": user() })),
            "groups": nullable(json!({ "description": "The groups. Without this key no group is managed.", "type": "array", "items": group() })),
        },
    })
}

fn nullable(mut schema: Json) -> Json {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    schema
}

fn object(description: &str, properties: impl Into<Json>) -> Json {
    let properties: Json = properties.into();
    json!({ "description": description, "type": "object", "additionalProperties": false, "properties": properties })
}

/// Scalars are taken as written, so that `12` and `no` are texts to the roster though not to YAML. The pattern says
/// that a text is not blank.
fn text(description: &str) -> Json {
    json!({ "description": description, "type": ["string", "number", "boolean"], "pattern": "\\S" })
}

fn user() -> Json {
    let mut properties = user_properties(false);
    properties.insert("id".to_owned(), text("Slack's own id of the account."));
    properties.insert(
        "managed".to_owned(),
        json!({ "description": "`false` for a person who may be referred to and is never written.", "type": "boolean" }),
    );
    let mut user = object("A person.", properties);
    user["required"] = json!(["userName", "email"]);
    user
}

/// The rows of the table, those below one mapping together.
fn user_properties(for_defaults: bool) -> Map<String, Json> {
    let mut properties = Map::new();
    for row in TABLE {
        let (first, rest) = row.key.split_once('.').unwrap_or((row.key, ""));
        if for_defaults && PERSONAL_KEYS.contains(&first) {
            continue;
        }
        if rest.is_empty() && row.attribute != Attribute::Guest {
            properties.insert(first.to_owned(), attribute(row));
            continue;
        }
        let group =
            properties.entry(first).or_insert_with(|| nullable(object(group_description(first), Map::new())));
        if let (false, Some(Json::Object(below))) = (rest.is_empty(), group.get_mut("properties")) {
            below.insert(rest.to_owned(), attribute(row));
        }
    }
    if let Some(name) = properties.get_mut("name") {
        // Slack needs a name (sheet S6), so that it cannot be cleared as a whole.
        name["type"] = json!("object");
    }
    properties
}

fn group_description(key: &str) -> &'static str {
    match key {
        "name" => "The full name.",
        "address" => "The postal address; `null` clears all of it.",
        _ => Attribute::Guest.row().doc,
    }
}

fn attribute(row: &Row) -> Json {
    let mut schema = match row.kind {
        ValueKind::Flag => json!({ "type": "boolean" }),
        ValueKind::Email => json!({ "type": "string", "pattern": "^\\s*[^@\\s]+@[^@\\s]+\\s*$" }),
        ValueKind::Url if row.attribute == Attribute::Photo => {
            json!({ "type": "string", "pattern": "^\\s*([hH][tT][tT][pP][sS]?://|[dD][aA][tT][aA]:)" })
        }
        ValueKind::Url => json!({ "type": "string", "pattern": "^\\s*[hH][tT][tT][pP][sS]?://" }),
        ValueKind::StartDate | ValueKind::Expiry => {
            json!({ "type": "string", "pattern": "^\\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt].*)?\\s*$" })
        }
        ValueKind::Text | ValueKind::UserName | ValueKind::Person => text(""),
    };
    schema["description"] = json!(row.doc);
    if row.kind == ValueKind::UserName {
        schema["pattern"] = json!(format!("^\\s*[A-Za-z0-9._-]{{1,{USER_NAME_MAX}}}\\s*$"));
    } else if let Some(max) = row.max_chars {
        schema["maxLength"] = json!(max);
    }
    if row.clearing == Clearing::Possible {
        let kinds = schema["type"].take();
        let mut kinds = kinds.as_array().cloned().unwrap_or_else(|| vec![kinds]);
        kinds.push(json!("null"));
        schema["type"] = json!(kinds);
    }
    schema
}

fn group() -> Json {
    let names =
        |description: &str| json!({ "description": description, "type": "array", "items": text("A name.") });
    json!({
        "description": "A group.",
        "type": "object",
        "additionalProperties": false,
        "required": ["displayName"],
        "properties": {
            "displayName": text("The name of the group."),
            "id": text("Slack's own id of the group."),
            "formerly": {
                "description": "Names that the group may still bear at Slack: it is then renamed, not made anew.",
                "anyOf": [names("Former names."), text("A former name.")],
            },
            "members": names("The members, by userName. Whoever else is in the group is removed, unless `unlisted.members` is `keep`. Without this key membership is not managed."),
        },
    })
}

fn policy() -> Json {
    let mode = || json!({ "enum": ["enforce", "onCreate", "ignore"] });
    let limits: Map<String, Json> = Limits::KEYS.iter().map(|key| ((*key).to_owned(), limit())).collect();
    let keys = ATTRIBUTE_GROUPS.iter().copied().chain(TABLE.iter().map(|row| row.key));
    let attributes: Map<String, Json> = keys.map(|key| (key.to_owned(), mode())).collect();
    let patterns = |what: &str| json!({ "description": what, "type": "array", "items": text("A name; `*` stands for any characters.") });
    let mut properties = Map::new();
    properties.insert(
        "unlisted".to_owned(),
        json!({
            "description": "What happens to what the roster does not list.",
            "type": ["object", "null"],
            "additionalProperties": false,
            "properties": {
                "users": { "enum": ["keep", "deactivate"], "default": "keep" },
                "groups": { "enum": ["keep", "delete"], "default": "keep" },
                "members": { "enum": ["remove", "keep"], "default": "remove" },
            },
        }),
    );
    properties.insert(
        "protect".to_owned(),
        json!({
            "description": "Who and what is never changed.",
            "type": ["object", "null"],
            "additionalProperties": false,
            "properties": {
                "users": patterns("People by userName, e-mail or id."),
                "groups": patterns("Groups by displayName or id."),
            },
        }),
    );
    properties.insert("limits".to_owned(), nullable(object("A plan above one of these is blocked.", limits)));
    properties.insert(
        "emailDomains".to_owned(),
        json!({ "description": "The domains that addresses may have.", "type": "array", "minItems": 1, "items": { "type": "string" } }),
    );
    properties.insert("attributes".to_owned(), json!({
        "description": "When each attribute is written; `enforce` unless said otherwise, `displayName` `onCreate`.",
        "type": ["object", "null"],
        "additionalProperties": false,
        "properties": attributes,
    }));
    object("What a plan may do.", properties)
}

fn limit() -> Json {
    let number = json!({ "type": "integer", "minimum": 0, "maximum": u32::MAX });
    json!({
        "anyOf": [
            number.clone(),
            { "type": "string", "pattern": "^\\s*([0-9]+|(100|[0-9]{1,2})%)\\s*$" },
            {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "atLeast": number,
                    "percent": { "type": "integer", "minimum": 0, "maximum": 100 },
                },
            },
        ],
    })
}
