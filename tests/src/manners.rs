//! What no run may ever send, whatever comes of it (issue 3, "Writing").

use http::Method;
use serde_json::Value;
use slack_sim::RequestRecord;

/// Every breach of manners in a log, one line each.
pub fn breaches(log: &[RequestRecord]) -> Vec<String> {
    log.iter()
        .filter_map(|record| Some(format!("{} {}: {}", record.method, record.target, breach(record)?)))
        .collect()
}

fn breach(record: &RequestRecord) -> Option<String> {
    if record.method == Method::PUT && !record.target.starts_with("/scim/v2/Groups/") {
        return Some("a PUT of a user blanks whatever it does not say (sheet S10)".to_owned());
    }
    if record.method == Method::DELETE && record.target.starts_with("/scim/v2/Users/") {
        return Some("a plain service deletes the person for good".to_owned());
    }
    if record.method != Method::PATCH {
        return None;
    }
    let body: Value = serde_json::from_slice(&record.body).unwrap_or_default();
    let operations = body["Operations"].as_array().cloned().unwrap_or_default();
    if operations.is_empty() {
        return Some("a PATCH without operations".to_owned());
    }
    let leaves =
        operations.iter().any(|operation| operation["path"] == "active" && operation["value"] == false);
    if leaves && operations.len() > 1 {
        return Some(format!("a leaver's PATCH carries more than `active` (design §4): {body}"));
    }
    operations.iter().find_map(|operation| {
        let path = operation["path"].as_str();
        if operation["op"] == "remove" && path == Some("members") {
            return Some(format!("empties the group at Slack (sheet S11): {operation}"));
        }
        if path.is_none_or(str::is_empty) {
            return Some(format!("has no path: {operation}"));
        }
        let size = operation["value"].as_array().map_or(0, Vec::len);
        (size > 5_000).then(|| format!("{size} members at once (sheet S14)"))
    })
}

/// The requests that write.
pub fn writes(log: &[RequestRecord]) -> Vec<&RequestRecord> {
    log.iter().filter(|record| record.method != Method::GET).collect()
}

/// How many requests were answered 429.
pub fn throttled(log: &[RequestRecord]) -> usize {
    log.iter().filter(|record| record.status == 429).count()
}
