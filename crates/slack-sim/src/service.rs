//! From HTTP to an answer: the gate that every request passes (S1, S2, S15), and back to HTTP.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query as AxumQuery, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use tokio::time::{Instant, sleep};

use crate::errors::{Refusal, Version};
use crate::reply::{Query, Reply};
use crate::simulator::{Inner, Outcome, RequestRecord, Simulator};
use crate::slack::{self, Call};
use crate::switches::{Answer, Dialect, Plan, RateLimits, Switches};
use crate::{rfc, simulator};

/// A body larger than this is refused. Fifteen thousand members, the most of one call, take less than 1 MiB.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// The router: everything goes to one handler, since unknown paths and methods have answers of their own (S2).
pub(crate) fn router(simulator: Simulator) -> Router {
    Router::new().fallback(handle).with_state(simulator)
}

async fn handle(State(simulator): State<Simulator>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let at = Instant::now();
    let body = to_bytes(body, LARGEST_BODY).await;
    let outcome = match &body {
        Ok(body) => answer(&mut simulator.lock(), &parts.method, &parts.uri, &parts.headers, body),
        Err(_) => Outcome { reply: too_large(), wrote: false },
    };
    let Outcome { reply, wrote } = outcome;
    simulator.record(RequestRecord {
        method: parts.method,
        target: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        body: body.unwrap_or_default(),
        status: reply.status,
        at,
    });
    let (dialect, write_time, escape) = {
        let inner = simulator.lock();
        (
            inner.switches.dialect,
            inner.switches.write_time,
            escapes_slashes(parts.uri.path(), &inner.switches),
        )
    };
    if wrote {
        simulator.changed();
        // A runtime without a timer serves as well, as long as nobody waits.
        if !write_time.is_zero() {
            sleep(write_time).await;
        }
    }
    into_response(reply, dialect, escape)
}

fn too_large() -> Reply {
    let refusal = Refusal::code("invalid_request_payload").status(413);
    Reply::refusal(&refusal, 413, &refusal.rfc_body())
}

/// S2: "v1 JSON escapes slashes"; of v2 nobody knows.
fn escapes_slashes(path: &str, switches: &Switches) -> bool {
    switches.dialect == Dialect::Slack && (path.starts_with("/scim/v1/") || switches.escaped_slashes)
}

/// A path taken apart: `/scim/v2/Users/U123`.
struct Target<'a> {
    version: Version,
    collection: &'a str,
    id: Option<String>,
}

fn target(path: &str) -> Option<Target<'_>> {
    let (version, rest) = if let Some(rest) = path.strip_prefix("/scim/v2/") {
        (Version::V2, rest)
    } else {
        (Version::V1, path.strip_prefix("/scim/v1/")?)
    };
    let (collection, id) = match rest.split_once('/') {
        Some((collection, "")) => (collection, None),
        Some((collection, id)) => (collection, Some(decode(id.trim_end_matches('/'))?)),
        None => (rest, None),
    };
    Some(Target { version, collection, id })
}

