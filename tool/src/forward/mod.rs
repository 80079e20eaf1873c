//! The forwarder: listens, dials into the target, and relays.
//!
//! It reports [`ForwardEvent`]s. The [`Correlator`] joins them with the sessions that the monitor
//! sees, and turns both into updates.

mod address;
mod allowed_users;
mod attempt;
mod bind;
mod budget;
mod connection;
mod copy;
mod correlator;
mod count;
mod dial;
mod event;
mod failure;
mod follow;
mod forwarder;
mod helper_side;
mod keepalive;
mod kernel_ends;
mod limits;
mod listen_error;
mod listen_scan;
mod listener;
mod live_target;
mod own_listeners;
mod peer_watch;
mod pipe;
mod relay;
mod relay_end;
mod relayed;
mod room;
mod run;
mod shared;
mod stream;
mod target_source;
mod urgent;

pub use address::ListenOn;
pub use allowed_users::{AllowedUsers, NotAllowed};
pub use attempt::attempt;
pub use correlator::{Correlator, Records};
pub use dial::{
    Connection, Dialer, Dialing, HelperError, HelperMissing, HelperUntrusted, Native, Nsenter,
};
pub use event::{Accepted, ForwardEvent, Report, Restart, Upstream};
pub use failure::Failure;
pub use forwarder::{Forwarder, refuse_loop};
pub(crate) use keepalive::set_keepalive;
pub use limits::{Limits, TooSmall};
pub use listen_error::ListenError;
pub use listener::{Listener, listen_all};
pub use own_listeners::LeadsBack;
pub use relay_end::{RelayEnd, RelayError};
pub use run::{Forward, correlator, opening, run};
pub use target_source::TargetSource;
