//! A file system of the kernel, also on a machine where it is not mounted.

use std::io;
use std::path::Path;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// A file system that the kernel provides at a fixed place.
#[derive(Clone, Copy, Debug)]
pub struct KernelFiles {
    kind: &'static str,
    mount_point: &'static str,
    /// What is there once it is mounted.
    part: &'static str,
}

/// Tracepoints and their numbers, where kernels since 4.1 expect it.
pub const TRACEFS: KernelFiles =
    KernelFiles { kind: "tracefs", mount_point: "/sys/kernel/tracing", part: "events" };

/// Files of security modules.
pub const SECURITYFS: KernelFiles =
    KernelFiles { kind: "securityfs", mount_point: "/sys/kernel/security", part: "lsm" };

impl KernelFiles {
    /// Calls `read` where the file system can be read. Where it is not mounted, a thread mounts it in a
    /// mount namespace of its own, which ends with the thread: the node sees no new mount.
    pub fn with<T: Send>(self, read: impl FnOnce() -> T + Send) -> io::Result<T> {
        if Path::new(self.mount_point).join(self.part).exists() {
            return Ok(read());
        }
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                self.mount_privately()?;
                Ok(read())
            });
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn mount_privately(self) -> io::Result<()> {
        // SAFETY: the new namespace is this thread's alone, and no file descriptor depends on it.
        unsafe { unshare_unsafe(UnshareFlags::NEWNS)? };
        let flags = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
        let keep_here = |point| mount_change(point, flags);
        // In a chroot `/` is no mount point; then /sys is the nearest.
        keep_here("/").or_else(|_| keep_here("/sys"))?;
        mount(self.kind, self.mount_point, self.kind, MountFlags::empty(), None)?;
        Ok(())
    }
}
