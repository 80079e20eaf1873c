//! A network namespace of a benchmark's own.

use std::process::Command;

use anyhow::Result;
use rustix::thread::{UnshareFlags, unshare_unsafe};

use crate::run::quiet;

/// Runs in a thread that has a network namespace of its own, which goes with it.
pub(super) fn inside<T: Send>(job: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the new namespace is this thread's alone, and no file descriptor depends on it.
            unsafe { unshare_unsafe(UnshareFlags::NEWNET)? };
            quiet(Command::new("ip").args(["link", "set", "lo", "up"]))?;
            job()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
