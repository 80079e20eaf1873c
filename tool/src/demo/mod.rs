//! An embedded pod: a target for a port-forward that needs nothing but this binary.
//!
//! As in a real pod, a *pause* process holds the network namespace, and an application (a small web
//! page) runs inside it. The kernel ends both when the demo ends, even if it is killed.

mod kubectl;
mod limits;
pub mod pause;
mod pod;
mod request;
mod scenario;
mod traced_request;
pub mod web;

pub use pod::{PORT, Pod};
pub use scenario::{Options, run};
