//! A directory is read whole or not at all.

use crate::service::{Call, Reply, Service, error, group, members_page, ok, page, users};
use model::directory::AccountKind;
use model::{Attribute, Dialect, Directory, GroupId};
use scim_adapter::{Failure, ReadError, decode_group, decode_user};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn lists(users: Vec<Json>, groups: Vec<Json>, cap: usize) -> Arc<Service> {
    Service::new(move |call| page(if call.path == "/Users" { &users } else { &groups }, call, cap))
}

/// A service whose users are answered by `answer` and that has no groups.
fn users_by(mut answer: impl FnMut(&Call) -> Reply + Send + 'static) -> Arc<Service> {
    Service::new(move |call| if call.path == "/Users" { answer(call) } else { page(&[], call, 1_000) })
}

async fn read(service: &Arc<Service>) -> Result<Directory, ReadError> {
    service.reader(Dialect::Slack).read_directory().await
}

#[tokio::test(start_paused = true)]
async fn joins_pages_and_takes_members_from_groups() {
    let groups = vec![
        json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U2" }, { "value": "U2500" }, { "value": "U9999" }] }),
        json!({ "id": "S2", "displayName": "ops", "members": [] }),
    ];
    let service = lists(users(2_500), groups, 1_000);
    let directory = read(&service).await.unwrap();
    assert_eq!(directory.users.len(), 2_500);
    assert_eq!(directory.groups[0].members.len(), 2);
    assert_eq!(directory.groups[0].foreign_members, vec!["U9999".into()]);
    assert!(directory.users.iter().enumerate().all(|(i, user)| user.id.as_str() == format!("U{}", i + 1)));
    let starts: Vec<_> =
        service.calls().iter().map(|c| (c.number("startIndex"), c.number("count"))).collect();
    assert_eq!(starts, [(1, 1_000), (1_001, 1_000), (2_001, 1_000), (1, 1_000)]);
}

#[tokio::test(start_paused = true)]
async fn learns_the_cap_of_a_service_from_its_first_page() {
    for cap in [1, 7, 20, 100] {
        let directory = read(&lists(users(205), Vec::new(), cap)).await.unwrap();
        assert_eq!(directory.users.len(), 205, "cap {cap}");
    }
}

#[tokio::test(start_paused = true)]
async fn fills_the_gap_where_a_page_stops_short() {
    let all = users(250);
    let service =
        users_by(move |call| page(&all, call, if call.number("startIndex") == 101 { 30 } else { 100 }));
    assert_eq!(read(&service).await.unwrap().users.len(), 250);
}

#[tokio::test(start_paused = true)]
async fn keeps_no_more_than_eight_pages_of_a_list_in_flight() {
    let all = users(20_000);
    let service = Service::slow(Duration::from_millis(100), move |call| {
        page(if call.path == "/Users" { &all } else { &[] }, call, 1_000)
    });
    assert_eq!(read(&service).await.unwrap().users.len(), 20_000);
    // Beside them, the one page of groups.
    assert_eq!(service.most_in_flight.load(Ordering::Relaxed), 8 + 1);
}

