//! When the way to the service is not what it should be.

use super::{SEED, check, check_in_turn_at, expect_hidden, place, said};
use crate::env::{CANARY, serve, workspace};
use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::any;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::{Arc, Mutex};

#[test]
fn when_it_is_sent_elsewhere_it_stays() {
    let elsewhere = Recorder::listen(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}");
    let location = format!("http://localhost:{}/scim/v2/Users", elsewhere.port);
    for status in [301, 302, 303, 307, 308] {
        let location = location.clone();
        let answer =
            move || async move { (StatusCode::from_u16(status).unwrap(), [(header::LOCATION, location)]) };
        let served = serve(Router::new().fallback(any(answer)));
        check_in_turn_at([served.origin.as_str()]);
    }
    assert_eq!(elsewhere.heard(), "", "a redirect was followed");
}

#[test]
fn when_nobody_answers_or_no_http_comes() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    check_in_turn_at([&*format!("http://127.0.0.1:{closed}/scim/v2")]);
    let answers = [
        &b""[..],
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"Resou",
    ];
    for answer in answers {
        let recorder = Recorder::listen(answer);
        check_in_turn_at([
            &*format!("http://127.0.0.1:{}/scim/v2", recorder.port),
            &*format!("https://127.0.0.1:{}/scim/v2", Recorder::listen(answer).port),
        ]);
        let tls = Recorder::listen(answer);
        check_in_turn_at([&*format!("https://127.0.0.1:{}/scim/v2", tls.port)]);
        expect_hidden("what went over the line without TLS", tls.heard().as_bytes());
    }
}

#[test]
fn when_there_are_proxies() {
    let (env, live) = (place(), workspace(SEED, &[]));
    let proxy = Recorder::listen(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n");
    let secret = format!("http://user:{CANARY}@127.0.0.1:{}", proxy.port);
    let set = |command: &mut Command| {
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"] {
            command.env(name, &secret);
        }
        command.env("RUST_LOG", "trace");
    };
    let mut command =
        env.command(&["plan", "roster.yaml", "--target", "https://slack.example/scim/v2", "-vvv"]);
    command.env("SLACK_SCIM_TOKEN", "xoxp-another");
    set(&mut command);
    let said = said(&check(&env, &mut command));
    assert!(said.contains("error"), "{said}");
    let heard = proxy.heard();
    assert!(heard.starts_with("CONNECT slack.example:443"), "{heard}");
    assert!(!heard.contains("xoxp-another"), "the proxy sees the token: {heard}");
    // This machine is not asked for by way of a proxy, which would see the token.
    let mut command = env.command(&["snapshot", "--target", &live.target]);
    set(&mut command);
    check(&env, &mut command);
    assert!(!live.simulator.requests().is_empty());
    assert_eq!(proxy.heard(), "");
}

/// A server that writes down what it hears and always says the same.
struct Recorder {
    port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Recorder {
    fn listen(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let all = heard.clone();
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = listener.accept() {
                let mut request = [0; 8_192];
                let read = stream.read(&mut request).unwrap_or_default();
                all.lock().unwrap().extend_from_slice(&request[..read]);
                drop(stream.write_all(answer));
            }
        });
        Self { port, heard }
    }

    /// What it has heard since it was last asked.
    fn heard(&self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut *self.heard.lock().unwrap())).into_owned()
    }
}
