//! Counts relayed bytes.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

/// Bytes that have arrived at one side.
#[derive(Debug, Default)]
pub(super) struct Count {
    bytes: AtomicU64,
    changed: Notify,
}

impl Count {
    /// Adds bytes that have arrived.
    pub(super) fn add(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.changed.notify_waiters();
    }

    /// All bytes so far.
    pub(super) fn get(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until so many bytes have arrived.
    pub(super) async fn reaches(&self, bytes: u64) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // The task registers before it reads the count: an `add` in between wakes it.
            changed.as_mut().enable();
            if self.get() >= bytes {
                return;
            }
            changed.await;
        }
    }
}
