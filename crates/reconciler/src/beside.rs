//! Two things at a time.

use std::thread::{self, Builder};

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

#[cfg(test)]
mod tests {
    use super::beside;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::thread;

    #[test]
    fn the_other_is_done_on_a_thread_of_its_own() {
        let here = || thread::current().id();
        let (other, own) = beside(here, here);
        assert_eq!(own, here());
        assert_ne!(other, own);
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
