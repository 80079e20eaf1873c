//! Podman: its own API, which has pods.
//!
//! ```text
//! http -> messages (what Podman answers) -> listing (plain data), place (a pod's network)
//!   -> podman (the entry in the registry and the RuntimeClient)
//! ```

mod listing;
mod messages;
mod place;
mod podman;

pub(in crate::runtime) use listing::targets_in;
pub(super) use podman::{PROTOCOL, client_for};
