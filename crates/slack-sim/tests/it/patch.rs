//! PATCH of users in every form of S11.

use serde_json::{Value, json};
use slack_sim::{DisplayName, ExtensionPaths, Form, Heed, ReplaceEmails, SecondPrimary, StartDateForm};

use crate::client::{Client, ENTERPRISE, GUEST, PROFILE};

const ADA: &str = "/Users/U1";

#[tokio::test(start_paused = true)]
async fn scalars_are_replaced_and_cleared() {
    let client = Client::new();
    for name in ["title", "userType", "preferredLanguage", "locale", "timezone", "displayName"] {
        let user = client.op(ADA, "replace", name, json!("new")).await.expect(200).body;
        assert_eq!(user[name], "new", "{name}");
    }
    // S11: "Clear a scalar on v2: `replace` with `""`"; S5: title is "", not null, when unset.
    assert_eq!(client.op(ADA, "replace", "title", json!("")).await.expect(200).body["title"], "");
    assert_eq!(client.op(ADA, "replace", "locale", json!(" ")).await.expect(200).body["locale"], Value::Null);
    assert_eq!(
        client.op(ADA, "remove", "userType", Value::Null).await.expect(200).body["userType"],
        Value::Null
    );
}

#[tokio::test(start_paused = true)]
async fn user_name_and_nick_name_change_together() {
    let client = Client::new();
    // S6: "changing either changes both".
    let user = client.op(ADA, "replace", "nickName", json!("Countess")).await.expect(200).body;
    assert_eq!((&user["userName"], &user["nickName"]), (&json!("countess"), &json!("countess")));
    client
        .op(ADA, "replace", "nickName", json!("abcdefghijklmnopqrstuv"))
        .await
        .refused(400, "long_nickname");
    client.op(ADA, "replace", "userName", json!("grace")).await.refused(409, "username_taken");
    client.op(ADA, "remove", "userName", Value::Null).await.refused(400, "username_empty");
}

#[tokio::test(start_paused = true)]
async fn the_combined_example_of_the_documents_works() {
    let client = Client::new();
    client.op(ADA, "add", "addresses", json!([{ "locality": "London" }])).await.expect(200);
    // Appendix A: "PATCH user, several operations", with the singular `address`.
    let user = client
        .patch(
            ADA,
            json!([
                { "op": "add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "121" },
                { "op": "add", "path": format!("{ENTERPRISE}:costCenter"), "value": "001919" },
                { "op": "remove", "path": "address" },
            ]),
        )
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&user[ENTERPRISE]["employeeNumber"], &user[ENTERPRISE]["costCenter"]),
        (&json!("121"), &json!("001919"))
    );
    assert_eq!(user["addresses"][0]["locality"], Value::Null);
    assert_eq!(user[ENTERPRISE]["department"], "Engines", "the others stay");
}

#[tokio::test(start_paused = true)]
async fn one_bad_operation_undoes_them_all() {
    let client = Client::new();
    // RFC 7644 §3.5.2: "the request SHALL be treated as atomic".
    let both = json!([{ "op": "replace", "path": "title", "value": "x" }, { "op": "replace", "path": "nonsense", "value": "y" }]);
    client.patch(ADA, both).await.refused(400, "invalid_request_payload");
    assert_eq!(client.get(ADA).await.body["title"], "Engineer");
}

