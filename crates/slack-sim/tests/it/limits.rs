//! Rate limits and locks over HTTP (S15), on tokio's paused clock.

use std::time::Duration;

use serde_json::{Value, json};
use slack_sim::{Answer as Body, RateLimits};
use tokio::time::{Instant, advance};

use crate::client::{Client, members};

#[tokio::test(start_paused = true)]
async fn beyond_the_burst_comes_429_with_a_time() {
    let client = Client::with(|switches| switches.rate_limits = RateLimits::Strict);
    // S15: "PUT or PATCH /Groups/{id} | 180 | **80**".
    for _ in 0..80 {
        client.op("/Groups/S1", "add", "members", members(&["U1"])).await.expect(200);
    }
    let answer =
        client.op("/Groups/S1", "add", "members", members(&["U1"])).await.refused(429, "too_many_requests");
    assert_eq!(answer.header("retry-after"), Some("1"));
    advance(Duration::from_secs(1)).await;
    client.op("/Groups/S1", "add", "members", members(&["U1"])).await.expect(200);
    let statuses: Vec<u16> = client.simulator.requests().iter().map(|request| request.status).collect();
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_429_may_say_nothing_at_all() {
    let client = Client::with(|switches| {
        switches.rate_limits = RateLimits::Bucket;
        switches.throttle_body = Body::Empty;
        switches.retry_after = false;
    });
    for _ in 0..20 {
        client.delete("/Users/U9").await.expect(204);
    }
    let answer = client.delete("/Users/U9").await.expect(429);
    assert_eq!((answer.text.as_str(), answer.header("retry-after")), ("", None));
}

#[tokio::test(start_paused = true)]
async fn a_refused_write_locks_nothing() {
    let client = Client::with(|switches| {
        switches.write_time = Duration::from_secs(2);
        switches.lock_time = Duration::from_secs(3);
    });
    client.op("/Groups/S1", "add", "members", members(&["U-nobody"])).await.expect(404);
    client.op("/Groups/S1", "add", "members", members(&["U3"])).await.expect(200);
    // Nor does a write that finds it locked make the lock last longer.
    advance(Duration::from_secs(2)).await;
    client.op("/Groups/S1", "add", "members", members(&["U3"])).await.refused(429, "resource_locked");
    advance(Duration::from_secs(1)).await;
    client.op("/Groups/S1", "add", "members", members(&["U3"])).await.expect(200);
}

#[tokio::test(start_paused = true)]
async fn one_change_at_a_time_per_resource() {
    let client = Client::with(|switches| {
        switches.write_time = Duration::from_secs(2);
        switches.lock_time = Duration::from_secs(3);
    });
    let start = Instant::now();
    // S15: "a second non-GET on a resource still being updated → 429 + Retry-After".
    let (first, second, other) = tokio::join!(
        client.op("/Groups/S1", "remove", "members", Value::Null),
        client.op("/Groups/S1", "add", "members", members(&["U3"])),
        client.op("/Users/U1", "replace", "title", json!("x")),
    );
    first.expect(200);
    assert_eq!(second.refused(429, "resource_locked").header("retry-after"), Some("5"));
    other.expect(200);
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    client.op("/Groups/S1", "add", "members", members(&["U3"])).await.refused(429, "resource_locked");
    advance(Duration::from_secs(3)).await;
    client.op("/Groups/S1", "add", "members", members(&["U3"])).await.expect(200);
}
