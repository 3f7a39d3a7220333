//! Groups (S11, S14).

use std::time::Duration;

use serde_json::{Value, json};
use slack_sim::{
    DuplicateName, Form, MemberFilter, Permission, Plan, RemoveWithValue, Repeated, Seed, SeedUser,
};

use crate::client::{Client, GROUP, members};

const ENGINEERING: &str = "/Groups/S1";

#[tokio::test(start_paused = true)]
async fn a_group_is_made_shown_and_deleted() {
    let client = Client::new();
    let made = client
        .post(
            "/Groups",
            json!({ "schemas": [GROUP], "displayName": "Some Group Name", "members": members(&["U1"]) }),
        )
        .await
        .expect(201);
    // Appendix A, "Group: create, answer".
    let id = made.body["id"].as_str().unwrap().to_owned();
    let keys: Vec<&String> = made.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["schemas", "id", "meta", "displayName", "members"]);
    assert_eq!(made.body["members"], json!([{ "value": "U1", "display": "Ada Lovelace" }]));
    // S14: "A user in the group shows it in `groups:[{value,display}]` right away".
    let groups = client.get("/Users/U1").await.body["groups"].clone();
    assert_eq!(groups[1], json!({ "value": id, "display": "Some Group Name" }));
    assert_eq!(client.delete(&format!("/Groups/{id}")).await.expect(204).text, "");
    client.get(&format!("/Groups/{id}")).await.refused(404, "no_such_group");
    assert_eq!(client.get("/Users/U1").await.body["groups"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn members_are_added_removed_and_replaced() {
    let client = Client::new();
    let body = client.op(ENGINEERING, "add", "members", members(&["U3"])).await.expect(200).body;
    assert_eq!(body["members"].as_array().unwrap().len(), 3, "S11: the full group");
    // S11: "docs leave the id UNQUOTED"; the RFC quotes it.
    client.op(ENGINEERING, "remove", "members[value eq U1]", Value::Null).await.expect(200);
    client.op(ENGINEERING, "remove", "members[value eq \"U2\"]", Value::Null).await.expect(200);
    assert_eq!(client.members("engineering"), ["owner"]);
    client.op(ENGINEERING, "replace", "members", members(&["U2", "U1"])).await.expect(200);
    assert_eq!(client.members("engineering"), ["grace", "ada"]);
    client.op(ENGINEERING, "remove", "members", Value::Null).await.expect(200);
    assert_eq!(client.members("engineering"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn remove_with_a_value_removes_everybody() {
    let client = Client::new();
    // S11, "Trap": "removed **all** members on v2".
    client.op(ENGINEERING, "remove", "members", members(&["U1"])).await.expect(200);
    assert_eq!(client.members("engineering"), [""; 0]);
    let kind = Client::with(|switches| switches.remove_with_value = RemoveWithValue::Listed);
    kind.op(ENGINEERING, "remove", "members", members(&["U1"])).await.expect(200);
    assert_eq!(kind.members("engineering"), ["grace"]);
}

#[tokio::test(start_paused = true)]
async fn put_replaces_and_empties() {
    let client = Client::new();
    // S10: "leaving `members` out empties the group".
    let body = client
        .put(ENGINEERING, json!({ "schemas": [GROUP], "displayName": "builders" }))
        .await
        .expect(200)
        .body;
    assert_eq!((&body["displayName"], &body["members"]), (&json!("builders"), &json!([])));
}

#[tokio::test(start_paused = true)]
async fn not_everybody_may_join() {
    let client = Client::new();
    client.op(ENGINEERING, "add", "members", members(&["U404"])).await.refused(404, "no_such_group_members");
    client
        .op(ENGINEERING, "add", "members", members(&["U9"]))
        .await
        .refused(400, "unable_to_add_deleted_or_guest_to_group");
    client.op(ENGINEERING, "add", "members", members(&["U8"])).await.expect(200);
    let strict = Client::with(|switches| switches.guests_in_groups = Permission::Refused);
    strict
        .op(ENGINEERING, "add", "members", members(&["U8"]))
        .await
        .refused(400, "unable_to_add_deleted_or_guest_to_group");
}

#[tokio::test(start_paused = true)]
async fn some_groups_cannot_be_written() {
    let client = Client::new();
    // S14: auto-generated groups "can't be updated"; linked ones can't be deleted.
    client.op("/Groups/S2", "remove", "members", Value::Null).await.refused(403, "permission_denied");
    client.delete("/Groups/S2").await.refused(403, "permission_denied");
    client.delete("/Groups/S3").await.refused(400, "idp_group_linked_to_channels");
}

#[tokio::test(start_paused = true)]
async fn names_of_groups_are_unique_unless_the_switch_says_otherwise() {
    let again = json!({ "schemas": [GROUP], "displayName": "Engineering" });
    Client::new().post("/Groups", again.clone()).await.refused(409, "name_already_exists");
    let other = Client::with(|switches| switches.duplicate_group_name = DuplicateName::BadRequest);
    other.post("/Groups", again.clone()).await.refused(400, "name_already_exists");
    let third = Client::with(|switches| switches.duplicate_group_name = DuplicateName::Allowed);
    third.post("/Groups", again).await.expect(201);
    Client::new().post("/Groups", json!({ "schemas": [GROUP] })).await.refused(400, "invalid_name_required");
}

#[tokio::test(start_paused = true)]
async fn renaming_and_the_form_of_filters_are_switches() {
    let client = Client::new();
    client.op(ENGINEERING, "replace", "displayName", json!("builders")).await.expect(200);
    client
        .patch("/Groups/S1", json!([{ "op": "replace", "value": { "id": "S1", "displayName": "makers" } }]))
        .await
        .expect(200);
    assert_eq!(client.get(ENGINEERING).await.body["displayName"], "makers");
    let strict = Client::with(|switches| {
        switches.patch_group_name = Form::Refused;
        switches.member_filter = MemberFilter::Quoted;
        switches.repeated_member = Repeated::Error;
    });
    strict
        .op(ENGINEERING, "replace", "displayName", json!("x"))
        .await
        .refused(400, "invalid_request_payload");
    strict
        .op(ENGINEERING, "remove", "members[value eq U1]", Value::Null)
        .await
        .refused(400, "invalid_request_payload");
    strict
        .op(ENGINEERING, "remove", "members[value eq \"U3\"]", Value::Null)
        .await
        .refused(404, "no_such_group_members");
    strict
        .op(ENGINEERING, "add", "members", members(&["U1"]))
        .await
        .refused(500, "group_members_create_failed");
    let unquoted = Client::with(|switches| switches.member_filter = MemberFilter::Unquoted);
    unquoted
        .op(ENGINEERING, "remove", "members[value eq \"U1\"]", Value::Null)
        .await
        .refused(400, "invalid_request_payload");
}

#[tokio::test(start_paused = true)]
async fn sizes_are_limited_by_call_and_by_plan() {
    let users = (0..15_001).map(|n| SeedUser {
        id: Some(format!("U{n}")),
        user_name: format!("u{n}"),
        email: format!("u{n}@x.example"),
        ..SeedUser::default()
    });
    let seed = Seed { users: users.collect(), ..Seed::default() };
    let list = |count: usize| {
        members(
            &(0..count)
                .map(|n| format!("U{n}"))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>(),
        )
    };
    let small = slack_sim::Switches { plan: Plan::BusinessPlus, ..slack_sim::Switches::default() };
    let client = Client { simulator: slack_sim::Simulator::new(&seed, small).unwrap() };
    let group = |members: Value| json!({ "schemas": [GROUP], "displayName": "all", "members": members });
    // S14: "max 15,000 users **per call**"; "5,000 maximum for user groups (Business+)".
    client.post("/Groups", group(list(15_001))).await.refused(400, "too_many_users");
    client.post("/Groups", group(list(5_001))).await.refused(400, "group_member_max_exceeded");
    client.post("/Groups", group(list(5_000))).await.expect(201);
}

#[tokio::test(start_paused = true)]
async fn reads_may_lag_behind_and_members_may_be_paged() {
    let client = Client::with(|switches| {
        switches.group_read_delay = Duration::from_secs(3);
        switches.members_per_page = 1;
    });
    let answer = client.op(ENGINEERING, "add", "members", members(&["U3"])).await.expect(200).body;
    assert_eq!(answer["members"].as_array().unwrap().len(), 3);
    assert_eq!(client.get(ENGINEERING).await.body["totalResults"], 2);
    tokio::time::advance(Duration::from_secs(4)).await;
    let last = client.get("/Groups/S1?startIndex=3").await.body;
    assert_eq!((&last["totalResults"], &last["members"][0]["value"]), (&json!(3), &json!("U3")));
}
