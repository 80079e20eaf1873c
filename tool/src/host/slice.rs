//! The scheduler's time slice of this thread.

use std::io;
use std::mem::size_of;

use libc::{
    SCHED_FLAG_RESET_ON_FORK, SCHED_OTHER, SYS_sched_getattr, SYS_sched_setattr, c_long, c_uint,
    sched_attr, syscall,
};

/// The shortest slice that the kernel gives, in ns (`__setparam_fair` in kernel/sched/syscalls.c).
const SHORTEST_NS: u64 = 100_000;

/// How sched_setattr(2) names the calling thread.
const THIS_THREAD: c_long = 0;

/// Asks for short slices for this thread. Its share of the CPU stays the same.
///
/// A task that wakes up preempts a task with longer slices (`PREEMPT_SHORT`, Linux 6.12). With
/// slices of the same length, it would wait until the other task blocks or has used its slice, a
/// millisecond or more. Older kernels ignore the request. Threads and processes that this thread
/// starts have ordinary slices, and at best ordinary niceness.
pub fn shorten() {
    if let Err(error) = try_to_shorten() {
        log::debug!("cannot shorten the scheduler's slice: {error}");
    }
}

fn try_to_shorten() -> io::Result<()> {
    let mut attributes = attributes()?;
    // Another policy was chosen on purpose, and in some policies the runtime means something else.
    if attributes.sched_policy != SCHED_OTHER.unsigned_abs() {
        return Ok(());
    }
    attributes.sched_runtime = SHORTEST_NS;
    attributes.sched_flags |= u64::from(SCHED_FLAG_RESET_ON_FORK.unsigned_abs());
    let no_flags: c_uint = 0;
    // SAFETY: the kernel reads `size` bytes, which is the size of the structure.
    let result =
        unsafe { syscall(SYS_sched_setattr, THIS_THREAD, &raw const attributes, no_flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn attributes() -> io::Result<sched_attr> {
    let size = c_uint::try_from(size_of::<sched_attr>()).map_err(io::Error::other)?;
    // SAFETY: the structure has only numbers, and 0 is valid for each.
    let mut attributes: sched_attr = unsafe { std::mem::zeroed() };
    let no_flags: c_uint = 0;
    // SAFETY: the kernel writes at most `size` bytes.
    let result =
        unsafe { syscall(SYS_sched_getattr, THIS_THREAD, &raw mut attributes, size, no_flags) };
    if result == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::doctor::facts::kernel::Kernel;

    #[test]
    fn this_thread_has_short_slices_and_its_children_do_not() {
        let (ours, child) = thread::spawn(|| {
            let before = attributes().unwrap().sched_runtime;
            shorten();
            let child = thread::spawn(attributes).join().unwrap().unwrap().sched_runtime;
            (attributes().unwrap().sched_runtime, child == before)
        })
        .join()
        .unwrap();
        // Older kernels report no slice.
        let expected = if Kernel::running().version() >= Some((6, 12)) { SHORTEST_NS } else { 0 };
        assert_eq!((ours, child), (expected, true));
    }
}
