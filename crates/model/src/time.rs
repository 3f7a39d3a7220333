//! Timestamps as services write them.

use jiff::{Timestamp, civil, fmt::strtime, tz::Offset};

/// A point in time together with the offset in which it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The point in time.
    pub timestamp: Timestamp,
    /// The offset it was written with; UTC where none was.
    pub offset: Offset,
}

impl Written {
    /// Whether this stands for the calendar day `day`. A midnight is the day that the writer's own zone calls it; any
    /// other time of day is a midnight of ours that came back in another zone, and UTC decides.
    pub fn is_day(self, day: civil::Date) -> bool {
        let local = self.offset.to_datetime(self.timestamp);
        if local.time() == civil::Time::midnight() {
            return local.date() == day;
        }
        Offset::UTC.to_datetime(self.timestamp).date() == day
    }
}

/// Reads a timestamp: RFC 3339, the `+0000` form that Slack's documents show (sheet S6), or without an offset, which
/// is taken as UTC. `None` when it is none of these.
pub fn parse_instant(text: &str) -> Option<Written> {
    let text = text.trim();
    if let Ok(pieces) = jiff::fmt::temporal::DateTimeParser::new().parse_pieces(text) {
        let datetime = pieces.date().to_datetime(pieces.time().unwrap_or(civil::Time::midnight()));
        let offset = match pieces.offset() {
            Some(jiff::fmt::temporal::PiecesOffset::Numeric(numeric)) => numeric.offset(),
            _ => Offset::UTC,
        };
        return offset.to_timestamp(datetime).ok().map(|timestamp| Written { timestamp, offset });
    }
    let broken = strtime::parse("%Y-%m-%dT%H:%M:%S%z", text).ok()?;
    let offset = broken.offset().unwrap_or(Offset::UTC);
    broken.to_timestamp().ok().map(|timestamp| Written { timestamp, offset })
}

/// The last second of a day in UTC: what a bare `expires` means (design §3, "Dates").
pub fn end_of_day(day: civil::Date) -> Option<Timestamp> {
    Offset::UTC.to_timestamp(day.at(23, 59, 59, 0)).ok()
}

/// A calendar day as it is sent: its midnight in UTC.
pub fn day_text(day: civil::Date) -> String {
    format!("{day}T00:00:00Z")
}

/// An instant as it is sent: RFC 3339 in UTC.
pub fn instant_text(instant: Timestamp) -> String {
    instant.to_string()
}
