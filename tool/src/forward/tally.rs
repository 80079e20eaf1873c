//! What a forward comes to: sums over its connections, in bounded memory.

use super::PortPair;
use crate::trace::{Closed, Sums};

/// The sums, for each pair of ports that had a connection, in the order of their first.
#[derive(Debug, Default)]
pub struct Tally {
    pairs: Vec<(PortPair, Sums)>,
}

impl Tally {
    /// A connection has begun: which pair had the first is not to depend on how long each takes.
    pub fn begin(&mut self, pair: PortPair) {
        if !self.pairs.iter().any(|(known, _)| *known == pair) {
            self.pairs.push((pair, Sums::default()));
        }
    }

    /// One that has begun is over.
    pub fn add(&mut self, pair: PortPair, closed: &Closed) {
        if let Some((_, sums)) = self.pairs.iter_mut().find(|(known, _)| *known == pair) {
            sums.add(closed);
        }
    }

    /// The sums of each pair.
    pub fn pairs(&self) -> &[(PortPair, Sums)] {
        &self.pairs
    }
}
