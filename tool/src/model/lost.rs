//! Counts of lost records.

use super::LossPlaces;

/// Counts of lost records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lost {
    /// Lost since the last report.
    pub events: u64,
    /// Lost since the start.
    pub total: u64,
    /// Where those of `events` were lost.
    pub places: LossPlaces,
}
