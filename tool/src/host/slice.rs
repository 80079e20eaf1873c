//! The scheduler's time slice of this thread.

use std::io;
use std::mem::size_of;

use libc::{
    SCHED_FLAG_RESET_ON_FORK, SCHED_OTHER, SYS_sched_getattr, SYS_sched_setattr, c_long, c_uint,
    sched_attr, syscall,
};

/// The shortest that the kernel gives, in nanoseconds (`__setparam_fair` in kernel/sched/syscalls.c).
const SHORTEST_NS: u64 = 100_000;

/// The calling thread, to sched_setattr(2).
const THIS_THREAD: c_long = 0;

/// Asks for short slices for this thread, and leaves its share of the CPU as it is.
///
/// A task that wakes up interrupts one with longer slices (`PREEMPT_SHORT`, Linux 6.12); with slices as
/// long as the other's, it waits until the other blocks or has had its own, a millisecond or more. Older
/// kernels take no notice. Threads and processes that this one starts have ordinary slices, and no better
/// than ordinary niceness.
pub fn shorten() {
    if let Err(error) = try_to() {
        log::debug!("the scheduler's slice stays as long as it is: {error}");
    }
}

fn try_to() -> io::Result<()> {
    let mut attributes = attributes()?;
    // Whoever chose another policy chose better; and in some a runtime means something else.
    if attributes.sched_policy != SCHED_OTHER.unsigned_abs() {
        return Ok(());
    }
    attributes.sched_runtime = SHORTEST_NS;
    attributes.sched_flags |= u64::from(SCHED_FLAG_RESET_ON_FORK.unsigned_abs());
    let no_flags: c_uint = 0;
    // SAFETY: the kernel reads `size` bytes of it, which are the structure's.
    let result =
        unsafe { syscall(SYS_sched_setattr, THIS_THREAD, &raw const attributes, no_flags) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn attributes() -> io::Result<sched_attr> {
    let size = c_uint::try_from(size_of::<sched_attr>()).map_err(io::Error::other)?;
    // SAFETY: it has numbers only, of which each may be zero.
    let mut attributes: sched_attr = unsafe { std::mem::zeroed() };
    let no_flags: c_uint = 0;
    // SAFETY: the kernel writes at most `size` bytes to it.
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
        // Older kernels tell no slice, and give none.
        let expected = if Kernel::running().version() >= Some((6, 12)) { SHORTEST_NS } else { 0 };
        assert_eq!((ours, child), (expected, true));
    }
}
