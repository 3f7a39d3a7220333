//! The HTTP carrier, on servers of this machine.

use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::{any, get};
use bytes::Bytes;
use model::Dialect;
use scim_adapter::{
    ConfigError, Failure, HttpOptions, HttpTransport, MAX_BODY_BYTES, Pacer, Reached, Reader, RequestError,
    Timeouts, Transport, TransportError, TransportErrorKind,
};
use secrecy::SecretString;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// A certificate that vouches for nothing here.
const AUTHORITY: &str = "-----BEGIN CERTIFICATE-----\n\
MIIBnTCCAUOgAwIBAgIUFpIVfWZtY9JZ1P+dZz5PD835jVYwCgYIKoZIzj0EAwIw\n\
JDEiMCAGA1UEAwwZYW4gYXV0aG9yaXR5IG9mIG9uZSdzIG93bjAeFw0yNjExMjMx\n\
NDA1NTVaFw0zNjExMjAxNDA1NTVaMCQxIjAgBgNVBAMMGWFuIGF1dGhvcml0eSBv\n\
ZiBvbmUncyBvd24wWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATl4VU4nrAi8XHI\n\
gPjOxBp/umzNsFVFXvi8kWxbqGZs5YIXTwwrS2tcgHNL1WLgAg9T63pYiPXBbcRI\n\
2o4f/+8mo1MwUTAdBgNVHQ4EFgQUwlNichFc1hDgqmfKpzFnE1AqUZ8wHwYDVR0j\n\
BBgwFoAUwlNichFc1hDgqmfKpzFnE1AqUZ8wDwYDVR0TAQH/BAUwAwEB/zAKBggq\n\
hkjOPQQDAgNIADBFAiBudnVkDtchyuu14NJAjM4PsjvpkkrfRkxxnj/cPr+7xwIh\n\
ALooWigsV2hJaqZ6eyUdCE0QFGNLGprSNXDKDHMFviQU\n\
-----END CERTIFICATE-----\n";

const TOKEN: &str = "xoxp-not-a-real-token";

fn options(base: &str) -> HttpOptions {
    HttpOptions {
        base: base.parse().unwrap(),
        token: SecretString::from(TOKEN),
        ca_pem: None,
        timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(20) },
    }
}

fn refused(base: &str) -> ConfigError {
    HttpTransport::new(&options(base)).unwrap_err()
}

async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A server that answers every request with these bytes and hangs up.
async fn raw(answer: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4_096];
            let _read = stream.read(&mut request).await;
            let _written = stream.write_all(answer).await;
        }
    });
    format!("http://{address}")
}

async fn ask(base: &str) -> Result<http::Response<Bytes>, TransportError> {
    let transport = HttpTransport::new(&options(base)).unwrap();
    transport.send(http::Request::get("/Users?count=1").body(Bytes::new()).unwrap()).await
}

#[tokio::test]
async fn joins_the_path_to_the_base_and_says_who_is_asking() {
    let echo = |request: Request| async move {
        let header =
            |name| request.headers().get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        // Backwards, since an answer that repeats the token is handed on without it.
        let backwards: String = header(header::AUTHORIZATION).chars().rev().collect();
        format!("{} {backwards} {}", request.uri(), header(header::USER_AGENT))
    };
    let base = serve(Router::new().fallback(any(echo))).await;
    for end in ["", "/"] {
        let answer = ask(&format!("{base}/scim/v2{end}")).await.unwrap();
        let backwards: String = format!("Bearer {TOKEN}").chars().rev().collect();
        let want = format!("/scim/v2/Users?count=1 {backwards} rosterctl/{}", env!("CARGO_PKG_VERSION"));
        assert_eq!(answer.body(), want.as_bytes());
    }
}

