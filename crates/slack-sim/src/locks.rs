//! One change at a time per user or group (S15).

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::clock::after;

/// The resources that are being changed, and until when.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    until: HashMap<String, Instant>,
}

impl Locks {
    /// Locks a resource for `time`, or says how many seconds it stays locked.
    pub(crate) fn take(&mut self, resource: &str, now: Instant, time: Duration) -> Result<(), u64> {
        // Swept on each write: locks are few and short.
        self.until.retain(|_, until| *until > now);
        if let Some(until) = self.until.get(resource) {
            let left = until.saturating_duration_since(now);
            return Err((left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1));
        }
        if !time.is_zero() {
            self.until.insert(resource.to_owned(), after(now, time));
        }
        Ok(())
    }
}
