//! The plain service: RFC 7643 and 7644 over HTTP.

use http::Method;
use serde_json::{Value, json};

use crate::client::{Client, ENTERPRISE, GROUP, USER, members};

#[tokio::test(start_paused = true)]
async fn a_resource_lives_from_post_to_delete() {
    let client = Client::rfc();
    let body = json!({
        "schemas": [USER, ENTERPRISE], "userName": "BJensen", "externalId": "701984",
        "emails": [{ "value": "a@x.example", "type": "work", "primary": true }, { "value": "b@x.example", "type": "home" }, { "value": "c@x.example" }],
        "phoneNumbers": [{ "value": "1", "type": "mobile" }],
        ENTERPRISE: { "manager": { "value": "U2" } },
        "meta": { "created": "ignored" }, "id": "ignored",
    });
    let made = client.post("/Users", body.clone()).await.expect(201);
    // RFC 7644 §3.3: 201, the resource, and Location.
    assert_eq!(made.header("content-type"), Some("application/scim+json"));
    assert_eq!(made.header("location").unwrap(), made.body["meta"]["location"].as_str().unwrap());
    assert_eq!(made.header("etag").unwrap(), made.body["meta"]["version"].as_str().unwrap());
    for name in ["userName", "externalId", "emails", "phoneNumbers"] {
        assert_eq!(made.body[name], body[name], "{name} is as given");
    }
    assert_eq!(made.body[ENTERPRISE]["manager"]["value"], "U2");
    assert_eq!(made.body["meta"]["resourceType"], "User");
    let path = format!("/Users/{}", made.body["id"].as_str().unwrap());
    // §3.3.1, §3.12: 409 `uniqueness`, status as a string.
    let again =
        client.post("/Users", json!({ "schemas": [USER], "userName": "bjensen" })).await.expect(409).body;
    assert_eq!((&again["scimType"], &again["status"]), (&json!("uniqueness"), &json!("409")));
    // §3.5.1: what PUT leaves out is cleared.
    let put = client.put(&path, json!({ "schemas": [USER], "userName": "bjensen" })).await.expect(200).body;
    assert_eq!((put.get("emails"), put.get(ENTERPRISE)), (None, None));
    assert_eq!(client.delete(&path).await.expect(204).text, "");
    assert_eq!(client.get(&path).await.expect(404).body["status"], "404");
    client.delete(&path).await.expect(404);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_user_leaves_the_groups() {
    let client = Client::rfc();
    client.delete("/Users/U1").await.expect(204);
    let group = client.get("/Groups/S1").await.expect(200).body;
    assert_eq!(group["members"].as_array().unwrap().len(), 1);
    assert_eq!(group["members"][0]["$ref"], "https://api.slack.com/scim/v2/Users/U2");
    let user = client.get("/Users/U2").await.body;
    assert_eq!(user["groups"][0]["display"], "engineering");
    let nested = json!({ "schemas": [GROUP], "displayName": "all", "members": members(&["S1", "U2"]) });
    assert_eq!(client.post("/Groups", nested).await.expect(201).body["members"][0]["type"], "Group");
}

#[tokio::test(start_paused = true)]
async fn bad_resources_are_refused_in_the_words_of_the_rfc() {
    let client = Client::rfc();
    let refused = async |body: Value| client.post("/Users", body).await.expect(400).body["scimType"].clone();
    assert_eq!(refused(json!({ "userName": "x" })).await, "invalidSyntax");
    assert_eq!(refused(json!({ "schemas": [USER] })).await, "invalidValue");
    assert_eq!(refused(json!({ "schemas": [USER], "userName": "x", "active": "yes" })).await, "invalidValue");
    let two = json!([{ "value": "a", "primary": true }, { "value": "b", "primary": true }]);
    assert_eq!(refused(json!({ "schemas": [USER], "userName": "x", "emails": two })).await, "invalidValue");
    client.get("/Nonsense").await.expect(404);
    client.get("/Me").await.expect(501);
    client.send(Method::PUT, "/Users", None).await.expect(405);
    client.get("/Schemas?filter=id eq \"x\"").await.expect(403);
    client.send_with(Method::GET, "/Users", None, &[]).await.expect(401);
}

#[tokio::test(start_paused = true)]
async fn lists_are_filtered_sorted_cut_and_projected() {
    let client = Client::rfc();
    let names = async |query: &str| {
        let body = client.get(&format!("/Users?{query}")).await.expect(200).body;
        let users = body["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["userName"].as_str().unwrap().to_owned());
        users.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names("filter=userName eq \"ADA\"").await, "ada");
    assert_eq!(names("filter=emails[type eq \"home\"] or name.familyName sw \"hop\"").await, "ada grace");
    assert_eq!(names("filter=not (active eq true)").await, "bob");
    assert_eq!(names(&format!("filter={ENTERPRISE}:department pr")).await, "ada");
    assert_eq!(
        names("filter=groups.display eq \"engineering\" and meta.resourceType eq \"User\"").await,
        "ada grace"
    );
    assert_eq!(names("filter=id eq \"u1\"").await, "", "ids are caseExact");
    assert_eq!(names("sortBy=userName&sortOrder=descending&count=2").await, "robot owner");
    assert_eq!(names("startIndex=9").await, "bob");
    assert_eq!(client.get("/Users?filter=x").await.expect(400).body["scimType"], "invalidFilter");
    let user = client.get("/Users/U1?attributes=emails.value,name.givenName").await.expect(200).body;
    assert_eq!(
        user["emails"],
        json!([{ "value": "ada@acme.example" }, { "value": "lovelace@acme.example" }])
    );
    assert_eq!(user["name"], json!({ "givenName": "Ada" }));
    assert_eq!(user.get("userName"), None);
    let user = client
        .get(&format!("/Users/U1?excludedAttributes=emails,{ENTERPRISE}:manager"))
        .await
        .expect(200)
        .body;
    assert_eq!((user.get("emails"), &user[ENTERPRISE]), (None, &json!({ "department": "Engines" })));
    let search = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "displayName pr", "count": 1 });
    let found = client.post("/.search", search).await.expect(200).body;
    assert_eq!((&found["totalResults"], &found["itemsPerPage"]), (&json!(4), &json!(1)));
}