#[tokio::test]
async fn asks_each_dialect_for_its_type() {
    // The service says what it was asked for in the only place where a reader repeats its words.
    let accept = |request: Request| async move {
        (StatusCode::IM_A_TEAPOT, request.headers()[header::ACCEPT].to_str().unwrap().to_owned())
    };
    let base = serve(Router::new().fallback(any(accept))).await;
    for (dialect, want) in
        [(Dialect::Slack, ": application/json"), (Dialect::Rfc, ": application/scim+json, application/json")]
    {
        let transport = HttpTransport::new(&options(&base)).unwrap();
        let reader = Reader::new(Arc::new(transport), dialect, Pacer::unlimited());
        let error = reader.read_directory().await.unwrap_err().to_string();
        assert!(error.ends_with(want), "{error}");
    }
}

#[test]
fn sends_a_token_to_no_one_it_should_not_see() {
    assert!(matches!(refused("http://slack.example/scim/v2"), ConfigError::PlainHttp(_)));
    assert!(matches!(refused("http://10.0.0.1/"), ConfigError::PlainHttp(_)));
    assert!(matches!(refused("http://127.0.0.1.evil.example/"), ConfigError::PlainHttp(_)));
    assert!(matches!(refused("http://localhost.evil.example/"), ConfigError::PlainHttp(_)));
    assert!(matches!(refused("ftp://127.0.0.1/"), ConfigError::Scheme(_)));
    assert!(matches!(refused("https://user:pass@slack.example/"), ConfigError::UserInfo));
    assert!(matches!(refused("https://slack.example/scim?x=1"), ConfigError::Query));
    for local in [
        "http://127.0.0.1:1/",
        "http://127.8.9.1/",
        "http://[::1]/",
        "http://localhost/",
        "https://slack.example",
    ] {
        assert!(HttpTransport::new(&options(local)).is_ok(), "{local}");
    }
}

#[test]
fn refuses_a_token_or_a_certificate_that_cannot_be_one() {
    for token in ["", "two words", "line\nbreak", "tr\u{e4}ne\u{7f}"] {
        let options = HttpOptions { token: SecretString::from(token), ..options("https://slack.example") };
        let error = HttpTransport::new(&options).unwrap_err();
        assert!(matches!(error, ConfigError::Token), "{token:?}");
        assert!(token.is_empty() || !error.to_string().contains(token));
    }
    let options =
        HttpOptions { ca_pem: Some(b"not a certificate".to_vec()), ..options("https://slack.example") };
    assert!(matches!(HttpTransport::new(&options), Err(ConfigError::Certificates(_))));
}

#[tokio::test]
async fn never_shows_the_token() {
    let options = options("http://127.0.0.1:9/scim");
    let transport = HttpTransport::new(&options).unwrap();
    let error = ask("http://127.0.0.1:9/scim").await.unwrap_err();
    for text in [format!("{options:?}"), format!("{transport:?}"), format!("{error:?} {error}")] {
        assert!(!text.contains(TOKEN), "{text}");
    }
}

