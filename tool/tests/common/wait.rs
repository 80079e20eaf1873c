//! Waiting for something to happen, with a timeout.

use std::time::{Duration, Instant};

/// How long anything may take before a test fails. Test machines can be slow and busy.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Calls `probe` until it returns something. Fails the test after the timeout.
pub fn eventually<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TEST_TIMEOUT;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
