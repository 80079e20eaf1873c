//! What sessions come to, by place and in all, in bounded memory.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Closed, Outcome, Session, State, Times};

/// Most places that are told apart; what comes after them is summed up as one.
const MAX_PLACES: usize = 1000;

/// The name of that one.
const OTHERS: &str = "(others)";

/// Sums over sessions that are over.
#[derive(Debug, Default)]
pub struct Sums {
    /// How many there were.
    pub sessions: u64,
    /// How many of them failed, by outcome.
    pub failed: BTreeMap<Outcome, u64>,
    /// Bytes that went into the pod.
    pub bytes_to_pod: u64,
    /// Bytes that came from it.
    pub bytes_from_pod: u64,
    /// How long they took.
    pub times: Times,
}

impl Sums {
    /// One more is over; what is not known of it counts as nothing.
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
    /// By name of the target and its port.
    places: BTreeMap<(String, u16), Sums>,
    /// Over all of them, by outcome.
    outcomes: BTreeMap<Outcome, u64>,
}

impl SessionSums {
    /// One more session is over; others change nothing. `target` is the name of where it led.
    pub fn add(&mut self, session: &Session, target: String) {
        let State::Closed(closed) = &session.state else { return };
        let mut place = (target, session.port);
        if self.places.len() >= MAX_PLACES && !self.places.contains_key(&place) {
            place = (OTHERS.to_owned(), 0);
        }
        self.places.entry(place).or_default().add(closed);
        *self.outcomes.entry(closed.outcome).or_default() += 1;
    }

    /// The sums of each place: by (name of the target, port).
    pub fn places(&self) -> impl ExactSizeIterator<Item = (&(String, u16), &Sums)> {
        self.places.iter()
    }

    /// How many sessions had each outcome.
    pub fn outcomes(&self) -> &BTreeMap<Outcome, u64> {
        &self.outcomes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Closed, Destination, Program, Via};

    fn closed(port: u16, outcome: Outcome, bytes: u64) -> Session {
        let closed = Closed {
            outcome,
            reason: None,
            helper: None,
            stderr: None,
            bytes_to_pod: Some(bytes),
            bytes_from_pod: None,
            connect_ns: None,
            duration_ns: Some(bytes),
        };
        Session {
            id: String::new(),
            time_ns: 0,
            via: Via::Native,
            forwarder: Program { pid: 1, comm: Box::default() },
            helper_pid: None,
            cookie: None,
            target: Destination::default(),
            port,
            address: None,
            state: State::Closed(closed),
        }
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
    fn places_without_end_are_others() {
        let mut sums = SessionSums::default();
        for n in 0..5000 {
            sums.add(&closed(80, Outcome::Ok, 0), format!("pod-{n}"));
        }
        assert_eq!(sums.places().len(), MAX_PLACES + 1);
        assert_eq!(sums.places().map(|(_, place)| place.sessions).sum::<u64>(), 5000);
    }
}
