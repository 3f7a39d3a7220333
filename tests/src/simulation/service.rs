//! A workspace under faults: what the client's requests meet, and the record of both.

use super::faults::{Fate, Faults, Kind};
use super::ledger::{Cause, Effect, Ledger};
use super::others::Others;
use axum::Router;
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use http::{Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use slack_sim::{DuplicateName, Keep, RateLimits, RequestRecord, Seed, Simulator};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;

/// How many past states are kept for stale reads.
const REMEMBERED: usize = 40;

/// A request of the client's and what it heard of it.
#[derive(Debug, Clone)]
pub struct Sent {
    /// When it was sent.
    pub at: Instant,
    /// In which round.
    pub round: usize,
    /// The method.
    pub method: Method,
    /// The target, below the base URL.
    pub target: String,
    /// The body; empty if there was none.
    pub body: Bytes,
    /// What became of it.
    pub fate: Fate,
    /// The status that the service answered with, whether or not that answer arrived; `None` where the service was
    /// not reached.
    pub status: Option<u16>,
    /// The status that arrived at the client.
    pub heard: Option<u16>,
    /// When the client heard of it, be it a failure.
    pub heard_at: Option<Instant>,
    /// How many requests had been sent by then.
    pub heard_before: usize,
    /// How long it was asked to wait, in whole seconds.
    pub asked_to_wait: Option<u64>,
    /// Whether its account was deactivated before.
    pub was_inactive: bool,
    /// Whether the answer shows the account as deactivated.
    pub shows_inactive: bool,
}

/// An answer with the state that it was given from, or that none arrived.
pub type Answer = Response<Bytes>;

/// A workspace under faults. Clones are handles on the same one.
#[derive(Clone)]
pub struct Service {
    /// The workspace itself.
    pub simulator: Simulator,
    router: Router,
    inner: Arc<Mutex<Inner>>,
}

/// What all handles share.
pub struct Inner {
    /// What happened.
    pub ledger: Ledger,
    /// What goes wrong.
    pub faults: Faults,
    /// The other people.
    pub others: Others,
    /// The client's requests.
    pub log: Vec<Sent>,
    /// When a read was last answered from an old state, and from which.
    pub stale: Option<(Instant, Instant)>,
    past: VecDeque<(Instant, Seed)>,
    /// Accounts that will be deactivated by the service itself.
    due: Vec<(Instant, String)>,
}

impl Service {
    /// A workspace with its faults and its other people.
    pub fn new(simulator: Simulator, faults: Faults, others: Others) -> Self {
        let inner = Inner {
            ledger: Ledger::new(&simulator),
            faults,
            others,
            log: Vec::new(),
            stale: None,
            past: VecDeque::new(),
            due: Vec::new(),
        };
        let service = Self { router: simulator.router(), simulator, inner: Arc::new(Mutex::new(inner)) };
        service.lock().remember(&service.simulator);
        service
    }

    /// What all handles share.
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets happen what is due, and takes it down.
    pub fn settle(&self) {
        let mut inner = self.lock();
        inner.observe(&self.simulator, Cause::Aftermath);
        let now = Instant::now();
        let (due, later) = std::mem::take(&mut inner.due).into_iter().partition(|(at, _)| *at <= now);
        inner.due = later;
        for (_, id) in due {
            self.deactivate_unasked(&mut inner, &id);
        }
    }

    /// No more faults, and everybody else goes home.
    pub fn calm(&self) {
        self.settle();
        let mut inner = self.lock();
        inner.faults = Faults::none();
        inner.others = Others::none();
        for (_, id) in std::mem::take(&mut inner.due) {
            self.deactivate_unasked(&mut inner, &id);
        }
    }

    fn deactivate_unasked(&self, inner: &mut Inner, id: &str) {
        let switches = self.simulator.switches();
        self.simulator.edit(|world| deactivate(world, id, switches.deactivated_memberships));
        inner.observe(&self.simulator, Cause::Others);
    }

    /// Takes a request in: others have their moment, and its fate is decided.
    pub fn receive(&self, method: &Method, target: &str, body: &Bytes) -> (usize, Fate) {
        self.settle();
        let mut inner = self.lock();
        let Inner { others, .. } = &mut *inner;
        if others.act(&self.simulator) {
            inner.observe(&self.simulator, Cause::Others);
        }
        let fate = inner.faults.decide(method, target);
        let round = inner.ledger.round;
        inner.log.push(Sent {
            at: Instant::now(),
            round,
            method: method.clone(),
            target: target.to_owned(),
            body: body.clone(),
            fate: fate.clone(),
            status: None,
            heard: None,
            heard_at: None,
            heard_before: 0,
            asked_to_wait: None,
            was_inactive: id_in(target).is_some_and(|id| {
                self.simulator.look(|world| world.user(id).is_some_and(|user| !user.active))
            }),
            shows_inactive: false,
        });
        (inner.log.len() - 1, fate)
    }

    /// Notes what the client heard of a request; `None`: that it failed.
    pub fn heard(&self, number: usize, answer: Option<&Answer>) {
        let mut inner = self.lock();
        let so_far = inner.log.len();
        if let Some(sent) = inner.log.get_mut(number) {
            sent.heard_before = so_far;
            sent.heard_at = Some(Instant::now());
            sent.heard = answer.map(|answer| answer.status().as_u16());
            let asked =
                answer.and_then(|answer| answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok());
            sent.asked_to_wait = asked.filter(|_| sent.heard == Some(429));
            let is_patch = sent.method == Method::PATCH;
            sent.shows_inactive = answer.filter(|_| is_patch).is_some_and(|answer| {
                let body: Value = serde_json::from_slice(answer.body()).unwrap_or_default();
                answer.status().is_success() && body["active"] == false
            });
        }
    }

    /// Carries a request out as the service does, and answers.
    pub async fn serve(&self, number: usize, request: Request<Bytes>) -> Answer {
        self.settle();
        let (mut parts, body) = request.into_parts();
        let target = parts.uri.to_string();
        if let Ok(uri) = format!("/scim/v2{target}").parse() {
            parts.uri = uri;
        }
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer test"));
        let writes = parts.method != Method::GET;
        let with_photo = body.windows(6).any(|window| window == b"photos");
        if writes && let Some(id) = id_in(&target) {
            let mut inner = self.lock();
            let round = inner.log.get(number).map_or(0, |sent| sent.round);
            inner.ledger.expects(id, round, with_photo);
        }
        let mut answering = pin!(self.router.clone().oneshot(Request::from_parts(parts, Body::from(body))));
        // The service acts at once and then takes its time to answer: what is seen after the first poll is its doing.
        let mut first = true;
        let answer = poll_fn(|context| {
            let polled = answering.as_mut().poll(context);
            if first && writes {
                first = false;
                self.lock().observe(&self.simulator, Cause::Client(number));
            }
            polled
        });
        let Ok(answer) = answer.await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if let Some(sent) = self.lock().log.get_mut(number) {
            sent.status = Some(parts.status.as_u16());
        }
        Response::from_parts(parts, body)
    }

    /// Answers a read from an older state.
    pub async fn serve_stale(&self, number: usize, request: Request<Bytes>, age: Duration) -> Answer {
        let Some(old) = self.old_state(age) else { return self.serve(number, request).await };
        let (mut parts, _) = request.into_parts();
        let target = parts.uri.to_string();
        if let Ok(uri) = format!("/scim/v2{target}").parse() {
            parts.uri = uri;
        }
        parts.headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer test"));
        let Ok(answer) = old.router().oneshot(Request::from_parts(parts, Body::empty())).await;
        let (parts, body) = answer.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        if let Some(sent) = self.lock().log.get_mut(number) {
            sent.status = Some(parts.status.as_u16());
        }
        Response::from_parts(parts, body)
    }

    fn old_state(&self, age: Duration) -> Option<Simulator> {
        let switches = self.simulator.switches();
        let now = Instant::now();
        let mut inner = self.lock();
        let mut at = now.checked_sub(age)?;
        if switches.duplicate_group_name == DuplicateName::Allowed {
            // Where a second group of a name is made without a word, nobody could tell that a creation was done if a
            // read did not show it; a creation is found at once (sheet S7).
            let made = inner.ledger.entries.iter().rev().find(|e| matches!(e.effect, Effect::GroupMade(_)));
            at = made.map_or(at, |made| at.max(made.at));
        }
        let (since, mut seed) = inner.past.iter().rev().find(|(since, _)| *since <= at).cloned()?;
        if inner.past.back().is_none_or(|(newest, _)| *newest == since) {
            return None;
        }
        inner.stale = Some((now, at));
        seed.switches.clear();
        Simulator::new(&seed, slack_sim::Switches { rate_limits: RateLimits::Off, ..switches }).ok()
    }

    /// Whether a late request would do what nobody could have known of: where two groups of one name may live, the
    /// creation of one that outlasts its run is made a second time by the next run, which has only Slack to go by
    /// (design §6). That a name is unique is the service's part (sheet S4).
    pub fn is_beyond_knowing(&self, number: usize) -> bool {
        let inner = self.lock();
        let Some(sent) = inner.log.get(number) else { return false };
        sent.method == Method::POST
            && sent.target == "/Groups"
            && sent.round != inner.ledger.round
            && self.simulator.switches().duplicate_group_name == DuplicateName::Allowed
    }

    /// An answer of success to a write that is not carried out.
    pub fn pretend(&self, request: &Request<Bytes>) -> Answer {
        let target = request.uri().to_string();
        let is_group = target.starts_with("/Groups");
        let (status, body) = match (request.method(), id_in(&target)) {
            (&Method::DELETE, _) => (204, Value::Null),
            (&Method::POST, _) => {
                let mut body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
                body["id"] = json!(if is_group { "S0PHANTOM" } else { "U0PHANTOM" });
                (201, body)
            }
            (_, Some(id)) => {
                let all = if is_group { self.simulator.groups() } else { self.simulator.users() };
                let found = all.into_iter().find(|resource| resource["id"] == id);
                found.map_or((204, Value::Null), |resource| (200, resource))
            }
            (_, None) => (204, Value::Null),
        };
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        answer(status, body)
    }

    /// Has an account deactivated by the service itself, which nobody asked for.
    pub fn plan_deactivation(&self, target: &str, after: Duration) {
        let Some(id) = id_in(target) else { return };
        let mut inner = self.lock();
        if after.is_zero() {
            self.deactivate_unasked(&mut inner, id);
        } else {
            inner.due.push((Instant::now() + after, id.to_owned()));
        }
    }

    /// The client's requests as the simulator would have recorded them, had it received them all.
    pub fn records(&self, from: usize) -> Vec<RequestRecord> {
        let inner = self.lock();
        let record = |sent: &Sent| RequestRecord {
            method: sent.method.clone(),
            target: format!("/scim/v2{}", sent.target),
            body: sent.body.clone(),
            status: sent.heard.unwrap_or_default(),
            at: sent.at,
        };
        inner.log.get(from..).unwrap_or_default().iter().map(record).collect()
    }
}

impl Inner {
    /// Takes down what has changed.
    pub fn observe(&mut self, simulator: &Simulator, cause: Cause) {
        let round = match cause {
            Cause::Client(number) => self.log.get(number).map(|sent| sent.round),
            Cause::Aftermath | Cause::Others => None,
        };
        if self.ledger.observe(simulator, cause, round) {
            self.remember(simulator);
        }
    }

    fn remember(&mut self, simulator: &Simulator) {
        if !self.faults.has(Kind::Stale) {
            return;
        }
        let mut seed = simulator.to_seed();
        // A seed has a deactivation under way as done; a read does not show it yet.
        simulator.look(|world| {
            for (kept, live) in seed.users.iter_mut().zip(world.users()) {
                kept.active = (!live.active).then_some(false);
            }
        });
        if self.past.len() == REMEMBERED {
            self.past.pop_front();
        }
        self.past.push_back((Instant::now(), seed));
    }
}

/// Deactivates as Slack does: memberships go, unless the switch says otherwise.
pub(super) fn deactivate(world: &mut slack_sim::World, id: &str, memberships: Keep) {
    if !world.edit_user(id, |user| user.active = false) || memberships == Keep::Keep {
        return;
    }
    let Some(name) = world.user(id).map(|user| user.user_name.clone()) else { return };
    let groups: Vec<String> = world.groups().map(|group| group.id.clone()).collect();
    for group in groups {
        let members: Vec<String> = world.member_names(&group).into_iter().map(str::to_owned).collect();
        if members.contains(&name) {
            let rest: Vec<&str> =
                members.iter().map(String::as_str).filter(|member| *member != name).collect();
            world.set_members(&group, &rest);
        }
    }
}

/// The id in `/Users/ID`.
pub(super) fn id_in(target: &str) -> Option<&str> {
    let mut parts = target.trim_start_matches('/').split('/');
    parts.next()?;
    parts.next()
}

/// An answer.
pub(super) fn answer(status: u16, body: Bytes) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    answer
}

