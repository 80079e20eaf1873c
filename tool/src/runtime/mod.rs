//! The container runtimes of this node, behind one trait. Adding a runtime is one file with a
//! [`RuntimeClient`] and one line in the registry.
//!
//! ```text
//! registry (docker, cri) -> discovery (which sockets) -> RuntimeClient
//!   -> ContainerIndex (everything they list)
//!   -> RuntimeStatus (the runtimes themselves)
//! ```

mod candidate;
mod client;
mod discovery;
mod endpoint;
mod index;
mod protocol;
mod registry;
mod status;

pub use candidate::{Asked, Candidate};
pub use client::{Answer, Names, Place, RuntimeClient, RuntimeError};
pub use discovery::Runtimes;
pub use endpoint::Endpoint;
pub use index::{ContainerIndex, IndexEntry};
pub use protocol::Protocol;
pub use registry::{cri, protocols};
pub use status::{RuntimeAnswer, RuntimeDetails, RuntimeStatus, Silence};
