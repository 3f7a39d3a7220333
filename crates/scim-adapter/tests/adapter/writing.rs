//! A change is carried out once, in a form the service takes, and seen to have been.

use crate::engine;
use crate::service::{Call, Reply, Service, error, group, members_page, ok, page, user};
use crate::worlds::{ENTERPRISE, PROFILE, decode, edit, text, user_change};
use model::attribute::Value;
use model::change::Rename;
use model::{Action, Attribute, Change, Dialect, Edit, GroupId, GroupRef, UserId, UserName, UserRef};
use scim_adapter::{Effect, Ids, WriteError, WriteFailure, Writer, Written, encode};
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

async fn carry_out(writer: &Writer, change: &Change) -> Result<Written, WriteError> {
    let encoded = encode(change, writer.reader().dialect());
    writer.carry_out(change, &encoded, &Ids::default()).await
}

fn took(id: &str) -> Written {
    Written {
        id: id.to_owned(),
        effect: Effect::Took,
        fallback_used: None,
        active: id.starts_with('U').then_some(true),
    }
}

fn keys(list: &[&str]) -> Vec<String> {
    list.iter().map(|key| (*key).to_owned()).collect()
}

/// The change of `user(1)` that these texts make.
fn update(live: &Json, edits: &[(Attribute, Option<&str>)], dialect: Dialect) -> Change {
    let live = decode(live, dialect);
    let edits = edits.iter().map(|(attribute, value)| text(*attribute, *value, &live)).collect();
    user_change(Action::UpdateUser { id: UserRef::Existing(live.id.clone()), edits, siblings: Vec::new() })
}

fn active(live: &Json, wanted: bool) -> Edit {
    edit(Attribute::Active, Some(Value::Flag(wanted)), &decode(live, Dialect::Slack))
}

fn deactivation(live: &Json) -> Change {
    user_change(Action::UpdateUser {
        id: UserRef::Existing(UserId::new("U1")),
        edits: vec![active(live, false)],
        siblings: Vec::new(),
    })
}

fn creation(edits: &[(Attribute, &str)]) -> Change {
    let mut all = vec![(Attribute::UserName, "u1"), (Attribute::Email, "u1@acme.example")];
    all.extend(edits);
    let edits = all.into_iter().map(|(attribute, value)| Edit {
        attribute,
        before: None,
        after: Some(Value::Text(value.into())),
        selector: None,
        temporary: false,
        origin: None,
    });
    user_change(Action::CreateUser { user_name: UserName::parse("u1").unwrap(), edits: edits.collect() })
}

fn group_change(id: &str, rename: Option<&str>, add: &[&str], remove: &[&str]) -> Change {
    let rename = rename.map(|after| Rename {
        before: "eng".into(),
        after: after.into(),
        temporary: false,
        members_after: vec![UserRef::Existing(UserId::new("U3"))],
    });
    let mut change = user_change(Action::UpdateGroup {
        id: GroupRef::Existing(GroupId::new(id)),
        rename,
        add: add.iter().map(|id| UserRef::Existing(UserId::new(*id))).collect(),
        remove: remove.iter().map(|id| UserId::new(*id)).collect(),
    });
    change.name = "eng".into();
    change
}

/// A service of one resource, at any path, that carries out PATCH and PUT as the RFC has it; `before` may answer first.
fn one(
    live: Json,
    mut before: impl FnMut(&Call, &mut Json) -> Option<Reply> + Send + 'static,
) -> Arc<Service> {
    let mut live = live;
    Service::new(move |call| {
        if let Some(reply) = before(call, &mut live) {
            return reply;
        }
        match call.method.as_str() {
            "PATCH" => {
                let mut after = live.clone();
                match engine::apply(&mut after, &call.body) {
                    Ok(()) => live = after,
                    Err(why) => return error(400, &format!("invalid_request_payload {why}")),
                }
            }
            "PUT" => {
                for (key, value) in call.body.as_object().unwrap() {
                    live[key] = value.clone();
                }
            }
            _ => {}
        }
        ok(live.clone())
    })
}