/// Undoes the percent-encoding of a segment: URNs in `/Schemas/{id}` come encoded from some clients.
fn decode(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

fn answer(inner: &mut Inner, method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Outcome {
    let Some(target) = target(uri.path()) else {
        return refuse(inner, Version::V2, &Refusal::code("bad_endpoint"));
    };
    if let Err(refusal) = admit(inner, method, headers, &target) {
        return refuse(inner, target.version, &refusal);
    }
    let query = AxumQuery::<Vec<(String, String)>>::try_from_uri(uri)
        .map(|AxumQuery(pairs)| Query(pairs))
        .unwrap_or_default();
    let now = Instant::now();
    let Inner { world, documents, switches, clock, base, locks, .. } = inner;
    world.settle(now, switches);
    let own_base;
    let base = match (switches.dialect, headers.get(header::HOST).and_then(|host| host.to_str().ok())) {
        (Dialect::Rfc, Some(host)) if base == simulator::SLACK => {
            own_base = format!("http://{host}");
            &own_base
        }
        _ => &*base,
    };
    let id = target.id.as_deref();
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let call = Call {
        method,
        version: target.version,
        collection: target.collection,
        id,
        query: &query,
        body,
        if_match: text(header::IF_MATCH),
        if_none_match: text(header::IF_NONE_MATCH),
        base,
        now,
        time: clock.now(),
    };
    let answered = match switches.dialect {
        Dialect::Slack => slack::answer(world, switches, &call),
        Dialect::Rfc => rfc::answer(documents, switches, &call),
    };
    // A write that is refused is answered at once and holds up nothing.
    if let (Ok(_), Some(resource)) = (&answered, lockable(switches, method, &target)) {
        locks.lock(resource, now, switches.write_time.saturating_add(switches.lock_time));
    }
    match answered {
        Ok(reply) => Outcome { reply, wrote: method != Method::GET },
        Err(refusal) => refuse(inner, target.version, &refusal),
    }
}

/// Token, plan, rate limits and locks: what is looked at before the request itself.
fn admit(inner: &mut Inner, method: &Method, headers: &HeaderMap, target: &Target) -> Result<(), Refusal> {
    let switches = &inner.switches;
    // S3: the plural "answers **without a valid token**".
    if target.collection == "ServiceProviderConfigs" && switches.dialect == Dialect::Slack {
        return Ok(());
    }
    authenticate(inner, headers, target.version)?;
    if switches.dialect == Dialect::Slack {
        if switches.plan == Plan::Free {
            return Err(Refusal::code("plus_teams_only"));
        }
        // S2: "GET, POST, PUT, PATCH, DELETE only → else `method_not_allowed`".
        if ![Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE].contains(method) {
            return Err(Refusal::code("method_not_allowed"));
        }
    }
    let now = Instant::now();
    let mode = switches.rate_limits;
    let one = target.id.is_some();
    if mode != RateLimits::Off {
        inner
            .limits
            .admit(method, target.collection, one, now, mode)
            .map_err(|seconds| Refusal::throttled("too_many_requests", seconds))?;
    }
    if let Some(resource) = lockable(&inner.switches, method, target) {
        inner
            .locks
            .check(&resource, now)
            .map_err(|seconds| Refusal::throttled("resource_locked", seconds))?;
    }
    Ok(())
}

/// The resource that a request locks while it is carried out.
fn lockable(switches: &Switches, method: &Method, target: &Target) -> Option<String> {
    let id = target.id.as_ref().filter(|_| switches.resource_lock && method != Method::GET)?;
    Some(format!("{}/{id}", target.collection))
}

/// S16: `missing_authentication` without a token, `invalid_authentication` with a wrong one.
fn authenticate(inner: &Inner, headers: &HeaderMap, version: Version) -> Result<(), Refusal> {
    let refused = |code| match inner.switches.dialect {
        Dialect::Slack => Refusal::unauthenticated(code, version, &inner.switches),
        Dialect::Rfc => Refusal::rfc(401, None, "a valid bearer token is needed"),
    };
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        return Err(refused("missing_authentication"));
    };
    let token = given.to_str().ok().and_then(|text| {
        let (scheme, token) = text.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    match (token, &inner.token) {
        (Some(token), None) if !token.is_empty() => Ok(()),
        (Some(token), Some(good)) if token == good => Ok(()),
        _ => Err(refused("invalid_authentication")),
    }
}

fn refuse(inner: &Inner, version: Version, refusal: &Refusal) -> Outcome {
    let switches = &inner.switches;
    let mut reply = match switches.dialect {
        Dialect::Slack => {
            let status = refusal.slack_status(version);
            Reply::refusal(refusal, status, &refusal.slack_body(version, switches))
        }
        Dialect::Rfc => Reply::refusal(refusal, refusal.status, &refusal.rfc_body()),
    };
    if refusal.status == 429 {
        if switches.throttle_body == Answer::Empty {
            reply.body = None;
        }
        if !switches.retry_after {
            reply.retry_after = None;
        }
    }
    Outcome { reply, wrote: false }
}

fn into_response(reply: Reply, dialect: Dialect, escape: bool) -> Response {
    let has_body = reply.body.is_some();
    let mut body = reply.body.unwrap_or_default();
    if escape {
        // In JSON a slash can only stand inside a string.
        body = String::from_utf8_lossy(&body).replace('/', "\\/").into_bytes();
    }
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    if has_body {
        // S2: "`content-type: application/json; charset=utf-8`"; RFC 7644 §3.1: `application/scim+json`.
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(match dialect {
                Dialect::Slack => "application/json; charset=utf-8",
                Dialect::Rfc => "application/scim+json",
            }),
        );
    }
    if let Some(location) = reply.location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    if let Some(etag) = reply.etag.and_then(|etag| HeaderValue::try_from(etag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    if reply.status == 401 && dialect == Dialect::Rfc {
        // RFC 6750 §3, to which RFC 7644 §2 refers.
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    if let Some(seconds) = reply.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}
