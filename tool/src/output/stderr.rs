//! Lines on stderr: what is not data.

use std::io::{self, Write as _};

use super::escape::escaped;
use super::reason::reason;
use crate::model::{Closed, Listening, Lost, Outcome, Session, State, Trouble};

/// Prints a line to stderr. A stderr that is closed or full is no reason to end.
pub fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "pfsnoop: {what}");
}

/// Reports a session of a forward that failed, in kubectl's words.
pub(super) fn report_failure(session: &Session) {
    if let (State::Closed(closed), Some(ports)) = (&session.state, session.ports)
        && let Some(why) = failure(closed)
    {
        complain(&format!("an error occurred forwarding {ports}: {why}"));
    }
}

/// What went wrong: the forwarder's own error, which a kubelet's log would have, or the kernel's.
fn failure(closed: &Closed) -> Option<String> {
    match &closed.error {
        Some(error) => Some(escaped(error.as_bytes())),
        // Whoever stops the forward need not be told.
        None if matches!(closed.outcome, Outcome::Ok | Outcome::Killed) => None,
        None => Some(reason(&closed.reason)),
    }
}

/// Reports what keeps clients of a forward out.
pub(super) fn report_trouble(trouble: &Trouble) {
    complain(&match trouble {
        Trouble::TooManyConnections { ports, max } => format!(
            "turned a connection for {} away: {max} are open, which is --max-connections",
            ports.local
        ),
        Trouble::CannotAccept { address, error } => {
            format!("cannot accept a connection on {address}: {error}; trying again")
        }
    });
}

/// Reports records that were lost.
pub(super) fn report_lost(Lost { events, total }: Lost) {
    complain(&format!("{events} records were lost, {total} since the start"));
}

/// Reports a listener in kubectl's words, where stdout is for programs.
pub(super) fn report_listening(listening: &Listening) {
    let Listening { address, target_port, .. } = listening;
    let _ = writeln!(io::stderr(), "Forwarding from {address} -> {target_port}");
}
