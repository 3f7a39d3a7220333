//! As fast as Slack allows and no faster (sheet S15, design §6).

mod bucket;

pub use bucket::{Buckets, Budget, RequestKind};

use bucket::SETS;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Spaces requests out. Clones share their buckets, so that everything that talks to one service keeps one pace.
#[derive(Debug, Clone)]
pub struct Pacer(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    budget: Budget,
    /// The moment from which times are measured.
    epoch: Instant,
    state: Mutex<State>,
    /// Who waits for each set: locks that are handed on in the order in which they were asked for.
    queues: [tokio::sync::Mutex<()>; SETS],
}

#[derive(Debug)]
struct State {
    buckets: Buckets,
    /// Requests that have been counted and have not left.
    reserved: BTreeMap<RequestKind, usize>,
}

impl Pacer {
    fn with(buckets: Buckets, budget: Budget) -> Self {
        Self(Arc::new(Shared {
            budget,
            epoch: Instant::now(),
            state: Mutex::new(State { buckets, reserved: BTreeMap::new() }),
            queues: std::array::from_fn(|_| tokio::sync::Mutex::default()),
        }))
    }

    /// A share of Slack's published limits.
    pub fn slack(budget: Budget) -> Self {
        Self::with(Buckets::slack(budget), budget)
    }

    /// No limits but those that the service asks for by a 429.
    pub fn unlimited() -> Self {
        Self::with(Buckets::unlimited(), Budget::WHOLE)
    }

    /// The share of the limits that is used.
    pub fn budget(&self) -> Budget {
        self.0.budget
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held, and a half-done update would at worst cost a 429.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.0.epoch.elapsed()
    }

    /// Counts a request of this kind ahead of its being sent, if one may go now; the next one that is sent is this. Says
    /// when to ask again if not.
    ///
    /// # Errors
    /// The time to ask again.
    pub fn reserve(&self, kind: RequestKind) -> Result<(), Instant> {
        /// When to ask again where somebody else stands in line: their turn comes first, and takes no longer.
        const TURN: Duration = Duration::from_millis(20);
        let (own, all) = kind.sets();
        let now = self.now();
        let mut state = self.state();
        let at = state.buckets.ready_at(kind, now);
        if at > now {
            return Err(self.0.epoch + at);
        }
        let is_awaited = |set: usize| self.0.queues.get(set).is_some_and(|queue| queue.try_lock().is_err());
        if own.is_some_and(is_awaited) || is_awaited(all) {
            return Err(Instant::now() + TURN);
        }
        state.buckets.take(kind, now);
        *state.reserved.entry(kind).or_default() += 1;
        Ok(())
    }

    /// Gives up a request that was counted ahead and is not to be sent. Its room is lost.
    pub fn release(&self, kind: RequestKind) {
        self.take_reserved(kind);
    }

