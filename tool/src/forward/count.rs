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
            self.first.notify_waiters();
        }
    }

    /// All that have arrived so far.
    pub(super) fn get(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until there are some.
    pub(super) async fn some(&self) {
        let first = self.first.notified();
        tokio::pin!(first);
        // In this order: whoever counts between the two wakes us.
        first.as_mut().enable();
        if self.get() == 0 {
            first.await;
        }
    }
}
