//! When a service repeats what it was sent.

use super::{SEED, check, check_all_at, check_in_turn_at, expect_hidden, expect_none_in_files, place};
use crate::env::{serve, workspace};
use crate::running::Running;
use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::any;

#[test]
fn when_the_service_refuses_or_repeats_the_request_it_was_sent() {
    // Some proxies and frameworks answer an error with all that they were sent, header lines included.
    let echo = |status: u16| {
        any(move |request: Request| async move {
            let headers = format!("{:?} {:?}", request.uri(), request.headers()).replace("Sensitive", "");
            let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
            let body =
                format!("{{\"detail\":\"cannot_do_that {secret} {secret}\",\"status\":{status}}} {headers}");
            (
                StatusCode::from_u16(status).unwrap(),
                [(header::LOCATION, format!("/{secret}").replace(' ', "/"))],
                body,
            )
        })
    };
    let success = any(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        let user = format!(
            r#"{{"id":"U1","userName":"ada","title":"{secret}","emails":[{{"value":"ada@acme.example"}}]}}"#
        );
        let one = if request.uri().path().ends_with("Users") { user } else { String::new() };
        let total = usize::from(!one.is_empty());
        format!(r#"{{"Resources":[{one}],"totalResults":{total}}}"#)
    });
    let page = any(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        let html = format!("<html><body>{secret}</body></html>");
        (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/html")], html).into_response()
    });
    let mut router = Router::new().route("/200/{*rest}", success).route("/html/{*rest}", page);
    let statuses = [302, 400, 401, 403, 404, 409, 418, 500];
    for status in statuses {
        router = router.route(&format!("/{status}/{{*rest}}"), echo(status));
    }
    let served = serve(router);
    let env = place();
    for status in statuses.iter().filter(|status| **status != 500) {
        check_all_at(&env, &format!("{}/{status}", served.origin));
    }
    // These are read, or asked again.
    for path in ["200", "html", "500"] {
        let target = format!("{}/{path}", served.origin);
        check_in_turn_at([&*target; 4]);
    }
}

/// The token in the ways in which languages and libraries spell it.
fn spellings(secret: &str) -> [String; 4] {
    let each = |way: fn(u32) -> String| secret.chars().map(|c| way(u32::from(c))).collect::<String>();
    [
        secret.to_owned(),
        each(|code| format!("\\u{code:04X}")),
        each(|code| format!("%{code:02x}")),
        each(|code| format!("&#{code};")),
    ]
}

#[test]
fn when_a_write_is_answered_with_the_request() {
    let live = workspace(SEED, &[]);
    // Reads go through. Writes are refused in so many ways, and at the end they succeed, each with what was sent.
    let answers = |number: usize| {
        let answer = move |request: Request, next: Next| async move {
            if request.method() == Method::GET {
                return next.run(request).await;
            }
            let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default();
            let secret = secret.strip_prefix("Bearer ").unwrap().to_owned();
            if let Some(spelled) = spellings(&secret).get(number) {
                let body = format!(r#"{{"detail":"no {spelled}","Errors":"{spelled}","status":400}}"#);
                return (StatusCode::BAD_REQUEST, body).into_response();
            }
            let body = format!(
                r#"{{"id":"{secret}","userName":"{secret}","displayName":"{secret}","title":"{secret}","active":false}}"#
            );
            (StatusCode::OK, body).into_response()
        };
        serve(live.simulator.router().layer(from_fn(answer)))
    };
    let env = place();
    for (number, format) in [(0, "text"), (1, "json"), (2, "markdown"), (3, "text"), (4, "json")] {
        // What is answered with success is looked for until the time is up.
        let wait = if number == 4 { "1s" } else { "1m" };
        let served = answers(number);
        let target = [
            "--target",
            &format!("{}/scim/v2", served.origin),
            "--format",
            format,
            "--timeout",
            wait,
            "-vvv",
        ];
        drop(env.run(&[&["plan", "roster.yaml", "--out", "new.json"], &target[..]].concat()));
        for arguments in [
            &["apply", "roster.yaml", "--yes", "--journal", "new.jsonl"][..],
            &["apply", "roster.yaml", "--plan", "new.json", "--journal", "new.jsonl"],
        ] {
            let output = check(&env, &mut env.command(&[arguments, &target].concat()));
            assert_ne!(output.status.code(), Some(0), "{arguments:?}");
            let shown = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
            assert!(number == 4 || shown.contains("[token]"), "it was not repeated: {shown}");
        }
        for format in ["text", "json", "markdown"] {
            check(&env, &mut env.command(&["history", "new.jsonl", "--format", format]));
        }
        check(&env, &mut env.command(&[&["revert", "new.jsonl", "--yes"], &target[..]].concat()));
    }
}

#[test]
fn while_a_daemon_is_refused() {
    let served = serve(Router::new().fallback(|request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        (StatusCode::FORBIDDEN, format!(r#"{{"detail":"not {secret}","status":403}}"#))
    }));
    let env = place();
    for more in [&["--observe"][..], &["--journal", "daemon.jsonl"]] {
        let arguments = [&["daemon", "roster.yaml", "--target", &served.origin, "-vvv"], more].concat();
        let daemon = Running::spawn(env.command(&arguments).env("RUST_LOG", "trace"));
        daemon.expect_line(&["Round 1: failed: ", "403"]);
        expect_hidden("the daemon", daemon.output().as_bytes());
        drop(daemon);
        expect_none_in_files(&env);
    }
}