    /// Takes a request that was counted ahead, and says whether there was one.
    fn take_reserved(&self, kind: RequestKind) -> bool {
        match self.state().reserved.get_mut(&kind) {
            Some(left @ 1..) => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }

    /// Waits until a request of this kind may go, and counts it. Requests of a kind go in the order in which they
    /// came. Dropped while it waits, it counts nothing.
    pub(crate) async fn acquire(&self, kind: RequestKind) {
        // What was counted ahead waits all the same if the service has asked for silence since.
        if self.take_reserved(kind) && !self.is_frozen(kind) {
            return;
        }
        let (own, all) = kind.sets();
        let queue = |set: usize| self.0.queues.get(set);
        // The own queue before the common one: whoever stands in the common queue waits for nothing else, so a slow
        // kind never holds up another.
        let _own_turn = match own.and_then(queue) {
            Some(queue) => Some(queue.lock().await),
            None => None,
        };
        loop {
            self.until(|buckets, now| buckets.own_ready_at(kind, now)).await;
            let _turn = match queue(all) {
                Some(queue) => Some(queue.lock().await),
                None => None,
            };
            self.until(|buckets, now| {
                // Frozen while the common queue was waited for: then the own set is waited for again, out of this queue.
                if buckets.own_ready_at(kind, now) > now { now } else { buckets.ready_at(kind, now) }
            })
            .await;
            let now = self.now();
            let mut state = self.state();
            if state.buckets.ready_at(kind, now) <= now {
                state.buckets.take(kind, now);
                return;
            }
        }
    }

    /// Sleeps until the time that `ready_at` gives has come.
    async fn until(&self, ready_at: impl Fn(&mut Buckets, Duration) -> Duration) {
        loop {
            let now = self.now();
            let at = ready_at(&mut self.state().buckets, now);
            if at <= now {
                return;
            }
            sleep_until(self.0.epoch + at).await;
        }
    }

    /// Whether the service has asked for silence for requests of this kind, and the time is not over.
    pub(crate) fn is_frozen(&self, kind: RequestKind) -> bool {
        let now = self.now();
        self.state().buckets.is_frozen(kind, now)
    }

    /// Slows down requests of a kind: the service answered one that left at `left` with 429.
    pub(crate) fn give_way(&self, kind: RequestKind, left: Instant, pause: Duration) {
        let left = left.saturating_duration_since(self.0.epoch);
        let now = self.now();
        self.state().buckets.give_way(kind, left, now, pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;

    const ALL: [RequestKind; 6] = [
        RequestKind::PostUser,
        RequestKind::ChangeUser,
        RequestKind::DeleteUser,
        RequestKind::PostGroup,
        RequestKind::ChangeGroup,
        RequestKind::DeleteGroup,
    ];

    fn slack() -> Pacer {
        Pacer::slack(Budget::WHOLE)
    }

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
        let times = send(&slack(), RequestKind::ChangeUser, 500).await;
        // Two of the burst are kept in hand, for requests that overtake each other on their way.
        assert_eq!(times.iter().filter(|t| t.is_zero()).count(), 18);
        assert_eq!(most_in_a_minute(&times), 180);
        assert!(times.is_sorted(), "first come, first served");
    }

    #[tokio::test(start_paused = true)]
    async fn all_writes_together_keep_the_common_limit() {
        let pacer = slack();
        let times = join_all(ALL.map(|kind| send(&pacer, kind, 180))).await.concat();
        assert_eq!(times.iter().filter(|t| t.is_zero()).count(), 18 * 5 + 78);
        assert_eq!(most_in_a_minute(&times), 600);
    }

    #[tokio::test(start_paused = true)]
    async fn a_budget_is_a_share_of_every_limit() {
        let pacer = Pacer::slack(Budget::percent(50).unwrap());
        let times = join_all(ALL.map(|kind| send(&pacer, kind, 90))).await.concat();
        assert_eq!(most_in_a_minute(&times), 300);
        let times = send(&Pacer::slack(Budget::percent(1).unwrap()), RequestKind::PostUser, 3).await;
        assert_eq!(times[2], Duration::from_secs(121), "never none at all");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_sent_never_exceeds_a_limit_on_arrival_however_long_it_is_on_its_way() {
        let pacer = slack();
        let rng = &std::sync::Mutex::new(fastrand::Rng::with_seed(3));
        let start = Instant::now();
        let arrivals = join_all(ALL.map(|kind| {
            let pacer = &pacer;
            async move {
                let mut arrivals = Vec::new();
                for _ in 0..400 {
                    pacer.acquire(kind).await;
                    let way = Duration::from_millis(rng.lock().unwrap().u64(50..=400));
                    arrivals.push((start.elapsed() + way, kind));
                }
                arrivals
            }
        }));
        let mut arrivals = arrivals.await.concat();
        arrivals.sort();
        let limits = |set: Option<RequestKind>| match set {
            None => (600_u32, 180.0),
            Some(RequestKind::ChangeGroup) => (180, 80.0),
            Some(_) => (180, 20.0),
        };
        for set in ALL.map(Some).into_iter().chain([None]) {
            let (rate, burst) = limits(set);
            let of_set: Vec<Duration> = arrivals
                .iter()
                .filter(|(_, kind)| set.is_none_or(|set| set == *kind))
                .map(|(at, _)| *at)
                .collect();
            let (mut tokens, mut filled) = (burst, Duration::ZERO);
            for at in &of_set {
                tokens = f64::min(
                    burst,
                    tokens + at.saturating_sub(filled).as_secs_f64() * f64::from(rate) / 60.0,
                ) - 1.0;
                filled = *at;
                assert!(tokens >= -1e-6, "{set:?} at {at:?}: {tokens}");
            }
            assert!(most_in_a_minute(&of_set) <= rate as usize, "{set:?}: {}", most_in_a_minute(&of_set));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_kind_does_not_hold_up_another() {
        let pacer = slack();
        let (users, groups) = tokio::join!(
            send(&pacer, RequestKind::PostUser, 100),
            send(&pacer, RequestKind::ChangeGroup, 78)
        );
        assert!(groups.iter().all(Duration::is_zero));
        assert!(users.iter().max().unwrap() > &Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_told_to_wait_lets_nothing_through_not_even_who_already_waits() {
        let pacer = Pacer::unlimited();
        pacer.give_way(RequestKind::PostUser, Instant::now(), Duration::from_secs(5));
        let later = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            pacer.give_way(RequestKind::PostUser, Instant::now(), Duration::from_secs(30));
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
    async fn gives_way_to_somebody_else_and_takes_the_room_back_step_by_step() {
        let pacer = slack();
        send(&pacer, RequestKind::ChangeUser, 60).await;
        pacer.give_way(RequestKind::ChangeUser, Instant::now(), Duration::from_secs(1));
        // Requests that were under way then say nothing new.
        pacer.give_way(
            RequestKind::ChangeUser,
            Instant::now().checked_sub(Duration::from_secs(1)).unwrap(),
            Duration::from_secs(1),
        );
        let times = send(&pacer, RequestKind::ChangeUser, 1_000).await;
        let in_span = |from: u64, to: u64| times.iter().filter(|t| (from..to).contains(&t.as_secs())).count();
        let (first, later, at_last) = (in_span(1, 11), in_span(31, 41), in_span(240, 300));
        assert!((12..=20).contains(&first), "half of thirty in ten seconds: {first}");
        assert!((20..=27).contains(&later), "{later}");
        assert!((178..=180).contains(&at_last), "{at_last}");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_takes_nothing() {
        let pacer = slack();
        send(&pacer, RequestKind::PostUser, 18).await;
        let start = Instant::now();
        for _ in 0..50 {
            let waited =
                tokio::time::timeout(Duration::from_millis(1), pacer.acquire(RequestKind::PostUser)).await;
            assert!(waited.is_err());
        }
        pacer.acquire(RequestKind::PostUser).await;
        assert!(start.elapsed() < Duration::from_millis(400), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_reserved_goes_at_once_and_counts_once() {
        let pacer = slack();
        let mut reserved = 0;
        while pacer.reserve(RequestKind::PostUser).is_ok() {
            reserved += 1;
        }
        assert_eq!(reserved, 18);
        let times = send(&pacer, RequestKind::PostUser, 19).await;
        assert_eq!(times.iter().filter(|t| t.is_zero()).count(), 18);
        assert!(times[18] > Duration::from_millis(300));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_reserved_keeps_a_silence_that_was_asked_for_since() {
        let pacer = Pacer::unlimited();
        pacer.reserve(RequestKind::PostUser).unwrap();
        pacer.give_way(RequestKind::PostUser, Instant::now(), Duration::from_secs(30));
        let times = send(&pacer, RequestKind::PostUser, 2).await;
        assert!(times.iter().all(|t| *t >= Duration::from_secs(30)), "{times:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_released_is_used_by_nobody() {
        let pacer = slack();
        while pacer.reserve(RequestKind::PostUser).is_ok() {}
        (0..18).for_each(|_| pacer.release(RequestKind::PostUser));
        let times = send(&pacer, RequestKind::PostUser, 1).await;
        assert!(times[0] > Duration::from_millis(300));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_reserved_before_those_who_stand_in_line() {
        let pacer = slack();
        send(&pacer, RequestKind::PostUser, 18).await;
        let waits = pacer.acquire(RequestKind::PostUser);
        let ahead = async {
            loop {
                match pacer.reserve(RequestKind::PostUser) {
                    Ok(()) => return Instant::now(),
                    Err(at) => sleep_until(at).await,
                }
            }
        };
        let start = Instant::now();
        let (waited, reserved) = tokio::join!(
            async {
                waits.await;
                Instant::now()
            },
            ahead
        );
        assert!(waited < reserved, "{:?} {:?}", waited - start, reserved - start);
    }
}
