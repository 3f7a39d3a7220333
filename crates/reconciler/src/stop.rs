//! Ending a run before all its changes have had their turn.

use model::run::Stopped;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio_util::sync::CancellationToken;

/// Tells a run to start no further change, and why. Clones are one and the same; whoever is first gives the reason.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    told: CancellationToken,
    time_is_up: Arc<AtomicBool>,
}

impl Stop {
    /// Somebody asks for it.
    pub fn cancel(&self) {
        self.told.cancel();
    }

    /// The time that the run was given is up.
    pub fn time_is_up(&self) {
        if !self.told.is_cancelled() {
            self.time_is_up.store(true, Ordering::SeqCst);
            self.told.cancel();
        }
    }

    /// Whether the run has been told.
    pub fn is_cancelled(&self) -> bool {
        self.told.is_cancelled()
    }

    /// Comes about when the run is told.
    pub async fn cancelled(&self) {
        self.told.cancelled().await;
    }

    /// Why, where the run has been told.
    pub(crate) fn why(&self) -> Stopped {
        if self.time_is_up.load(Ordering::SeqCst) { Stopped::TimedOut } else { Stopped::OnRequest }
    }
}

impl From<CancellationToken> for Stop {
    /// Somebody asks for it by cancelling the token.
    fn from(told: CancellationToken) -> Self {
        Self { told, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reason_stands() {
        let [asked, late] = [(); 2].map(|()| Stop::default());
        asked.clone().cancel();
        asked.time_is_up();
        assert!(asked.is_cancelled());
        assert_eq!(asked.why(), Stopped::OnRequest);
        late.clone().time_is_up();
        late.cancel();
        assert!(late.is_cancelled());
        assert_eq!(late.why(), Stopped::TimedOut);
    }
}
