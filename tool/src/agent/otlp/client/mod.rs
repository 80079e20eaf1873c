//! Clients of a collector. Each sends one request at a time.

mod client;
mod connector;
mod error;
mod grpc;
mod http;
mod limits;

pub(super) use client::Client;
pub use error::ClientError;
pub(super) use error::ExportError;
