//! The endpoint as clients meet it: over TCP and TLS.

mod calls;
mod client;
mod docker;
mod forwards;
mod running;
mod strangers;
