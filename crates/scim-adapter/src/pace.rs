//! As fast as Slack allows and no faster (sheet S15, design §6).

use model::plan::Method;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

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
    const fn sets(self) -> (Option<usize>, usize) {
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

/// The limit of one set of requests.
#[derive(Debug, Clone, Copy)]
struct Limit {
    /// Requests in any minute, and how many the bucket regains in one.
    per_minute: u32,
    /// What the bucket holds.
    burst: u32,
}

const WRITES: usize = 0;
const READS: usize = 1;
const SETS: usize = 10;

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

/// The span in which no more than `per_minute` requests are sent: a minute and a tenth of a second, so that two
/// requests a minute apart still are when the first took longer on its way than the second.
const WINDOW: Duration = Duration::from_millis(60_100);

/// Spaces requests out. Clones share their buckets, so that everything that talks to one service keeps one pace.
#[derive(Debug, Clone)]
pub struct Pacer {
    sets: Arc<[Set; SETS]>,
}

/// A bucket with its queue. The queue is a lock that is handed on in the order in which it was asked for.
#[derive(Debug, Default)]
struct Set {
    limit: Option<Limit>,
    queue: tokio::sync::Mutex<()>,
    state: Mutex<SetState>,
}

#[derive(Debug, Default)]
struct SetState {
    /// When the bucket will be full again, if nothing more is taken.
    full_at: Option<Instant>,
    /// When the requests of the last [`WINDOW`] were sent.
    recent: VecDeque<Instant>,
    /// The service asked for silence until then.
    frozen_until: Option<Instant>,
}

impl Limit {
    /// The time in which the bucket regains one request, rounded up.
    fn interval(self) -> Duration {
        Duration::from_nanos(60_000_000_000_u64.div_ceil(u64::from(self.per_minute.max(1))))
    }

    /// How long `count` requests take from a full bucket. A window of `per_minute` requests ends with the bucket
    /// full again, so that windows follow each other all alike.
    fn time(self, count: usize) -> Duration {
        let Some(last) = u64::try_from(count).ok().and_then(|count| count.checked_sub(1)) else {
            return Duration::ZERO;
        };
        let per_minute = u64::from(self.per_minute.max(1));
        let waits = (last % per_minute + 1).saturating_sub(u64::from(self.burst));
        let windows = u32::try_from(last / per_minute).unwrap_or(u32::MAX);
        WINDOW
            .saturating_mul(windows)
            .saturating_add(self.interval().saturating_mul(u32::try_from(waits).unwrap_or(u32::MAX)))
    }
}

impl Set {
    fn state(&self) -> MutexGuard<'_, SetState> {
        // Nothing panics while it is held, and a half-done update would at worst cost a 429.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next request may go; `None` for now.
    fn ready_at(&self, now: Instant) -> Option<Instant> {
        let mut state = self.state();
        let mut at = state.frozen_until.unwrap_or(now);
        if let Some(limit) = self.limit {
            while state.recent.front().is_some_and(|sent| *sent + WINDOW <= now) {
                state.recent.pop_front();
            }
            if state.recent.len() >= limit.per_minute as usize
                && let Some(oldest) = state.recent.front()
            {
                at = at.max(*oldest + WINDOW);
            }
            if let Some(full_at) = state.full_at {
                let spare = limit.interval().saturating_mul(limit.burst.saturating_sub(1));
                at = at.max(full_at.checked_sub(spare).unwrap_or(now));
            }
        }
        (at > now).then_some(at)
    }

    async fn ready(&self) {
        while let Some(at) = self.ready_at(Instant::now()) {
            sleep_until(at).await;
        }
    }

    fn take(&self, now: Instant) {
        let mut state = self.state();
        if let Some(limit) = self.limit {
            state.full_at = Some(state.full_at.unwrap_or(now).max(now) + limit.interval());
            state.recent.push_back(now);
        }
    }
}

impl Pacer {
    fn with(limit: impl Fn(usize) -> Option<Limit>) -> Self {
        let sets = std::array::from_fn(|index| Set { limit: limit(index), ..Set::default() });
        Self { sets: Arc::new(sets) }
    }

    /// Slack's published limits, which all apps of an organisation share (sheet S15).
    pub fn slack() -> Self {
        Self::with(|index| SLACK.get(index).copied())
    }

    /// No limits but those that the service asks for by a 429.
    pub fn unlimited() -> Self {
        Self::with(|_| None)
    }

    fn set(&self, index: usize) -> Option<&Set> {
        self.sets.get(index)
    }

    /// Waits until a request of this kind may go, and counts it. Requests of a kind go in the order in which they
    /// came. Dropped while it waits, it counts nothing.
    pub(crate) async fn acquire(&self, kind: RequestKind) {
        let (own, all) = kind.sets();
        let own = own.and_then(|index| self.set(index));
        let Some(all) = self.set(all) else { return };
        // The own queue before the common one: whoever stands in the common queue waits for nothing else, so a slow
        // kind never holds up another.
        let _own_turn = match own {
            Some(own) => Some(own.queue.lock().await),
            None => None,
        };
        loop {
            if let Some(own) = own {
                own.ready().await;
            }
            let _turn = all.queue.lock().await;
            all.ready().await;
            let now = Instant::now();
            // It may have been frozen while the common queue was waited for.
            if own.is_none_or(|own| own.ready_at(now).is_none()) {
                all.take(now);
                if let Some(own) = own {
                    own.take(now);
                }
                return;
            }
        }
    }

    /// Holds back all requests of a kind: the service answered one with 429. Which of its sets was overdrawn is not
    /// told (sheet S15); where it was the common one, other kinds will meet their own 429.
    pub(crate) fn freeze(&self, kind: RequestKind, pause: Duration) {
        let (own, all) = kind.sets();
        if let Some(set) = self.set(own.unwrap_or(all)) {
            let until = Instant::now() + pause;
            let mut state = set.state();
            state.frozen_until = Some(state.frozen_until.map_or(until, |frozen| frozen.max(until)));
        }
    }
}

/// How long so many requests take under Slack's published limits, when nothing but the limits holds them up: the
/// time of the set that is used most.
pub fn estimate(counts: &[(RequestKind, usize)]) -> Duration {
    let mut totals = [0_usize; SETS];
    for (kind, count) in counts {
        let (own, all) = kind.sets();
        for index in own.into_iter().chain([all]) {
            if let Some(total) = totals.get_mut(index) {
                *total += count;
            }
        }
    }
    SLACK.iter().zip(totals).map(|(limit, count)| limit.time(count)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    async fn send(pacer: &Pacer, kind: RequestKind, count: usize) -> Vec<Duration> {
        let start = Instant::now();
        let one = || async {
            pacer.acquire(kind).await;
            start.elapsed()
        };
        join_all((0..count).map(|_| one())).await
    }

    fn most_in_a_minute(times: &[Duration]) -> usize {
        let mut times = times.to_vec();
        times.sort();
        (0..times.len())
            .map(|i| times[i..].iter().take_while(|t| **t <= times[i] + Duration::from_mins(1)).count())
            .max()
            .unwrap_or_default()
    }

    #[tokio::test(start_paused = true)]
    async fn lets_the_burst_go_at_once_and_then_keeps_the_rate_and_the_minute() {
        let times = send(&Pacer::slack(), RequestKind::ChangeUser, 500).await;
        assert_eq!(times.iter().filter(|t| t.is_zero()).count(), 20);
        assert_eq!(most_in_a_minute(&times), 180);
        assert!(times.is_sorted(), "first come, first served");
    }

    #[tokio::test(start_paused = true)]
    async fn the_estimate_is_what_the_buckets_do() {
        for (kind, count) in [
            (RequestKind::ChangeUser, 1),
            (RequestKind::ChangeUser, 20),
            (RequestKind::ChangeUser, 21),
            (RequestKind::PostUser, 180),
            (RequestKind::PostUser, 181),
            (RequestKind::ChangeGroup, 777),
            (RequestKind::List, 1_001),
        ] {
            let took = send(&Pacer::slack(), kind, count).await.into_iter().max().unwrap();
            let said = estimate(&[(kind, count)]);
            assert!(
                took.abs_diff(said) < Duration::from_millis(500),
                "{kind:?} {count}: {took:?}, said {said:?}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn all_writes_together_keep_the_common_limit() {
        let pacer = Pacer::slack();
        let kinds = [
            RequestKind::PostUser,
            RequestKind::ChangeUser,
            RequestKind::DeleteUser,
            RequestKind::PostGroup,
            RequestKind::ChangeGroup,
            RequestKind::DeleteGroup,
        ];
        let times = join_all(kinds.map(|kind| send(&pacer, kind, 180))).await.concat();
        assert_eq!(times.iter().filter(|t| t.is_zero()).count(), 180);
        assert_eq!(most_in_a_minute(&times), 600);
        let said = estimate(&kinds.map(|kind| (kind, 180)));
        assert!(times.into_iter().max().unwrap().abs_diff(said) < Duration::from_secs(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_kind_does_not_hold_up_another() {
        let pacer = Pacer::slack();
        let (users, groups) = tokio::join!(
            send(&pacer, RequestKind::PostUser, 100),
            send(&pacer, RequestKind::ChangeGroup, 80)
        );
        assert!(groups.iter().all(Duration::is_zero));
        assert!(users.iter().max().unwrap() > &Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_frozen_bucket_lets_nothing_through_not_even_who_already_waits() {
        let pacer = Pacer::unlimited();
        pacer.freeze(RequestKind::PostUser, Duration::from_secs(5));
        let later = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            pacer.freeze(RequestKind::PostUser, Duration::from_secs(30));
        };
        let (times, other, ()) = tokio::join!(
            send(&pacer, RequestKind::PostUser, 3),
            send(&pacer, RequestKind::ChangeUser, 3),
            later
        );
        assert!(times.iter().all(|t| *t >= Duration::from_secs(31)), "{times:?}");
        assert!(other.iter().all(Duration::is_zero));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_takes_nothing() {
        let pacer = Pacer::slack();
        send(&pacer, RequestKind::PostUser, 20).await;
        let start = Instant::now();
        for _ in 0..50 {
            let waited =
                tokio::time::timeout(Duration::from_millis(1), pacer.acquire(RequestKind::PostUser)).await;
            assert!(waited.is_err());
        }
        pacer.acquire(RequestKind::PostUser).await;
        assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    }
}
