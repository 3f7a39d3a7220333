//! Many seeds, on several threads. Each seed has a clock and a runtime of its own, so that threads change nothing but the
//! time it takes.

use super::course::Verdict;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// What came of many seeds.
#[derive(Debug, Default)]
pub struct Sweep {
    /// The seeds in which a promise was broken.
    pub failures: BTreeMap<u64, Verdict>,
    /// How many came how far.
    pub outcomes: BTreeMap<&'static str, usize>,
    /// How many requests were sent.
    pub requests: usize,
}

/// Runs `seeds` on so many threads.
pub fn sweep(seeds: Range<u64>, threads: usize, run: &(dyn Fn(u64) -> Verdict + Sync)) -> Sweep {
    let next = AtomicU64::new(seeds.start);
    let found = Mutex::new(Sweep::default());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let verdict = run(seed);
                    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
                    *found.outcomes.entry(verdict.outcome).or_default() += 1;
                    found.requests += verdict.log.len();
                    if !verdict.broken.is_empty() {
                        found.failures.insert(seed, verdict);
                    }
                }
            });
        }
    });
    found.into_inner().unwrap_or_else(PoisonError::into_inner)
}