#[tokio::test(start_paused = true)]
async fn emails_have_two_slots() {
    let emails = |primary: &str, secondary: &str| json!([{ "value": primary, "primary": true }, { "value": secondary, "primary": false }]);
    let client = Client::new();
    // S11: "`emails[primary eq true].value` | replace".
    let user = client
        .op(ADA, "replace", "emails[primary eq true].value", json!("a@acme.example"))
        .await
        .expect(200)
        .body;
    assert_eq!(user["emails"], emails("a@acme.example", "lovelace@acme.example"));
    let user = client
        .op(ADA, "replace", "emails[primary eq false]", json!({ "value": "b@acme.example", "type": "home" }))
        .await
        .expect(200)
        .body;
    assert_eq!(user["emails"], emails("a@acme.example", "b@acme.example"));
    let user = client
        .op(
            ADA,
            "add",
            "emails",
            json!([{ "value": "c@acme.example", "primary": true }, { "value": "d@acme.example" }]),
        )
        .await
        .expect(200)
        .body;
    assert_eq!(user["emails"], emails("c@acme.example", "d@acme.example"));
    let user = client.op(ADA, "add", "emails", json!({ "value": "e@acme.example" })).await.expect(200).body;
    assert_eq!(user["emails"], emails("c@acme.example", "e@acme.example"));
    let user =
        client.op(ADA, "remove", "emails[value eq \"e@acme.example\"]", Value::Null).await.expect(200).body;
    assert_eq!(user["emails"], json!([{ "value": "c@acme.example", "primary": true }]));
    // S6: "Primary can be changed, never removed: `missing_primary_email`"; "`remove` path `emails` drops only the secondary".
    client
        .op(ADA, "remove", "emails[primary eq true]", Value::Null)
        .await
        .refused(400, "missing_primary_email");
    let user = client.op(ADA, "remove", "emails", Value::Null).await.expect(200).body;
    assert_eq!(user["emails"][0]["value"], "c@acme.example");
    client
        .op(ADA, "replace", "emails[primary eq false]", json!({ "value": "x@acme.example" }))
        .await
        .refused(400, "emails_invalid");
    client
        .op(ADA, "replace", "emails[primary eq true].value", json!("grace@acme.example"))
        .await
        .refused(409, "email_taken");
}

#[tokio::test(start_paused = true)]
async fn what_a_list_of_emails_does_is_a_switch() {
    let one = json!([{ "value": "x@acme.example", "primary": true }]);
    let seconds = |user: &Value| user["emails"][1]["value"].clone();
    let merging = Client::new().op(ADA, "replace", "emails", one.clone()).await.expect(200).body;
    assert_eq!(seconds(&merging), "lovelace@acme.example");
    let replacing = Client::with(|switches| switches.replace_emails = ReplaceEmails::Replaces);
    assert_eq!(
        seconds(&replacing.op(ADA, "replace", "emails", one.clone()).await.expect(200).body),
        Value::Null
    );
    let refusing = Client::with(|switches| switches.second_primary = SecondPrimary::Refused);
    refusing.op(ADA, "replace", "emails", one).await.refused(409, "emails_invalid");
}

#[tokio::test(start_paused = true)]
async fn phones_are_inverted() {
    let client = Client::new();
    let phones = |mobile: Value, primary: Value| json!([{ "value": mobile, "type": "mobile" }, { "value": primary, "primary": true }]);
    // S6: "it becomes mobilePhone only with `type:"work"`".
    let user =
        client.op(ADA, "add", "phoneNumbers", json!({ "value": "7", "type": "work" })).await.expect(200).body;
    assert_eq!(user["phoneNumbers"], phones(json!("7"), json!("1")));
    let user =
        client.op(ADA, "replace", "phoneNumbers[value eq \"1\"].value", json!("8")).await.expect(200).body;
    assert_eq!(user["phoneNumbers"], phones(json!("7"), json!("8")));
    let user = client.op(ADA, "remove", "phoneNumbers[value eq \"7\"]", Value::Null).await.expect(200).body;
    assert_eq!(user["phoneNumbers"], phones(Value::Null, json!("8")));
    let user = client.op(ADA, "remove", "phoneNumbers", Value::Null).await.expect(200).body;
    assert_eq!(user["phoneNumbers"], phones(Value::Null, Value::Null));
}

