//! What was lost since the start.

use std::ops::Add;

use super::LossPlaces;

/// Records that were lost since the start, and what there was no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// Of the host's root, or of nobody in particular.
    pub of_host: u64,
    /// Of other users and of containers.
    pub of_others: u64,
    /// The same records, by the place where they were lost.
    pub places: LossPlaces,
}

impl Losses {
    /// All of them.
    #[must_use]
    pub fn total(self) -> u64 {
        self.of_host + self.of_others
    }
}

impl Add for Losses {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self {
            of_host: self.of_host + more.of_host,
            of_others: self.of_others + more.of_others,
            places: self.places + more.places,
        }
    }
}
