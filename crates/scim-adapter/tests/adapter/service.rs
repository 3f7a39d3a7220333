//! A service in the process: a function from a request to a reply, and a record of what was asked.

use bytes::Bytes;
use http::{Request, Response};
use model::Dialect;
use scim_adapter::{
    BoxFuture, Pacer, Reached, Reader, Transport, TransportError, TransportErrorKind, Writer,
};
use serde_json::{Value as Json, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// A request as the service sees it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: HashMap<String, String>,
    pub(crate) body: Json,
    pub(crate) at: Instant,
}

impl Call {
    /// Method and path, as tests name a request.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub(crate) fn number(&self, name: &str) -> usize {
        self.query.get(name).and_then(|text| text.parse().ok()).unwrap_or(0)
    }
}

/// What it answers.
pub(crate) enum Reply {
    Json(u16, Json),
    Text(u16, String),
    /// With one header.
    With(u16, &'static str, String, String),
    /// No answer, though the service may have acted.
    Lost,
    /// The request never arrived.
    Unreached,
    /// An answer that never comes.
    Never,
}

pub(crate) fn ok(body: Json) -> Reply {
    Reply::Json(200, body)
}

pub(crate) fn error(status: u16, detail: &str) -> Reply {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
    Reply::Json(status, json!({ "schemas": schemas, "detail": detail, "status": status }))
}

type Handler = Box<dyn FnMut(&Call) -> Reply + Send>;

pub(crate) struct Service {
    handler: Mutex<Handler>,
    calls: Mutex<Vec<Call>>,
    latency: Duration,
    in_flight: AtomicUsize,
    /// The most requests that were under way at the same time.
    pub(crate) most_in_flight: AtomicUsize,
}

impl Service {
    pub(crate) fn new(handler: impl FnMut(&Call) -> Reply + Send + 'static) -> Arc<Self> {
        Self::slow(Duration::ZERO, handler)
    }

    /// A service that takes its time for each answer.
    pub(crate) fn slow(latency: Duration, handler: impl FnMut(&Call) -> Reply + Send + 'static) -> Arc<Self> {
        Arc::new(Self {
            handler: Mutex::new(Box::new(handler)),
            calls: Mutex::default(),
            latency,
            in_flight: AtomicUsize::default(),
            most_in_flight: AtomicUsize::default(),
        })
    }

    pub(crate) fn reader(self: &Arc<Self>, dialect: Dialect) -> Reader {
        Reader::new(self.clone(), dialect, Pacer::unlimited()).seeded(1)
    }

    pub(crate) fn writer(self: &Arc<Self>, dialect: Dialect) -> Writer {
        Writer::new(self.reader(dialect))
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        self.calls().iter().map(Call::line).collect()
    }

    /// Bodies of the requests that wrote.
    pub(crate) fn bodies(&self) -> Vec<Json> {
        self.calls().into_iter().filter(|call| call.method != "GET").map(|call| call.body).collect()
    }
}

impl Transport for Service {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, TransportError>> {
        let (parts, body) = request.into_parts();
        let query = parts.uri.query().unwrap_or_default();
        let call = Call {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
            at: Instant::now(),
        };
        let reply = (self.handler.lock().unwrap())(&call);
        self.calls.lock().unwrap().push(call);
        Box::pin(async move {
            let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_in_flight.fetch_max(now, Ordering::Relaxed);
            tokio::time::sleep(self.latency).await;
            self.in_flight.fetch_sub(1, Ordering::Relaxed);
            let fault = |kind, reached| Err(TransportError { kind, reached, message: "broken".to_owned() });
            let (status, header, body) = match reply {
                Reply::Json(status, body) => (status, None, body.to_string()),
                Reply::Text(status, body) => (status, None, body),
                Reply::With(status, name, value, body) => (status, Some((name, value)), body),
                Reply::Lost => return fault(TransportErrorKind::Interrupted, Reached::Perhaps),
                Reply::Unreached => return fault(TransportErrorKind::Connect, Reached::No),
                Reply::Never => std::future::pending().await,
            };
            let mut response = Response::builder().status(status);
            if let Some((name, value)) = header {
                response = response.header(name, value);
            }
            Ok(response.body(Bytes::from(body)).unwrap())
        })
    }
}

/// The page that a well-behaved service gives of these resources, which gives `cap` at a time.
pub(crate) fn page(all: &[Json], call: &Call, cap: usize) -> Reply {
    let start = call.number("startIndex").max(1);
    let count = call.number("count").min(cap);
    let resources: Vec<&Json> = all.iter().skip(start - 1).take(count).collect();
    ok(json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "Resources": resources, "totalResults": all.len(), "itemsPerPage": 10, "startIndex": start,
    }))
}

/// The page of its members that a service gives of a group, `cap` at a time.
pub(crate) fn members_page(group: &Json, call: &Call, cap: usize) -> Json {
    let all = group["members"].as_array().unwrap();
    let start = call.number("startIndex").max(1);
    let count = if call.query.contains_key("count") { call.number("count").min(cap) } else { cap };
    let mut page = group.clone();
    page["members"] = all.iter().skip(start - 1).take(count).cloned().collect();
    page["totalResults"] = json!(all.len());
    page["startIndex"] = json!(start);
    page
}

pub(crate) fn group(id: &str, members: usize) -> Json {
    let members: Vec<Json> = (1..=members).map(|id| json!({ "value": format!("U{id}") })).collect();
    json!({ "id": id, "displayName": "eng", "members": members })
}

pub(crate) fn user(id: usize) -> Json {
    json!({ "id": format!("U{id}"), "userName": format!("u{id}"), "active": true,
        "emails": [{ "value": format!("u{id}@acme.example"), "primary": true }] })
}

pub(crate) fn users(count: usize) -> Vec<Json> {
    (1..=count).map(user).collect()
}
