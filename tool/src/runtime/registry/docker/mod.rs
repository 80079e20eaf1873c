//! Docker's Engine API, on its unix socket: names, labels and pids of containers.
//!
//! ```text
//! http -> messages (what Docker answers) -> listing (plain data)
//!   -> docker (the entry in the registry and the RuntimeClient)
//! ```

mod details;
mod docker;
mod listing;
mod messages;

pub(super) use docker::PROTOCOL;
pub(in crate::runtime) use listing::{place_in, targets_in};
