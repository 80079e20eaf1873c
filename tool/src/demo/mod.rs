//! An embedded pod: a target for a port-forward, made of this binary alone.
//!
//! As in a pod of a real node, a *pause* process holds the network namespace, and an application
//! (a small web page) runs inside it. Both die with the demo, however it dies.

pub mod pause;
mod pod;
mod request;
mod scenario;
pub mod web;

pub use pod::{PORT, Pod};
pub use scenario::run;
