//! Slack's limits as buckets (sheet S15). Pure: the time is told, not asked for, so that a run and the estimate of a
//! run reckon alike.

use model::plan::Method;
use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// What Slack counts requests by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RequestKind {
    /// GET of a list.
    List,
    /// GET of one user.
    GetUser,
    /// GET of one group.
    GetGroup,
    /// POST of a user.
    PostUser,
    /// PUT or PATCH of a user.
    ChangeUser,
    /// DELETE of a user.
    DeleteUser,
    /// POST of a group.
    PostGroup,
    /// PUT or PATCH of a group.
    ChangeGroup,
    /// DELETE of a group.
    DeleteGroup,
}

impl RequestKind {
    /// The kind of a request that writes.
    pub fn of(method: Method, path: &str) -> Self {
        let is_group = path.starts_with("/Groups");
        match (method, is_group) {
            (Method::Post, false) => Self::PostUser,
            (Method::Put | Method::Patch, false) => Self::ChangeUser,
            (Method::Delete, false) => Self::DeleteUser,
            (Method::Post, true) => Self::PostGroup,
            (Method::Put | Method::Patch, true) => Self::ChangeGroup,
            (Method::Delete, true) => Self::DeleteGroup,
        }
    }

    /// The sets it counts in: its own, where it has one, and all reads or all writes.
    pub(super) const fn sets(self) -> (Option<usize>, usize) {
        match self {
            Self::List => (None, READS),
            Self::GetUser => (Some(2), READS),
            Self::PostUser => (Some(3), WRITES),
            Self::ChangeUser => (Some(4), WRITES),
            Self::DeleteUser => (Some(5), WRITES),
            Self::GetGroup => (Some(6), READS),
            Self::PostGroup => (Some(7), WRITES),
            Self::ChangeGroup => (Some(8), WRITES),
            Self::DeleteGroup => (Some(9), WRITES),
        }
    }
}

const WRITES: usize = 0;
const READS: usize = 1;
pub(super) const SETS: usize = 10;

/// The limit of one set of requests.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Requests in any minute, and how many the bucket regains in one.
    per_minute: u32,
    /// What the bucket holds.
    burst: u32,
}

/// Sheet S15, in the order of [`RequestKind::sets`].
const SLACK: [Limit; SETS] = {
    const fn limit(per_minute: u32, burst: u32) -> Limit {
        Limit { per_minute, burst }
    }
    [
        limit(600, 180),
        limit(1000, 1000),
        limit(300, 300),
        limit(180, 20),
        limit(180, 20),
        limit(180, 20),
        limit(300, 300),
        limit(180, 20),
        limit(180, 80),
        limit(180, 20),
    ]
};

/// By how much one request may be longer on its way than another. The service counts when they arrive and we count when
/// they leave, so what left one after the other may arrive together; that much is kept in hand.
const JITTER: Duration = Duration::from_millis(500);

/// The span in which no more than `per_minute` requests leave.
const WINDOW: Duration = Duration::from_mins(1).saturating_add(JITTER);

/// What is left of the pace when the service says that it was too fast though it kept the published limits: somebody else
/// uses them, too.
const YIELD: f64 = 0.5;

/// The slowest pace, so that we are never driven out altogether.
const SLOWEST: f64 = 0.05;

/// How long it takes to come back from a standstill to the whole pace, a little at a time.
const RECOVERY: Duration = Duration::from_mins(2);

/// A share of the limits, in hundredths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget(u32);

impl Default for Budget {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Budget {
    /// All of it.
    pub const WHOLE: Self = Self(100);

    /// A share from 1 to 100 hundredths; `None` for any other.
    pub const fn percent(percent: u32) -> Option<Self> {
        if percent >= 1 && percent <= 100 { Some(Self(percent)) } else { None }
    }

    fn of(self, number: u32) -> u32 {
        (number * self.0 / 100).max(1)
    }
}

impl fmt::Display for Budget {
    /// As it is typed: `50%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// One set of requests.
#[derive(Debug, Clone)]
struct Bucket {
    limit: Option<Limit>,
    /// What it holds, as of `filled`.
    tokens: f64,
    filled: Duration,
    /// The share of the limit's rate at which it refills: 1 unless somebody else uses the limit, too.
    pace: f64,
    /// When the pace was last reduced.
    yielded: Option<Duration>,
    /// When the requests of the last [`WINDOW`] left.
    recent: VecDeque<Duration>,
    /// The service asked for silence until then.
    frozen_until: Duration,
}

impl Bucket {
    fn new(limit: Option<Limit>) -> Self {
        Self {
            limit,
            tokens: limit.map_or(0.0, Limit::room),
            filled: Duration::ZERO,
            pace: 1.0,
            yielded: None,
            recent: VecDeque::new(),
            frozen_until: Duration::ZERO,
        }
    }