#[tokio::test]
async fn follows_no_redirect() {
    let hits = Arc::new(AtomicUsize::new(0));
    let count = hits.clone();
    let target = get(move || async move {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let router = Router::new().route("/Users", get(|| async { Redirect::temporary("/elsewhere") }));
    let base = serve(router.route("/elsewhere", target)).await;
    assert_eq!(ask(&base).await.unwrap().status(), 307);
    assert_eq!(hits.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn takes_http_1_0_and_chunks() {
    for answer in [
        &b"HTTP/1.0 200 OK\r\n\r\n{}"[..],
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    ] {
        let base = raw(answer).await;
        assert_eq!(&ask(&base).await.unwrap().body()[..], b"{}");
    }
}

#[tokio::test]
async fn tells_a_broken_answer_from_no_connection() {
    let kind =
        async |base: String| ask(&base).await.map(|_| ()).map_err(|e| (e.kind, e.reached)).unwrap_err();
    let cut = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{").await;
    assert_eq!(kind(cut).await, (TransportErrorKind::Interrupted, Reached::Perhaps));
    let mute = raw(b"").await;
    assert_eq!(kind(mute).await, (TransportErrorKind::Interrupted, Reached::Perhaps));
    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    assert_eq!(kind(nobody).await, (TransportErrorKind::Connect, Reached::No));
    // An alert that is no answer to anything: handshake_failure (RFC 8446 §6).
    let alert = raw(b"\x15\x03\x03\x00\x02\x02\x28").await;
    assert_eq!(
        kind(alert.replace("http:", "https:")).await,
        (TransportErrorKind::Tls { own_authorities: false }, Reached::No)
    );
}

#[tokio::test]
async fn tells_a_service_without_tls_from_one_whose_certificate_is_unknown() {
    let plain = raw(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
    let alert = raw(b"\x15\x03\x03\x00\x02\x02\x28").await;
    for (base, words) in [(plain, "does not speak TLS"), (alert, "--ca-file")] {
        let transport = HttpTransport::new(&options(&base.replace("http:", "https:"))).unwrap();
        let reader = Reader::new(Arc::new(transport), Dialect::Slack, Pacer::unlimited());
        let hint = reader.read_directory().await.unwrap_err().hint().unwrap();
        assert!(hint.contains(words), "{hint}");
    }
}

#[tokio::test]
async fn does_not_ask_for_the_ca_file_that_it_was_given() {
    let alert = raw(b"\x15\x03\x03\x00\x02\x02\x28").await.replace("http:", "https:");
    let ca_pem = Some(AUTHORITY.as_bytes().to_vec());
    let transport = HttpTransport::new(&HttpOptions { ca_pem, ..options(&alert) }).unwrap();
    let error = transport.send(http::Request::get("/Users").body(Bytes::new()).unwrap()).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::Tls { own_authorities: true });

    // As rustls words them.
    let own = [
        ("received fatal alert: HandshakeFailure", None),
        ("invalid peer certificate: UnknownIssuer", Some("does not vouch")),
        ("invalid peer certificate: Other(OtherError(CaUsedAsEndEntity))", Some("let the authority issue")),
        ("invalid peer certificate: certificate expired: verified at time 3", Some("check --target")),
        ("invalid peer certificate: certificate not valid for name \"a\"", Some("check --target")),
    ];
    for (message, words) in own {
        let transport = TransportError { message: message.to_owned(), ..error.clone() };
        let failure = Box::new(Failure::Transport(transport));
        let hint = RequestError { method: "GET", path: "/Users".to_owned(), failure }.hint(None);
        assert_eq!(hint.is_some(), words.is_some(), "{message}");
        let hint = hint.unwrap_or_default();
        assert!(hint.contains(words.unwrap_or_default()) && !hint.contains("of your own"), "{hint}");
    }
}

#[tokio::test]
async fn stops_at_an_answer_that_is_too_large() {
    let endless = || async {
        let stream =
            futures_util::stream::repeat_with(|| Ok::<_, std::convert::Infallible>(vec![b' '; 1 << 20]));
        (StatusCode::OK, axum::body::Body::from_stream(stream)).into_response()
    };
    let base = serve(Router::new().fallback(any(endless))).await;
    let error = ask(&base).await.unwrap_err();
    assert_eq!(error.kind, TransportErrorKind::TooLarge);
    assert!(error.message.contains(&(MAX_BODY_BYTES >> 20).to_string()));
}

#[tokio::test]
async fn gives_up_on_an_answer_that_does_not_come() {
    let base = serve(Router::new().fallback(any(|| async { std::future::pending::<()>().await }))).await;
    let timeouts = Timeouts { answer: Duration::from_millis(50), ..Timeouts::default() };
    let transport = HttpTransport::new(&HttpOptions { timeouts, ..options(&base) }).unwrap();
    let error = transport.send(http::Request::get("/Users").body(Bytes::new()).unwrap()).await.unwrap_err();
    assert_eq!((error.kind, error.reached), (TransportErrorKind::Timeout, Reached::Perhaps));
}
