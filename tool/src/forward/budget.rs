//! The limit of the kernel memory of all connections.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::room::CONNECTION_KIB;

/// What connections may still grow by. Each has what it starts with besides.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// One permit for each KiB.
    growth: Arc<Semaphore>,
}

impl Budget {
    /// A limit of so many KiB for so many connections.
    pub(super) fn new(max_kib: u32, max_connections: u32) -> Self {
        let growth = max_kib.saturating_sub(CONNECTION_KIB.saturating_mul(max_connections));
        let growth = usize::try_from(growth).unwrap_or(Semaphore::MAX_PERMITS);
        Self { growth: Arc::new(Semaphore::new(growth.min(Semaphore::MAX_PERMITS))) }
    }

    /// Takes so many KiB, if there are as many. Dropping them gives them back.
    pub(super) fn take(&self, kib: u32) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.growth).try_acquire_many_owned(kib).ok()
    }
}
