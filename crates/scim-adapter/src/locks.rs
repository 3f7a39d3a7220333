//! One write at a time per resource (sheet S15: a second one while the first is going on is answered with 429).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// The resources that are being written.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    by_path: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Locks {
    /// Waits for the resource's turn, first come, first served; it ends with the guard.
    pub(crate) async fn turn(&self, path: &str) -> OwnedMutexGuard<()> {
        // More than any run writes at the same time: beyond it, what nobody holds or waits for is forgotten.
        const ROOM: usize = 1_024;
        let lock = {
            let mut by_path = self.by_path.lock().unwrap_or_else(PoisonError::into_inner);
            if by_path.len() >= ROOM {
                by_path.retain(|_, lock| Arc::strong_count(lock) > 1);
            }
            by_path.entry(path.to_owned()).or_default().clone()
        };
        lock.lock_owned().await
    }
}
