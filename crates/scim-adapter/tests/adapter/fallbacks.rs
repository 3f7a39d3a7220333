//! Other forms of a change, where a service does not take the first.

use crate::changes::{active, carry_out, group_change, keys, one, update};
use crate::engine;
use crate::service::{Call, Reply, error, ok, user};
use crate::worlds::{ENTERPRISE, PROFILE, decode, edit, text, user_change};
use model::attribute::Value;
use model::{Action, Attribute, Dialect, UserId, UserRef};
use scim_adapter::{Effect, Written};
use serde_json::{Value as Json, json};

#[tokio::test(start_paused = true)]
async fn takes_the_next_form_for_what_is_left_when_the_first_has_no_effect() {
    let mut live = user(1);
    live["title"] = json!("CTO");
    // A service to which an empty text means nothing.
    let service = one(live.clone(), |call, live| {
        if call.method != "PATCH" || call.body["Operations"][0]["op"] != json!("replace") {
            return None;
        }
        let had = live["title"].clone();
        engine::apply(live, &call.body).unwrap();
        live["title"] = had;
        Some(ok(live.clone()))
    });
    let change =
        update(&live, &[(Attribute::DisplayName, Some("Ada")), (Attribute::Title, None)], Dialect::Slack);
    let writer = service.writer(Dialect::Slack);
    let written = carry_out(&writer, &change).await.unwrap();
    assert_eq!(written.effect, Effect::Took);
    assert!(written.fallback_used.unwrap().contains("empty text"));
    let sent = service.bodies();
    assert_eq!(sent.len(), 2);
    assert_eq!(
        sent[1]["Operations"],
        json!([{ "op": "remove", "path": "title" }]),
        "what took is not sent again"
    );
}

