//! The simulator: whatever it is sent, it answers, stays whole, and means by a filter what the filter says.

use super::{parts, paused};
use axum::Router;
use axum::body::{Body, to_bytes};
use http::{Method, Request};
use serde_json::{Value, json};
use slack_sim::{Dialect, RateLimits, Seed, Simulator, Switches};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use tower::ServiceExt as _;

/// A few of everything.
const SEED: &str = include_str!("../../worlds/fuzzing.json");

/// Longer filters than this reach the reader's own limits once they are wrapped.
const LONGEST_FILTER: usize = 2_000;

fn simulators() -> [Simulator; 2] {
    let seed = Seed::parse(SEED).unwrap();
    let slack = Switches { rate_limits: RateLimits::Off, resource_lock: false, ..Switches::default() };
    [slack, Switches::rfc()].map(|switches| Simulator::new(&seed, switches).unwrap())
}

async fn send(router: &Router, method: Method, path: &str, body: Vec<u8>) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path).header("authorization", "Bearer any");
    let request = request.body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

/// Whom a filter finds; `None` when it is refused.
async fn found(router: &Router, list: &str, filter: &str) -> Option<BTreeSet<String>> {
    let encoded = filter.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    });
    let (status, body) =
        send(router, Method::GET, &format!("/scim/v2/{list}?count=1000&filter={encoded}"), Vec::new()).await;
    assert!(status == 200 || status == 400, "{status} {body}");
    let ids = body["Resources"].as_array()?.iter().filter_map(|resource| resource["id"].as_str());
    (status == 200).then(|| ids.map(str::to_owned).collect())
}

/// Asks for lists by a filter.
pub fn filter(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > LONGEST_FILTER {
        return;
    }
    paused().block_on(async {
        for (simulator, has_not) in simulators().into_iter().zip([false, true]) {
            let router = simulator.router();
            for list in ["Users", "Groups"] {
                let all = found(&router, list, "id pr").await;
                let Some(plain) = found(&router, list, text).await else { continue };
                // Deeper or longer by one, it may be too much; else it means the same, or the opposite.
                for same in [format!("({text})"), format!(" {text} "), format!("({text}) and ({text})")] {
                    if let Some(found) = found(&router, list, &same).await {
                        assert_eq!(found, plain, "{same}");
                    }
                }
                let not = format!("not ({text})");
                if let (true, Some(all), Some(others)) = (has_not, all, found(&router, list, &not).await) {
                    let difference: BTreeSet<String> = all.difference(&plain).cloned().collect();
                    assert_eq!(others, difference, "{not}");
                }
            }
            assert!(simulator.requests().iter().all(|request| request.status < 500));
        }
    });
}

/// Sends PATCH bodies, PATCH paths and whole resources.
pub fn patch(data: &[u8]) {
    paused().block_on(async {
        for simulator in simulators() {
            let router = simulator.router();
            for part in parts(data) {
                let path = String::from_utf8_lossy(part);
                let operations =
                    ["add", "replace", "remove"].map(|op| json!({ "op": op, "path": path, "value": "x" }));
                let mut bodies = vec![part.to_vec()];
                bodies.extend(operations.map(|operation| {
                    let schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"];
                    json!({ "schemas": schemas, "Operations": [operation] }).to_string().into_bytes()
                }));
                for body in bodies {
                    for target in ["/scim/v2/Users/U1", "/scim/v2/Groups/S1", "/scim/v1/Users/U1"] {
                        send(&router, Method::PATCH, target, body.clone()).await;
                    }
                }
                for (method, target) in [
                    (Method::PUT, "/scim/v2/Users/U2"),
                    (Method::POST, "/scim/v2/Users"),
                    (Method::POST, "/scim/v2/Groups"),
                ] {
                    send(&router, method, target, part.to_vec()).await;
                }
            }
            whole(&simulator);
        }
    });
}

/// Nothing failed, every member knows of the group, and the state can be kept and brought back.
fn whole(simulator: &Simulator) {
    for request in simulator.requests() {
        // Documented, and a 500 by the sheet (S16): `group_members_create_failed`.
        assert!(request.status < 500 || request.target.contains("Groups"), "{request:?}");
    }
    let (users, groups) = (simulator.users(), simulator.groups());
    let ids: BTreeSet<String> = users.iter().map(|user| user["id"].to_string()).collect();
    let is_plain = simulator.switches().dialect == Dialect::Rfc;
    let pairs = |resources: &[Value], list: &str, turned: bool| {
        let mut pairs = Vec::new();
        for resource in resources {
            for entry in resource[list].as_array().into_iter().flatten() {
                let pair = [resource["id"].to_string(), entry["value"].to_string()];
                pairs.push(if turned { [pair[1].clone(), pair[0].clone()] } else { pair });
            }
        }
        // A plain service may take members that are no users of its own (RFC 7643 §4.2 asks for none); Slack names them an
        // error (sheet S11), so that there they must not be found.
        pairs.retain(|[user, _]| ids.contains(user) || !is_plain);
        pairs.sort_unstable();
        pairs
    };
    assert_eq!(pairs(&users, "groups", false), pairs(&groups, "members", true));
    let again =
        Simulator::from_json(&simulator.to_json(), simulator.switches()).expect("the state is a seed");
    assert_eq!(in_order(again.users()), in_order(users));
    assert_eq!(in_order(again.groups()), in_order(groups));
}

/// Resources with their lists of groups and members in one order, which means nothing.
fn in_order(mut resources: Vec<Value>) -> Vec<Value> {
    for resource in &mut resources {
        for list in ["groups", "members"] {
            if let Some(list) = resource[list].as_array_mut() {
                list.sort_by_key(ToString::to_string);
            }
        }
    }
    resources
}
