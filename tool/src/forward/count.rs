//! Counting what is carried.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes that have arrived at one side.
#[derive(Debug, Default)]
pub(super) struct Count {
    bytes: AtomicU64,
    first: Notify,
}

impl Count {
    /// So many more have arrived.
    pub(super) fn add(&self, bytes: u64) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) == 0 {
            self.first.notify_one();
        }
    }

    /// All that have arrived so far.
    pub(super) fn get(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits for the first; for one waiter, once.
    pub(super) async fn first(&self) {
        self.first.notified().await;
    }
}
