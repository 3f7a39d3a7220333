//! How long to pause between two rounds.

use std::time::Duration;

/// The shortest interval. Reading a directory takes seconds of Slack's rate limits even where it is small, so anything
/// shorter only asks for an error by a typing mistake.
pub const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The longest pause after rounds that did not go well, unless the interval is longer. What ends most of them is a
/// person who corrects something, and nobody should wait for more than an hour after that to see it work.
pub const MAX_PAUSE: Duration = Duration::from_hours(1);

/// How a round went, as far as the pause after it is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// The next one is tried later than usual.
    Bad,
    /// The next one is tried as late as any.
    Alarming,
    /// Nothing can be said.
    Neither,
}

/// The pauses of one daemon.
pub(super) struct Pauses {
    interval: Duration,
    /// How many rounds in a row went badly.
    bad: u32,
    chance: fastrand::Rng,
}

impl Pauses {
    pub(super) fn new(interval: Duration, seed: u64) -> Self {
        Self { interval: interval.max(MIN_INTERVAL), bad: 0, chance: fastrand::Rng::with_seed(seed) }
    }

    /// The pause after a round: twice as long after each further bad one, and a tenth more or less by chance.
    pub(super) fn after(&mut self, standing: Standing) -> Duration {
        self.bad = match standing {
            Standing::Good => 0,
            Standing::Bad => self.bad.saturating_add(1),
            Standing::Alarming => u32::MAX,
            Standing::Neither => self.bad,
        };
        let doublings = if standing == Standing::Neither { 0 } else { self.bad };
        let factor = 2_u32.saturating_pow(doublings);
        let whole = self.interval.saturating_mul(factor).min(MAX_PAUSE.max(self.interval));
        let share = 0.9 + 0.2 * self.chance.f64();
        Duration::try_from_secs_f64(whole.as_secs_f64() * share).unwrap_or(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{Alarming, Bad, Good, Neither};

    /// The pauses in multiples of the interval, the chance rounded away where it can be.
    fn multiples(interval: u64, rounds: &[Standing]) -> Vec<f64> {
        let mut pauses = Pauses::new(Duration::from_secs(interval), 7);
        let all = rounds.iter().map(|round| pauses.after(*round).as_secs_f64());
        all.map(|pause| (pause / Duration::from_secs(interval).as_secs_f64()).log2().round()).collect()
    }

    #[test]
    fn doubles_after_bad_rounds_and_is_the_interval_again_after_a_good_one() {
        let rounds = [Good, Bad, Bad, Bad, Good, Bad];
        assert_eq!(multiples(60, &rounds), [0.0, 1.0, 2.0, 3.0, 0.0, 1.0]);
    }

    #[test]
    fn somebody_elses_run_neither_lengthens_the_pauses_nor_forgives() {
        assert_eq!(multiples(60, &[Bad, Neither, Neither, Bad]), [1.0, 0.0, 0.0, 2.0]);
    }

    #[test]
    fn is_as_long_as_it_gets_after_an_alarming_round_and_the_bad_ones_that_follow_it() {
        let mut pauses = Pauses::new(Duration::from_mins(1), 7);
        for round in [Alarming, Bad, Bad] {
            assert!(pauses.after(round) >= MAX_PAUSE.mul_f64(0.9));
        }
        assert!(pauses.after(Good) < Duration::from_secs(67));
    }

    #[test]
    fn never_exceeds_an_hour_or_the_interval_by_more_than_a_tenth() {
        let hours = Duration::from_hours;
        for (interval, most) in
            [(Duration::from_mins(10), hours(1)), (hours(2), hours(2)), (Duration::MAX, Duration::MAX)]
        {
            let mut pauses = Pauses::new(interval, 7);
            let longest = (0..100).map(|_| pauses.after(Bad)).max().unwrap_or_default();
            let share = longest.as_secs_f64() / most.as_secs_f64();
            assert!((0.9..=1.1).contains(&share), "{longest:?}");
        }
    }

    #[test]
    fn daemons_with_other_seeds_pause_differently_and_all_about_as_long_as_they_should() {
        let pauses: Vec<Duration> =
            (0..200).map(|seed| Pauses::new(Duration::from_secs(100), seed).after(Good)).collect();
        assert!(pauses.iter().all(|pause| (90.0..=110.0).contains(&pause.as_secs_f64())), "{pauses:?}");
        let (least, most) = (pauses.iter().min().unwrap(), pauses.iter().max().unwrap());
        assert!(least.as_secs() < 92 && most.as_secs() >= 108, "{least:?} {most:?}");
    }
}