/// A 429.
pub(crate) fn throttled(retry_after: Option<&str>, code: Option<&str>) -> Answer {
    let body = code.map_or_else(Bytes::new, |code| error(code, 429));
    let mut answer = answer(429, body);
    if let Some(text) = retry_after {
        let now = crate::session::NOW;
        let date = |time: Timestamp| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let mut put = |name, text: &str| {
            if let Ok(value) = HeaderValue::from_str(text) {
                answer.headers_mut().insert(name, value);
            }
        };
        match text.strip_prefix('@').and_then(|seconds| seconds.parse().ok()) {
            Some(seconds) => {
                put(DATE, &date(now));
                let then = now.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(now);
                put(RETRY_AFTER, &date(then));
            }
            None => put(RETRY_AFTER, text),
        }
    }
    answer
}

/// A 5xx.
pub(crate) fn trouble(status: u16, is_page: bool) -> Answer {
    if is_page {
        let mut page = answer(status, Bytes::from_static(b"<html><body>Bad gateway</body></html>"));
        page.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        return page;
    }
    answer(status, error("database_query_failure", status))
}

fn error(code: &str, status: u16) -> Bytes {
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:Error"];
    Bytes::from(json!({ "schemas": schemas, "detail": code, "status": status }).to_string())
}

/// Waits a span, if it is one.
pub(super) async fn wait(span: Duration) {
    if !span.is_zero() {
        sleep(span).await;
    }
}
