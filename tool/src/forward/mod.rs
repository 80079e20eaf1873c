//! The forwarder: listens, or takes streams from an endpoint, dials into the target, and relays.
//!
//! It reports [`ForwardEvent`]s. The [`Correlator`] joins them with the sessions that the monitor
//! sees, and turns both into updates.

mod address;
mod allowed_users;
mod arrival;
mod bind;
mod budget;
mod client_gone;
mod congestion;
mod connection;
mod copy;
mod correlator;
mod count;
mod dial;
mod event;
mod failure;
mod follow;
mod forwarder;
mod gathered;
mod go_words;
mod helper_side;
mod keepalive;
mod kernel_ends;
mod kubelet_words;
mod limits;
mod listen_error;
mod listen_scan;
mod listener;
mod listener_target;
mod live_target;
mod missing_target;
mod own_endpoint;
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
mod stream_end;
mod stream_forwarder;
mod stream_pair;
mod stream_target;
mod target_source;
mod test_connection;
mod urgent;

#[cfg(test)]
mod relay_tests;

pub use address::ListenOn;
pub use allowed_users::{AllowedUsers, NotAllowed};
pub(crate) use congestion::choose_congestion;
pub use correlator::{Correlator, Records, Watched};
pub use dial::{
    Auto, Connection, Dialer, Dialing, HelperError, HelperMissing, HelperUntrusted, Native, Nsenter,
};
pub use event::{Accepted, ForwardEvent, Report, Restart, Upstream};
pub use failure::Failure;
pub use forwarder::{Forwarder, refuse_loop};
pub(crate) use keepalive::set_keepalive;
pub use limits::{Limits, TooSmall};
pub use listen_error::ListenError;
pub use listener::{Listener, listen_all};
pub use missing_target::MissingTarget;
pub use own_endpoint::LeadsToEndpoint;
pub use own_listeners::LeadsBack;
pub use relay_end::{RelayEnd, RelayError};
pub use run::{Forward, correlator, opening, run};
pub use stream_end::StreamEnd;
pub use stream_forwarder::StreamForwarder;
pub use stream_pair::stream_pair;
pub use stream_target::StreamTarget;
pub use target_source::TargetSource;
pub use test_connection::test_connection;
