//! Waiting for what another process does.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

const INTERVAL: Duration = Duration::from_millis(200);

/// Asks until there is an answer.
pub(super) fn eventually<T>(
    what: &str,
    timeout: Duration,
    mut ask: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Instant::now() + timeout;
    while Instant::now() < deadline {
        if let Some(answer) = ask()? {
            return Ok(answer);
        }
        std::thread::sleep(INTERVAL);
    }
    None.with_context(|| format!("{what}: not within {} s", timeout.as_secs()))
}
