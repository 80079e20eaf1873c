//! Why nsenter and socat cannot be used.

use crate::host::trusted::Untrusted;

/// nsenter or socat is not in `PATH`. The words before the semicolon are the kubelet's.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "unable to do port forwarding: {program} not found; install the package {package} on this node"
)]
pub struct HelperMissing {
    /// The missing program.
    pub program: &'static str,
    pub(super) package: &'static str,
}

/// The nsenter or socat that comes first in `PATH` may be another user's program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{program} is not run: {untrusted}; take its folder out of PATH, or insist with --trust-path"
)]
pub struct HelperUntrusted {
    /// The program.
    pub program: &'static str,
    /// What is wrong with its path.
    pub untrusted: Untrusted,
}

/// Why nsenter and socat cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum HelperError {
    /// One of them is missing.
    #[error(transparent)]
    Missing(#[from] HelperMissing),
    /// One of them is not root's.
    #[error(transparent)]
    Untrusted(#[from] HelperUntrusted),
}
