//! Creating, replacing and deactivating people (S5–S7, S10, S13).

use std::time::Duration;

use serde_json::{Value, json};
use slack_sim::{
    BadProfile, BodyFamily, Deactivated, Heed, Keep, LongUserName, OmittedActive, Plan, Rank, RankRule,
    RefusalStatus,
};
use tokio::time::advance;

use crate::client::{Client, ENTERPRISE, GUEST, PROFILE, USER};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().map(|object| object.keys().map(String::as_str).collect()).unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_full_body_has_the_keys_of_s5_in_their_order() {
    let client = Client::new();
    let user = client.get("/Users/U1").await.expect(200);
    // S5: "### v2, key order as returned".
    assert_eq!(
        keys(&user.body),
        [
            "schemas",
            "id",
            "externalId",
            "meta",
            "userName",
            "nickName",
            "name",
            "displayName",
            "profileUrl",
            "title",
            "timezone",
            "active",
            "emails",
            "photos",
            "addresses",
            "phoneNumbers",
            "userType",
            "roles",
            "preferredLanguage",
            "locale",
            ENTERPRISE,
            PROFILE,
            "groups",
        ]
    );
    insta::assert_snapshot!(user.text, @r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User","urn:ietf:params:scim:schemas:extension:enterprise:2.0:User","urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User"],"id":"U1","externalId":"","meta":{"created":"2022-12-31T16:00:00-08:00","location":"https://api.slack.com/scim/v2/Users/U1"},"userName":"ada","nickName":"ada","name":{"givenName":"Ada","familyName":"Lovelace","honorificPrefix":null},"displayName":"Ada L","profileUrl":"https://acme.enterprise.slack.com/team/ada","title":"Engineer","timezone":"America/Los_Angeles","active":true,"emails":[{"value":"ada@acme.example","primary":true},{"value":"lovelace@acme.example","primary":false}],"photos":[{"value":"https://secure.gravatar.com/avatar/ed70e24832d674f74d4554ae6268843c.jpg?s=192&d=https%3A%2F%2Fa.slack-edge.com%2Fimg%2Favatars%2Fava_0001-192.png","type":"photo"}],"addresses":[{"streetAddress":null,"locality":null,"region":null,"postalCode":null,"country":null}],"phoneNumbers":[{"value":"2","type":"mobile"},{"value":"1","primary":true}],"userType":null,"roles":[{"value":null,"primary":true}],"preferredLanguage":null,"locale":null,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":null,"costCenter":null,"organization":null,"division":null,"department":"Engines","manager":{"managerId":"U2"}},"urn:ietf:params:scim:schemas:extension:slack:profile:2.0:User":{"startDate":null},"groups":[{"value":"S1","display":"engineering"}]}"#);
}

#[tokio::test(start_paused = true)]
async fn bots_and_minimal_guests_have_lean_bodies() {
    let client = Client::new();
    let lean = [
        "schemas",
        "id",
        "externalId",
        "meta",
        "userName",
        "nickName",
        "name",
        "displayName",
        "profileUrl",
        "title",
        "timezone",
        "active",
        "emails",
        "photos",
        "groups",
    ];
    let bot = client.get("/Users/U6").await.expect(200).body;
    assert_eq!(keys(&bot), lean);
    // S5: "`honorificPrefix` is missing in (a), null in (b)".
    assert_eq!(keys(&bot["name"]), ["givenName", "familyName"]);
    let guest = client.get("/Users/U8").await.expect(200).body;
    // S5: "guest last, after groups".
    assert_eq!(keys(&guest)[..15], lean);
    assert_eq!(guest[GUEST], json!({ "type": "multi", "expiration": "2027-01-31T23:59:59Z" }));
    assert_eq!(guest["schemas"], json!([USER, GUEST]));
}

#[tokio::test(start_paused = true)]
async fn a_lean_team_turns_full_with_its_first_profile_field() {
    // S5: "What switches a team from (a) to (b) is the existence of the auto-created profile fields".
    let seed = slack_sim::Seed::parse(
        r#"{ "users": [ { "id": "U1", "userName": "ada", "email": "a@acme.example" } ] }"#,
    );
    let switches = slack_sim::Switches { body_family: BodyFamily::Lean, ..slack_sim::Switches::default() };
    let client = Client { simulator: slack_sim::Simulator::new(&seed.unwrap(), switches).unwrap() };
    assert!(client.get("/Users/U1").await.body.get("addresses").is_none());
    client.op("/Users/U1", "add", &format!("{ENTERPRISE}:department"), json!("Tools")).await.expect(200);
    assert!(client.get("/Users/U1").await.body.get("addresses").is_some());
}

#[tokio::test(start_paused = true)]
async fn the_documented_creation_answers_what_the_sheet_shows() {
    let client = Client::new();
    // Appendix A: "Full create — what changes between request and answer".
    let made = client
        .create("Maria.Curie", json!({
            "displayName": "Maria", "externalId": "42", "password": "secret", "profileUrl": "https://maria.example",
            "emails": [{ "value": "m@acme.example", "type": "work" }, { "value": "m2@acme.example", "type": "home" }],
            "addresses": [{ "locality": "Paris", "primary": true }],
            "phoneNumbers": [{ "value": "555-5555", "type": "work" }, { "value": "555-4444", "type": "mobile" }],
            "photos": [{ "value": "https://x.example/m.png", "type": "photo" }],
            "roles": [{ "value": "Chemist", "primary": "true" }],
            ENTERPRISE: { "manager": { "managerId": "ada@acme.example" } },
            PROFILE: { "startDate": "2024-04-10T00:00:00+0000" },
        }))
        .await
        .expect(201)
        .body;
    assert_eq!(made["userName"], "maria.curie");
    assert_eq!(made["externalId"], "");
    assert_eq!(made["groups"], json!([]));
    assert_eq!(
        made["emails"],
        json!([{ "value": "m@acme.example", "primary": true }, { "value": "m2@acme.example", "primary": false }])
    );
    assert_eq!(
        made["phoneNumbers"],
        json!([{ "value": "555-5555", "type": "mobile" }, { "value": "555-4444", "primary": true }])
    );
    assert_eq!(made["roles"], json!([{ "value": "Chemist", "primary": true }]));
    assert_eq!(made["addresses"][0].get("primary"), None);
    assert_eq!(made["profileUrl"], "https://maria.example");
    assert!(made.get("password").is_none());
    assert_eq!(made[ENTERPRISE]["manager"]["managerId"], "U1");
    assert!(
        made["photos"][0]["value"].as_str().unwrap().contains("gravatar"),
        "`photos` is still the gravatar"
    );
    // S6: "PATCH/POST answers before the new URL exists".
    advance(Duration::from_secs(6)).await;
    let later = client.get(&format!("/Users/{}", made["id"].as_str().unwrap())).await.body;
    assert!(later["photos"][0]["value"].as_str().unwrap().starts_with("https://avatars.slack-edge.com/"));
}

#[tokio::test(start_paused = true)]
async fn a_guest_is_made_by_the_object_and_not_by_the_urn() {
    let client = Client::new();
    // Appendix A, "Guest create".
    let guest = client
        .post(
            "/Users",
            json!({
                "schemas": [USER, GUEST], "userName": "guestUser", "displayName": "TestGuestUser",
                "emails": [{ "value": "guest@example.com" }], GUEST: { "type": "multi" },
            }),
        )
        .await
        .expect(201)
        .body;
    assert_eq!(guest["userName"], "guestuser");
    assert_eq!(guest["name"], json!({ "givenName": "TestGuestUser", "familyName": "" }));
    assert_eq!(guest[GUEST], json!({ "type": "multi" }));
    // S7: "So the guest *object*, not the URI, makes a guest".
    let member = client.create("plain", json!({})).await.expect(201).body;
    assert!(member.get(GUEST).is_none());
    client
        .create("solo", json!({ GUEST: { "type": "single" } }))
        .await
        .refused(400, "invalid_attribute_format");
    // S6: "Enterprise plan only".
    let small = Client::with(|switches| switches.plan = Plan::BusinessPlus);
    small.create("guest", json!({ GUEST: { "type": "multi" } })).await.refused(403, "cannot_make_user_guest");
}

#[tokio::test(start_paused = true)]
async fn user_names_are_checked() {
    let client = Client::new();
    client.create("ADA", json!({})).await.refused(409, "username_taken");
    // S6: "unique, also against **channel names**"; S13: deactivated users stay.
    client.create("general", json!({})).await.refused(409, "username_taken");
    client.create("bob", json!({})).await.refused(409, "username_taken");
    client.create("abcdefghijklmnopqrstuv", json!({})).await.refused(400, "username_too_long");
    client.create("", json!({})).await.refused(400, "username_empty");
    client.create("everyone", json!({})).await.refused(400, "username_not_allowed");
    client.create("***", json!({})).await.refused(400, "username_invalid");
    client
        .post("/Users", json!({ "schemas": [USER], "emails": [{ "value": "a@b.example" }] }))
        .await
        .refused(400, "username_required");
    client.post("/Users", json!({ "userName": "x" })).await.refused(400, "missing_schema_element");
    let made = client.create("o'neil+x", json!({})).await.expect(201).body;
    assert_eq!(made["userName"], "o_neil_x");
    let seen = Client::with(|switches| switches.long_user_name = LongUserName::Seen);
    let refused = seen.create("abcdefghijklmnopqrstuv", json!({})).await.refused(400, "long_username");
    assert_eq!(refused.body["detail"], "long_username (user=abcdefghijklmnopqrstuv)");
}

#[tokio::test(start_paused = true)]
async fn an_email_address_as_user_name_is_made_fit() {
    let client = Client::new();
    // S6: "an e-mail address here is turned into a Slack-fit username".
    let made = client.create("Ada@acme.example", json!({})).await.expect(201).body;
    assert_eq!(made["userName"], "ada1", "the name is taken, so it is numbered");
}

#[tokio::test(start_paused = true)]
async fn an_email_is_unique_in_both_slots_and_among_the_deactivated() {
    let client = Client::new();
    let taken = |email: &str| json!({ "emails": [{ "value": email }] });
    // S7: "`email_taken … existing_user=U…`", and 409.
    let refused = client.create("new1", taken("ADA@acme.example")).await.refused(409, "email_taken");
    assert_eq!(
        refused.body,
        json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "detail": "email_taken existing_user=U1", "status": 409 })
    );
    client.create("new1", taken("lovelace@acme.example")).await.refused(409, "email_taken");
    client.create("new1", taken("bob@acme.example")).await.refused(409, "email_taken");
    client.create("new1", json!({ "emails": [] })).await.refused(400, "missing_primary_email");
    client.create("new1", taken("nonsense")).await.refused(400, "bad_email_address");
    client.create("new1", json!({ "emails": [{ "value": "" }] })).await.refused(400, "email_empty");
    client.create("new1", json!({ "emails": "a@b.example" })).await.refused(400, "emails_invalid");
}

