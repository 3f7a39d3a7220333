//! Rate limits of S15: one set for all apps of the organisation, in tokio's time.

use std::collections::VecDeque;
use std::time::Duration;

use http::Method;
use tokio::time::Instant;

use crate::switches::RateLimits;

/// Requests of one kind: so many a minute, and so many at once.
#[derive(Debug)]
struct Bucket {
    rate: u32,
    burst: f64,
    tokens: f64,
    filled: Instant,
    /// When the requests of the last minute came, oldest first; kept under [`RateLimits::Strict`] alone.
    recent: VecDeque<Instant>,
}

const MINUTE: Duration = Duration::from_mins(1);

impl Bucket {
    fn new(rate: u32, burst: u32, now: Instant) -> Self {
        Self { rate, burst: f64::from(burst), tokens: f64::from(burst), filled: now, recent: VecDeque::new() }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.filled);
        self.tokens = (self.tokens + elapsed.as_secs_f64() * f64::from(self.rate) / 60.0).min(self.burst);
        self.filled = now;
        while self.recent.front().is_some_and(|first| now.saturating_duration_since(*first) >= MINUTE) {
            self.recent.pop_front();
        }
    }

    /// How long until the bucket takes another request.
    fn wait(&self, now: Instant, mode: RateLimits) -> Duration {
        // A client that refills its own copy of the bucket rounds differently in the last digits.
        let missing = 1.0 - self.tokens - 1e-6;
        let bucket = if missing > 0.0 {
            Duration::from_secs_f64(missing * 60.0 / f64::from(self.rate))
        } else {
            Duration::ZERO
        };
        let full_minute = mode == RateLimits::Strict && self.recent.len() >= self.rate as usize;
        match self.recent.front() {
            Some(first) if full_minute => {
                bucket.max(MINUTE.saturating_sub(now.saturating_duration_since(*first)))
            }
            _ => bucket,
        }
    }

    fn take(&mut self, now: Instant, mode: RateLimits) {
        self.tokens -= 1.0;
        if mode == RateLimits::Strict {
            self.recent.push_back(now);
        }
    }
}

/// The ten buckets of S15.
#[derive(Debug)]
pub(crate) struct Limits {
    writes: Bucket,
    reads: Bucket,
    users: Endpoint,
    groups: Endpoint,
}

#[derive(Debug)]
struct Endpoint {
    get: Bucket,
    post: Bucket,
    update: Bucket,
    delete: Bucket,
}

impl Limits {
    /// Full buckets, by the table of S15.
    pub(crate) fn new(now: Instant) -> Self {
        let endpoint = |update_burst| Endpoint {
            get: Bucket::new(300, 300, now),
            post: Bucket::new(180, 20, now),
            update: Bucket::new(180, update_burst, now),
            delete: Bucket::new(180, 20, now),
        };
        Self {
            writes: Bucket::new(600, 180, now),
            reads: Bucket::new(1000, 1000, now),
            users: endpoint(20),
            groups: endpoint(80),
        }
    }

    /// Takes a request, or says in how many seconds it may come again.
    ///
    /// `collection` is `Users` or `Groups`, `one` whether it addresses a single resource. A request that is refused
    /// costs nothing.
    pub(crate) fn admit(
        &mut self,
        method: &Method,
        collection: &str,
        one: bool,
        now: Instant,
        mode: RateLimits,
    ) -> Result<(), u64> {
        if mode == RateLimits::Off {
            return Ok(());
        }
        let set = if method == Method::GET { &mut self.reads } else { &mut self.writes };
        let endpoint = match collection {
            "Users" => Some(&mut self.users),
            "Groups" => Some(&mut self.groups),
            _ => None,
        };
        // S15: "List endpoints have no limit of their own".
        let own = endpoint.and_then(|endpoint| match *method {
            Method::GET if one => Some(&mut endpoint.get),
            Method::POST => Some(&mut endpoint.post),
            Method::PUT | Method::PATCH => Some(&mut endpoint.update),
            Method::DELETE => Some(&mut endpoint.delete),
            _ => None,
        });
        let mut buckets = vec![set];
        buckets.extend(own);
        for bucket in &mut buckets {
            bucket.refill(now);
        }
        let wait = buckets.iter().map(|bucket| bucket.wait(now, mode)).max().unwrap_or_default();
        if wait > Duration::ZERO {
            // Whole seconds, and enough of them.
            return Err(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        }
        for bucket in buckets {
            bucket.take(now, mode);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn posts_until_refused(limits: &mut Limits, now: Instant, mode: RateLimits) -> usize {
        (0..10_000).take_while(|_| limits.admit(&Method::POST, "Users", false, now, mode).is_ok()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_of_twenty_creations_then_three_a_second() {
        // S15: "POST /Users | 180 | 20".
        let now = Instant::now();
        let mut limits = Limits::new(now);
        assert_eq!(posts_until_refused(&mut limits, now, RateLimits::Bucket), 20);
        assert_eq!(limits.admit(&Method::POST, "Users", false, now, RateLimits::Bucket), Err(1));
        let later = now + Duration::from_secs(1);
        assert_eq!(posts_until_refused(&mut limits, later, RateLimits::Bucket), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn strictly_no_minute_has_more_than_the_rate() {
        let start = Instant::now();
        let mut limits = Limits::new(start);
        let taken: usize = (0..60)
            .map(|second| {
                posts_until_refused(&mut limits, start + Duration::from_secs(second), RateLimits::Strict)
            })
            .sum();
        assert_eq!(taken, 180);
        let end = start + Duration::from_millis(59_900);
        assert_eq!(limits.admit(&Method::POST, "Users", false, end, RateLimits::Strict), Err(1));
    }

    #[tokio::test(start_paused = true)]
    async fn lists_count_only_against_all_reads() {
        // S15: "List endpoints have no limit of their own, only the 1000/min read set".
        let now = Instant::now();
        let mut limits = Limits::new(now);
        let mut get = |one| limits.admit(&Method::GET, "Groups", one, now, RateLimits::Strict);
        assert_eq!((0..400).filter(|_| get(true).is_ok()).count(), 300);
        assert_eq!((0..1000).filter(|_| get(false).is_ok()).count(), 700);
    }
}
