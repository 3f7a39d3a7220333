//! The handle on a simulator: making it, looking into it, keeping its state.

use std::collections::VecDeque;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::errors::Version;
use crate::limits::Limits;
use crate::locks::Locks;
use crate::reply::Reply;
use crate::rfc;
use crate::seed::{CREATED, Resources, Seed, SeedError};
use crate::slack::render::{GroupBody, UserBody, View};
use crate::slack::world::World;
use crate::switches::{Dialect, Switches};

/// A request that a simulator has received, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method.
    pub method: http::Method,
    /// The path with its query.
    pub target: String,
    /// The body; empty if there was none.
    pub body: bytes::Bytes,
    /// The status of the answer.
    pub status: u16,
    /// When it came, on tokio's clock.
    pub at: Instant,
}

/// Where Slack is (S1).
pub(crate) const SLACK: &str = "https://api.slack.com";

/// How many requests a simulator remembers: enough for a first import of a hundred thousand people, and a bound for one
/// that runs for weeks.
const REMEMBERED: usize = 200_000;

/// What all handles of one simulator share.
#[derive(Debug)]
pub(crate) struct Inner {
    pub world: World,
    pub documents: rfc::Store,
    pub switches: Switches,
    pub clock: Clock,
    pub limits: Limits,
    pub locks: Locks,
    pub token: Option<String>,
    pub base: String,
    pub requests: VecDeque<RequestRecord>,
}

impl Inner {
    pub(crate) fn view(&self, now: Instant) -> View<'_> {
        View { world: &self.world, switches: &self.switches, version: Version::V2, base: &self.base, now }
    }
}