#[tokio::test(start_paused = true)]
async fn a_bad_profile_costs_a_new_user_all_of_it() {
    let body = json!({ "title": "Chief", ENTERPRISE: { "department": "Tools", "manager": { "managerId": "nobody" } } });
    let client = Client::new();
    // S17: "bad custom-profile data on create drops all profile fields".
    let made = client.create("new1", body.clone()).await.expect(201).body;
    assert_eq!((&made["title"], &made[ENTERPRISE]["department"]), (&json!(""), &Value::Null));
    let strict = Client::with(|switches| switches.bad_profile_on_create = BadProfile::Refused);
    strict.create("new1", body).await.refused(404, "unknown_user");
    // S6: "if `manager` is present managerId must be".
    client
        .create("new2", json!({ ENTERPRISE: { "manager": { "value": "U1" } } }))
        .await
        .refused(400, "improper_enterprise_schema_format");
}

#[tokio::test(start_paused = true)]
async fn post_ignores_active_false_by_default() {
    let client = Client::new();
    assert_eq!(client.create("new1", json!({ "active": false })).await.expect(201).body["active"], true);
    let heeding = Client::with(|switches| switches.post_inactive = Heed::Honoured);
    assert_eq!(heeding.create("new1", json!({ "active": false })).await.expect(201).body["active"], false);
}

