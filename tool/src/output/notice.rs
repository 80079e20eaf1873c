//! What a forwarder tells, in kubectl's words.

use std::time::Duration;

use super::escape::escaped;
use super::reason::reason;
use super::session::outcome;
use crate::forward::{Failure, Listener, Notice, PortPair, Told};
use crate::trace::{Closed, Outcome, Session, State};

/// What stands above everything else: one line a listener.
#[must_use]
pub fn forwarding(listener: &Listener) -> String {
    format!("Forwarding from {} -> {}", listener.address(), listener.pair().remote)
}

/// What was told, as lines: data on stdout, the rest on stderr.
#[must_use]
pub fn told(told: &Told) -> Lines {
    match told {
        Told::Session(pair, session, failure) => match &session.state {
            State::Started => Lines::out(format!("Handling connection for {}", pair.local)),
            // The line at its end says what came of it.
            State::Connected => Lines::default(),
            State::Closed(closed) => Lines {
                out: Some(closed_line(*pair, session, closed)),
                err: why(closed, failure.as_ref())
                    .map(|why| format!("an error occurred forwarding {pair}: {why}")),
            },
        },
        Told::Notice(Notice::TooMany(pair, max)) => Lines::err(format!(
            "turned a connection for {} away: {max} are open, which is --max-connections",
            pair.local
        )),
        Told::Notice(Notice::NotAccepted(address, error)) => {
            Lines::err(format!("cannot accept a connection on {address}: {error}; trying again"))
        }
        // Those come as sessions.
        Told::Notice(_) => Lines::default(),
    }
}

/// What to print where.
#[derive(Debug, Default)]
pub struct Lines {
    /// For stdout.
    pub out: Option<String>,
    /// For stderr.
    pub err: Option<String>,
}

impl Lines {
    fn out(line: String) -> Self {
        Self { out: Some(line), err: None }
    }

    fn err(line: String) -> Self {
        Self { out: None, err: Some(line) }
    }
}

fn closed_line(pair: PortPair, session: &Session, closed: &Closed) -> String {
    let by = session.address.map_or_else(String::new, |address| format!(" at {address}"));
    let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "?".to_owned(), |n| n.to_string());
    let duration = Duration::from_nanos(closed.duration_ns.unwrap_or(0));
    format!(
        "Closed connection for {}{by}: {} bytes to the pod, {} from it, {:.3} s, {}",
        pair.local,
        bytes(closed.bytes_to_pod),
        bytes(closed.bytes_from_pod),
        duration.as_secs_f64(),
        outcome(closed.outcome),
    )
}

/// What went wrong: the forwarder's own error, which the kubelet's log would have, or the kernel's.
fn why(closed: &Closed, failure: Option<&Failure>) -> Option<String> {
    match failure {
        // Whoever ended the forward need not be told.
        Some(Failure::Stopped) => None,
        Some(failure) => Some(escaped(failure.in_words().as_bytes())),
        None => closed.reason.as_ref().filter(|_| closed.outcome != Outcome::Ok).map(reason),
    }
}
