//! A private network namespace for a benchmark.

use std::process::Command;

use anyhow::Result;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::run::stdout_of;

/// Runs `job` in a thread with a network namespace of its own, which ends with the thread.
pub(super) fn inside<T: Send>(job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: only this thread enters the new namespace, and no file descriptor depends on it.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET)? };
            stdout_of(Command::new("ip").args(["link", "set", "lo", "up"]))?;
            job()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