#[tokio::test(start_paused = true)]
async fn put_blanks_what_it_does_not_name() {
    let body = json!({ "schemas": [USER], "userName": "ada2", "emails": [{ "value": "a@acme.example" }, { "value": "b@acme.example" }] });
    let client = Client::new();
    // Appendix A: "PUT with userName + two e-mails only — answer".
    let user = client.put("/Users/U1", body.clone()).await.expect(200).body;
    assert_eq!(
        user["name"],
        json!({ "givenName": "Ada", "familyName": "Lovelace", "honorificPrefix": null })
    );
    assert_eq!(
        (&user["displayName"], &user["title"], &user["active"]),
        (&json!(""), &json!(""), &json!(false))
    );
    assert_eq!(user["profileUrl"], "https://acme.enterprise.slack.com/team/ada2");
    assert_eq!(user[ENTERPRISE]["department"], Value::Null);
    assert_eq!(user["nickName"], "ada2");
    let keeping = Client::with(|switches| switches.put_omitted_active = OmittedActive::Keep);
    assert_eq!(keeping.put("/Users/U1", body).await.expect(200).body["active"], true);
    client
        .put("/Users/U2", json!({ "schemas": [USER], "userName": "grace" }))
        .await
        .refused(400, "missing_primary_email");
}

#[tokio::test(start_paused = true)]
async fn delete_deactivates_after_a_while_and_again_without_complaint() {
    let client = Client::new();
    // S13: "v2 → 204, empty"; "Asynchronous".
    let answer = client.delete("/Users/U1").await.expect(204);
    assert_eq!(answer.text, "");
    assert_eq!(client.get("/Users/U1").await.body["active"], true);
    client.delete("/Users/U1").await.expect(204);
    advance(Duration::from_secs(3)).await;
    let user = client.get("/Users/U1").await.expect(200).body;
    assert_eq!((&user["active"], &user["groups"]), (&json!(false), &json!([])));
    client.delete("/Users/U1").await.expect(204);
    assert_eq!(client.members("engineering"), ["grace"]);
    // S13: reactivated people are not put back.
    client.op("/Users/U1", "replace", "active", json!(true)).await.expect(200);
    assert_eq!(client.members("engineering"), ["grace"]);
    let keeping = Client::with(|switches| switches.deactivated_memberships = Keep::Keep);
    keeping.delete("/Users/U1").await.expect(204);
    advance(Duration::from_secs(3)).await;
    assert_eq!(keeping.members("engineering"), ["ada", "grace"]);
    client.delete("/Users/U999").await.refused(404, "no_such_user");
}

