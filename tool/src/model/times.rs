//! Durations and their median, in bounded memory.

use std::collections::BTreeMap;
use std::time::Duration;

/// Durations.
#[derive(Debug, Default)]
pub struct Times {
    /// How often each duration occurred, rounded to three digits: a few thousand entries, even
    /// after months.
    counts: BTreeMap<u64, u64>,
    max: Duration,
}

impl Times {
    /// Adds a duration.
    pub fn add(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        *self.counts.entry(three_digits(nanoseconds)).or_default() += 1;
        self.max = self.max.max(time);
    }

    /// The median, to three digits.
    #[must_use]
    pub fn median(&self) -> Duration {
        let half = self.counts.values().sum::<u64>().div_ceil(2);
        let mut so_far = 0;
        let median = self.counts.iter().find(|&(_, count)| {
            so_far += count;
            so_far >= half
        });
        // Rounding up may have made it longer than the longest.
        Duration::from_nanos(median.map_or(0, |(&time, _)| time)).min(self.max)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.max
    }
}

/// Rounds to the nearest number with three digits.
fn three_digits(number: u64) -> u64 {
    let unit = 10_u64.pow(number.checked_ilog10().unwrap_or(0).saturating_sub(2));
    (number / unit + u64::from(number % unit >= unit.div_ceil(2))) * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(milliseconds: &[u64]) -> (Duration, Duration) {
        let mut times = Times::default();
        for &time in milliseconds {
            times.add(Duration::from_millis(time));
        }
        (times.median(), times.max())
    }

    #[test]
    fn the_median_is_the_middle_duration() {
        let ms = Duration::from_millis;
        assert_eq!(of(&[]), (ms(0), ms(0)));
        assert_eq!(of(&[7]), (ms(7), ms(7)));
        assert_eq!(of(&[900, 1, 2]), (ms(2), ms(900)));
        assert_eq!(of(&[4, 4, 4, 1, 900]), (ms(4), ms(900)));
        assert_eq!(of(&[0, 0]), (ms(0), ms(0)));
        assert_eq!(of(&[1234]), (ms(1230), ms(1234)));
        assert_eq!(of(&[1235, 1235, 1240]), (ms(1240), ms(1240)));
        assert_eq!(of(&[1235]), (ms(1235), ms(1235)));
    }

    #[test]
    fn many_different_times_are_few_numbers() {
        let mut times = Times::default();
        for n in 0..1_000_000 {
            times.add(Duration::from_nanos(n * 1_000_003));
        }
        assert!(times.counts.len() < 10_000, "{}", times.counts.len());
        let (median, exact) = (times.median().as_secs_f64(), 500.0);
        assert!((median / exact - 1.0).abs() < 0.01, "{median}");
    }
}