#[tokio::test(start_paused = true)]
async fn a_change_that_takes_is_one_request() {
    let service = one(user(1), |_, _| None);
    let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    assert_eq!(carry_out(&service.writer(Dialect::Slack), &change).await, Ok(took("U1")));
    assert_eq!(service.lines(), ["PATCH /Users/U1"]);
}

#[tokio::test(start_paused = true)]
async fn says_whether_the_account_was_active_in_what_it_judged_by() {
    for (inactive, empty) in [(false, false), (true, false), (false, true), (true, true)] {
        let service = one(user(1), move |call, live| {
            let is_get = call.method == "GET";
            if inactive {
                live["active"] = json!(false);
            }
            if empty && !is_get {
                engine::apply(live, &call.body).unwrap();
                return Some(Reply::Text(204, String::new()));
            }
            None
        });
        let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
        let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
        assert_eq!(written, Written { active: Some(!inactive), ..took("U1") }, "empty: {empty}");

        let service = Service::new(move |_| {
            let mut made = user(1);
            made["active"] = json!(!inactive);
            ok(made)
        });
        let written = carry_out(&service.writer(Dialect::Slack), &creation(&[])).await.unwrap();
        assert_eq!(written.active, Some(!inactive));
    }
    // Part of it takes and the account goes: that is seen as well.
    let service = one(user(1), |call, live| {
        live["active"] = json!(false);
        (call.method != "GET").then(|| ok(live.clone()))
    });
    let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!((written.active, written.effect), (Some(false), Effect::Without { what: keys(&["title"]) }));
}

