//! Several things at a time.

use std::ops::Range;
use std::thread::{self, Builder};

/// Fewer people than this have been looked at before a second thread has begun.
const WORTH_A_THREAD: usize = 1_000;

/// The most parts that many people are divided into.
const MAX_PARTS: usize = 4;

/// Does `other` on a thread of its own while this one does `own`. Where there is no thread to be had, and where `other`
/// panics, it is done here afterwards.
pub fn beside<A: Send, B>(other: impl Fn() -> A + Sync, own: impl FnOnce() -> B) -> (A, B) {
    let (done, own) = thread::scope(|scope| {
        let thread = Builder::new().spawn_scoped(scope, &other);
        let own = own();
        (thread.ok().and_then(|thread| thread.join().ok()), own)
    });
    (done.unwrap_or_else(other), own)
}

/// [`beside`] for what is done with so many people; one after the other where they are few.
pub fn beside_for<A: Send, B>(
    people: usize,
    other: impl Fn() -> A + Sync,
    own: impl FnOnce() -> B,
) -> (A, B) {
    if people < WORTH_A_THREAD {
        let own = own();
        return (other(), own);
    }
    beside(other, own)
}

/// Does a thing for each of so many people who do not depend on each other: for the first ones here, for the others, by
/// their positions, on threads of their own. What came of each part, in the order of the people.
pub fn in_parts<A: Send>(people: usize, work: impl Fn(Range<usize>) -> A + Sync) -> Vec<A> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let parts = if people < WORTH_A_THREAD { 1 } else { cores.min(MAX_PARTS) };
    divided(0..people, parts, &work)
}

fn divided<A: Send>(
    people: Range<usize>,
    parts: usize,
    work: &(impl Fn(Range<usize>) -> A + Sync),
) -> Vec<A> {
    if parts < 2 {
        return vec![work(people)];
    }
    let first = parts / 2;
    let middle = people.start + people.len() * first / parts;
    let (rest, mut all) = beside(
        || divided(middle..people.end, parts - first, work),
        || divided(people.start..middle, first, work),
    );
    all.extend(rest);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    #[test]
    fn the_other_is_done_on_a_thread_of_its_own() {
        let here = || thread::current().id();
        let (other, own) = beside(here, here);
        assert_eq!(own, here());
        assert_ne!(other, own);
    }

    #[test]
    fn however_many_parts_there_are_everybody_is_in_one_and_in_order() {
        for (people, parts) in [(0, 1), (7, 1), (7, 2), (8, 3), (2, 4)] {
            let all: Vec<usize> = divided(0..people, parts, &Iterator::collect::<Vec<_>>).concat();
            assert!(all.into_iter().eq(0..people), "{people} in {parts}");
        }
        let ours = thread::current().id();
        let threads = divided(0..9, 3, &|_| thread::current().id());
        assert_eq!(threads.iter().filter(|thread| **thread == ours).count(), 1);
        assert_eq!(in_parts(1_000, |range| range.len()).into_iter().sum::<usize>(), 1_000);
    }

    #[test]
    fn a_part_that_failed_on_its_own_thread_is_done_here() {
        let failures = AtomicUsize::new(0);
        let work = |range: Range<usize>| {
            assert!(
                range.start == 0 || failures.fetch_add(1, Relaxed) > 0,
                "the first try of the second part fails"
            );
            range
        };
        assert_eq!(divided(0..4, 2, &work), [0..2, 2..4]);
    }

    #[test]
    fn a_few_people_are_not_worth_a_thread() {
        let here = || thread::current().id();
        for (people, is_beside) in [(999, false), (1_000, true)] {
            let (other, own) = beside_for(people, here, here);
            assert_eq!((own, other != own), (here(), is_beside));
        }
    }

    #[test]
    fn what_failed_on_its_own_thread_is_done_here() {
        let tries = AtomicUsize::new(0);
        let other = || {
            assert!(tries.fetch_add(1, Relaxed) > 0, "the first try fails");
            thread::current().id()
        };
        assert_eq!(beside(other, || 7), (thread::current().id(), 7));
    }
}
