//! Ends a child process with its parent.

use std::io;

use rustix::process::{Pid, Signal, getppid, set_parent_process_death_signal};

/// Has the kernel kill the calling process when `parent`, which forked it, ends. Call it between
/// fork and exec. (The kernel sends the signal when the *thread* that forked ends, prctl(2).)
pub fn die_with(parent: Pid) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // The parent may have ended before the line above.
    if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
}
