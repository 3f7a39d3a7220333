//! When a request is tried again, and how long that is put off.

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use jiff::Timestamp;
use std::time::Duration;

/// How often a request is sent that fails in passing (a broken connection, a 5xx). Five tries with doubling pauses
/// span about half a minute, which outlives a restart on the other side but not a person's patience.
pub(crate) const MAX_TRIES: u32 = 5;

/// How often a request is sent that is answered with 429. A 429 is the service's own request to come back, so it is
/// worth more patience than a failure.
pub(crate) const MAX_THROTTLED: u32 = 20;

/// The longest `Retry-After` that is waited for. Slack's windows are a minute long (sheet S15); a service that
/// sends us away for longer is better told to a person.
pub(crate) const MAX_RETRY_AFTER: Duration = Duration::from_mins(15);

/// The pause before try number `tries + 1`: "full jitter", a random share of a doubling limit, so that requests
/// that failed together do not come back together.
pub(crate) fn pause(tries: u32, rng: &mut fastrand::Rng) -> Duration {
    const FIRST: Duration = Duration::from_millis(500);
    const LONGEST: Duration = Duration::from_secs(20);
    let limit = FIRST.saturating_mul(2_u32.saturating_pow(tries)).min(LONGEST);
    limit.mul_f64(rng.f64()).max(Duration::from_millis(20))
}

/// What `Retry-After` asks for: seconds, or a date (RFC 9110 §10.2.3) counted from the answer's own `Date` where it
/// has one, since the two clocks need not agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |text: &str| {
        let parser = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true);
        parser.parse_timestamp(text.trim()).ok()
    };
    let now =
        headers.get(DATE).and_then(|date| date.to_str().ok()).and_then(date).unwrap_or_else(Timestamp::now);
    let wait = date(text)?.duration_since(now);
    Some(Duration::try_from(wait).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(http::HeaderName, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let of = |pairs: &[_]| retry_after(&headers(pairs));
        assert_eq!(of(&[(RETRY_AFTER, "30")]), Some(Duration::from_secs(30)));
        assert_eq!(of(&[(RETRY_AFTER, "0.5")]), Some(Duration::from_millis(500)));
        let now = (DATE, "Mon, 23 Nov 2026 12:00:00 GMT");
        assert_eq!(
            of(&[now.clone(), (RETRY_AFTER, "Mon, 23 Nov 2026 12:01:10 GMT")]),
            Some(Duration::from_secs(70))
        );
        assert_eq!(of(&[now.clone(), (RETRY_AFTER, "Mon, 23 Nov 2026 11:00:00 GMT")]), Some(Duration::ZERO));
        assert_eq!(of(&[now.clone(), (RETRY_AFTER, "soon")]), None);
        assert_eq!(of(&[now, (RETRY_AFTER, "-5")]), None);
    }

    #[test]
    fn pauses_grow_and_stay_within_their_limit() {
        let mut rng = fastrand::Rng::with_seed(7);
        for tries in 0..40 {
            let longest = (0..200).map(|_| pause(tries, &mut rng)).max().unwrap();
            assert!(longest <= Duration::from_secs(20), "{tries}: {longest:?}");
            assert!(longest >= Duration::from_millis(400), "{tries}: {longest:?}");
        }
    }
}
