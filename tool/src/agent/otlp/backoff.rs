//! How long to wait before the next attempt.

use std::time::Duration;

use ring::rand::{SecureRandom as _, SystemRandom};

/// The first wait at most.
const FIRST: Duration = Duration::from_secs(1);

/// Any later wait at most.
const LONGEST: Duration = Duration::from_secs(30);

/// A collector may ask for a longer wait, up to this one.
const LONGEST_ASKED_FOR: Duration = Duration::from_mins(5);

/// Waits that double, with jitter: the agents of a fleet do not come back all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    most: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self { most: FIRST }
    }
}

impl Backoff {
    /// The next wait: between a half and the whole of the present bound, or as long as the collector
    /// asked for.
    pub(super) fn next(&mut self, asked_for: Option<Duration>) -> Duration {
        let most = self.most;
        self.most = (most * 2).min(LONGEST);
        let jittered = most.mul_f64(0.5 + fraction() / 2.0);
        jittered.max(asked_for.unwrap_or_default().min(LONGEST_ASKED_FOR))
    }
}

/// From 0 to 1. Without random numbers, the whole wait.
fn fraction() -> f64 {
    let mut byte = [u8::MAX];
    let _ = SystemRandom::new().fill(&mut byte);
    let [byte] = byte;
    f64::from(byte) / f64::from(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_a_limit() {
        let mut backoff = Backoff::default();
        for most in [1, 2, 4, 8, 16, 30, 30] {
            let (wait, most) = (backoff.next(None), Duration::from_secs(most));
            assert!(most / 2 <= wait && wait <= most, "{wait:?} of {most:?}");
        }
        assert_eq!(backoff.next(Some(Duration::from_secs(40))), Duration::from_secs(40));
        assert_eq!(backoff.next(Some(Duration::from_hours(9))), LONGEST_ASKED_FOR);
    }
}
