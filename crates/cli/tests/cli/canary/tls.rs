//! When it goes over TLS. The certificates in `tls/` are for localhost alone; nobody has the authority's key any more.

use super::{ROSTER, SEED, check, expect_hidden, place, said};
use crate::env::{Env, workspace};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::serve::Listener;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

const AUTHORITY: &[u8] = include_bytes!("../tls/authority.pem");

/// Accepts connections over TLS.
struct Accepting {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Accepting {
    async fn new(protocol: &[u8]) -> Self {
        let chain = CertificateDer::pem_slice_iter(include_bytes!("../tls/localhost.pem"));
        let key = PrivateKeyDer::from_pem_slice(include_bytes!("../tls/localhost.key")).unwrap();
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain.collect::<Result<_, _>>().unwrap(), key)
            .unwrap();
        config.alpn_protocols = vec![protocol.to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { listener, acceptor: TlsAcceptor::from(Arc::new(config)) }
    }
}

impl Listener for Accepting {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            // Who hangs up, because the certificate means nothing to them, is no concern of a server's.
            if let Ok((stream, address)) = self.listener.accept().await
                && let Ok(stream) = self.acceptor.accept(stream).await
            {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// Serves a router over TLS as long as the runtime is kept; what `--target` takes.
fn serve(router: Router) -> (String, Runtime) {
    let runtime = runtime();
    let origin = runtime.block_on(async {
        let accepting = Accepting::new(b"http/1.1").await;
        let origin = format!("https://localhost:{}", accepting.local_addr().unwrap().port());
        tokio::spawn(async move { axum::serve(accepting, router).await });
        origin
    });
    (origin, runtime)
}

#[test]
fn when_the_certificate_is_nobodys_it_is_not_sent() {
    let (env, live) = (place(), workspace(SEED, &[]));
    env.write("other.pem", include_bytes!("../tls/localhost.pem"));
    let (origin, _runtime) = serve(live.simulator.router());
    for more in [&[][..], &["--ca-file", "other.pem"], &["--ca-file", "roster.yaml"]] {
        let all = [&["plan", "roster.yaml", "-vvv", "--target", &origin, "--timeout", "5s"], more].concat();
        let output = check(&env, &mut env.command(&all));
        assert!(!output.status.success() && said(&output).contains("certificate"), "{}", said(&output));
    }
    live.expect_unasked();
}

#[test]
fn when_all_goes_well_over_tls() {
    let (env, live) = (Env::new(), workspace(SEED, &[]));
    env.write("roster.yaml", ROSTER);
    env.write("authority.pem", AUTHORITY);
    let (origin, _runtime) = serve(live.simulator.router());
    let target = format!("{origin}/scim/v2");
    for command in ["plan", "apply", "snapshot"] {
        let what = if command == "snapshot" { &[command][..] } else { &[command, "roster.yaml"] };
        let yes = if command == "apply" { &["--yes"][..] } else { &[] };
        let all = [what, yes, &["-vvv", "--target", &target, "--ca-file", "authority.pem"]].concat();
        let output = check(&env, &mut env.command(&all));
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[test]
fn when_a_service_repeats_it_over_tls() {
    let say = |request: Request| async move {
        let secret = request.headers()[header::AUTHORIZATION].to_str().unwrap_or_default().to_owned();
        (StatusCode::FORBIDDEN, format!(r#"{{"detail":"not {secret}","status":403}}"#))
    };
    let (origin, _runtime) = serve(Router::new().fallback(say));
    let env = place();
    env.write("authority.pem", AUTHORITY);
    let arguments = ["plan", "roster.yaml", "-vvv", "--target", &origin, "--ca-file", "authority.pem"];
    let said = said(&check(&env, &mut env.command(&arguments)));
    assert!(said.contains("403") && said.contains("not Bearer [token]"), "{said}");
}

/// What writes frames and compresses headers has a log of its own.
#[test]
fn when_it_goes_over_http_2() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let runtime = runtime();
    let origin = runtime.block_on(async {
        let mut accepting = Accepting::new(b"h2").await;
        let origin = format!("https://localhost:{}", accepting.local_addr().unwrap().port());
        let heard = Arc::clone(&heard);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = accepting.accept().await;
                let mut frames = [0; 4_096];
                // The preface comes first, and the request right after it; then it is hung up on.
                for _ in 0..2 {
                    let read = stream.read(&mut frames).await.unwrap_or_default();
                    heard.lock().unwrap().extend_from_slice(&frames[..read]);
                }
            }
        });
        origin
    });
    let env = place();
    env.write("authority.pem", AUTHORITY);
    let arguments =
        ["plan", "roster.yaml", "-vvv", "--timeout", "2s", "--target", &origin, "--ca-file", "authority.pem"];
    let said = said(&check(&env, &mut env.command(&arguments)));
    assert!(said.contains("Headers"), "no frame was logged: {said}");
    let heard = heard.lock().unwrap().clone();
    assert!(heard.starts_with(b"PRI * HTTP/2"), "{}", String::from_utf8_lossy(&heard));
    expect_hidden("what an HTTP/2 client logs", said.as_bytes());
}
