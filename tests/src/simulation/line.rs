//! The carrier of a client that lives for one round: it brings requests to a [`Service`], meets their fates, and may be
//! the place where the process dies.

use super::faults::Fate;
use super::service::{Answer, Service, answer, throttled, trouble, wait};
use bytes::Bytes;
use http::{Method, Request};
use scim_adapter::{BoxFuture, Reached, Timeouts, Transport, TransportError, TransportErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::time::timeout;

/// At which request a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeathSpot {
    /// Which request, from 0.
    pub request: usize,
    /// Whether it has been carried out.
    pub after: bool,
    /// Whether only requests that write are counted.
    pub writes_only: bool,
}

/// The carrier of one process.
#[derive(Clone)]
pub struct Line {
    service: Service,
    spot: Option<DeathSpot>,
    sent: Arc<AtomicUsize>,
    died: Arc<Notify>,
}

impl Line {
    /// A line to `service` of a process that dies at `spot`, if there is one.
    pub fn new(service: Service, spot: Option<DeathSpot>) -> Self {
        Self { service, spot, sent: Arc::default(), died: Arc::default() }
    }

    /// Comes about when the process dies.
    pub async fn death(&self) {
        self.died.notified().await;
    }

    /// Whether the process dies at this request.
    fn is_last(&self, method: &Method) -> Option<DeathSpot> {
        let spot = self.spot?;
        if spot.writes_only && *method == Method::GET {
            return None;
        }
        (self.sent.fetch_add(1, Ordering::Relaxed) == spot.request).then_some(spot)
    }

    async fn carry(&self, request: Request<Bytes>) -> Result<Answer, TransportError> {
        let last = self.is_last(request.method());
        if last.is_some_and(|spot| !spot.after) {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        let target = request.uri().to_string();
        let (number, fate) = self.service.receive(request.method(), &target, request.body());
        let limit = Timeouts::default().answer;
        let answer = match timeout(limit, self.meet(number, request, fate)).await {
            Ok(answer) => answer,
            Err(_) => Err(failure(TransportErrorKind::Timeout, Reached::Perhaps)),
        };
        self.service.heard(number, answer.as_ref().ok());
        if last.is_some() {
            self.died.notify_one();
            std::future::pending::<()>().await;
        }
        answer
    }

    async fn meet(
        &self,
        number: usize,
        request: Request<Bytes>,
        fate: Fate,
    ) -> Result<Answer, TransportError> {
        let service = &self.service;
        let interrupted = || failure(TransportErrorKind::Interrupted, Reached::Perhaps);
        match fate {
            Fate::Pass => Ok(service.serve(number, request).await),
            Fate::Throttle { retry_after, code } => Ok(throttled(retry_after.as_deref(), code)),
            Fate::Trouble { status, acted, is_page } => {
                if acted {
                    service.serve(number, request).await;
                }
                Ok(trouble(status, is_page))
            }
            Fate::NoConnection => Err(failure(TransportErrorKind::Connect, Reached::No)),
            Fate::Reset { acted } => {
                if acted {
                    service.serve(number, request).await;
                }
                Err(interrupted())
            }
            Fate::Cut { keep } => {
                let whole = service.serve(number, request).await;
                let kept = whole.body().len() * keep / 1000;
                let mut cut = answer(whole.status().as_u16(), whole.body().slice(..kept));
                *cut.headers_mut() = whole.headers().clone();
                Ok(cut)
            }
            Fate::Slow { there, back } => {
                wait(there).await;
                let answer = service.serve(number, request).await;
                wait(back).await;
                Ok(answer)
            }
            Fate::Late { by } => {
                let late = service.clone();
                // The request is on its way, whatever becomes of who sent it.
                drop(tokio::spawn(async move {
                    wait(by).await;
                    if !late.is_beyond_knowing(number) {
                        late.serve(number, request).await;
                    }
                }));
                std::future::pending().await
            }
            Fate::Stale { age } => Ok(service.serve_stale(number, request, age).await),
            Fate::NoOp => Ok(service.pretend(&request)),
            Fate::Deactivates { after } => {
                let target = request.uri().to_string();
                let look = Request::patch(&target).body(Bytes::new()).unwrap_or_default();
                let answer = service.serve(number, request).await;
                if !answer.status().is_success() {
                    return Ok(answer);
                }
                service.plan_deactivation(&target, after);
                // What is done at once shows in the answer.
                Ok(if after.is_zero() && !answer.body().is_empty() { service.pretend(&look) } else { answer })
            }
        }
    }
}

/// No whole answer came back.
pub(super) fn failure(kind: TransportErrorKind, reached: Reached) -> TransportError {
    let message = match kind {
        TransportErrorKind::Connect => "no connection",
        TransportErrorKind::Timeout => "no answer within 120 seconds",
        _ => "the connection broke",
    };
    TransportError { kind, reached, message: message.to_owned() }
}

impl Transport for Line {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Answer, TransportError>> {
        Box::pin(self.carry(request))
    }
}