#[tokio::test(start_paused = true)]
async fn names_roles_and_managers() {
    let client = Client::new();
    let user = client
        .op(ADA, "add", "name", json!({ "familyName": "King", "honorificPrefix": "Lady" }))
        .await
        .expect(200)
        .body;
    assert_eq!(user["name"], json!({ "givenName": "Ada", "familyName": "King", "honorificPrefix": "Lady" }));
    client.op(ADA, "replace", "name.givenName", json!("")).await.expect(200);
    client.op(ADA, "remove", "name.familyName", Value::Null).await.refused(400, "invalid_name_required");
    // S6: "objects or bare strings accepted".
    let user = client.op(ADA, "add", "roles", json!(["Tech Lead"])).await.expect(200).body;
    assert_eq!(user["roles"], json!([{ "value": "Tech Lead", "primary": true }]));
    // S11: a dot in one of Slack's examples; S6: "id, a primary e-mail or a userName".
    let user = client
        .op(ADA, "remove", &format!("{ENTERPRISE}.manager.managerId"), Value::Null)
        .await
        .expect(200)
        .body;
    assert_eq!(user[ENTERPRISE]["manager"], json!({ "managerId": null }));
    for named in ["U2", "grace@acme.example", "GRACE"] {
        let user = client
            .op(ADA, "replace", &format!("{ENTERPRISE}:manager"), json!({ "managerId": named }))
            .await
            .expect(200)
            .body;
        assert_eq!(user[ENTERPRISE]["manager"]["managerId"], "U2", "{named}");
    }
    client
        .op(ADA, "replace", &format!("{ENTERPRISE}:manager.managerId"), json!("nobody"))
        .await
        .refused(404, "unknown_user");
    let user = client.op(ADA, "remove", ENTERPRISE, Value::Null).await.expect(200).body;
    assert_eq!(user[ENTERPRISE]["department"], Value::Null);
}

#[tokio::test(start_paused = true)]
async fn guests_come_and_go() {
    let client = Client::new();
    let user = client
        .op(ADA, "add", GUEST, json!({ "type": "multi", "expiration": "2027-01-01T00:00:00Z" }))
        .await
        .expect(200)
        .body;
    assert_eq!(user[GUEST]["expiration"], "2027-01-01T00:00:00Z");
    let user = client.op(ADA, "remove", &format!("{GUEST}.expiration"), Value::Null).await.expect(200).body;
    assert_eq!(user[GUEST], json!({ "type": "multi" }));
    let user = client.op(ADA, "remove", GUEST, Value::Null).await.expect(200).body;
    assert!(user.get(GUEST).is_none());
    // S11: "Making a guest of, or turning back, a **deactivated** user reactivates it".
    let user = client.op("/Users/U9", "add", GUEST, json!({ "type": "multi" })).await.expect(200).body;
    assert_eq!(user["active"], true);
}

#[tokio::test(start_paused = true)]
async fn okta_and_entra_are_understood() {
    let client = Client::new();
    // Okta: no path, a value object.
    let answer = client
        .patch(ADA, json!([{ "op": "replace", "value": { "active": false, "title": "Gone" } }]))
        .await
        .expect(200);
    assert_eq!(answer.body["title"], "Gone");
    tokio::time::advance(std::time::Duration::from_secs(3)).await;
    assert_eq!(client.get(ADA).await.body["active"], false);
    // Entra: capital op, strings for booleans, dotted names.
    client.patch(ADA, json!([{ "op": "Replace", "path": "active", "value": "True" }])).await.expect(200);
    let dotted = json!({ "name.givenName": "Augusta", format!("{ENTERPRISE}:department"): "Tools" });
    let user = client.patch(ADA, json!([{ "op": "Add", "value": dotted }])).await.expect(200).body;
    assert_eq!(
        (&user["active"], &user["name"]["givenName"], &user[ENTERPRISE]["department"]),
        (&json!(true), &json!("Augusta"), &json!("Tools"))
    );
    let strict = Client::with(|switches| {
        switches.pathless_patch = Form::Refused;
        switches.active_as_string = Form::Refused;
    });
    strict
        .patch(ADA, json!([{ "op": "replace", "value": { "active": false } }]))
        .await
        .refused(400, "invalid_request_payload");
    strict.op(ADA, "replace", "active", json!("False")).await.refused(400, "invalid_attribute_format");
}