#[tokio::test(start_paused = true)]
async fn versions_guard_writes() {
    let client = Client::rfc();
    let tag = client.get("/Users/U1").await.header("etag").unwrap().to_owned();
    let send = async |method: Method, name: &str, tag: &str| {
        let body = (method == Method::PATCH).then(|| {
            json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [{ "op": "replace", "path": "title", "value": "x" }] })
        });
        client
            .send_with(method, "/Users/U1", body, &[("authorization", "Bearer x"), (name, tag)])
            .await
            .status
    };
    // RFC 7644 §3.14.
    assert_eq!(send(Method::GET, "if-none-match", &tag).await, 304);
    assert_eq!(send(Method::PATCH, "if-match", "W/\"0\"").await, 412);
    assert_eq!(send(Method::PATCH, "if-match", &tag).await, 200);
    assert_eq!(send(Method::GET, "if-none-match", &tag).await, 200);
}

#[tokio::test(start_paused = true)]
async fn discovery_is_complete() {
    let client = Client::rfc();
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes/User",
        "/Schemas/urn:ietf:params:scim:schemas:core:2.0:Group",
    ] {
        let body = client.get(path).await.expect(200).body;
        assert!(body["schemas"].is_array() && body["meta"]["location"].is_string(), "{path}");
    }
    assert_eq!(client.get("/Schemas").await.body["totalResults"], 3);
    assert_eq!(client.get("/ResourceTypes").await.body["totalResults"], 2);
    client.get("/ResourceTypes/Car").await.expect(404);
    client.get("/scim/v1/Users").await.expect(404);
}
