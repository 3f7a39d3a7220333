//! The time of day, derived from tokio's clock, so that pausing that clock pauses Slack.

use std::time::Duration;

use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A wall clock that stood at `base` when it was made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    base: Timestamp,
    start: Instant,
}

impl Clock {
    pub(crate) fn starting_at(base: Timestamp) -> Self {
        Self { base, start: Instant::now() }
    }

    /// The time of day now.
    pub(crate) fn now(&self) -> Timestamp {
        let elapsed = SignedDuration::try_from(self.start.elapsed()).unwrap_or(SignedDuration::MAX);
        self.base.saturating_add(elapsed).unwrap_or(Timestamp::MAX)
    }
}

/// An instant in the future; the far future where the sum has no room.
pub(crate) fn after(now: Instant, wait: Duration) -> Instant {
    now.checked_add(wait).unwrap_or(now)
}

/// A timestamp as Slack writes it in `meta.created`: Pacific time with its offset (S5).
pub(crate) fn pacific(time: Timestamp) -> String {
    let zone = if is_pacific_summer(time) { Offset::constant(-7) } else { Offset::constant(-8) };
    zone.to_datetime(time).strftime("%Y-%m-%dT%H:%M:%S").to_string()
        + if zone == Offset::constant(-7) { "-07:00" } else { "-08:00" }
}

/// United States daylight saving time: from the second Sunday of March to the first of November, at 2 o'clock local
/// time. Written out because the machine under a test need not have a time zone database.
fn is_pacific_summer(time: Timestamp) -> bool {
    let standard = Offset::constant(-8).to_datetime(time);
    let sunday = |month: i8, nth: i8| {
        jiff::civil::date(standard.year(), month, 1).nth_weekday_of_month(nth, jiff::civil::Weekday::Sunday)
    };
    match (sunday(3, 2), sunday(11, 1)) {
        (Ok(spring), Ok(autumn)) => standard >= spring.at(2, 0, 0, 0) && standard < autumn.at(1, 0, 0, 0),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn created_bears_the_offset_of_its_season() {
        // S5: "`meta` has only `created` (Pacific offset `-07:00`/`-08:00`)".
        let shown = |text: &str| pacific(text.parse().unwrap());
        assert_eq!(shown("2022-05-27T22:19:18Z"), "2022-05-27T15:19:18-07:00");
        assert_eq!(shown("2023-02-20T22:28:23Z"), "2023-02-20T14:28:23-08:00");
        assert_eq!(shown("2026-11-01T08:59:59Z"), "2026-11-01T01:59:59-07:00");
        assert_eq!(shown("2026-11-01T09:00:00Z"), "2026-11-01T01:00:00-08:00");
    }
}