#[tokio::test(start_paused = true)]
async fn looks_before_it_sends_a_lost_change_again() {
    for (was_done, lines) in [
        (true, vec!["PATCH /Users/U1", "GET /Users/U1"]),
        (false, vec!["PATCH /Users/U1", "GET /Users/U1", "PATCH /Users/U1"]),
    ] {
        let mut first = true;
        let service = one(user(1), move |call, live| {
            if call.method != "PATCH" || !std::mem::take(&mut first) {
                return None;
            }
            if was_done {
                engine::apply(live, &call.body).unwrap();
            }
            Some(Reply::Lost)
        });
        let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
        let written = carry_out(&service.writer(Dialect::Slack), &change).await;
        assert_eq!(written, Ok(took("U1")));
        let mut seen = service.lines();
        if was_done {
            // Once to look, once to compare.
            assert_eq!(seen.pop().as_deref(), Some("GET /Users/U1"));
        }
        assert_eq!(seen, lines, "done: {was_done}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_deactivation_is_sent_again_while_the_account_is_active() {
    let mut first = true;
    let service = one(user(1), move |call, _| {
        (call.method == "PATCH" && std::mem::take(&mut first)).then_some(Reply::Lost)
    });
    let written = carry_out(&service.writer(Dialect::Slack), &deactivation(&user(1))).await;
    assert_eq!(written, Ok(Written { active: Some(false), ..took("U1") }));
    assert_eq!(service.bodies().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deactivation_that_does_not_show_yet_is_pending_and_a_refused_one_is_refused() {
    let later = one(user(1), |call, _| (call.method == "PATCH").then(|| Reply::Text(204, String::new())));
    let written = carry_out(&later.writer(Dialect::Slack), &deactivation(&user(1))).await.unwrap();
    assert_eq!(written.effect, Effect::Pending { what: keys(&["active"]) });
    assert_eq!(later.lines(), ["PATCH /Users/U1", "GET /Users/U1"]);

    for (status, word) in
        [(400, "cannot_disable_primary_owner"), (403, "permission_denied"), (400, "invalid_request_payload")]
    {
        let never = one(user(1), move |call, _| (call.method == "PATCH").then(|| error(status, word)));
        let refused = carry_out(&never.writer(Dialect::Slack), &deactivation(&user(1))).await.unwrap_err();
        assert_eq!(
            (refused.status(), refused.code(), refused.may_have_written),
            (Some(status), Some(word), false)
        );
        assert_eq!(never.bodies().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_lack_of_rank_names_the_line_that_leaves_the_person_alone() {
    let service = one(user(1), |call, _| (call.method == "PATCH").then(|| error(403, "permission_denied")));
    let change = update(&user(1), &[(Attribute::Title, None)], Dialect::Slack);
    let refused = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap_err();
    let hint = refused.hint(&change).unwrap();
    assert!(hint.contains("managed: false") && hint.contains(r#"protect: { users: ["ada"] }"#), "{hint}");
    assert_eq!(service.lines(), ["PATCH /Users/U1"]);
}

#[tokio::test(start_paused = true)]
async fn says_that_an_address_is_taken_only_where_the_service_means_it() {
    for (detail, is_taken) in [
        ("email_taken", true),
        ("email_taken (x) existing_user=U7", true),
        ("bad_email_address (existing_user=U7)", true),
        ("bad_email_address (domain not claimed)", false),
        ("bad_email_address", false),
        ("email_invalid", false),
        ("user_creation_failed", false),
    ] {
        let service = one(user(1), move |call, _| (call.method == "PATCH").then(|| error(409, detail)));
        let change = update(&user(1), &[(Attribute::Email, Some("ada@acme.example"))], Dialect::Slack);
        let refused = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap_err();
        let hint = refused.hint(&change).unwrap_or_default();
        assert_eq!(hint.contains("has this address"), is_taken, "{detail}: {hint}");
        assert!(!detail.contains("domain") || hint.is_empty(), "{detail}: {hint}");
    }
}

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
async fn waits_a_moment_for_a_service_that_shows_its_changes_late() {
    let mut looks = 0;
    let service = one(user(1), move |call, live| {
        if call.method == "PATCH" {
            return Some(ok(live.clone()));
        }
        looks += 1;
        if looks == 2 {
            live["title"] = json!("CTO");
        }
        None
    });
    let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    assert_eq!(carry_out(&service.writer(Dialect::Slack), &change).await, Ok(took("U1")));
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
async fn a_group_is_compared_member_by_member() {
    let group = json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U1" }] });
    // A service that adds nobody.
    let deaf = one(group.clone(), |_, live| Some(ok(live.clone())));
    let written =
        carry_out(&deaf.writer(Dialect::Rfc), &group_change("S1", None, &["U2"], &["U1"])).await.unwrap();
    assert_eq!(written.effect, Effect::Without { what: keys(&["members"]) });
    // One that answers without the members, and one that answers nothing.
    for silent in [Reply::Json as fn(u16, Json) -> Reply, |_, _| Reply::Text(204, String::new())] {
        let service = one(group.clone(), move |call, live| {
            (call.method == "PATCH").then(|| {
                engine::apply(live, &call.body).unwrap();
                silent(200, json!({ "id": "S1", "displayName": "eng" }))
            })
        });
        let written =
            carry_out(&service.writer(Dialect::Rfc), &group_change("S1", None, &["U2"], &["U1"])).await;
        assert_eq!(written, Ok(took("S1")));
        assert_eq!(service.lines(), ["PATCH /Groups/S1", "GET /Groups/S1"]);
    }
}

#[tokio::test(start_paused = true)]
async fn compares_a_group_whose_members_come_in_pages() {
    for is_silent in [true, false] {
        let service = one(group("S1", 1_200), move |call, live| {
            if call.method == "PATCH" {
                engine::apply(live, &call.body).unwrap();
                if is_silent {
                    return Some(Reply::Text(204, String::new()));
                }
            }
            Some(ok(members_page(live, call, 500)))
        });
        let change = group_change("S1", None, &["U9999"], &["U3"]);
        assert_eq!(carry_out(&service.writer(Dialect::Slack), &change).await, Ok(took("S1")));
        assert_eq!(service.bodies().len(), 1);
    }
}

/// A service that creates accounts. `answer` may speak instead of it, before or after the account is made.
fn accounts(
    mut before: impl FnMut(&Call, &mut Vec<Json>) -> Option<Reply> + Send + 'static,
    filters: bool,
) -> Arc<Service> {
    let mut all: Vec<Json> = Vec::new();
    Service::new(move |call| {
        if let Some(reply) = before(call, &mut all) {
            return reply;
        }
        match (call.method.as_str(), call.path.as_str(), call.query.get("filter")) {
            ("POST", ..) => {
                if all.iter().any(|user| user["userName"] == call.body["userName"]) {
                    return error(409, "username_taken (user=u1)");
                }
                let made = made(call);
                all.push(made.clone());
                Reply::Json(201, made)
            }
            ("GET", "/Users", Some(_)) if !filters => error(400, "invalid_query"),
            ("GET", "/Users", Some(filter)) => {
                let name = filter
                    .strip_prefix("userName eq ")
                    .and_then(|name| serde_json::from_str::<String>(name).ok());
                let found: Vec<Json> =
                    all.iter().filter(|user| user["userName"] == json!(name)).cloned().collect();
                page(&found, call, 100)
            }
            ("GET", "/Users", None) => page(&all, call, 100),
            ("GET", ..) => all.first().cloned().map_or_else(|| error(404, "no_such_user"), ok),
            _ => error(405, "method_not_allowed"),
        }
    })
}

fn made(call: &Call) -> Json {
    let mut made = call.body.clone();
    made["id"] = json!("U77");
    made
}

fn posts(service: &Service) -> usize {
    service.bodies().len()
}

#[tokio::test(start_paused = true)]
async fn never_creates_twice_when_the_answer_is_lost() {
    for (was_made, filters, posted) in [(true, true, 1), (true, false, 1), (false, true, 2)] {
        let mut first = true;
        let lost = move |call: &Call, all: &mut Vec<Json>| {
            if call.method != "POST" || !std::mem::take(&mut first) {
                return None;
            }
            if was_made {
                all.push(made(call));
            }
            Some(Reply::Lost)
        };
        let service = accounts(lost, filters);
        let written = carry_out(&service.writer(Dialect::Slack), &creation(&[])).await;
        assert_eq!(written, Ok(took("U77")), "{was_made} {filters}");
        assert_eq!(posts(&service), posted, "{was_made} {filters}");
    }
}

#[tokio::test(start_paused = true)]
async fn adopts_what_a_repeated_creation_calls_taken_only_if_it_is_ours() {
    for (email, is_ours) in [("u1@acme.example", true), ("other@acme.example", false)] {
        let mut posts_seen = 0;
        let late = move |call: &Call, all: &mut Vec<Json>| {
            if call.method == "GET" && call.path == "/Users" {
                // A search misses what is there (sheet S9).
                return Some(page(&[], call, 10));
            }
            if call.method != "POST" {
                return None;
            }
            posts_seen += 1;
            if posts_seen == 1 {
                let mut user = made(call);
                user["emails"][0]["value"] = json!(email);
                all.push(user);
                return Some(error(500, "database_query_failure"));
            }
            Some(error(409, "email_taken (x) existing_user=U77"))
        };
        let service = accounts(late, true);
        let written = carry_out(&service.writer(Dialect::Slack), &creation(&[])).await;
        assert_eq!(written.is_ok(), is_ours, "{written:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_conflict_at_the_first_try_is_a_refusal() {
    let taken = |call: &Call, all: &mut Vec<Json>| {
        all.clear();
        all.push(user(1));
        (call.method == "POST").then(|| error(409, "email_taken existing_user=U1"))
    };
    let service = accounts(taken, true);
    let refused = carry_out(&service.writer(Dialect::Slack), &creation(&[])).await.unwrap_err();
    assert_eq!((refused.code(), refused.may_have_written), (Some("email_taken"), false));
    assert_eq!(service.lines(), ["POST /Users"]);
}

#[tokio::test(start_paused = true)]
async fn tries_a_passing_invitation_fault_once_more_after_a_second() {
    let mut first = true;
    let service = accounts(
        move |call, _| {
            (call.method == "POST" && std::mem::take(&mut first))
                .then(|| error(400, "invited_user_not_created"))
        },
        true,
    );
    assert_eq!(carry_out(&service.writer(Dialect::Slack), &creation(&[])).await, Ok(took("U77")));
    let calls = service.calls();
    assert_eq!(calls[1].at - calls[0].at, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn notices_when_the_profile_was_dropped_at_creation() {
    let drops = |call: &Call, all: &mut Vec<Json>| {
        (call.method == "POST").then(|| {
            let mut user = made(call);
            user.as_object_mut().unwrap().remove("userType");
            all.push(user.clone());
            Reply::Json(201, user)
        })
    };
    let service = accounts(drops, true);
    let change = creation(&[(Attribute::Title, "CTO"), (Attribute::UserType, "Employee")]);
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!(written.effect, Effect::Without { what: keys(&["userType"]) });
    assert_eq!(posts(&service), 1);
}

#[tokio::test(start_paused = true)]
async fn finds_the_account_that_an_empty_answer_does_not_name() {
    let silent = |call: &Call, all: &mut Vec<Json>| {
        (call.method == "POST").then(|| {
            all.push(made(call));
            Reply::Text(204, String::new())
        })
    };
    assert_eq!(
        carry_out(&accounts(silent, true).writer(Dialect::Slack), &creation(&[])).await,
        Ok(took("U77"))
    );
}

fn new_group(members: &[&str]) -> Change {
    let members = members.iter().map(|id| UserRef::Existing(UserId::new(*id))).collect();
    user_change(Action::CreateGroup { display_name: "eng".into(), members })
}

#[tokio::test(start_paused = true)]
async fn adopts_a_group_whose_answer_was_lost_unless_it_holds_strangers() {
    for (member, is_ours) in [("U1", true), ("U666", false)] {
        let group = json!({ "id": "S9", "displayName": "eng", "members": [{ "value": member }] });
        let mut first = true;
        let service = Service::new(move |call| match (call.method.as_str(), call.path.as_str()) {
            ("POST", _) if std::mem::take(&mut first) => Reply::Lost,
            ("POST", _) => error(409, "name_already_exists"),
            ("GET", "/Groups") => page(std::slice::from_ref(&group), call, 10),
            _ => ok(group.clone()),
        });
        let written = carry_out(&service.writer(Dialect::Slack), &new_group(&["U1"])).await;
        assert_eq!(written.is_ok(), is_ours, "{written:?}");
    }
}

fn deletion() -> Change {
    user_change(Action::DeleteGroup { id: GroupId::new("S1"), members: Vec::new() })
}

#[tokio::test(start_paused = true)]
async fn a_group_that_is_gone_is_deleted() {
    let gone = Service::new(|_| error(404, "no_such_group"));
    assert_eq!(carry_out(&gone.writer(Dialect::Slack), &deletion()).await, Ok(took("S1")));

    let elsewhere = Service::new(|_| error(404, "bad_endpoint"));
    assert!(carry_out(&elsewhere.writer(Dialect::Slack), &deletion()).await.is_err());

    let mut there = true;
    let lost = Service::new(move |call| match call.method.as_str() {
        "DELETE" => {
            there = false;
            Reply::Lost
        }
        _ if there => ok(json!({ "id": "S1", "displayName": "eng", "members": [] })),
        _ => error(404, "no_such_group"),
    });
    assert_eq!(carry_out(&lost.writer(Dialect::Slack), &deletion()).await, Ok(took("S1")));
    assert_eq!(lost.bodies().len(), 1);

    let deaf = Service::new(|call| match call.method.as_str() {
        "DELETE" => Reply::Text(204, String::new()),
        _ => ok(json!({ "id": "S1", "displayName": "eng", "members": [] })),
    });
    let written = carry_out(&deaf.writer(Dialect::Slack), &deletion()).await.unwrap();
    assert!(matches!(written.effect, Effect::Without { .. }));
}

#[tokio::test(start_paused = true)]
async fn sends_nothing_that_names_somebody_who_does_not_exist() {
    let service = one(json!({ "id": "S1", "displayName": "eng", "members": [] }), |_, _| None);
    let writer = service.writer(Dialect::Slack);
    let change = user_change(Action::UpdateGroup {
        id: GroupRef::New("eng".into()),
        rename: None,
        add: vec![UserRef::New(UserName::parse("kim").unwrap())],
        remove: Vec::new(),
    });
    let mut ids = Ids::default();
    ids.groups.insert("eng".into(), GroupId::new("S1"));
    let encoded = encode(&change, Dialect::Slack);
    let refused = writer.carry_out(&change, &encoded, &ids).await.unwrap_err();
    assert!(matches!(refused.reason, WriteFailure::Unfilled(_)) && service.calls().is_empty());

    ids.users.insert(UserName::parse("kim").unwrap(), UserId::new("U5"));
    assert_eq!(writer.carry_out(&change, &encoded, &ids).await, Ok(took("S1")));
    assert_eq!(service.bodies()[0]["Operations"][0]["value"], json!([{ "value": "U5" }]));
}

#[tokio::test(start_paused = true)]
async fn writes_one_at_a_time_to_a_resource_and_many_at_a_time_to_many() {
    let both = async |ids: [&str; 2]| {
        let service = Service::slow(Duration::from_secs(1), |call| {
            let id = call.path.rsplit('/').next().unwrap_or_default();
            ok(json!({ "id": id, "displayName": "eng", "members": [{ "value": "U2" }] }))
        });
        let writer = service.writer(Dialect::Slack);
        let changes = ids.map(|id| group_change(id, None, &["U2"], &[]));
        let [a, b] = &changes;
        let (a, b) = tokio::join!(carry_out(&writer, a), carry_out(&writer, b));
        assert!(a.is_ok() && b.is_ok());
        service.most_in_flight.load(Ordering::Relaxed)
    };
    assert_eq!(both(["S1", "S1"]).await, 1);
    assert_eq!(both(["S1", "S2"]).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_lock_holds_back_its_resource_and_a_full_bucket_its_kind() {
    for (word, others_wait) in [("resource_locked", false), ("too_many_requests", true)] {
        let answered = Arc::new(Mutex::new(false));
        let service = Service::new(move |call| {
            let id = call.path.rsplit('/').next().unwrap_or_default().to_owned();
            if id == "S1" && !std::mem::replace(&mut *answered.lock().unwrap(), true) {
                let body = json!({ "detail": word, "status": 429 }).to_string();
                return Reply::With(429, "retry-after", "10".into(), body);
            }
            ok(json!({ "id": id, "displayName": "eng", "members": [{ "value": "U2" }] }))
        });
        let writer = service.writer(Dialect::Slack);
        let (locked, other) =
            (group_change("S1", None, &["U2"], &[]), group_change("S2", None, &["U2"], &[]));
        let second = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            carry_out(&writer, &other).await
        };
        let (a, b) = tokio::join!(carry_out(&writer, &locked), second);
        assert!(a.is_ok() && b.is_ok());
        let calls = service.calls();
        let at = |path: &str| calls.iter().rfind(|call| call.path == path).unwrap().at - calls[0].at;
        assert_eq!(at("/Groups/S1"), Duration::from_secs(10));
        assert_eq!(at("/Groups/S2") >= Duration::from_secs(10), others_wait, "{word}");
    }
}

#[tokio::test(start_paused = true)]
async fn gives_up_on_a_service_that_is_down() {
    for reply in [|| Reply::Unreached, || Reply::Lost, || error(503, "down")] {
        let service = Service::new(move |_| reply());
        let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
        let error = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap_err();
        assert!(service.calls().len() <= 10, "{error}: {}", service.calls().len());
    }
}