#[tokio::test(start_paused = true)]
async fn a_reactivation_calls_off_a_deactivation_under_way() {
    let client = Client::new();
    client.delete("/Users/U1").await.expect(204);
    client.op("/Users/U1", "replace", "active", json!(true)).await.expect(200);
    advance(Duration::from_secs(10)).await;
    assert_eq!(client.get("/Users/U1").await.body["active"], true);
}

#[tokio::test(start_paused = true)]
async fn rank_decides_who_may_be_touched() {
    let client = Client::new();
    // S13: "Who can't be deactivated / changed".
    client.delete("/Users/U4").await.refused(403, "cannot_modify_owner");
    client.delete("/Users/U6").await.refused(403, "cannot_disable_bot_user_with_scim");
    client.op("/Users/U7", "replace", "title", json!("x")).await.refused(403, "cannot_modify_gdpr");
    client
        .op("/Users/U3", "add", GUEST, json!({ "type": "multi" }))
        .await
        .refused(403, "cannot_make_user_guest");
    client.op("/Users/U3", "replace", "title", json!("x")).await.expect(200);
    let primary = Client::with(|switches| switches.token_rank = Rank::PrimaryOwner);
    primary.delete("/Users/U4").await.refused(403, "cannot_disable_primary_owner");
    let admin = Client::with(|switches| {
        switches.token_rank = Rank::Admin;
        switches.rank_rule = RankRule::Lower;
        switches.refusal_status = RefusalStatus::BadRequest;
    });
    admin.delete("/Users/U3").await.refused(400, "cannot_modify_owner");
    admin.delete("/Users/U5").await.refused(400, "permission_denied");
}

#[tokio::test(start_paused = true)]
async fn a_deactivated_account_may_be_closed_to_changes() {
    let client = Client::new();
    client.op("/Users/U9", "replace", "title", json!("x")).await.expect(200);
    let closed = Client::with(|switches| {
        switches.patch_deactivated = Deactivated::Refused403;
        switches.delete_deactivated = Deactivated::Refused404;
    });
    closed.op("/Users/U9", "replace", "title", json!("x")).await.expect(403);
    closed.op("/Users/U9", "replace", "active", json!(true)).await.expect(200);
    let closed = Client::with(|switches| switches.delete_deactivated = Deactivated::Refused404);
    closed.delete("/Users/U9").await.expect(404);
}
