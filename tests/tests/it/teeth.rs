//! The simulation has teeth: each of a list of deliberate bugs is caught by it, within so many seeds.

use end_to_end::simulation::course::run_sabotaged;
use end_to_end::simulation::sabotage::{TEETH, Tooth};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The first seed in which a bug is caught.
fn caught(tooth: &Tooth) -> Option<u64> {
    (0..tooth.seeds).find(|seed| {
        let verdict = run_sabotaged(*seed, Some(tooth.sabotage));
        verdict.broken.iter().any(|line| line.contains(tooth.complaint))
    })
}

#[test]
fn every_deliberate_bug_is_caught() {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut told = Vec::new();
        while let Some(tooth) = TEETH.get(next.fetch_add(1, Ordering::Relaxed)) {
            told.push((tooth, caught(tooth)));
        }
        told
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let told: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    let mut escaped = Vec::new();
    for (tooth, caught) in told {
        match caught {
            Some(seed) => println!("{:?}: \"{}\" in seed {seed}", tooth.sabotage, tooth.complaint),
            None => escaped.push(tooth.sabotage),
        }
    }
    assert!(escaped.is_empty(), "not caught: {escaped:?}");
}
