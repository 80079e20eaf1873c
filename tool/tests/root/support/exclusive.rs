//! Tests that must not run at the same time.

use std::sync::{Mutex, MutexGuard, PoisonError};

static RING_BUFFERS: Mutex<()> = Mutex::new(());

/// Waits until no other test holds this lock.
///
/// Every tracer on the machine sees every event. A test that fills a ring buffer with nsenter and
/// socat, or that stops a reader which filters nothing, disturbs each other such test: it takes this
/// lock first.
pub fn exclusive_ring_buffers() -> MutexGuard<'static, ()> {
    RING_BUFFERS.lock().unwrap_or_else(PoisonError::into_inner)
}
