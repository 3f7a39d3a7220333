//! One request and its answer: pace, deadline, and what the answer's status and shape mean.

use crate::error::{Failure, Refusal, RequestError};
use crate::pace::{Pacer, RequestKind};
use crate::retry::{MAX_RETRY_AFTER, MAX_THROTTLED, MAX_TRIES, pause, retry_after};
use crate::transport::{MAX_BODY_BYTES, Reached, Transport, TransportError, TransportErrorKind};
use crate::wire::{ErrorBody, looks_like_html};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use http::{HeaderMap, Request, Response};
use model::Dialect;
use model::plan;
use serde_json::value::RawValue;
use std::convert::Infallible;
use std::future::ready;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout};

/// How long an answer is waited for, whatever the carrier does: longer than any carrier's own deadline, so that it
/// only ends what would hang for ever.
const ANSWER_DEADLINE: Duration = Duration::from_mins(3);

/// A service, as far as single requests go.
pub(crate) struct Exchange {
    transport: Arc<dyn Transport>,
    pub(crate) dialect: Dialect,
    pacer: Pacer,
    rng: Mutex<fastrand::Rng>,
}

/// An answer of success.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
}

impl Exchange {
    pub(crate) fn new(transport: Arc<dyn Transport>, dialect: Dialect, pacer: Pacer, seed: u64) -> Self {
        Self { transport, dialect, pacer, rng: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// The same service with the chance in its pauses made repeatable.
    pub(crate) fn seeded(&self, seed: u64) -> Self {
        Self::new(self.transport.clone(), self.dialect, self.pacer.clone(), seed)
    }

    pub(crate) fn pacer(&self) -> &Pacer {
        &self.pacer
    }

    /// A pause before the next try.
    pub(crate) async fn pause(&self, tries: u32) {
        let pause = pause(tries, &mut self.rng.lock().unwrap_or_else(PoisonError::into_inner));
        sleep(pause).await;
    }

    /// Reads `path`, as often as it takes, and understands the answer with `parse`. An answer that is cut short is
    /// read again like one that did not come.
    pub(crate) async fn get<T>(
        &self,
        kind: RequestKind,
        path: &str,
        parse: impl Fn(&[u8]) -> Result<T, String>,
    ) -> Result<T, RequestError> {
        let mut tries = 0;
        loop {
            let nothing = || ready(Ok::<_, Infallible>(None));
            let Ok(answer) = self.patiently(kind, "GET", path, nothing).await;
            let error = match answer {
                Ok(answer) => match parse(&answer.body) {
                    Ok(value) => return Ok(value),
                    Err(why) => fail("GET", path, unusable(answer.status, &answer.body, why)),
                },
                Err(error) => error,
            };
            tries += 1;
            if tries >= MAX_TRIES || !error.is_passing() {
                return Err(error);
            }
            tracing::debug!(path, tries, %error, "reading again");
            self.pause(tries).await;
        }
    }

    /// Sends a request that writes, once: only a 429 is waited out, since it says that nothing was done.
    pub(crate) async fn write(&self, request: &plan::Request) -> Result<Answer, RequestError> {
        let body = request.body.as_deref().map(body_of);
        let body = || ready(Ok::<_, Infallible>(body.clone()));
        let Ok(answer) = self.write_as_made(request, body).await;
        answer
    }

    /// The same with a body that is made each time the request is about to be sent: waiting for its turn may take minutes.
    ///
    /// # Errors
    /// The outer one is of making the body.
    pub(crate) async fn write_as_made<E, F>(
        &self,
        request: &plan::Request,
        make_body: impl Fn() -> F,
    ) -> Result<Result<Answer, RequestError>, E>
    where
        F: Future<Output = Result<Option<Bytes>, E>>,
    {
        let kind = RequestKind::of(request.method, &request.path);
        self.patiently(kind, request.method.as_str(), &request.path, make_body).await
    }

    /// Sends a request until the answer is not 429.
    async fn patiently<E, F>(
        &self,
        kind: RequestKind,
        method: &'static str,
        path: &str,
        make_body: impl Fn() -> F,
    ) -> Result<Result<Answer, RequestError>, E>
    where
        F: Future<Output = Result<Option<Bytes>, E>>,
    {
        let mut throttled = 0;
        loop {
            self.pacer.acquire(kind).await;
            let body = make_body().await?;
            // Asked to wait while the body was made.
            if self.pacer.is_frozen(kind) {
                continue;
            }
            let left = Instant::now();
            let result = self.once(method, path, body).await;
            let Some(refusal) =
                result.as_ref().err().and_then(RequestError::refusal).filter(|r| r.status == 429)
            else {
                return Ok(result);
            };
            throttled += 1;
            let asked = refusal.retry_after.filter(|asked| !asked.is_zero());
            if throttled >= MAX_THROTTLED || asked.is_some_and(|asked| asked > MAX_RETRY_AFTER) {
                return Ok(result);
            }
            let wait = asked.unwrap_or_else(|| {
                pause(throttled + 1, &mut self.rng.lock().unwrap_or_else(PoisonError::into_inner))
            });
            tracing::debug!(method, path, ?wait, "asked to wait");
            // A lock is this resource's alone (sheet S15); anything else is the bucket's.
            if refusal.word() == "resource_locked" {
                sleep(wait).await;
            } else {
                self.pacer.give_way(kind, left, wait);
            }
        }
    }

    async fn once(
        &self,
        method: &'static str,
        path: &str,
        body: Option<Bytes>,
    ) -> Result<Answer, RequestError> {
        let request = self.request(method, path, body).map_err(|message| {
            let error = TransportError { kind: TransportErrorKind::Invalid, reached: Reached::No, message };
            fail(method, path, Failure::Transport(error))
        })?;
        let left = Instant::now();
        let sent = timeout(ANSWER_DEADLINE, self.transport.send(request)).await;
        let response = sent.unwrap_or_else(|_| {
            Err(TransportError {
                kind: TransportErrorKind::Timeout,
                reached: Reached::Perhaps,
                message: format!("no answer within {} seconds", ANSWER_DEADLINE.as_secs()),
            })
        });
        let took = left.elapsed();
        match &response {
            Ok(response) => {
                tracing::debug!(method, path, status = response.status().as_u16(), ?took, "answered");
            }
            Err(error) => tracing::debug!(method, path, %error, ?took, "not answered"),
        }
        let answer = response.map_err(Failure::Transport).and_then(judge);
        answer.map_err(|failure| fail(method, path, failure))
    }

    /// Slack's own documents ask for `application/json` (sheet S2); RFC 7644 §3.1 for its own type.
    fn request(&self, method: &str, path: &str, body: Option<Bytes>) -> Result<Request<Bytes>, String> {
        let (accept, content) = match self.dialect {
            Dialect::Slack => ("application/json", "application/json"),
            Dialect::Rfc => ("application/scim+json, application/json", "application/scim+json"),
        };
        let mut request = Request::builder().method(method).uri(path).header(ACCEPT, accept);
        if body.is_some() {
            request = request.header(CONTENT_TYPE, content);
        }
        request.body(body.unwrap_or_default()).map_err(|error| error.to_string())
    }
}

pub(crate) fn fail(method: &'static str, path: &str, failure: Failure) -> RequestError {
    RequestError { method, path: path.to_owned(), failure: Box::new(failure) }
}

pub(crate) fn body_of(body: &RawValue) -> Bytes {
    Bytes::copy_from_slice(body.get().as_bytes())
}

/// Why an answer of success cannot be used.
pub(crate) fn unusable(status: u16, body: &[u8], why: String) -> Failure {
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{' | b'[') => Failure::Malformed { status, why },
        Some(_) => Failure::NotScim { status, what: "something that is not JSON" },
        None => Failure::Malformed { status, why: "it is empty".to_owned() },
    }
}

fn judge(response: Response<Bytes>) -> Result<Answer, Failure> {
    let (parts, body) = response.into_parts();
    let status = parts.status.as_u16();
    if body.len() > MAX_BODY_BYTES {
        return Err(Failure::Transport(TransportError {
            kind: TransportErrorKind::TooLarge,
            reached: Reached::Perhaps,
            message: format!("the answer is larger than {} MiB", MAX_BODY_BYTES >> 20),
        }));
    }
    match status {
        200..=299 if looks_like_html(&body) => Err(Failure::NotScim { status, what: "a web page" }),
        200..=299 => Ok(Answer { status, body }),
        300..=399 => Err(Failure::Redirected { status, to: destination(&parts.headers) }),
        _ => {
            let error = ErrorBody::read(&body);
            // A web page that is no more than a gateway's apology says nothing about what stands behind it.
            if looks_like_html(&body) && matches!(status, 400 | 404 | 405 | 410) {
                return Err(Failure::NotScim { status, what: "a web page" });
            }
            Err(Failure::Refused(Refusal {
                status,
                code: error.code(),
                retry_after: retry_after(&parts.headers),
                detail: error.detail,
            }))
        }
    }
}

/// Where a redirect leads, without what may be secret in a URL.
fn destination(headers: &HeaderMap) -> String {
    const MAX_CHARS: usize = 200;
    let Some(location) = headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
        return "nowhere".to_owned();
    };
    let bare = match url::Url::parse(location) {
        Ok(url) => match url.host_str() {
            Some(host) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                format!("{}://{host}{port}{}", url.scheme(), url.path())
            }
            None => format!("{}:…", url.scheme()),
        },
        Err(_) => location.split(['?', '#']).next().unwrap_or_default().to_owned(),
    };
    bare.chars().take(MAX_CHARS).collect()
}