/// A simulator of Slack's SCIM service. Clones are handles on the same state.
///
/// Time is tokio's: under a paused clock nothing happens until the clock is moved, and the same requests give the same
/// bytes.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub(crate) inner: Arc<Mutex<Inner>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Simulator {
    /// A simulator that starts with `seed`; the switches of the seed are applied on top of `switches`. Must be called
    /// within a tokio runtime, whose clock it reads.
    ///
    /// # Errors
    ///
    /// [`SeedError`] with the entry that is wrong.
    pub fn new(seed: &Seed, switches: Switches) -> Result<Self, SeedError> {
        let mut switches = switches;
        seed.apply_switches(&mut switches)?;
        let mut world = seed.world()?;
        let clock = Clock::starting_at(CREATED);
        let documents = match (&seed.resources, switches.dialect) {
            (Some(resources), _) => rfc::Store::load(resources)?,
            (None, Dialect::Rfc) => rfc::Store::of_world(&world),
            (None, Dialect::Slack) => rfc::Store::default(),
        };
        if switches.dialect == Dialect::Rfc {
            // Each dialect keeps its own resources; the seed's are in the documents now.
            world = World::default();
        }
        let inner = Inner {
            world,
            documents,
            switches,
            clock,
            limits: Limits::new(Instant::now()),
            locks: Locks::default(),
            token: None,
            base: SLACK.to_owned(),
            requests: VecDeque::new(),
        };
        Ok(Self { inner: Arc::new(Mutex::new(inner)), changes: Arc::new(watch::Sender::new(0)) })
    }

    /// The same with `token` as the only good one. Without it any bearer token is good.
    #[must_use]
    pub fn with_token(self, token: impl Into<String>) -> Self {
        self.lock().token = Some(token.into());
        self
    }

    /// The same with a clock that stands at `now`. Without it the clock starts at the beginning of 2023.
    #[must_use]
    pub fn with_time(self, now: Timestamp) -> Self {
        self.lock().clock = Clock::starting_at(now);
        self
    }

    /// The same with other URLs in `meta.location`: `base` stands before `/scim`. Without it they are Slack's own, and a
    /// plain RFC service has those under which it was called.
    #[must_use]
    pub fn with_base_url(self, base: impl Into<String>) -> Self {
        self.lock().base = base.into();
        self
    }

    /// The service itself: `/scim/v2` and `/scim/v1`. It can be served on a socket or called as a `tower` service.
    pub fn router(&self) -> Router {
        crate::service::router(self.clone())
    }

    /// Serves on `listener` until `shutdown` is done.
    ///
    /// # Errors
    ///
    /// When the listener fails.
    pub async fn serve(
        self,
        listener: tokio::net::TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        // A panic of one test's thread leaves the state as it was; the others may go on looking at it.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that something has changed.
    pub(crate) fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// A receiver of the number of changes so far; it wakes after each, so that the state can be kept.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// The switches as they stand.
    pub fn switches(&self) -> Switches {
        self.lock().switches.clone()
    }

    /// Throws switches while the service runs. The dialect cannot change any more: each keeps its own resources.
    pub fn set_switches(&self, change: impl FnOnce(&mut Switches)) {
        let mut inner = self.lock();
        let dialect = inner.switches.dialect;
        change(&mut inner.switches);
        inner.switches.dialect = dialect;
    }

    /// Looks at the world as it stands, after everything that was due by now. Of a plain RFC service see
    /// [`Simulator::users`].
    pub fn look<T>(&self, look: impl FnOnce(&World) -> T) -> T {
        let mut inner = self.lock();
        let Inner { world, switches, .. } = &mut *inner;
        world.settle(Instant::now(), switches);
        look(&inner.world)
    }

    /// Changes the world behind SCIM's back, as people do in Slack's own pages.
    pub fn edit<T>(&self, edit: impl FnOnce(&mut World) -> T) -> T {
        let result = {
            let mut inner = self.lock();
            let Inner { world, switches, .. } = &mut *inner;
            world.settle(Instant::now(), switches);
            edit(world)
        };
        self.changed();
        result
    }

    /// Every user as `GET /scim/v2/Users/{id}` shows them.
    pub fn users(&self) -> Vec<Value> {
        self.settled(|inner, now| match inner.switches.dialect {
            Dialect::Rfc => inner.documents.users(&inner.base),
            Dialect::Slack => {
                let bodies =
                    inner.world.users.iter().map(|(key, user)| UserBody { view: inner.view(now), key, user });
                bodies.filter_map(|body| serde_json::to_value(body).ok()).collect()
            }
        })
    }

    /// Every group as `GET /scim/v2/Groups/{id}` shows them.
    pub fn groups(&self) -> Vec<Value> {
        self.settled(|inner, now| match inner.switches.dialect {
            Dialect::Rfc => inner.documents.groups(&inner.base),
            Dialect::Slack => {
                let bodies =
                    inner.world.groups().map(|group| GroupBody { view: inner.view(now), group, page: None });
                bodies.filter_map(|body| serde_json::to_value(body).ok()).collect()
            }
        })
    }

    /// The user of that name as `GET /scim/v2/Users/{id}` shows them.
    pub fn user_by_user_name(&self, user_name: &str) -> Option<Value> {
        let named =
            |user: &Value| user["userName"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(user_name));
        self.users().into_iter().find(named)
    }

    /// The group of that name as `GET /scim/v2/Groups/{id}` shows it.
    pub fn group_by_name(&self, display_name: &str) -> Option<Value> {
        self.groups().into_iter().find(|group| group["displayName"] == display_name)
    }

    fn settled<T>(&self, look: impl FnOnce(&Inner, Instant) -> T) -> T {
        let now = Instant::now();
        let mut inner = self.lock();
        let Inner { world, switches, .. } = &mut *inner;
        world.settle(now, switches);
        look(&inner, now)
    }

    /// The requests received so far, oldest first (the last 200,000).
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.lock().requests.iter().cloned().collect()
    }

    /// Forgets the requests received so far.
    pub fn clear_requests(&self) {
        self.lock().requests.clear();
    }

    pub(crate) fn record(&self, record: RequestRecord) {
        let mut inner = self.lock();
        if inner.requests.len() == REMEMBERED {
            inner.requests.pop_front();
        }
        inner.requests.push_back(record);
    }

    /// The state as a seed that brings it back. A deactivation under way is done in it.
    pub fn to_seed(&self) -> Seed {
        let inner = self.lock();
        let mut seed = Seed::of(&inner.world, &inner.switches);
        if inner.switches.dialect == Dialect::Rfc {
            seed.users.clear();
            seed.groups.clear();
            seed.resources =
                Some(Resources { users: inner.documents.raw_users(), groups: inner.documents.raw_groups() });
        }
        seed
    }

    /// The state as readable JSON, for a file that [`Seed::parse`] reads.
    pub fn to_json(&self) -> String {
        // A seed has no keys other than strings, which is all that could go wrong.
        serde_json::to_string_pretty(&self.to_seed()).unwrap_or_default()
    }

    /// A simulator with the state of such a file.
    ///
    /// # Errors
    ///
    /// [`SeedError`] where it is no seed.
    pub fn from_json(text: &str, switches: Switches) -> Result<Self, SeedError> {
        Self::new(&Seed::parse(text)?, switches)
    }
}

/// How a request was answered, and how long it takes to say so.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub reply: Reply,
    pub wrote: bool,
}
