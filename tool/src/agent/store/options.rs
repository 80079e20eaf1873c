//! What the agent stores, and where.

use std::path::PathBuf;

use super::retention::Keep;

/// Where to store, and how much to keep.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    /// The file.
    pub path: PathBuf,
    /// How much it keeps.
    pub keep: Keep,
}
