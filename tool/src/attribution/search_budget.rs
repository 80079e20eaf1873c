//! How long searches through all processes may take. Any user can make processes and namespaces that have
//! to be searched for.

use std::time::{Duration, Instant};

/// Searches may begin at once, as long as all of them together have taken no more than this, and ...
const BURST: Duration = Duration::from_millis(250);

/// ... no more than a twentieth of the time since.
const SHARE: u32 = 20;

/// What is left for searches.
pub(super) struct SearchBudget {
    left: Duration,
    /// When it was counted up.
    counted: Option<Instant>,
}

impl SearchBudget {
    pub(super) fn new() -> Self {
        Self { left: BURST, counted: None }
    }

    /// Whether another search may begin.
    pub(super) fn is_left(&mut self, now: Instant) -> bool {
        let since = self.counted.map_or(Duration::ZERO, |counted| now.duration_since(counted));
        self.left = (self.left + since / SHARE).min(BURST);
        self.counted = Some(now);
        !self.left.is_zero()
    }

    /// A search has taken so long.
    pub(super) fn spend(&mut self, took: Duration) {
        self.left = self.left.saturating_sub(took);
    }
}
