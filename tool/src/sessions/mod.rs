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
//! a process makes to localhost in a network namespace that is not its *home*, the namespace in which
//! it last called exec.
//!
//! Any event may be missing. Without the event of its start, a session begins at the next event, or
//! does not appear. Without the event of its end, it ends with the reason that the end was not seen.
//! While records are being lost, the table concludes nothing from a missing event. If the last event
//! of a session is missing, nothing would close the session, so the caller checks open sessions from
//! time to time ([`OpenSession::may_be_open`], [`SessionTable::give_up`]).
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
