//! PATCH of the plain service: RFC 7644 §3.5.2, rule by rule.

use serde_json::{Value, json};

use crate::client::{Client, ENTERPRISE, GROUP, members};

const ADA: &str = "/Users/U1";

async fn refused(client: &Client, path: &str, operation: Value) -> Value {
    client.patch(path, json!([operation])).await.expect(400).body["scimType"].clone()
}

#[tokio::test(start_paused = true)]
async fn add_sets_appends_and_merges() {
    let client = Client::rfc();
    // §3.5.2.1: the RFC's example without a path.
    let user = client
        .patch(ADA, json!([{ "op": "add", "value": { "emails": [{ "value": "babs@jensen.org", "type": "other" }], "nickName": "Babs" } }]))
        .await
        .expect(200)
        .body;
    assert_eq!((user["emails"].as_array().unwrap().len(), &user["nickName"]), (3, &json!("Babs")));
    // "If the target location already contains the value specified, no changes SHOULD be made".
    let again = client
        .op(ADA, "add", "emails", json!({ "value": "babs@jensen.org", "type": "other" }))
        .await
        .expect(200)
        .body;
    assert_eq!(again["emails"].as_array().unwrap().len(), 3);
    assert_eq!(again["meta"]["version"], user["meta"]["version"], "and the version stays");
    // "If the target location specifies a complex attribute, a set of sub-attributes SHALL be specified".
    let user = client.op(ADA, "add", "name", json!({ "middleName": "King" })).await.expect(200).body;
    assert_eq!(user["name"], json!({ "givenName": "Ada", "familyName": "Lovelace", "middleName": "King" }));
    let user = client.op(ADA, "add", ENTERPRISE, json!({ "costCenter": "7" })).await.expect(200).body;
    assert_eq!(
        (&user[ENTERPRISE]["costCenter"], &user[ENTERPRISE]["department"]),
        (&json!("7"), &json!("Engines"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_new_primary_demotes_the_old() {
    let client = Client::rfc();
    // §3.5.2: "SHALL cause the server to automatically set "primary" to "false" for any other values".
    let user = client
        .op(ADA, "add", "emails", json!([{ "value": "new@x.example", "primary": true }]))
        .await
        .expect(200)
        .body;
    let primaries: Vec<&Value> =
        user["emails"].as_array().unwrap().iter().map(|email| &email["primary"]).collect();
    assert_eq!(primaries, [&json!(false), &Value::Null, &json!(true)]);
    let user =
        client.op(ADA, "replace", "emails[type eq \"home\"].primary", json!(true)).await.expect(200).body;
    let primaries: Vec<&Value> =
        user["emails"].as_array().unwrap().iter().map(|email| &email["primary"]).collect();
    assert_eq!(primaries, [&json!(false), &json!(true), &json!(false)]);
    let two = json!([{ "value": "x", "primary": true }, { "value": "y", "primary": true }]);
    assert_eq!(
        refused(&client, ADA, json!({ "op": "add", "path": "emails", "value": two })).await,
        "invalidValue"
    );
}

#[tokio::test(start_paused = true)]
async fn remove_takes_what_the_path_says() {
    let client = Client::rfc();
    // §3.5.2.2, the RFC's examples.
    let group =
        client.op("/Groups/S1", "remove", "members[value eq \"U1\"]", Value::Null).await.expect(200).body;
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
    let group = client.op("/Groups/S1", "remove", "members", members(&["U9"])).await.expect(200).body;
    assert_eq!(group.get("members"), None, "the value is ignored");
    let user = client
        .op(ADA, "remove", "emails[type eq \"work\" and value ew \"acme.example\"]", Value::Null)
        .await
        .expect(200)
        .body;
    assert_eq!(user["emails"], json!([{ "value": "lovelace@acme.example", "type": "home" }]));
    let user = client.op(ADA, "remove", "emails[type eq \"home\"].type", Value::Null).await.expect(200).body;
    assert_eq!(user["emails"], json!([{ "value": "lovelace@acme.example" }]));
    let user =
        client.op(ADA, "remove", &format!("{ENTERPRISE}:department"), Value::Null).await.expect(200).body;
    assert_eq!(user[ENTERPRISE].get("department"), None);
    assert_eq!(
        client.op(ADA, "remove", ENTERPRISE, Value::Null).await.expect(200).body.get(ENTERPRISE),
        None
    );
    // "If "path" is unspecified, the operation fails with … `noTarget`"; a required attribute is `mutability`.
    assert_eq!(refused(&client, ADA, json!({ "op": "remove" })).await, "noTarget");
    assert_eq!(refused(&client, ADA, json!({ "op": "remove", "path": "userName" })).await, "mutability");
    client.op(ADA, "remove", "emails[type eq \"nothing\"]", Value::Null).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn replace_replaces() {
    let client = Client::rfc();
    let group = client.op("/Groups/S1", "replace", "members", members(&["U3"])).await.expect(200).body;
    assert_eq!(group["members"][0]["value"], "U3");
    // §3.5.2.3: the RFC's example of an address.
    let address = json!({ "type": "work", "streetAddress": "911 Universal City Plaza", "primary": true });
    assert_eq!(
        refused(
            &client,
            ADA,
            json!({ "op": "replace", "path": "addresses[type eq \"work\"]", "value": address })
        )
        .await,
        "noTarget"
    );
    client
        .op(ADA, "add", "addresses", json!([{ "type": "work", "locality": "Hollywood" }]))
        .await
        .expect(200);
    let user =
        client.op(ADA, "replace", "addresses[type eq \"work\"]", address.clone()).await.expect(200).body;
    assert_eq!(
        user["addresses"],
        json!([{ "streetAddress": "911 Universal City Plaza", "type": "work", "primary": true }])
    );
    let user = client
        .op(ADA, "replace", "addresses[type eq \"work\"].streetAddress", json!("1010 Broadway Ave"))
        .await
        .expect(200)
        .body;
    assert_eq!(user["addresses"][0]["streetAddress"], "1010 Broadway Ave");
    // "If the target location path specifies an attribute that does not exist, the service provider SHALL treat the
    // operation as an "add"".
    let user = client.op(ADA, "replace", "nickName", json!("Babs")).await.expect(200).body;
    assert_eq!(user["nickName"], "Babs");
    let user = client
        .patch(
            ADA,
            json!([{ "op": "replace", "value": { "emails": [{ "value": "one@x.example" }], "title": "T" } }]),
        )
        .await
        .expect(200)
        .body;
    assert_eq!((user["emails"].as_array().unwrap().len(), &user["title"]), (1, &json!("T")));
}

#[tokio::test(start_paused = true)]
async fn errors_have_their_keywords() {
    let client = Client::rfc();
    for (operation, keyword) in [
        (json!({ "op": "replace", "path": "nonsense", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "emails[", "value": 1 }), "invalidPath"),
        (json!({ "op": "replace", "path": "id", "value": "x" }), "mutability"),
        (json!({ "op": "add", "path": "groups", "value": [{ "value": "S1" }] }), "mutability"),
        (json!({ "op": "replace", "value": { "meta": {} } }), "mutability"),
        (json!({ "op": "replace", "path": "active", "value": "yes" }), "invalidValue"),
        (json!({ "op": "replace", "path": "title" }), "invalidValue"),
        (json!({ "op": "move", "path": "title", "value": "x" }), "invalidSyntax"),
        (json!({ "op": "add", "value": "x" }), "invalidValue"),
    ] {
        assert_eq!(refused(&client, ADA, operation.clone()).await, keyword, "{operation}");
    }
    let fixed = json!({ "op": "replace", "path": "members[value eq \"U1\"].value", "value": "U3" });
    assert_eq!(refused(&client, "/Groups/S1", fixed).await, "mutability");
    // §3.5.2: atomic.
    let both =
        json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "remove", "path": "userName" }]);
    client.patch(ADA, both).await.expect(400);
    assert_eq!(client.get(ADA).await.body["title"], "Engineer");
    client.op(ADA, "replace", "userName", json!("GRACE")).await.expect(409);
    client.send(http::Method::PATCH, ADA, Some(json!({ "Operations": [] }))).await.expect(400);
}

/// RFC 7643 §4.2 asks for the id of a member and not that there be such a resource.
#[tokio::test(start_paused = true)]
async fn a_member_may_be_named_before_there_is_one() {
    let client = Client::rfc();
    let group = json!({ "schemas": [GROUP], "displayName": "early", "members": [{ "value": "later" }] });
    let body = client.post("/Groups", group).await.expect(201).body;
    assert_eq!(body["members"], json!([{ "value": "later" }]));
}
