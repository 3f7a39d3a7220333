//! A change is carried out once, in a form the service takes, and seen to have been.

use crate::changes::{carry_out, creation, deactivation, group_change, keys, one, took, update};
use crate::engine;
use crate::service::{Reply, Service, error, group, members_page, ok, user};
use crate::worlds::{ENTERPRISE, decode, edit, user_change};
use model::attribute::Value;
use model::{Action, Attribute, Change, Dialect, GroupId, GroupRef, UserId, UserName, UserRef};
use scim_adapter::{Effect, Ids, WriteFailure, Written, encode};
use serde_json::{Value as Json, json};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn a_change_that_takes_is_one_request() {
    let service = one(user(1), |_, _| None);
    let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    assert_eq!(carry_out(&service.writer(Dialect::Slack), &change).await, Ok(took("U1")));
    assert_eq!(service.lines(), ["PATCH /Users/U1"]);
}

/// Sheet S6: which of the three forms in which Slack takes a manager it answers with is not known. Of somebody else, none
/// will do.
#[tokio::test(start_paused = true)]
async fn a_manager_has_been_set_in_whichever_form_the_service_answers() {
    for (answered, is_set) in
        [("U2", true), ("U2@acme.example", true), ("Grace", true), ("U3", false), ("ada", false)]
    {
        let service = one(user(1), move |call, live| {
            if call.path == "/Users/U2" {
                return Some(ok(json!({
                    "id": "U2",
                    "userName": "grace",
                    "emails": [{ "value": "u2@acme.example", "primary": true }],
                })));
            }
            if call.method == "PATCH" {
                live[ENTERPRISE] = json!({ "manager": { "managerId": answered } });
            }
            Some(ok(live.clone()))
        });
        let live = decode(&user(1), Dialect::Slack);
        let grace = Value::Person(UserRef::Existing(UserId::new("U2")));
        let change = user_change(Action::UpdateUser {
            id: UserRef::Existing(live.id.clone()),
            edits: vec![edit(Attribute::Manager, Some(grace), &live)],
            siblings: Vec::new(),
        });
        let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
        let effect = if is_set { Effect::Took } else { Effect::Without { what: keys(&["manager"]) } };
        assert_eq!(written.effect, effect, "{answered}");
        let patches = service.lines().iter().filter(|line| line.starts_with("PATCH")).count();
        assert_eq!(patches == 1, is_set, "{answered}: {:?}", service.lines());
    }
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
        assert_eq!(written, Written { is_well: Some(!inactive), ..took("U1") }, "empty: {empty}");

        let service = Service::new(move |_| {
            let mut made = user(1);
            made["active"] = json!(!inactive);
            ok(made)
        });
        let written = carry_out(&service.writer(Dialect::Slack), &creation(&[])).await.unwrap();
        assert_eq!(written.is_well, Some(!inactive));
    }
    // Part of it takes and the account goes: that is seen as well.
    let service = one(user(1), |call, live| {
        live["active"] = json!(false);
        (call.method != "GET").then(|| ok(live.clone()))
    });
    let change = update(&user(1), &[(Attribute::Title, Some("CTO"))], Dialect::Slack);
    let written = carry_out(&service.writer(Dialect::Slack), &change).await.unwrap();
    assert_eq!((written.is_well, written.effect), (Some(false), Effect::Without { what: keys(&["title"]) }));
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
    assert_eq!(written, Ok(Written { is_well: Some(false), ..took("U1") }));
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
