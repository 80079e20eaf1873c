//! Sums over sessions: by target and port, by pair of ports, and in all. In bounded memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Closed, Outcome, PortPair, Session, State, Times};

/// How many places have sums of their own. Sessions to further places are added up as one.
const MAX_PLACES: usize = 1000;

/// The name under which they are added up.
const OTHERS: &str = "(others)";

/// Sums over closed sessions.
#[derive(Debug, Default)]
pub struct Sums {
    /// How many sessions.
    pub sessions: u64,
    /// How many failed, by outcome.
    pub failed: BTreeMap<Outcome, u64>,
    /// Bytes that went into the pod.
    pub bytes_to_pod: u64,
    /// Bytes that came from the pod.
    pub bytes_from_pod: u64,
    /// How long they took.
    pub times: Times,
}

impl Sums {
    /// Adds a session. A value that is not known counts as 0.
    pub fn add(&mut self, closed: &Closed) {
        self.sessions += 1;
        self.bytes_to_pod += closed.bytes_to_pod.unwrap_or(0);
        self.bytes_from_pod += closed.bytes_from_pod.unwrap_or(0);
        self.times.add(Duration::from_nanos(closed.duration_ns.unwrap_or(0)));
        if closed.outcome != Outcome::Ok {
            *self.failed.entry(closed.outcome).or_default() += 1;
        }
    }
}

/// Sums over all sessions of a node.
#[derive(Debug, Default)]
pub struct SessionSums {
    /// By the target's name and port.
    places: BTreeMap<(String, u16), Sums>,
    /// Sessions by outcome, over all places.
    outcomes: BTreeMap<Outcome, u64>,
}

impl SessionSums {
    /// Adds a session if it is closed. `target` is the name of its target.
    pub fn add(&mut self, session: &Session, target: String) {
        let State::Closed(closed) = &session.state else { return };
        let mut place = (target, session.port);
        if self.places.len() >= MAX_PLACES && !self.places.contains_key(&place) {
            place = (OTHERS.to_owned(), 0);
        }
        self.places.entry(place).or_default().add(closed);
        *self.outcomes.entry(closed.outcome).or_default() += 1;
    }

    /// The sums of each place: (name of the target, port).
    pub fn places(&self) -> impl ExactSizeIterator<Item = (&(String, u16), &Sums)> {
        self.places.iter()
    }

    /// How many sessions had each outcome.
    pub fn outcomes(&self) -> &BTreeMap<Outcome, u64> {
        &self.outcomes
    }
}

/// Sums for each pair of ports that had a connection, in the order of the first connections.
#[derive(Debug, Default)]
pub struct PortSums {
    pairs: Vec<(PortPair, Sums)>,
}

impl PortSums {
    /// Gives a pair its row when a connection starts, so that the order of rows does not depend on
    /// how long each connection takes.
    pub fn start(&mut self, ports: PortPair) {
        if !self.pairs.iter().any(|(known, _)| *known == ports) {
            self.pairs.push((ports, Sums::default()));
        }
    }

    /// Adds a connection that had started.
    pub fn add(&mut self, ports: PortPair, closed: &Closed) {
        if let Some((_, sums)) = self.pairs.iter_mut().find(|(known, _)| *known == ports) {
            sums.add(closed);
        }
    }

    /// The sums of each pair.
    #[must_use]
    pub fn pairs(&self) -> &[(PortPair, Sums)] {
        &self.pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed(port: u16, outcome: Outcome, bytes: u64) -> Session {
        let closed = Closed {
            bytes_to_pod: Some(bytes),
            duration_ns: Some(bytes),
            ..Closed::example(outcome)
        };
        Session { port, ..Session::example(closed) }
    }

    #[test]
    fn sums_are_by_place_and_in_all() {
        let mut sums = SessionSums::default();
        for (port, outcome) in [(1, Outcome::Ok), (1, Outcome::Refused), (2, Outcome::Ok)] {
            sums.add(&closed(port, outcome, 100), "a".into());
        }
        sums.add(&Session { state: State::Started, ..closed(1, Outcome::Ok, 1) }, "a".into());
        let found: Vec<_> = sums
            .places()
            .map(|((_, port), place)| {
                (*port, place.sessions, place.failed.len(), place.bytes_to_pod)
            })
            .collect();
        assert_eq!(found, [(1, 2, 1, 200), (2, 1, 0, 100)]);
        assert_eq!(sums.outcomes().values().sum::<u64>(), 3);
    }

    #[test]
    fn places_beyond_the_limit_are_added_up() {
        let mut sums = SessionSums::default();
        for n in 0..5000 {
            sums.add(&closed(80, Outcome::Ok, 0), format!("pod-{n}"));
        }
        assert_eq!(sums.places().len(), MAX_PLACES + 1);
        assert_eq!(sums.places().map(|(_, place)| place.sessions).sum::<u64>(), 5000);
    }
}
