//! The gate and the shapes of errors (S1, S2, S16).

use http::Method;
use serde_json::{Value, json};
use slack_sim::{Answer as Body, AuthError, ErrorShape, Plan, PostStatus};

use crate::client::{Client, GROUP};

#[tokio::test(start_paused = true)]
async fn tokens_are_refused_in_the_fashion_of_the_year() {
    let mut client = Client::new();
    client.simulator = client.simulator.with_token("xoxp-good");
    let wrong = [("authorization", "Bearer xoxp-bad")];
    // S16: "v2 also answers in the v1 shape … at the authentication layer".
    let answer = client.send_with(Method::GET, "/Users", None, &wrong).await.expect(401);
    assert_eq!(answer.body, json!({ "Errors": { "description": "invalid_authentication", "code": 401 } }));
    client.send_with(Method::GET, "/Users", None, &[]).await.refused(401, "missing_authentication");
    client
        .send_with(Method::GET, "/Users", None, &[("authorization", "Basic eA==")])
        .await
        .refused(401, "invalid_authentication");
    client.send_with(Method::GET, "/Users", None, &[("authorization", "bearer xoxp-good")]).await.expect(200);
    client.simulator.set_switches(|switches| switches.auth_error = AuthError::Old);
    // "v2 → **400 `unsupported_version`** from 2023 until spring 2026"; v1 always 401.
    client.send_with(Method::GET, "/Users", None, &wrong).await.refused(400, "unsupported_version");
    client
        .send_with(Method::GET, "/scim/v1/Users", None, &wrong)
        .await
        .refused(401, "invalid_authentication");
}

#[tokio::test(start_paused = true)]
async fn unknown_paths_and_methods_have_codes() {
    let client = Client::new();
    let answer = client.get("/Nonsense").await.refused(404, "bad_endpoint");
    assert_eq!(
        answer.text,
        r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"bad_endpoint","status":404}"#
    );
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    for path in ["/Bulk", "/Me", "/.search", "/scim/v3/Users", "/scim/v2"] {
        client.get(path).await.refused(404, "bad_endpoint");
    }
    client.delete("/Users").await.refused(405, "method_not_allowed");
    client.send(Method::OPTIONS, "/Users", None).await.refused(405, "method_not_allowed");
    client.send(Method::POST, "/Users", None).await.refused(400, "invalid_request_payload");
    client.simulator.set_switches(|switches| switches.error_shape = ErrorShape::V1);
    assert_eq!(
        client.get("/Nonsense").await.body,
        json!({ "Errors": { "description": "bad_endpoint", "code": 404 } })
    );
}

#[tokio::test(start_paused = true)]
async fn a_free_plan_has_no_scim() {
    // S1: "Free and Pro get `plus_teams_only`".
    Client::with(|switches| switches.plan = Plan::Free).get("/Users").await.refused(403, "plus_teams_only");
}

#[tokio::test(start_paused = true)]
async fn answers_to_writes_are_switches() {
    let group = json!({ "schemas": [GROUP], "displayName": "new" });
    let silent = Client::with(|switches| switches.write_answer = Body::Empty);
    assert_eq!(silent.post("/Groups", group.clone()).await.expect(201).text, "");
    assert_eq!(silent.op("/Users/U1", "replace", "title", json!("x")).await.expect(204).text, "");
    let client = Client::with(|switches| {
        switches.patch_group_answer = Body::Empty;
        switches.post_status = PostStatus::Ok;
        switches.location_header = true;
        switches.escaped_slashes = true;
    });
    let made = client.post("/Groups", group).await.expect(200);
    assert_eq!(made.header("location").unwrap(), made.body["meta"]["location"].as_str().unwrap());
    assert!(made.text.contains(r"https:\/\/api.slack.com\/scim\/v2\/Groups\/"));
    assert_eq!(client.op("/Groups/S1", "remove", "members", Value::Null).await.expect(204).text, "");
}

#[tokio::test(start_paused = true)]
async fn a_creation_may_fail_for_no_reason() {
    let client = Client::with(|switches| switches.failing_create = 2);
    client.create("one", json!({})).await.expect(201);
    // S7: "Transient: `invited_user_not_created` on POST".
    client
        .create("two", json!({ "emails": [{ "value": "two@acme.example" }] }))
        .await
        .refused(400, "invited_user_not_created");
    client.create("two", json!({ "emails": [{ "value": "two@acme.example" }] })).await.expect(201);
}
