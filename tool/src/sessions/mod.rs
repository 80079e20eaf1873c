//! Forwarded connections as sessions, put together from what the kernel reports about processes and
//! sockets: the state machine behind `pfsnoop watch`. No I/O and no clock.
//!
//! ```text
//! nsenter+socat:  exec(nsenter) -> exec(socat) -> connecting -> connected -> closed -> exit
//!                 started                                       connected              closed
//! native:         connecting (refused -> connecting elsewhere) -> connected -> closed
//!                 started                                         connected    closed
//! ```
//!
//! A session is either one helper process, which may start socat as a child, or one connection that
//! a process makes to localhost in a network namespace that is not its home. Any event may be
//! missing. A session with a missing event says so, or does not appear. When records were lost,
//! nothing is concluded from a record that did not come. The last event may be missing too, so the
//! caller checks open sessions from time to time ([`OpenSession::may_be_open`],
//! [`SessionTable::give_up`]).
//!
//! Imports within this folder run one way: `table -> processes, connections -> index -> state,
//! deadlines`, `state -> open_session, ending`.

mod connections;
mod deadlines;
mod ending;
mod index;
mod loss_times;
mod open_session;
mod processes;
mod progress;
mod shares;
mod state;
mod table;

#[cfg(test)]
mod tests;

pub use open_session::OpenSession;
pub use table::SessionTable;
