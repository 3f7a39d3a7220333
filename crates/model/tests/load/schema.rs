//! The JSON Schema says what the table of attributes says.

use model::attribute::{Attribute, Clearing, TABLE};
use model::schema::json_schema;
use serde_json::Value as Json;

fn types(schema: &Json) -> Vec<&str> {
    match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(several) => several.iter().filter_map(Json::as_str).collect(),
        other => panic!("no type: {other}"),
    }
}

#[test]
fn every_row_is_a_property_of_a_user_with_its_documentation_and_null_where_it_can_be_cleared() {
    let schema = json_schema();
    let user = &schema["properties"]["users"]["items"];
    for row in TABLE {
        let pointer = format!("/properties/{}", row.key.replace('.', "/properties/"));
        let property = user.pointer(&pointer).unwrap_or_else(|| panic!("{} is missing", row.key));
        assert_eq!(property["description"], row.doc, "{}", row.key);
        assert_eq!(types(property).contains(&"null"), row.clearing == Clearing::Possible, "{}", row.key);
        let longest = property["maxLength"].as_u64();
        if row.attribute != Attribute::UserName {
            assert_eq!(longest, row.max_chars.map(|max| max as u64), "{}", row.key);
        }
    }
    assert_eq!(user["required"], serde_json::json!(["userName", "email"]));
}

#[test]
fn no_object_takes_unknown_keys() {
    fn walk(schema: &Json, path: &str) {
        if schema.get("properties").is_some() {
            assert_eq!(schema["additionalProperties"], false, "{path}");
        }
        let below: Vec<(String, &Json)> = match schema {
            Json::Object(map) => map.iter().map(|(key, value)| (key.clone(), value)).collect(),
            Json::Array(list) => list.iter().enumerate().map(|(i, value)| (i.to_string(), value)).collect(),
            _ => Vec::new(),
        };
        for (key, value) in below {
            walk(value, &format!("{path}/{key}"));
        }
    }
    walk(&json_schema(), "");
}

#[test]
fn defaults_have_no_key_that_is_one_persons_own() {
    let schema = json_schema();
    let defaults = schema["properties"]["defaults"]["properties"].as_object().unwrap();
    for key in ["timezone", "organization", "address", "manager", "guest", "active"] {
        assert!(defaults.contains_key(key), "{key}");
    }
    for key in
        ["userName", "email", "secondaryEmail", "id", "managed", "name", "displayName", "phone", "photo"]
    {
        assert!(!defaults.contains_key(key), "{key}");
    }
}

#[test]
fn the_schema_of_a_policy_knows_every_mode_and_limit() {
    let policy = &json_schema()["properties"]["policy"]["properties"];
    for row in TABLE {
        assert!(policy["attributes"]["properties"].get(row.key).is_some(), "{}", row.key);
    }
    assert_eq!(policy["limits"]["properties"].as_object().map(serde_json::Map::len), Some(9));
}
