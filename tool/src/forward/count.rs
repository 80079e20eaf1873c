//! Counts relayed bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes that have arrived at one side.
#[derive(Debug, Default)]
pub(super) struct Count {
    bytes: AtomicU64,
    first: Notify,
}

impl Count {
    /// Adds bytes that have arrived.
    pub(super) fn add(&self, bytes: u64) {
        if self.bytes.fetch_add(bytes, Ordering::Relaxed) == 0 {
            self.first.notify_waiters();
        }
    }

    /// All bytes so far.
    pub(super) fn get(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits for the first byte.
    pub(super) async fn first(&self) {
        let first = self.first.notified();
        tokio::pin!(first);
        // The task registers before it reads the count: an `add` in between wakes it.
        first.as_mut().enable();
        if self.get() == 0 {
            first.await;
        }
    }
}
