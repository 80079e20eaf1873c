//! The file that gives a client the endpoint's address, its authority and the token.

mod document;
mod error;
mod file;

pub(super) use document::document;
pub use error::KubeconfigError;
pub use file::Kubeconfig;
