//! The container runtimes of this node, behind one trait. Adding a runtime is one file with a
//! [`RuntimeClient`] and one line in the registry.
//!
//! ```text
//! registry -> discovery (which sockets) -> RuntimeClient (docker, cri)
//!   -> ContainerIndex (everything they list)
//!   -> RuntimeStatus (the runtimes themselves)
//! ```

mod client;
pub mod cri;
mod discovery;
mod docker;
mod index;
mod registry;
mod status;

pub use client::{Answer, Names, Place, RuntimeClient, RuntimeError};
pub use discovery::{Asked, Candidate, Endpoint, Runtimes};
pub use index::{ContainerIndex, IndexEntry};
pub use registry::{Protocol, protocols};
pub use status::{RuntimeAnswer, RuntimeDetails, RuntimeStatus, Silence};