    fn refill(&mut self, limit: Limit, now: Duration) {
        let elapsed = now.saturating_sub(self.filled).as_secs_f64();
        if elapsed > 0.0 {
            self.tokens = (self.tokens + elapsed * limit.per_second() * self.pace).min(limit.room());
            self.pace = (self.pace + elapsed / RECOVERY.as_secs_f64()).min(1.0);
            self.filled = now;
        }
        while self.recent.front().is_some_and(|left| *left + WINDOW <= now) {
            self.recent.pop_front();
        }
    }

    /// When the next request may leave; not before `now`.
    fn ready_at(&mut self, now: Duration) -> Duration {
        let mut at = now.max(self.frozen_until);
        let Some(limit) = self.limit else { return at };
        self.refill(limit, now);
        if self.recent.len() >= limit.per_minute as usize
            && let Some(oldest) = self.recent.front()
        {
            at = at.max(*oldest + WINDOW);
        }
        // What is missing by less than a nanosecond's worth is there.
        let missing = 1.0 - self.tokens;
        if missing > 1e-6 {
            let wait = Duration::from_secs_f64(missing / (limit.per_second() * self.pace));
            at = at.max(self.filled.saturating_add(wait).saturating_add(Duration::from_nanos(1)));
        }
        at
    }

    fn take(&mut self, now: Duration) {
        if let Some(limit) = self.limit {
            self.refill(limit, now);
            self.tokens -= 1.0;
            self.recent.push_back(now);
        }
    }

    fn give_way(&mut self, left: Duration, now: Duration, pause: Duration) {
        self.frozen_until = self.frozen_until.max(now + pause);
        let Some(limit) = self.limit else { return };
        self.refill(limit, now);
        self.tokens = self.tokens.min(0.0);
        // What left before the pace was reduced says nothing of the reduced pace.
        if self.yielded.is_none_or(|yielded| left >= yielded) {
            self.pace = (self.pace * YIELD).max(SLOWEST);
            self.yielded = Some(now);
        }
        self.filled = self.filled.max(self.frozen_until);
    }
}

impl Limit {
    fn per_second(self) -> f64 {
        f64::from(self.per_minute) / 60.0
    }

    /// What the bucket holds, less what is kept in hand.
    fn room(self) -> f64 {
        let in_hand = (self.per_second() * JITTER.as_secs_f64()).ceil();
        (f64::from(self.burst) - in_hand).max(1.0)
    }
}

/// All limits of a service. Times are measured from any one moment, the same for all calls.
#[derive(Debug, Clone)]
pub struct Buckets([Bucket; SETS]);

impl Buckets {
    /// A share of Slack's published limits, which all apps of an organisation have in common (sheet S15).
    pub fn slack(budget: Budget) -> Self {
        let share = |Limit { per_minute, burst }: Limit| Limit {
            per_minute: budget.of(per_minute),
            burst: budget.of(burst),
        };
        Self(SLACK.map(|limit| Bucket::new(Some(share(limit)))))
    }

    /// No limits but those that the service asks for by a 429.
    pub fn unlimited() -> Self {
        Self(std::array::from_fn(|_| Bucket::new(None)))
    }

    fn of(&mut self, kind: RequestKind) -> impl Iterator<Item = &mut Bucket> {
        let (own, all) = kind.sets();
        let is_of = move |(index, bucket)| (Some(index) == own || index == all).then_some(bucket);
        self.0.iter_mut().enumerate().filter_map(is_of)
    }

    /// When a request of this kind may leave, not before `now`.
    pub fn ready_at(&mut self, kind: RequestKind, now: Duration) -> Duration {
        self.of(kind).map(|bucket| bucket.ready_at(now)).max().unwrap_or(now)
    }

    /// When the set of this kind alone would let a request leave, whatever the set of all reads or writes says.
    pub(super) fn own_ready_at(&mut self, kind: RequestKind, now: Duration) -> Duration {
        let own = kind.sets().0.and_then(|index| self.0.get_mut(index));
        own.map_or(now, |bucket| bucket.ready_at(now))
    }

    /// Whether the service has asked for silence beyond `now` for requests of this kind.
    pub(super) fn is_frozen(&mut self, kind: RequestKind, now: Duration) -> bool {
        self.of(kind).any(|bucket| bucket.frozen_until > now)
    }

    /// Counts a request of this kind that leaves now.
    pub fn take(&mut self, kind: RequestKind, now: Duration) {
        for bucket in self.of(kind) {
            bucket.take(now);
        }
    }

    /// The service has answered with 429 to a request that left at `left`: nothing of its kind leaves for `pause`, and
    /// then at a reduced pace that comes back by and by. Which of its sets was overdrawn is not told (sheet S15); where it
    /// was the common one, other kinds will meet their own 429.
    pub(super) fn give_way(&mut self, kind: RequestKind, left: Duration, now: Duration, pause: Duration) {
        let (own, all) = kind.sets();
        if let Some(bucket) = self.0.get_mut(own.unwrap_or(all)) {
            bucket.give_way(left, now, pause);
        }
    }
}
