//! Discovery (S3, S4).

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, ENTERPRISE, GROUP, GUEST, PROFILE, USER};

#[tokio::test(start_paused = true)]
async fn the_plural_configuration_needs_no_token() {
    let client = Client::new();
    for path in ["/ServiceProviderConfigs", "/scim/v1/ServiceProviderConfigs"] {
        let config = client.send_with(Method::GET, path, None, &[]).await.expect(200).body;
        let keys: Vec<&String> = config.as_object().unwrap().keys().collect();
        // S4: "same keys in v1 and v2", and `filter.supported` is false though filters work.
        assert_eq!(
            keys,
            [
                "authenticationSchemes",
                "patch",
                "bulk",
                "filter",
                "changePassword",
                "sort",
                "etag",
                "xmlDataFormat"
            ]
        );
        assert_eq!(config["filter"], json!({ "supported": false, "maxResults": 0 }));
    }
    let singular = client.get("/ServiceProviderConfig").await.expect(200).body;
    assert_eq!(singular["patch"]["supported"], true);
    client
        .send_with(Method::GET, "/ServiceProviderConfig", None, &[])
        .await
        .refused(401, "missing_authentication");
}

#[tokio::test(start_paused = true)]
async fn schemas_are_well_formed_and_found_by_every_name() {
    let client = Client::new();
    let list = client.get("/Schemas").await.expect(200).body;
    let ids: Vec<&str> =
        list["Resources"].as_array().unwrap().iter().map(|schema| schema["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [USER, GROUP, ENTERPRISE, GUEST, PROFILE]);
    for (path, id) in [("Users", USER), ("User", USER), ("Groups", GROUP), (USER, USER), (GUEST, GUEST)] {
        assert_eq!(client.get(&format!("/Schemas/{path}")).await.expect(200).body["id"], id, "{path}");
    }
    assert_eq!(
        client.get(&format!("/Schemas/{}", USER.replace(':', "%3A"))).await.expect(200).body["id"],
        USER
    );
    client.get("/Schemas/Nonsense").await.refused(404, "bad_endpoint");
    client.delete("/Schemas").await.refused(405, "method_not_allowed");
}

#[tokio::test(start_paused = true)]
async fn malformed_schemas_are_as_malformed_as_slacks() {
    let client = Client::with(|switches| {
        switches.malformed_schemas = true;
        switches.malformed_config = true;
    });
    let list = client.get("/Schemas").await.expect(200).body;
    assert_eq!(list.as_object().unwrap().len(), 2, "`{{schemas, Resources}}`");
    let attributes = list["Resources"][0]["attributes"].as_array().unwrap();
    // S4, "Malformed": bare scalars followed by an array of sub-attributes.
    let at = attributes.iter().position(|attribute| attribute == GUEST).unwrap();
    let tail: Vec<&Value> = attributes[at + 1..at + 9].iter().collect();
    assert_eq!(tail[..2], [&json!("complex"), &json!(false)]);
    assert!(attributes[at + 9].is_array());
    let named = |name: &str| attributes.iter().find(|attribute| attribute["name"] == name).unwrap();
    assert_eq!(named("active")["type"], "string");
    assert!(named("groups")["subattributes"].is_array());
    let types = client.get("/ResourceTypes").await.expect(200).body;
    assert_eq!(types.get("totalResults"), None);
    assert_eq!(types["Resources"][0]["schemaExtensions"].as_array().unwrap().len(), 4);
    assert!(client.get("/ServiceProviderConfig").await.expect(200).body.get("schemas").is_none());
}
