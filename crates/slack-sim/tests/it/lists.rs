//! Pages and filters (S8, S9).

use serde_json::json;
use slack_sim::{CountZero, EmailFilter, Filters, ItemsPerPage, Seed, SeedUser, Simulator, Switches};

use crate::client::Client;

fn crowd(count: usize, set: impl FnOnce(&mut Switches)) -> Client {
    let user = |n: usize| SeedUser {
        user_name: format!("u{n}"),
        email: format!("u{n}@x.example"),
        ..SeedUser::default()
    };
    let mut switches = Switches { rate_limits: slack_sim::RateLimits::Off, ..Switches::default() };
    set(&mut switches);
    Client {
        simulator: Simulator::new(
            &Seed { users: (0..count).map(user).collect(), ..Seed::default() },
            switches,
        )
        .unwrap(),
    }
}

/// `(totalResults, itemsPerPage, startIndex, number of resources, first userName)`
async fn page(client: &Client, query: &str) -> (i64, i64, i64, usize, String) {
    let body = client.get(&format!("/Users{query}")).await.expect(200).body;
    let number = |name: &str| body[name].as_i64().unwrap();
    let resources = body["Resources"].as_array().unwrap();
    let first =
        resources.first().map(|user| user["userName"].as_str().unwrap().to_owned()).unwrap_or_default();
    (number("totalResults"), number("itemsPerPage"), number("startIndex"), resources.len(), first)
}

#[tokio::test(start_paused = true)]
async fn pages_have_slacks_sizes() {
    let client = crowd(1_500, |_| {});
    // S8: "Default page 10. Max `count` 1000; more is treated as 1000"; "`itemsPerPage` = number of items actually returned".
    assert_eq!(page(&client, "").await, (1500, 10, 1, 10, "u0".into()));
    assert_eq!(page(&client, "?count=5000").await, (1500, 1000, 1, 1000, "u0".into()));
    assert_eq!(page(&client, "?count=1000&startindex=1001").await, (1500, 500, 1001, 500, "u1000".into()));
    assert_eq!(page(&client, "?count=10&startIndex=2000").await, (1500, 0, 2000, 0, String::new()));
    assert_eq!(page(&client, "?count=0").await, (1500, 0, 1, 0, String::new()));
    let body = client.get("/Users?count=1").await.text;
    assert!(
        body.starts_with(
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"Resources":[{"#
        )
    );
    let other = crowd(20, |switches| switches.count_zero = CountZero::Default);
    assert_eq!(page(&other, "?count=0").await.1, 10);
}

#[tokio::test(start_paused = true)]
async fn other_services_page_badly() {
    let capped = crowd(50, |switches| switches.page_cap = 20);
    assert_eq!(page(&capped, "?count=1000").await, (50, 20, 1, 20, "u0".into()));
    let deaf = crowd(50, |switches| switches.ignore_start_index = true);
    assert_eq!(page(&deaf, "?count=10&startIndex=11").await, (50, 10, 1, 10, "u0".into()));
    let round = crowd(50, |switches| switches.wrap_past_end = true);
    assert_eq!(page(&round, "?count=10&startIndex=51").await, (50, 10, 51, 10, "u0".into()));
    let liar = crowd(5, |switches| {
        switches.items_per_page = ItemsPerPage::Requested;
        switches.total_results_error = -1;
    });
    assert_eq!(page(&liar, "?count=100").await, (4, 100, 1, 5, "u0".into()));
}

#[tokio::test(start_paused = true)]
async fn every_filter_that_production_uses_works() {
    let client = Client::new();
    // S9: the forms under "filters do work on v2", and v1's.
    for (filter, found) in [
        ("userName eq \"ADA\"", vec!["ada"]),
        ("userName Eq \"Ada\"", vec!["ada"]),
        ("emails eq \"ada@acme.example\"", vec!["ada"]),
        ("email Eq \"lovelace@acme.example\"", vec!["ada"]),
        ("emails.value eq \"BOB@acme.example\"", vec!["bob"]),
        ("email co \"agency\" or username sw \"gra\"", vec!["grace", "kim"]),
        ("restricted eq 1", vec!["kim"]),
        ("restricted eq '1' and (username eq 'kim')", vec!["kim"]),
        ("userName eq \"nobody\"", vec![]),
    ] {
        let body = client.get(&format!("/Users?filter={filter}&count=100")).await.expect(200).body;
        let names: Vec<&str> = body["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|user| user["userName"].as_str().unwrap())
            .collect();
        assert_eq!(names, found, "{filter}");
        assert_eq!(body["totalResults"], found.len());
    }
    let body = client.get("/Groups?filter=displayName eq \"engineering\"").await.expect(200).body;
    assert_eq!(body["Resources"][0]["id"], "S1");
}

#[tokio::test(start_paused = true)]
async fn bad_filters_have_codes() {
    let client = Client::new();
    // S9: "bad text without operator → 400 `no_filters (is_aggregate_call=1)`", with a negative count too.
    let answer = client.get("/Users?filter=foo&count=-1").await.refused(400, "no_filters");
    assert_eq!(answer.body["detail"], "no_filters (is_aggregate_call=1)");
    client.get("/Groups?filter=foo").await.refused(400, "no_filters");
    client.get("/Users?filter=userName eq").await.refused(400, "incomplete_filter");
    client.get("/Users?filter=(userName eq \"a\"").await.refused(400, "invalid_filter_group");
    client.get("/Users?filter=shoeSize eq 41").await.refused(400, "invalid_query");
    client.get("/Users?sortOrder=sideways").await.refused(400, "invalid_sort_order");
}

#[tokio::test(start_paused = true)]
async fn filters_are_switches() {
    let ignored = Client::with(|switches| switches.filters = Filters::Ignored);
    assert_eq!(ignored.get("/Users?filter=userName eq \"ada\"").await.body["totalResults"], 9);
    let refused = Client::with(|switches| switches.group_filters = Filters::Refused);
    refused.get("/Groups?filter=displayName eq \"x\"").await.refused(400, "invalid_query");
    let blind = Client::with(|switches| switches.email_filter = EmailFilter::MissesDeactivated);
    assert_eq!(blind.get("/Users?filter=emails eq \"bob@acme.example\"").await.body["totalResults"], 0);
    assert_eq!(blind.get("/Users?filter=userName eq \"bob\"").await.body["totalResults"], 1);
}

#[tokio::test(start_paused = true)]
async fn attributes_can_be_left_out() {
    let client = Client::new();
    let group = client.get("/Groups?excludedAttributes=members").await.body["Resources"][0].clone();
    assert_eq!(group.get("members"), None);
    let user = client.get("/Users/U1?attributes=userName").await.body;
    assert_eq!(user, json!({ "schemas": user["schemas"], "id": "U1", "userName": "ada" }));
    let deaf = Client::with(|switches| switches.excluded_attributes = slack_sim::Heed::Ignored);
    assert!(deaf.get("/Groups/S1?excludedAttributes=members").await.body.get("members").is_some());
}
