//! The container runtimes of this node, behind one trait. A new runtime is one file in `registry/`
//! with a [`RuntimeClient`], and in `registry.rs` its `mod` line and its line in the list.
//!
//! ```text
//! registry (docker, podman, cri) -> discovery (which sockets) -> RuntimeClient
//!   (guarded: asked on a thread of their own, the worker, and within limits)
//!   -> ContainerIndex (all sandboxes and containers that the runtimes list)
//!   -> RuntimeStatus (whether each runtime answers, its version, how it forwards)
//! ```

mod candidate;
mod client;
mod discovery;
mod endpoint;
mod guarded;
mod index;
mod label_limits;
mod protocol;
mod registry;
mod status;
mod worker;

pub mod answers;

pub use candidate::{Asked, Candidate};
pub use client::{Answer, Names, Place, RuntimeClient, RuntimeError};
pub use discovery::Runtimes;
pub use endpoint::Endpoint;
pub use index::{ContainerIndex, IndexEntry};
pub use protocol::Protocol;
pub use registry::{cri, protocols};
pub use status::{RuntimeAnswer, RuntimeDetails, RuntimeStatus, Silence};
pub use worker::spawn;
