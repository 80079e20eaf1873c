//! Values for unit tests, which change what a test is about.

use super::{Closed, Destination, Outcome, Program, Reason, Session, State, Via};

impl Closed {
    /// An end of which nothing else is known.
    pub(crate) fn example(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: Reason::BothEnded,
            helper_end: None,
            stderr: None,
            error: None,
            bytes_to_pod: None,
            bytes_from_pod: None,
            connect_ns: None,
            duration_ns: None,
        }
    }
}

impl Session {
    /// A native session to port 8080 of a target of which nothing is known.
    pub(crate) fn example(closed: Closed) -> Self {
        Self {
            id: String::new(),
            time_ns: 0,
            via: Via::Native,
            forwarder: Program { pid: 1, comm: Box::default(), uid: None, exe: None },
            helper: None,
            cookie: None,
            client: None,
            target: Destination::default(),
            port: 8080,
            ports: None,
            address: None,
            state: State::Closed(closed),
        }
    }
}
