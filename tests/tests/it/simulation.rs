//! Whole runs under faults, drawn from seeds: whatever goes wrong, no promise is broken, and when nothing goes wrong any
//! more, the next run finishes the job.

use end_to_end::simulation::course::{self, Verdict};
use end_to_end::simulation::sweep::sweep;
use std::thread;

/// How many seeds are tried here, in a build that is not optimised; CI tries thousands in one that is, and `just simulate` as many
/// as one likes.
const SEEDS: u64 = 300;

#[test]
fn no_promise_is_broken_whatever_goes_wrong() {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let swept = sweep(0..SEEDS, threads, &course::run);
    let told: Vec<String> = swept
        .failures
        .iter()
        .map(|(seed, Verdict { broken, .. })| format!("{}\n  {}", course::replay(*seed), broken.join("\n  ")))
        .collect();
    assert!(told.is_empty(), "{} of {SEEDS}:\n{}", told.len(), told.join("\n"));
    // Something is to be seen of everything, or the sweep shows less than it seems to.
    for outcome in ["in sync", "blocked", "asked too much"] {
        assert!(swept.outcomes.get(outcome).is_some_and(|count| *count > 0), "{:?}", swept.outcomes);
    }
}

#[test]
fn the_same_seed_sends_the_same_requests() {
    for seed in 0..40 {
        let (first, second) = (course::run(seed), course::run(seed));
        assert_eq!(first.requests(), second.requests(), "{}", course::replay(seed));
        assert_eq!(first.story, second.story, "{}", course::replay(seed));
    }
}