#[tokio::test(start_paused = true)]
async fn extension_paths_and_start_dates_are_switches() {
    let colon = Client::with(|switches| switches.extension_paths = ExtensionPaths::Colon);
    colon
        .op(ADA, "remove", &format!("{ENTERPRISE}.manager.managerId"), Value::Null)
        .await
        .refused(400, "invalid_request_payload");
    colon.op(ADA, "add", &format!("{ENTERPRISE}:division"), json!("x")).await.expect(200);
    let date = "2026-01-05";
    let (object, path) = (json!({ "startDate": date }), format!("{PROFILE}:startDate"));
    let any = Client::new();
    assert_eq!(any.op(ADA, "replace", &path, json!(date)).await.expect(200).body[PROFILE]["startDate"], date);
    any.op(ADA, "replace", PROFILE, object.clone()).await.expect(200);
    any.op(ADA, "replace", &path, json!("soon")).await.refused(400, "invalid_attribute_format");
    let by_object = Client::with(|switches| switches.patch_start_date = StartDateForm::Object);
    by_object.op(ADA, "replace", PROFILE, object).await.expect(200);
    by_object.op(ADA, "replace", &path, json!(date)).await.refused(400, "invalid_request_payload");
}

#[tokio::test(start_paused = true)]
async fn photos_and_display_names_follow_their_switches() {
    let client = Client::new();
    client.op(ADA, "add", "photos", json!([{ "value": "https://x.example/a.png" }])).await.expect(200);
    let photo = async |client: &Client| {
        tokio::time::advance(std::time::Duration::from_secs(6)).await;
        client.get(ADA).await.body["photos"][0]["value"].as_str().unwrap().to_owned()
    };
    assert!(photo(&client).await.contains("slack-edge.com/"));
    client.op(ADA, "remove", "photos", Value::Null).await.expect(200);
    assert!(!photo(&client).await.contains("gravatar"), "S6: `remove photos` probably doesn't do it");
    client.op(ADA, "replace", "photos", json!([])).await.expect(200);
    assert!(photo(&client).await.contains("gravatar"));
    client
        .op(ADA, "add", "photos", json!([{ "value": "ftp://x.example/a.png" }]))
        .await
        .refused(400, "photos_invalid");
    let locked = Client::with(|switches| {
        switches.display_name = DisplayName::Locked;
        switches.remove_photos = Heed::Honoured;
    });
    locked.op(ADA, "replace", "displayName", json!("Countess")).await.refused(400, "invalid_display_name");
    locked.op(ADA, "replace", "displayName", json!("Ada L")).await.expect(200);
    client.op(ADA, "replace", "displayName", json!("@ada")).await.refused(400, "invalid_starts_with_at");
    client
        .op(ADA, "replace", "displayName", json!("x".repeat(81)))
        .await
        .refused(400, "invalid_name_maxlength");
    client.op(ADA, "replace", "title", json!("🚀")).await.refused(400, "invalid_emoji_not_allowed");
}

#[tokio::test(start_paused = true)]
async fn what_scim_cannot_change_stays() {
    let client = Client::new();
    // S11: "`externalId`, `password`, `profileUrl`: not updatable by PATCH".
    client.op(ADA, "replace", "password", json!("x")).await.refused(400, "password_change_not_allowed");
    let user = client.op(ADA, "replace", "externalId", json!("42")).await.expect(200).body;
    assert_eq!(user["externalId"], "");
    let user = client.op(ADA, "replace", "profileUrl", json!("https://x.example")).await.expect(200).body;
    assert_eq!(user["profileUrl"], "https://acme.enterprise.slack.com/team/ada");
    // S11: docs give a v1-style body without Operations for startDate, which is no PatchOp.
    let body = json!({ "schemas": [PROFILE], PROFILE: { "startDate": "2026-01-05" } });
    client.send(http::Method::PATCH, ADA, Some(body)).await.refused(400, "invalid_request_payload");
}
