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
    /// Whether a resource is free; else how many seconds it stays locked.
    pub(crate) fn check(&mut self, resource: &str, now: Instant) -> Result<(), u64> {
        // Swept on each write: locks are few and short.
        self.until.retain(|_, until| *until > now);
        let Some(until) = self.until.get(resource) else { return Ok(()) };
        let left = until.saturating_duration_since(now);
        Err((left.as_secs() + u64::from(left.subsec_nanos() > 0)).max(1))
    }

    /// Locks a resource for `time`.
    pub(crate) fn lock(&mut self, resource: String, now: Instant, time: Duration) {
        if !time.is_zero() {
            self.until.insert(resource, after(now, time));
        }
    }
}
