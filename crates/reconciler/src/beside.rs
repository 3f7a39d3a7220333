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
    use std::sync::Barrier;

    #[test]
    fn both_are_done_at_the_same_time() {
        let meeting = Barrier::new(2);
        let meet = || meeting.wait().is_leader();
        let (other, own) = beside(meet, meet);
        assert_ne!(other, own);
    }
}
