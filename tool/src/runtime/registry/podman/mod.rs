//! Podman: its own API, which has pods.
//!
//! ```text
//! client (HTTP) -> messages (what Podman answers) -> listing (plain data), place (a pod's network)
//!   -> podman (the entry in the registry and the RuntimeClient)
//! ```

mod client;
mod listing;
mod messages;
mod place;
mod podman;

pub(super) use podman::{PROTOCOL, connect};
