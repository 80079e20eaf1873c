//! Lines on stderr: everything that is not data.

use std::io::{self, Write as _};

use super::escape::escaped;
use super::reason::reason;
use crate::model::{Closed, Listening, Lost, Outcome, Session, State, Trouble};

/// Prints a line to stderr. Ignores errors: a closed or full stderr must not end the command.
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

/// Why a session failed: the forwarder's own error, in a kubelet's words, or the reason from the
/// kernel's records.
fn failure(closed: &Closed) -> Option<String> {
    match &closed.error {
        Some(error) => Some(escaped(error.as_bytes())),
        // A user who stops the forward needs no message.
        None if matches!(closed.outcome, Outcome::Ok | Outcome::Killed) => None,
        None => Some(reason(&closed.reason)),
    }
}

/// Reports why a forward cannot accept connections.
pub(super) fn report_trouble(trouble: &Trouble) {
    complain(&match trouble {
        Trouble::TooManyConnections { ports, max } => format!(
            "turned away a connection for {}: {max} connections are open, the limit set by \
             --max-connections",
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

/// Reports a listener in kubectl's words. For formats in which stdout is for programs.
pub(super) fn report_listening(listening: &Listening) {
    let Listening { address, target_port, .. } = listening;
    let _ = writeln!(io::stderr(), "Forwarding from {address} -> {target_port}");
}
