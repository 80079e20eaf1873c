//! What was left out of the list of a runtime.

use std::sync::atomic::{AtomicBool, Ordering};

use super::json::MAX_ENTRIES;

/// Whether the user knows that entries are left out. One line for each runtime is enough.
#[derive(Default)]
pub(super) struct Skipped {
    is_reported: AtomicBool,
}

impl Skipped {
    /// Says how many entries were left out, once.
    pub(super) fn report(&self, runtime: &str, skipped: usize) {
        if skipped > 0 && !self.is_reported.swap(true, Ordering::Relaxed) {
            log::warn!(
                "{skipped} entries of {runtime}'s list are left out: they cannot be read, or come \
                 after the first {MAX_ENTRIES}"
            );
        }
    }
}
