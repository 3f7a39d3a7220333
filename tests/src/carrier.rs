//! The carrier without a socket: the client's requests go straight into a router.

use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, Response};
use scim_adapter::{BoxFuture, Reached, Transport, TransportError, TransportErrorKind};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt as _;

/// Called before each request is answered, with its method and target.
type Hook = Arc<dyn Fn(&http::Method, &str) + Send + Sync>;

/// Says whether the answer to a request with this method is lost.
type Loss = Arc<dyn Fn(&http::Method) -> bool + Send + Sync>;

/// Carries requests into a router that serves `/scim/v2`.
#[derive(Clone)]
pub struct InProcess {
    router: Router,
    before: Option<Hook>,
    lost: Option<Loss>,
    latency: Option<Latency>,
}

/// Where the time that a request is on its way is drawn from, in milliseconds.
#[derive(Clone)]
struct Latency {
    rng: Arc<Mutex<fastrand::Rng>>,
    range: RangeInclusive<u64>,
}

impl InProcess {
    /// A carrier into `router`.
    pub fn new(router: Router) -> Self {
        Self { router, before: None, lost: None, latency: None }
    }

    /// The same, with something that happens before each request is answered: the rest of the world does not stand
    /// still while the client works.
    #[must_use]
    pub fn with_hook(self, hook: impl Fn(&http::Method, &str) + Send + Sync + 'static) -> Self {
        Self { before: Some(Arc::new(hook)), ..self }
    }

    /// The same on a line that breaks after a request has been carried out and before its answer is back, whenever
    /// `lost` says so.
    #[must_use]
    pub fn with_lost_answers(self, lost: impl Fn(&http::Method) -> bool + Send + Sync + 'static) -> Self {
        Self { lost: Some(Arc::new(lost)), ..self }
    }

    /// The same over a line on which a request and its answer take so many milliseconds together: each a random part of
    /// it.
    #[must_use]
    pub fn with_latency(self, seed: u64, range: RangeInclusive<u64>) -> Self {
        let rng = Arc::new(Mutex::new(fastrand::Rng::with_seed(seed)));
        Self { latency: Some(Latency { rng, range }), ..self }
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("/scim/v2{}", parts.uri).parse().map_err(|_| broken("the path is no URI"))?;
        parts.headers.insert(http::header::AUTHORIZATION, http::HeaderValue::from_static("Bearer test"));
        let (there, back) = self.latency.as_ref().map(Latency::draw).unwrap_or_default();
        tokio::time::sleep(there).await;
        if let Some(before) = &self.before {
            before(&parts.method, &parts.uri.to_string());
        }
        let is_lost = self.lost.as_ref().is_some_and(|lost| lost(&parts.method));
        let answer = self.router.clone().oneshot(Request::from_parts(parts, Body::from(body))).await;
        let Ok(answer) = answer;
        tokio::time::sleep(back).await;
        if is_lost {
            return Err(TransportError {
                kind: TransportErrorKind::Interrupted,
                reached: Reached::Perhaps,
                message: "the connection broke".to_owned(),
            });
        }
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, scim_adapter::MAX_BODY_BYTES)
            .await
            .map_err(|_| broken("the body is too large"))?;
        Ok(Response::from_parts(parts, body))
    }
}

impl Latency {
    fn draw(&self) -> (Duration, Duration) {
        let mut rng = self.rng.lock().unwrap();
        let whole = rng.u64(self.range.clone());
        let there = rng.u64(0..=whole);
        (Duration::from_millis(there), Duration::from_millis(whole - there))
    }
}

fn broken(message: &str) -> TransportError {
    TransportError { kind: TransportErrorKind::Invalid, reached: Reached::No, message: message.to_owned() }
}

impl Transport for InProcess {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.carry(request))
    }
}
