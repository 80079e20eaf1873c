//! Lines for a log, which has times of its own.

use super::names::{forwarder_name, port_of_target};
use super::reason::reason;
use crate::model::{Lost, Session, State};

/// A session in one line: `refused: port 80 of shop/kuard, forwarded by kubelet: nothing listens ...`
#[must_use]
pub fn session_line(session: &Session) -> String {
    let (state, why) = match &session.state {
        State::Closed(closed) => (closed.outcome.name(), Some(reason(&closed.reason))),
        State::Started | State::Connected | State::Lost => (session.state.name(), None),
    };
    let (place, forwarder) = (port_of_target(session), forwarder_name(&session.forwarder));
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    format!("{state}: {place}, forwarded by {forwarder}{why}")
}

/// Lost records in one line.
#[must_use]
pub fn lost_line(Lost { events, total, .. }: Lost) -> String {
    format!("{events} records were lost, {total} since the start")
}
