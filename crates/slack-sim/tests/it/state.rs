//! Seeds, and keeping what happens.

use serde_json::json;
use slack_sim::{Kind, Seed, Simulator, Switches};

use crate::client::{Client, seed};

#[tokio::test(start_paused = true)]
async fn a_seed_with_a_mistake_says_where() {
    let wrong = |text: &str| {
        let seed = Seed::parse(text);
        seed.and_then(|seed| Simulator::new(&seed, Switches::default()))
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    };
    let user = r#"{ "userName": "ada", "email": "a@x.example" }"#;
    assert!(wrong("{\n \"users\": [ { \"userNam\": 1 } ] }").contains("unknown field `userNam`"));
    assert!(wrong("{\n \"users\": [ { \"userNam\": 1 } ] }").contains("line 2"));
    assert_eq!(wrong(r#"{ "users": [ {} ] }"#), "users[0]: `userName` is missing");
    assert_eq!(
        wrong(&format!(r#"{{ "users": [ {user}, {user} ] }}"#)),
        "users[1]: id `U0W31FKZGW6` is taken"
    );
    assert_eq!(
        wrong(r#"{ "users": [ { "userName": "Ada", "email": "a@x.example" } ] }"#),
        "users[0]: Slack would store the userName `Ada` as `ada`"
    );
    assert_eq!(
        wrong(r#"{ "groups": [ { "displayName": "g", "members": ["x"] } ] }"#),
        "groups[0]: there is no user `x`"
    );
    assert_eq!(
        wrong(r#"{ "switches": { "plam": "free" } }"#),
        "switches: there is no switch `plam`; did you mean `plan`?"
    );
    assert_eq!(
        wrong(&format!(r#"{{ "users": [ {user} ], "channels": ["Ada"] }}"#)),
        "users[0]: userName `ada` is taken"
    );
}

#[tokio::test(start_paused = true)]
async fn the_state_comes_back_byte_by_byte() {
    let client = Client::with(|switches| switches.text_limit = 100);
    let mut changes = client.simulator.changes();
    client.create("new1", json!({ "title": "T", "addresses": [{ "country": "FR" }] })).await.expect(201);
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    client.get("/Users").await.expect(200);
    client.create("new1", json!({})).await.expect(409);
    assert!(!changes.has_changed().unwrap(), "nothing has changed");
    let again = Simulator::from_json(&client.simulator.to_json(), Switches::default()).unwrap();
    assert_eq!(again.users(), client.simulator.users());
    assert_eq!(again.groups(), client.simulator.groups());
    assert_eq!(again.switches(), client.simulator.switches());
    assert_eq!(again.to_json(), client.simulator.to_json());
}

#[tokio::test(start_paused = true)]
async fn a_plain_service_keeps_its_documents() {
    let client = Client::rfc();
    client.op("/Users/U1", "replace", "nickName", json!("Countess")).await.expect(200);
    let again = Simulator::from_json(&client.simulator.to_json(), Switches::default()).unwrap();
    assert_eq!(again.users(), client.simulator.users());
    assert_eq!(again.user_by_user_name("ADA").unwrap()["nickName"], "Countess");
    assert_eq!(again.to_json(), client.simulator.to_json());
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_requests_give_the_same_bytes() {
    let run = async || {
        let client = Client::new();
        client.create("new1", json!({})).await.expect(201).text + &client.get("/Groups?count=100").await.text
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test(start_paused = true)]
async fn the_world_can_be_changed_behind_scims_back() {
    let client = Client::new();
    let edited = client.simulator.edit(|world| {
        world.add_user("zoe", "zoe@acme.example").is_some()
            && world.edit_user("ada", |user| user.user_name = "lovelace".to_owned())
            && world.set_members("engineering", &["zoe", "lovelace"])
            && world.edit_group("linked", |group| group.linked_to_channels = false)
            && world.delete_group("linked")
            && !world.set_members("engineering", &["nobody"])
    });
    assert!(edited);
    assert_eq!(client.get("/Users?filter=userName eq \"lovelace\"").await.body["Resources"][0]["id"], "U1");
    assert_eq!(client.get("/Users?filter=userName eq \"ada\"").await.body["totalResults"], 0);
    assert_eq!(
        client.simulator.group_by_name("engineering").unwrap()["members"].as_array().unwrap().len(),
        2
    );
    assert_eq!(client.simulator.look(|world| world.user("owner").map(|user| user.kind)), Some(Kind::Owner));
    assert_eq!(client.simulator.look(|world| world.groups().count()), 2);
    let log = client.simulator.requests();
    assert!(log.iter().all(|request| request.method == http::Method::GET));
    assert_eq!(log[0].target, "/scim/v2/Users?filter=userName%20eq%20%22lovelace%22");
    client.simulator.clear_requests();
    assert_eq!(client.simulator.requests(), []);
    assert_eq!(seed().users.len(), 9);
}
