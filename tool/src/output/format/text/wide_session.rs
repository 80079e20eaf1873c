//! The columns that `-o wide` adds to the rows of stored sessions.

use crate::model::Session;
use crate::output::names::container_name;

/// The cells of a session, or the titles.
pub(super) fn wide_cells(session: Option<&Session>) -> String {
    let [pid, helper, container, address] = match session {
        None => ["PID", "HELPER", "CONTAINER", "ADDRESS"].map(str::to_owned),
        Some(session) => [
            session.forwarder.pid.to_string(),
            session.helper.map_or_else(unknown, |helper| helper.pid.to_string()),
            session.target.owner.container.as_ref().map_or_else(unknown, container_name),
            session.address.map_or_else(unknown, |address| address.to_string()),
        ],
    };
    format!("{pid:<8} {helper:<8} {container:<20} {address:<15}")
}

fn unknown() -> String {
    "-".to_owned()
}
