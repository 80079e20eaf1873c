//! Why a kubeconfig cannot be written.

use std::io;
use std::path::PathBuf;

use crate::host::trusted::Untrusted;

/// Why a kubeconfig cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum KubeconfigError {
    /// The path has no file name.
    #[error("{} is no path of a file; give --kubeconfig PATH", .0.display())]
    NoFileName(PathBuf),
    /// Other users could replace the file.
    #[error(
        "the kubeconfig would hold a secret, but {0}; give --kubeconfig a path in a folder of your own"
    )]
    Untrusted(Untrusted),
    /// Something else is at the path.
    #[error("{} is {what}; remove it, or give --kubeconfig another path", .path.display())]
    Taken {
        /// The path.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// A call failed.
    #[error("cannot write the kubeconfig {}: {source}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
}
