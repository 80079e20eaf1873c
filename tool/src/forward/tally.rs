//! What a forward comes to: sums over its connections, in bounded memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::PortPair;
use crate::trace::{Closed, Outcome, Times};

/// The sums, for each pair of ports that had a connection, in the order of their first.
#[derive(Debug, Default)]
pub struct Tally {
    pairs: Vec<(PortPair, Sums)>,
}

/// Sums over the connections of one pair of ports.
#[derive(Debug, Default)]
pub struct Sums {
    /// How many there were.
    pub connections: u64,
    /// How many of them failed, by outcome.
    pub failed: BTreeMap<Outcome, u64>,
    /// Bytes that arrived in the pod.
    pub bytes_to_pod: u64,
    /// Bytes that arrived at clients.
    pub bytes_from_pod: u64,
    /// How long they took.
    pub times: Times,
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
        let Some((_, sums)) = self.pairs.iter_mut().find(|(known, _)| *known == pair) else {
            return;
        };
        sums.connections += 1;
        sums.bytes_to_pod += closed.bytes_to_pod.unwrap_or(0);
        sums.bytes_from_pod += closed.bytes_from_pod.unwrap_or(0);
        sums.times.add(Duration::from_nanos(closed.duration_ns.unwrap_or(0)));
        if closed.outcome != Outcome::Ok {
            *sums.failed.entry(closed.outcome).or_default() += 1;
        }
    }

    /// The sums of each pair.
    pub fn pairs(&self) -> &[(PortPair, Sums)] {
        &self.pairs
    }
}
