//! Waiting for something to happen, with a timeout.

use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

/// How long anything may take before a test fails. Test machines can be slow and busy.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(90);

/// How long a program may take to end by itself. Some storms take a minute on a busy machine.
const END_TIMEOUT: Duration = Duration::from_mins(2);

/// Waits for a child as `Child::wait` does, but not for ever: one that hangs fails its test, and not the
/// whole run.
pub trait WaitInTime {
    fn wait_in_time(&mut self) -> ExitStatus;
}

impl WaitInTime for Child {
    fn wait_in_time(&mut self) -> ExitStatus {
        until(END_TIMEOUT, "the end of a child", || self.try_wait().unwrap())
    }
}

/// Calls `probe` until it returns something. Fails the test after the timeout.
pub fn eventually<T>(what: &str, probe: impl FnMut() -> Option<T>) -> T {
    until(TEST_TIMEOUT, what, probe)
}

fn until<T>(timeout: Duration, what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
