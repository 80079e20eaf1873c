//! What the store counts, for metrics.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::error::StoreError;

/// Counts of the store. The writer's thread counts, and any thread may read.
#[derive(Debug, Default)]
pub struct StoreCounters {
    /// Records of sessions that were made durable.
    stored: AtomicU64,
    /// Records of sessions that were given up.
    dropped: AtomicU64,
    /// Outages by kind, in the order of [`StoreError::KINDS`].
    failures: [AtomicU64; StoreError::KINDS.len()],
    is_healthy: AtomicBool,
    file_bytes: AtomicU64,
    sessions: AtomicU64,
}

impl StoreCounters {
    /// Records of sessions that were made durable.
    pub fn stored(&self) -> u64 {
        self.stored.load(Ordering::Relaxed)
    }

    /// Records of sessions that were given up, because the store could not be written for too long.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// How many outages there were, by kind.
    pub fn failures(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self.failures.iter().map(|count| count.load(Ordering::Relaxed));
        StoreError::KINDS.into_iter().zip(counts)
    }

    /// Whether the last attempt to store has succeeded.
    pub fn is_healthy(&self) -> bool {
        self.is_healthy.load(Ordering::Relaxed)
    }

    /// Bytes of the file that are in use. Its write-ahead log comes on top.
    pub fn file_bytes(&self) -> u64 {
        self.file_bytes.load(Ordering::Relaxed)
    }

    /// Sessions in the file.
    pub fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Relaxed)
    }

    pub(super) fn add_stored(&self, count: usize) {
        self.stored.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn add_dropped(&self, count: usize) {
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    pub(super) fn add_failure(&self, error: &StoreError) {
        self.failures[error.index()].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn set_healthy(&self, is_healthy: bool) {
        self.is_healthy.store(is_healthy, Ordering::Relaxed);
    }

    pub(super) fn set_size(&self, file_bytes: u64, sessions: u64) {
        self.file_bytes.store(file_bytes, Ordering::Relaxed);
        self.sessions.store(sessions, Ordering::Relaxed);
    }
}
