//! The token goes to the service and nowhere else.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use model::{Dialect, UserId};
use scim_adapter::{HttpOptions, HttpTransport, Pacer, Reader, Timeouts, Transport};
use secrecy::SecretString;
use std::sync::Arc;
use tokio::net::TcpListener;

const TOKEN: &str = "xoxp-canary-5d21";

fn options(base: &str) -> HttpOptions {
    let token = SecretString::from(TOKEN);
    HttpOptions { base: base.parse().unwrap(), token, ca_pem: None, timeouts: Timeouts::default() }
}

/// A service that answers with all that it was sent, in every part of its answer.
async fn parrot(status: u16) -> String {
    let say = move |headers: HeaderMap, _: Request| async move {
        let token = headers[header::AUTHORIZATION].to_str().unwrap().to_owned();
        let body =
            format!(r#"{{"id":"U1","title":"{token}","detail":"{token} is {token}","schemas":["{token}"]}}"#);
        let location = format!("/{}", token.replace(' ', "/"));
        let status = StatusCode::from_u16(status).unwrap();
        (status, [(header::LOCATION, location), (header::RETRY_AFTER, token)], body).into_response()
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(say)).await });
    format!("http://{address}")
}

#[test]
fn it_is_in_the_debug_form_of_nothing_that_holds_it() {
    let options = options("https://api.slack.com/scim/v2");
    let transport = HttpTransport::new(&options).unwrap();
    for shown in [format!("{options:?} {options:#?}"), format!("{transport:?} {transport:#?}")] {
        assert!(!shown.contains("canary") && !shown.contains("Bearer"), "{shown}");
        assert!(shown.contains("api.slack.com"), "{shown}");
    }
}

#[tokio::test]
async fn an_answer_that_repeats_it_is_handed_on_without_it() {
    for status in [200, 400, 401, 500] {
        let transport = HttpTransport::new(&options(&parrot(status).await)).unwrap();
        let answer =
            transport.send(http::Request::get("/Users/U1").body(Bytes::new()).unwrap()).await.unwrap();
        let shown = format!("{:?} {}", answer.headers(), String::from_utf8_lossy(answer.body()));
        assert!(shown.contains("Bearer [token]") && !shown.contains("canary"), "{shown}");
    }
}

#[tokio::test]
async fn it_is_in_no_error_about_an_answer_that_repeats_it() {
    for status in [301, 400, 401, 403, 404, 409] {
        let transport = HttpTransport::new(&options(&parrot(status).await)).unwrap();
        let reader = Reader::new(Arc::new(transport), Dialect::Slack, Pacer::unlimited());
        let error = reader.read_directory().await.unwrap_err();
        let shown = format!("{error} {error:?} {:?}", error.hint());
        assert!(!shown.contains("canary"), "{shown}");
        drop(reader.read_user(&UserId::new("U1")).await);
    }
}

/// Somebody who tries a simulator with the token `x` still reads what people are called.
#[tokio::test]
async fn one_that_keeps_nothing_secret_alters_no_answer() {
    let token = SecretString::from("is");
    let transport = HttpTransport::new(&HttpOptions { token, ..options(&parrot(200).await) }).unwrap();
    let answer = transport.send(http::Request::get("/Users/U1").body(Bytes::new()).unwrap()).await.unwrap();
    assert!(String::from_utf8_lossy(answer.body()).contains("Bearer is is Bearer is"), "{answer:?}");
}
