//! The forwarder: listens, dials into the target, and relays.
//!
//! It reports [`ForwardEvent`]s. The [`Correlator`] joins them with the sessions that the monitor
//! sees, and turns both into updates.

mod address;
mod attempt;
mod bind;
mod connection;
mod correlator;
mod count;
mod dial;
mod event;
mod failure;
mod forwarder;
mod listen_error;
mod listener;
mod relay;
mod run;
mod shared;
mod stream;

pub use address::ListenOn;
pub use attempt::attempt;
pub use correlator::{Correlator, Records};
pub use dial::{Connection, Dialer, Dialing, HelperMissing, Native, Nsenter};
pub use event::{Accepted, ForwardEvent, Report, Upstream};
pub use failure::Failure;
pub use forwarder::Forwarder;
pub use listen_error::ListenError;
pub use listener::{Listener, listen_all};
pub use run::{Forward, correlator, opening, run};
