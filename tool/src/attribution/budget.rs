//! How many lookups may be made.
//!
//! A process that may make cgroups can make any number of them, each with another name, and each name
//! is a question for the runtimes.

use std::time::Instant;

/// At most this many lookups in a second, for cgroups that only root can name.
const PER_SECOND: f64 = 200.0;

/// The same for cgroups that others may have named. They leave most of the time to the others.
const PER_SECOND_DELEGATED: f64 = 10.0;

/// What is left of both.
pub(super) struct Budget {
    certain: Share,
    delegated: Share,
}

struct Share {
    per_second: f64,
    left: f64,
    counted: Instant,
}

impl Budget {
    pub(super) fn new(now: Instant) -> Self {
        let share = |per_second| Share { per_second, left: per_second, counted: now };
        Self { certain: share(PER_SECOND), delegated: share(PER_SECOND_DELEGATED) }
    }

    /// Takes one lookup, if one is left.
    pub(super) fn take(&mut self, is_delegated: bool, now: Instant) -> bool {
        let share = if is_delegated { &mut self.delegated } else { &mut self.certain };
        let since = now.saturating_duration_since(share.counted).as_secs_f64();
        share.left = (share.left + since * share.per_second).min(share.per_second);
        share.counted = now;
        let is_left = share.left >= 1.0;
        share.left -= f64::from(u8::from(is_left));
        is_left
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn lookups_of_made_up_names_leave_time_to_the_others() {
        let start = Instant::now();
        let mut budget = Budget::new(start);
        let mut taken =
            |is_delegated, now| (0..1000).filter(|_| budget.take(is_delegated, now)).count();
        assert_eq!(taken(true, start), 10);
        assert_eq!(taken(false, start), 200);
        assert_eq!(taken(true, start + Duration::from_millis(500)), 5);
        assert_eq!(taken(true, start + Duration::from_mins(1)), 10, "nothing is saved up");
    }
}
