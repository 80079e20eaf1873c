//! Limits how many lines the agent logs.

use std::time::{Duration, Instant};

use crate::output;

/// The time over which lines are counted.
const PERIOD: Duration = Duration::from_secs(10);

/// The most lines in a period. A pod that makes sessions fail on purpose cannot fill the node's log.
const MOST: u32 = 50;

/// Logs a limited number of lines in each period, and counts the others.
#[derive(Debug, Default)]
pub(super) struct RateLimit {
    period: Option<Instant>,
    logged: u32,
    left_out: u64,
}

impl RateLimit {
    /// Logs the line, or counts it.
    pub(super) fn log(&mut self, line: impl FnOnce() -> String) {
        if self.admits(Instant::now()) {
            output::complain(&line());
        }
    }

    /// Says how many lines were left out since the last report.
    pub(super) fn report(&mut self) {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            output::complain(&format!("{left_out} more lines were left out"));
        }
    }

    fn admits(&mut self, now: Instant) -> bool {
        if self.period.is_none_or(|began| now.duration_since(began) >= PERIOD) {
            self.report();
            (self.period, self.logged) = (Some(now), 0);
        }
        self.logged += 1;
        let is_admitted = self.logged <= MOST;
        self.left_out += u64::from(!is_admitted);
        is_admitted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_counted() {
        let (mut rate, start) = (RateLimit::default(), Instant::now());
        let admitted = (0..2 * MOST).filter(|_| rate.admits(start)).count();
        assert_eq!((admitted, rate.left_out), (50, u64::from(MOST)));
        assert!(rate.admits(start + PERIOD), "the next period");
        assert_eq!(rate.left_out, 0, "it was reported");
    }
}
