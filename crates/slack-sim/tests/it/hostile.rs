//! Whatever a client sends, the service answers: no panic, no 500, and the indexes stay true.

use proptest::prelude::*;
use serde_json::{Value, json};
use slack_sim::{RateLimits, Simulator, Switches};

use crate::client::{Client, ENTERPRISE, GROUP, GUEST, PROFILE, USER, seed};

/// A word that means something in SCIM, or nothing.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        proptest::sample::select(vec![
            "userName",
            "nickName",
            "displayName",
            "active",
            "emails",
            "members",
            "name",
            "phoneNumbers",
            "addresses",
            "roles",
            "photos",
            "title",
            "value",
            "primary",
            "type",
            "manager",
            "managerId",
            "startDate",
            "expiration",
            "schemas",
            "id",
            "externalId",
            "password",
            "groups",
            "operation",
            "attributes",
            "meta",
        ])
        .prop_map(ToOwned::to_owned),
        proptest::sample::select(vec![ENTERPRISE, GUEST, PROFILE, USER]).prop_map(ToOwned::to_owned),
        "\\PC{0,8}",
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        proptest::sample::select(vec![
            "U1",
            "U9",
            "ada",
            "x@acme.example",
            "multi",
            "2026-01-05",
            "work",
            "true",
            ""
        ])
        .prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((word(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        word(),
        (word(), word()).prop_map(|(a, b)| format!("{a}.{b}")),
        (proptest::sample::select(vec![ENTERPRISE, GUEST, PROFILE, USER]), ":|\\.", word())
            .prop_map(|(urn, separator, name)| format!("{urn}{separator}{name}")),
        (word(), word(), "eq|ne|co|pr|xx", word())
            .prop_map(|(list, name, op, wanted)| format!("{list}[{name} {op} \"{wanted}\"].value")),
        (word(), word()).prop_map(|(list, wanted)| format!("{list}[value eq {wanted}]")),
    ]
}

fn operations() -> impl Strategy<Value = Value> {
    let operation = ("add|replace|remove|Replace|move", proptest::option::of(path()), value()).prop_map(
        |(op, path, value)| {
            let mut operation = json!({ "op": op, "value": value });
            if let Some(path) = path {
                operation["path"] = path.into();
            }
            operation
        },
    );
    proptest::collection::vec(operation, 1..4).prop_map(Value::from)
}

/// Sends everything to one simulator and looks at it afterwards.
async fn survive(switches: Switches, operations: Value, body: Value) {
    let client = Client { simulator: Simulator::new(&seed(), switches).expect("the seed is good") };
    for path in ["/Users/U1", "/Users/U8", "/Groups/S1"] {
        let answer = client.patch(path, operations.clone()).await;
        // `group_members_create_failed` is documented and is, by S16, a 500.
        assert!(answer.status < 500 || answer.code() == "group_members_create_failed", "{}", answer.text);
        client.send(http::Method::PATCH, &format!("/scim/v1{path}"), Some(body.clone())).await;
        client.put(path, body.clone()).await;
    }
    let mut whole = json!({ "schemas": [USER, GROUP, PROFILE], "userName": "new", "displayName": "new", "emails": [{ "value": "n@x.example" }] });
    whole.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap_or_default());
    client.post("/Users", whole.clone()).await;
    client.post("/Groups", whole).await;
    // Every member is in the group, and every group knows its members.
    let (users, groups) = (client.simulator.users(), client.simulator.groups());
    let pairs = |resources: &[Value], list: &str, turned: bool| {
        let mut pairs = Vec::new();
        for resource in resources {
            for entry in resource[list].as_array().into_iter().flatten() {
                let pair = [resource["id"].to_string(), entry["value"].to_string()];
                pairs.push(if turned { [pair[1].clone(), pair[0].clone()] } else { pair });
            }
        }
        pairs.sort_unstable();
        pairs
    };
    assert_eq!(pairs(&users, "groups", false), pairs(&groups, "members", true));
    // The state can be kept and brought back.
    let again =
        Simulator::from_json(&client.simulator.to_json(), Switches::default()).expect("the state is a seed");
    assert_eq!(again.users(), users);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_that_is_sent_breaks_it(operations in operations(), body in value(), draw in any::<u64>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut switches = Switches::random(&mut fastrand::Rng::with_seed(draw));
            switches.rate_limits = RateLimits::Off;
            switches.resource_lock = false;
            switches.deactivation_delay = std::time::Duration::ZERO;
            switches.group_read_delay = std::time::Duration::ZERO;
            survive(switches, operations.clone(), body.clone()).await;
            survive(Switches::rfc(), operations, body).await;
        });
    }
}
