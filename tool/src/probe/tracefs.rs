//! Attaches to tracepoints on a machine where tracefs is not mounted.
//!
//! Only tracefs has the number of a tracepoint. Where tracefs is not mounted, a thread mounts it in
//! a mount namespace of its own, which ends with the thread: the node sees no new mount.

use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Where kernels since 4.1 expect it.
const MOUNT_POINT: &str = "/sys/kernel/tracing";

/// Runs `attach` where tracefs can be read.
pub(super) fn with_tracefs<T: Send>(attach: impl FnOnce() -> T + Send) -> io::Result<T> {
    if Path::new(MOUNT_POINT).join("events").is_dir() {
        return Ok(attach());
    }
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            mount_privately()?;
            Ok(attach())
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

fn mount_privately() -> io::Result<()> {
    // SAFETY: the new namespace is this thread's alone, and no file descriptor depends on it.
    unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
    let keep_here =
        |point| mount_change(point, MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC);
    // In a chroot `/` is no mount point; then /sys is the nearest.
    keep_here("/").or_else(|_| keep_here("/sys"))?;
    mount("tracefs", MOUNT_POINT, "tracefs", MountFlags::empty(), None)?;
    Ok(())
}