#[tokio::test(start_paused = true)]
async fn says_what_has_no_effect_in_any_form() {
    let service = one(user(1), |_, live| Some(ok(live.clone())));
    let change = update(
        &user(1),
        &[(Attribute::Title, Some("CTO")), (Attribute::Department, Some("X"))],
        Dialect::Slack,
    );
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Without { what: keys(&["title", "department"]) });
    // Of the two, an attribute of an extension has another form.
    assert_eq!(service.bodies().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn reactivates_alone_where_the_rest_is_refused_along_with_it() {
    let mut live = user(1);
    live["active"] = json!(false);
    let service = one(live.clone(), |call, live| {
        let refuses = call.method == "PATCH" && live["active"] == json!(false);
        let mixed = call.body["Operations"].as_array().is_some_and(|list| list.len() > 1);
        (refuses && mixed).then(|| error(403, "account_inactive"))
    });
    let mut change = update(&live, &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    if let Action::UpdateUser { edits, .. } = &mut change.action {
        edits.insert(0, active(&live, true));
    }
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Took);
    assert!(written.fallback_used.unwrap().contains("reactivates"));
    assert_eq!(service.bodies().len(), 3);
}

/// The documents of Slack, taken at their word: member ids without quotation marks.
fn unquoted_only(call: &Call, live: &mut Json) -> Option<Reply> {
    if call.method != "PATCH" {
        return None;
    }
    for operation in call.body["Operations"].as_array().unwrap() {
        let Some(path) = operation["path"].as_str() else { continue };
        if path.contains('"') {
            return Some(error(400, "invalid_filter_group"));
        }
        if let Some(id) = path.strip_prefix("members[value eq ").and_then(|rest| rest.strip_suffix(']')) {
            live["members"].as_array_mut().unwrap().retain(|member| member["value"] != json!(id));
        }
    }
    Some(ok(live.clone()))
}

#[tokio::test(start_paused = true)]
async fn remembers_the_form_that_a_service_needs() {
    let group =
        json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U1" }, { "value": "U2" }] });
    let service = one(group, unquoted_only);
    let writer = service.writer(Dialect::Slack);
    for id in ["U1", "U2"] {
        let written = carry_out(&writer, &group_change("S1", None, &[], &[id])).await.unwrap();
        assert_eq!(written.effect, Effect::Took);
        assert!(written.fallback_used.unwrap().contains("quotation marks"));
    }
    let paths: Vec<_> = service.bodies().iter().map(|body| body["Operations"][0]["path"].clone()).collect();
    assert_eq!(
        paths,
        [json!(r#"members[value eq "U1"]"#), json!("members[value eq U1]"), json!("members[value eq U2]")]
    );
}

/// A way to read the sheet on what may stand in the path of an operation on an extension.
struct ExtensionReading {
    name: &'static str,
    separators: &'static str,
    /// Whether a single text of an extension may be removed.
    removes_texts: bool,
    /// What may stand for the start date: its path, or the extension's object.
    start_date: [bool; 2],
}

/// Carries out a PATCH under one reading; refuses it as a whole when it holds a form that the reading does not know.
fn read_as(reading: &ExtensionReading, call: &Call, live: &mut Json) -> Option<Reply> {
    if call.method != "PATCH" {
        return None;
    }
    let mut body = call.body.clone();
    for operation in body["Operations"].as_array_mut().unwrap() {
        let path = operation["path"].as_str().unwrap().to_owned();
        let Some(urn) = [ENTERPRISE, PROFILE].into_iter().find(|urn| path.starts_with(*urn)) else {
            continue;
        };
        let rest = &path[urn.len()..];
        let is_removed_text = operation["op"] == json!("remove") && !rest.ends_with("managerId");
        let is_refused = (!rest.is_empty() && !reading.separators.contains(&rest[..1]))
            || (urn == PROFILE && !reading.start_date[usize::from(rest.is_empty())])
            || (urn == ENTERPRISE && is_removed_text && !reading.removes_texts);
        if is_refused {
            return Some(error(400, "invalid_request_payload"));
        }
        if let Some(name) = rest.strip_prefix('.') {
            operation["path"] = json!(format!("{urn}:{name}"));
        }
    }
    engine::apply(live, &body).unwrap();
    Some(ok(live.clone()))
}

#[tokio::test(start_paused = true)]
async fn finds_the_form_in_which_a_service_takes_the_attributes_of_an_extension() {
    let reading = |name, separators, removes_texts, start_date| ExtensionReading {
        name,
        separators,
        removes_texts,
        start_date,
    };
    let mut live = user(1);
    live[ENTERPRISE] =
        json!({ "department": "R", "costCenter": "9", "division": "D", "manager": { "managerId": "U7" } });
    live[PROFILE] = json!({ "startDate": "2024-04-10T00:00:00+0000" });
    let now = decode(&live, Dialect::Slack);
    let set = |attribute| text(attribute, Some("new"), &now);
    let clear = |attribute| edit(attribute, None, &now);
    let manager = || {
        let grace = Value::Person(UserRef::Existing(UserId::new("U9")));
        edit(Attribute::Manager, Some(grace), &now)
    };
    let start = || edit(Attribute::StartDate, Some(Value::Day(jiff::civil::date(2026, 1, 5))), &now);
    let cases = [
        vec![set(Attribute::Department)],
        vec![clear(Attribute::Department)],
        vec![manager()],
        vec![clear(Attribute::Manager)],
        vec![start()],
        vec![clear(Attribute::StartDate)],
        vec![set(Attribute::CostCenter), clear(Attribute::Department), manager()],
        vec![set(Attribute::CostCenter), set(Attribute::Department), manager(), start()],
        vec![clear(Attribute::CostCenter), start()],
        vec![set(Attribute::CostCenter), clear(Attribute::Manager)],
    ];
    for reading in [
        reading("both", ":.", true, [true, true]),
        reading("colon", ":", true, [true, true]),
        reading("dot", ".", true, [true, true]),
        reading("dot, start date by its object", ".", true, [false, true]),
        reading("dot, start date by its path", ".", true, [true, false]),
        reading("start date by its object", ":.", true, [false, true]),
        reading("texts are not removed", ":.", false, [true, true]),
    ] {
        for edits in &cases {
            let change = user_change(Action::UpdateUser {
                id: UserRef::Existing(UserId::new("U1")),
                edits: edits.clone(),
                siblings: Vec::new(),
            });
            let ExtensionReading { name, separators, removes_texts, start_date } = reading;
            let service = one(live.clone(), move |call, live| {
                if call.path != "/Users/U1" {
                    return Some(error(404, "no_such_user"));
                }
                let reading = ExtensionReading { name, separators, removes_texts, start_date };
                read_as(&reading, call, live)
            });
            let written = carry_out(&service.writer(Dialect::Slack), &change).await;
            let what: Vec<_> = edits.iter().map(|edit| (edit.attribute, edit.after.is_some())).collect();
            assert!(
                matches!(&written, Ok(Written { effect: Effect::Took, .. })),
                "{name}, {what:?}: {written:?}"
            );
            assert!(service.bodies().len() <= 5, "{name}, {what:?}: {:#?}", service.bodies());
            let reader = service.reader(Dialect::Slack);
            let user = reader.read_user(&UserId::new("U1")).await.unwrap().unwrap();
            assert_eq!(user.get(Attribute::Division), Some("D"), "{name}, {what:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn renames_by_put_where_patch_does_not_rename() {
    let group = json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U3" }] });
    let service = one(group, |call, live| (call.method == "PATCH").then(|| ok(live.clone())));
    let written =
        carry_out(&service.writer(Dialect::Slack), &group_change("S1", Some("engineering"), &[], &[]))
            .await
            .unwrap();
    assert_eq!(written.effect, Effect::Took);
    let last = service.bodies().pop().unwrap();
    assert_eq!(
        last,
        json!({ "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "engineering", "members": [{ "value": "U3" }] })
    );
}

#[tokio::test(start_paused = true)]
async fn a_put_keeps_who_has_joined_since_the_plan_was_made() {
    // The plan knew of U3 alone; U8 has been added by hand, and a group may hold what is no account.
    let members =
        json!([{ "value": "U3" }, { "value": "U8" }, { "value": "a-nested-group" }, { "value": "U5" }]);
    let group = json!({ "id": "S1", "displayName": "eng", "members": members });
    let service = one(group, |call, _| {
        let renames = call.body["Operations"].as_array()?.iter().any(|o| o["path"] == json!("displayName"));
        renames.then(|| error(400, "invalid_request_payload"))
    });
    let change = group_change("S1", Some("engineering"), &["U4"], &["U5"]);
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Took);
    let last = service.bodies().pop().unwrap();
    let kept: Vec<&str> =
        last["members"].as_array().unwrap().iter().map(|member| member["value"].as_str().unwrap()).collect();
    assert_eq!(kept, ["U3", "U8", "a-nested-group", "U4"]);
}

#[tokio::test(start_paused = true)]
async fn a_put_that_was_put_off_keeps_who_has_joined_meanwhile() {
    let group = json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U3" }] });
    let mut put_off = false;
    let service = one(group, move |call, live| match call.method.as_str() {
        "PATCH" => Some(error(400, "invalid_request_payload")),
        "PUT" if !put_off => {
            put_off = true;
            live["members"] = json!([{ "value": "U3" }, { "value": "U8" }]);
            Some(error(429, "ratelimited"))
        }
        _ => None,
    });
    let change = group_change("S1", Some("engineering"), &[], &[]);
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Took);
    let last = service.bodies().pop().unwrap();
    assert_eq!(last["members"], json!([{ "value": "U3" }, { "value": "U8" }]));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_that_is_refused_for_what_it_says_leaves_the_others_to_be_tried() {
    let mut live = user(1);
    live[ENTERPRISE] = json!({ "manager": { "managerId": "U2" } });
    // A service that knows extension paths with a dot alone, and takes no second primary address.
    let service = one(live.clone(), |call, live| {
        if call.method != "PATCH" {
            return None;
        }
        let operations = call.body["Operations"].as_array().unwrap();
        if operations.iter().any(|operation| operation["path"] == json!("emails")) {
            return Some(error(409, "emails_invalid (more than one primary element)"));
        }
        if operations.iter().any(|o| o["path"].as_str().is_some_and(|path| path.contains(":User:"))) {
            return Some(error(400, "invalid_request_payload"));
        }
        live["emails"][0]["value"] = json!("new@acme.example");
        live[ENTERPRISE]["manager"]["managerId"] = json!(null);
        Some(ok(live.clone()))
    });
    let change = update(
        &live,
        &[(Attribute::Email, Some("new@acme.example")), (Attribute::Manager, None)],
        Dialect::Slack,
    );
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Took, "{:?}", service.bodies());
}

/// Sheet S14: a group may be shown as it was for some seconds. Removing somebody who is no member may be an error (S11, a
/// GAP), so the second try is refused because the first one was carried out.
#[tokio::test(start_paused = true)]
async fn a_removal_that_was_carried_out_unanswered_and_shows_late_is_not_called_refused() {
    for shows_after in [3, 100] {
        let before =
            json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U3" }, { "value": "U5" }] });
        let after = json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U3" }] });
        let (mut patches, mut looks) = (0, 0);
        let service = one(before.clone(), move |call, _| {
            if call.method == "PATCH" {
                patches += 1;
                return Some(if patches == 1 {
                    error(503, "unavailable")
                } else {
                    error(404, "no_such_group_members")
                });
            }
            looks += 1;
            Some(ok(if looks < shows_after { before.clone() } else { after.clone() }))
        });
        let written =
            carry_out(&service.writer(Dialect::Slack), &group_change("S1", None, &[], &["U5"])).await;
        if shows_after == 3 {
            assert_eq!(written.unwrap().effect, Effect::Took);
        } else {
            assert!(written.unwrap_err().may_have_written, "the first try may have done it");
        }
    }
}