#[tokio::test(start_paused = true)]
async fn refuses_a_service_that_ignores_start_index() {
    let all = users(250);
    let with_start = all.clone();
    let silent = users_by(move |_| ok(json!({ "Resources": all[..100], "totalResults": 250 })));
    let honest = users_by(move |_| {
        ok(json!({ "Resources": with_start[..100], "totalResults": 250, "startIndex": 1 }))
    });
    for (service, word) in [(silent, "first page"), (honest, "from 1 on")] {
        match read(&service).await {
            Err(ReadError::Paging { path: "/Users", why }) => assert!(why.contains(word), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refuses_what_is_not_whole() {
    let twice = {
        let mut all = users(30);
        all[29] = all[5].clone();
        users_by(move |call| page(&all, call, 10))
    };
    let fewer = users_by(|_| ok(json!({ "Resources": users(3), "totalResults": 5 })));
    let more = users_by(|_| ok(json!({ "Resources": users(6), "totalResults": 5 })));
    let none = users_by(|_| ok(json!({ "Resources": [], "totalResults": 5 })));
    let nameless = users_by(|_| ok(json!({ "Resources": [{ "userName": "ada" }], "totalResults": 1 })));
    let endless = users_by(|_| ok(json!({ "Resources": users(1), "totalResults": 99_999_999 })));
    for (name, service) in [
        ("twice", twice),
        ("fewer", fewer),
        ("more", more),
        ("none", none),
        ("nameless", nameless),
        ("endless", endless),
    ] {
        assert!(read(&service).await.is_err(), "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_again_when_the_directory_changes_meanwhile() {
    let reads = Arc::new(AtomicUsize::new(0));
    let count = reads.clone();
    let service = users_by(move |call| {
        if call.number("startIndex") == 1 {
            count.fetch_add(1, Ordering::Relaxed);
        }
        // During the first reading somebody joins after the first page.
        let joined = count.load(Ordering::Relaxed) > 1 || call.number("startIndex") > 1;
        page(&users(if joined { 26 } else { 25 }), call, 10)
    });
    assert_eq!(read(&service).await.unwrap().users.len(), 26);
    assert_eq!(reads.load(Ordering::Relaxed), 2);
}

#[tokio::test(start_paused = true)]
async fn gives_up_on_a_directory_that_never_rests() {
    let mut total = 20;
    let service = users_by(move |call| {
        total += 1;
        page(&users(total), call, 10)
    });
    match read(&service).await {
        Err(error @ ReadError::Changing { reads: 4, .. }) => assert!(error.hint().is_some()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn looks_at_groups_whose_members_the_list_leaves_out() {
    let service = Service::new(|call| match call.path.as_str() {
        "/Users" => page(&users(3), call, 1_000),
        "/Groups" => page(
            &[
                json!({ "id": "S1", "displayName": "eng" }),
                json!({ "id": "S2", "displayName": "ops", "members": null }),
                json!({ "id": "S3", "displayName": "big", "members": [{ "value": "U1" }], "totalResults": 2 }),
            ],
            call,
            1_000,
        ),
        "/Groups/S1" => ok(json!({ "id": "S1", "displayName": "eng", "members": [{ "value": "U3" }] })),
        "/Groups/S3" => {
            ok(json!({ "id": "S3", "displayName": "big", "members": [{ "value": "U1" }, { "value": "U2" }] }))
        }
        _ => error(404, "no_such_group"),
    });
    let directory = read(&service).await.unwrap();
    let sizes: Vec<_> = directory.groups.iter().map(|group| group.members.len()).collect();
    assert_eq!(sizes, [1, 0, 2]);
}

#[tokio::test(start_paused = true)]
async fn never_takes_a_part_of_the_members() {
    let group =
        json!({ "id": "S1", "displayName": "big", "members": [{ "value": "U1" }], "totalResults": 7 });
    let service = Service::new(move |call| match call.path.as_str() {
        "/Groups" => page(std::slice::from_ref(&group), call, 10),
        "/Groups/S1" => ok(group.clone()),
        _ => page(&users(1), call, 10),
    });
    assert!(matches!(read(&service).await, Err(ReadError::Resource { .. })));
}

#[tokio::test(start_paused = true)]
async fn joins_the_pages_of_a_groups_members() {
    // A service that says where a page begins, and one that does not.
    for says_start in [true, false] {
        let big = group("S1", 2_345);
        let service = Service::new(move |call| match call.path.as_str() {
            "/Users" => page(&users(2_345), call, 1_000),
            path => {
                let mut part = members_page(&big, call, 500);
                if path == "/Groups" {
                    part = members_page(&big, &Call { query: HashMap::new(), ..call.clone() }, 500);
                }
                if !says_start {
                    part.as_object_mut().unwrap().remove("startIndex");
                }
                if path == "/Groups" { page(&[part], call, 1_000) } else { ok(part) }
            }
        });
        let directory = read(&service).await.unwrap();
        assert_eq!(directory.groups[0].members.len(), 2_345);
        let of_group: Vec<_> = service.calls().into_iter().filter(|call| call.path == "/Groups/S1").collect();
        let starts: Vec<_> = of_group.iter().map(|call| call.number("startIndex")).collect();
        // Read twice, since what came in pages may have changed between them.
        assert_eq!(starts, [0, 501, 1_001, 1_501, 2_001].repeat(2));
    }
}

#[tokio::test(start_paused = true)]
async fn reads_a_group_again_that_changes_between_two_pages() {
    let mut size = 25;
    let service = Service::new(move |call| {
        let part = members_page(&group("S1", size), call, 10);
        // During the first reading somebody joins after the first page.
        size = 26;
        ok(part)
    });
    let group = service.reader(Dialect::Slack).read_group(&GroupId::new("S1")).await.unwrap().unwrap();
    assert_eq!(group.members.len(), 26);
    assert_eq!(service.calls().iter().filter(|call| call.number("startIndex") == 0).count(), 3);
}

/// The number of members stays the same, and every page fits: the one who moved to the first page is on none.
#[tokio::test(start_paused = true)]
async fn overlooks_nobody_where_one_leaves_and_one_joins_between_two_pages() {
    let mut is_later = false;
    let service = Service::new(move |call| {
        let names = if is_later { [2, 3, 4, 5] } else { [1, 2, 3, 4] };
        is_later = true;
        let mut whole = group("S1", 0);
        whole["members"] = names.map(|n| json!({ "value": format!("U{n}") })).into_iter().collect();
        ok(members_page(&whole, call, 1))
    });
    let group = service.reader(Dialect::Slack).read_group(&GroupId::new("S1")).await.unwrap().unwrap();
    assert_eq!(group.members.iter().map(|id| &**id).collect::<Vec<_>>(), ["U2", "U3", "U4", "U5"]);
}

#[tokio::test(start_paused = true)]
async fn takes_no_group_whose_pages_do_not_make_it_whole() {
    type Spoil = fn(&mut Json, usize);
    let spoils: [(&str, Spoil); 8] = [
        ("from 1 on", |page, _| page["startIndex"] = json!(1)),
        ("no totalResults", |page, _| page["totalResults"] = json!(null)),
        ("another total each time", |page, start| page["totalResults"] = json!(1_000 + start)),
        ("empty", |page, _| page["members"] = json!([])),
        ("too many", |page, _| page["members"] = group("S1", 30)["members"].clone()),
        ("nameless", |page, _| page["members"][3] = json!({})),
        ("one twice", |page, _| page["members"][3] = page["members"][4].clone()),
        ("another group", |page, _| page["id"] = json!("S2")),
    ];
    for (name, spoil) in spoils {
        let service = Service::new(move |call| {
            let mut part = members_page(&group("S1", 25), call, 10);
            if call.number("startIndex") > 1 {
                spoil(&mut part, call.number("startIndex"));
            }
            ok(part)
        });
        let read = service.reader(Dialect::Slack).read_group(&GroupId::new("S1")).await;
        assert!(read.is_err(), "{name}: {read:?}");
        assert!(service.calls().len() <= 15, "{name}: {}", service.calls().len());
    }
    let endless = Service::new(|_| {
        ok(json!({ "id": "S1", "members": [{ "value": "U1" }], "totalResults": 99_999_999 }))
    });
    assert!(endless.reader(Dialect::Slack).read_group(&GroupId::new("S1")).await.is_err());
    assert_eq!(endless.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn says_that_it_got_a_part_of_the_members_where_they_are_not_paged() {
    for says_start in [true, false] {
        let service = Service::new(move |_| {
            let mut first = group("S1", 10);
            first["totalResults"] = json!(25);
            if says_start {
                first["startIndex"] = json!(1);
            }
            ok(first)
        });
        let error = service.reader(Dialect::Slack).read_group(&GroupId::new("S1")).await.unwrap_err();
        assert!(error.to_string().contains("10 of 25 members"), "{error}");
        assert_eq!(service.calls().len(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn says_that_a_target_is_not_scim() {
    let targets: [fn() -> Reply; 6] = [
        || Reply::Text(200, "<!DOCTYPE html><html>hello</html>".into()),
        || Reply::Text(404, "<html>nothing here</html>".into()),
        || Reply::Text(404, "404 page not found".into()),
        || Reply::Text(200, "it works".into()),
        || ok(json!({ "ok": false, "error": "unknown_method" })),
        || ok(json!([1, 2])),
    ];
    for target in targets {
        let service = Service::new(move |_| target());
        let error = read(&service).await.unwrap_err();
        assert!(error.to_string().contains("not a SCIM service"), "{error}");
        assert!(error.hint().unwrap().contains("--target"), "{error}");
        assert_eq!(service.calls().len(), 1, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn says_what_is_wrong_with_a_token_or_a_plan() {
    for (status, body, word) in [
        (401, r#"{"Errors":{"description":"invalid_authentication","code":401}}"#, "token"),
        (400, r#"{"Errors":{"description":"unsupported_version","code":400}}"#, "token"),
        (401, r#"{"detail":"missing_authentication","status":401}"#, "token"),
        (401, "", "token"),
        (403, r#"{"detail":"plus_teams_only","status":403}"#, "Business+"),
        (403, r#"{"detail":"non_org_teams_only","status":403}"#, "organisation"),
        (403, r#"{"detail":"permission_denied","status":403}"#, "rank"),
        (404, r#"{"detail":"bad_endpoint","status":404}"#, "/scim/v2"),
    ] {
        let service = Service::new(move |_| Reply::Text(status, body.into()));
        let error = read(&service).await.unwrap_err();
        assert!(error.hint().is_some_and(|hint| hint.contains(word)), "{error}: {:?}", error.hint());
        assert_eq!(service.calls().len(), 1, "{error} is not tried again");
    }
}

#[tokio::test(start_paused = true)]
async fn follows_no_redirect_and_shows_no_secret_of_it() {
    let to = "https://user:pass@evil.example:8443/scim/Users?token=secret#x".to_owned();
    let service = Service::new(move |_| Reply::With(302, "location", to.clone(), String::new()));
    let error = read(&service).await.unwrap_err().to_string();
    assert!(
        error.contains("https://evil.example:8443/scim/Users")
            && !error.contains("secret")
            && !error.contains("pass"),
        "{error}"
    );
    assert_eq!(service.calls().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn reads_again_what_fails_in_passing() {
    let mut call_number = 0;
    let service = users_by(move |call| {
        call_number += 1;
        match call_number {
            1 => Reply::Lost,
            2 => Reply::Text(502, "<html>bad gateway</html>".into()),
            3 => Reply::Text(200, r#"{"totalResults": 2, "Resources": [{"id": "U1"}, {"i"#.into()),
            4 => Reply::Never,
            _ => page(&users(2), call, 10),
        }
    });
    assert_eq!(read(&service).await.unwrap().users.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn comes_back_when_the_service_says_so() {
    let mut call_number = 0;
    let service = users_by(move |call| {
        call_number += 1;
        match call_number {
            1 => Reply::With(429, "retry-after", "30".into(), String::new()),
            2 => Reply::With(
                429,
                "retry-after",
                "7".into(),
                r#"{"Errors":{"description":"too_many_requests","code":429}}"#.into(),
            ),
            _ => page(&users(2), call, 10),
        }
    });
    read(&service).await.unwrap();
    let calls = service.calls();
    assert!(calls[1].at - calls[0].at >= Duration::from_secs(30));
    assert!(calls[2].at - calls[1].at >= Duration::from_secs(7));
    assert!(calls[2].at - calls[0].at < Duration::from_secs(40));
}

#[tokio::test(start_paused = true)]
async fn does_not_wait_for_ever() {
    let service = users_by(|_| Reply::With(429, "retry-after", "86400".into(), String::new()));
    let Err(ReadError::Request(error)) = read(&service).await else { panic!() };
    assert!(matches!(&*error.failure, Failure::Refused(refusal) if refusal.status == 429));
    assert_eq!(service.calls().len(), 1);
}

#[test]
fn takes_an_account_however_it_is_put() {
    let body = json!({
        "ID": "U1", "username": 42, "DISPLAYNAME": " ", "active": "False", "title": null, "unknown": { "deep": [1, {}] },
        "name": "not an object", "emails": { "value": "ada@x" }, "roles": ["Tech Lead"], "phoneNumbers": "none",
    });
    let user = decode_user(body.to_string().as_bytes(), Dialect::Slack).unwrap();
    assert_eq!(user.user_name(), "42");
    assert!(!user.active);
    assert_eq!(user.get(Attribute::Email), Some("ada@x"));
    assert_eq!(user.get(Attribute::Role), Some("Tech Lead"));
    assert_eq!(user.get(Attribute::DisplayName), None);

    let bare = decode_user(br#"{"id":"U2"}"#, Dialect::Rfc).unwrap();
    assert!(bare.active && bare.attributes.is_empty() && !bare.guest);
    for body in ["", "[]", "{}", "null", r#"{"id":"@user:ada"}"#, r#"{"id":"a\nb"}"#, r#"{"id":"U1","x":"#] {
        assert!(decode_user(body.as_bytes(), Dialect::Slack).is_err(), "{body}");
    }
    assert_eq!(decode_group(br#"{"id":"S1","displayName":null}"#).unwrap().members.len(), 0);
}

#[test]
fn knows_slacks_slots() {
    let body = json!({
        "id": "U1", "userName": "ada",
        "emails": [{ "value": "second@x", "primary": false }, { "value": "first@x", "primary": true }],
        "phoneNumbers": [{ "value": "555-5555", "type": "mobile" }, { "value": "555-4444", "primary": true }],
        "addresses": [{ "streetAddress": null, "locality": "London" }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "manager": { "managerId": "U9" } },
        "urn:ietf:params:scim:schemas:extension:slack:guest:2.0:User": { "type": "multi", "expiration": "2027-01-31T23:59:59Z" },
    });
    let user = decode_user(body.to_string().as_bytes(), Dialect::Slack).unwrap();
    let get = |attribute| user.get(attribute).unwrap();
    assert_eq!((get(Attribute::Email), get(Attribute::SecondaryEmail)), ("first@x", "second@x"));
    assert_eq!((get(Attribute::Phone), get(Attribute::MobilePhone)), ("555-4444", "555-5555"));
    assert_eq!((get(Attribute::Locality), get(Attribute::Manager)), ("London", "U9"));
    assert!(user.guest && user.get(Attribute::GuestExpires).is_some() && user.selectors.is_empty());

    let bot = json!({ "id": "U2", "emails": [{ "value": "botuser-T1-A1@slack-bots.com" }] });
    assert_eq!(decode_user(bot.to_string().as_bytes(), Dialect::Slack).unwrap().kind, AccountKind::Bot);
}

#[tokio::test(start_paused = true)]
async fn one_resource_is_this_one_or_none() {
    let service = Service::new(|call| match call.path.as_str() {
        "/Users/U1" => ok(json!({ "id": "U2", "userName": "eve" })),
        "/Groups/S1" => Reply::Text(404, String::new()),
        "/Users/U4" => error(404, "bad_endpoint"),
        _ => error(404, "no_such_user"),
    });
    let reader = service.reader(Dialect::Slack);
    assert!(reader.read_user(&model::UserId::new("U1")).await.is_err());
    assert_eq!(reader.read_user(&model::UserId::new("U3")).await.unwrap(), None);
    assert!(
        reader.read_user(&model::UserId::new("U4")).await.is_err(),
        "a wrong path is not a missing account"
    );
    assert_eq!(reader.read_group(&GroupId::new("S1")).await.unwrap(), None);
}
