//! SCIM 1.1 as Slack has it (S3, S5, S12).

use http::Method;
use serde_json::{Value, json};

use crate::client::{Answer, Client};

const CORE: &str = "urn:scim:schemas:core:1.0";
const ENTERPRISE: &str = "urn:scim:schemas:extension:enterprise:1.0";

async fn patch(client: &Client, path: &str, body: Value) -> Answer {
    client.send(Method::PATCH, &format!("/scim/v1{path}"), Some(body)).await
}

#[tokio::test(start_paused = true)]
async fn keys_and_slashes_are_those_of_v1() {
    let client = Client::new();
    let list = client.get("/scim/v1/Users?count=1").await.expect(200);
    // S5: "List key order `totalResults, itemsPerPage, startIndex, schemas, Resources`"; S2: v1 escapes slashes.
    let keys: Vec<&String> = list.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["totalResults", "itemsPerPage", "startIndex", "schemas", "Resources"]);
    assert!(list.text.contains(r"https:\/\/api.slack.com\/scim\/v1\/Users\/U1"));
    let group = client.get("/scim/v1/Groups/S1").await.expect(200).body;
    let keys: Vec<&String> = group.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["schemas", "id", "displayName", "members", "meta"]);
    // S5: "Empty secondary e-mail: v1 recording shows a second element".
    let user = client.get("/scim/v1/Users/U2").await.body;
    assert_eq!(user["emails"][1], json!({ "value": "", "primary": false }));
}

#[tokio::test(start_paused = true)]
async fn a_patch_is_a_partial_user() {
    let client = Client::new();
    // S12: "A body of `{"active": false}` without `schemas` was enough in 2019".
    assert_eq!(patch(&client, "/Users/U1", json!({ "title": "x" })).await.expect(200).body["title"], "x");
    let user = patch(
        &client,
        "/Users/U1",
        json!({ "meta": { "attributes": ["title", "name.familyName", format!("{ENTERPRISE}.department")] } }),
    )
    .await
    .expect(200)
    .body;
    assert_eq!(
        (&user["title"], &user["name"]["familyName"], &user[ENTERPRISE]["department"]),
        (&json!(""), &json!(""), &Value::Null)
    );
    let gone = json!({ "emails": [{ "value": "lovelace@acme.example", "operation": "delete" }], "phoneNumbers": [{ "value": "2", "operation": "delete" }] });
    let user = patch(&client, "/Users/U1", gone).await.expect(200).body;
    assert_eq!((&user["emails"][1]["value"], &user["phoneNumbers"][0]["value"]), (&json!(""), &Value::Null));
}

#[tokio::test(start_paused = true)]
async fn groups_and_deletions_answer_as_recorded() {
    let client = Client::new();
    // S3: "PATCH Groups | **204**, no body"; S12: adds by default.
    let body = json!({ "schemas": [CORE], "displayName": "makers", "members": [{ "value": "U3" }, { "value": "U1", "operation": "delete" }] });
    assert_eq!(patch(&client, "/Groups/S1", body).await.expect(204).text, "");
    assert_eq!(client.members("makers"), ["grace", "owner"]);
    assert_eq!(client.delete("/scim/v1/Users/U1").await.expect(200).text, "");
    client.delete("/scim/v1/Groups/S1").await.expect(204);
}

#[tokio::test(start_paused = true)]
async fn errors_are_an_object() {
    let client = Client::new();
    // S16: "v1 — `Errors` is an **object**"; S7: conflicts are 400 there.
    let body = json!({ "schemas": [CORE], "userName": "ada", "emails": [{ "value": "new@acme.example" }] });
    let answer = client.post("/scim/v1/Users", body).await.expect(400);
    assert_eq!(answer.body, json!({ "Errors": { "description": "username_taken", "code": 400 } }));
    client.get("/scim/v1/ResourceTypes").await.refused(404, "bad_endpoint");
}
