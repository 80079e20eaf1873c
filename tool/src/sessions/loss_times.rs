//! When records were lost, and which sessions one of those records may belong to.

use pfsnoop_common::shares;

use crate::model::Losses;

/// What was lost since the start, and when that last grew: `CLOCK_BOOTTIME`, ns.
#[derive(Debug, Default)]
pub(super) struct LossTimes {
    losses: Losses,
    of_host_ns: u64,
    of_others_ns: u64,
}

impl LossTimes {
    /// So much was lost since the start, all of it before `now_ns`.
    pub(super) fn note(&mut self, losses: Losses, now_ns: u64) {
        if losses.of_host > self.losses.of_host {
            self.of_host_ns = now_ns;
        }
        if losses.of_others > self.losses.of_others {
            self.of_others_ns = now_ns;
        }
        self.losses = losses;
    }

    /// Whether a record of a session may have been lost. What users and containers lose by too many
    /// connections leaves the host's sessions as they are.
    pub(super) fn concern(&self, share: u32, started_ns: u64) -> bool {
        let of_others_ns = if share == shares::HOST { 0 } else { self.of_others_ns };
        started_ns <= self.of_host_ns.max(of_others_ns)
    }
}
