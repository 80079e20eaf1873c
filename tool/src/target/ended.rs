//! How a target ends.

use std::path::PathBuf;

use crate::host::process::ProcessError;

/// Why a target can no longer be entered.
#[derive(Debug, thiserror::Error)]
pub enum TargetEnded {
    /// Its process has ended.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The file leads to another namespace, or to none.
    #[error("{} no longer leads to the target's network namespace", .0.display())]
    Netns(PathBuf),
}
