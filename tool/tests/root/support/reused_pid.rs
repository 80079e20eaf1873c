//! Pids that are used again.

use std::process::{Child, Command};

use crate::common::WaitInTime as _;
use crate::common::eventually;

/// A new process with that pid, which no process may have.
pub fn process_with(pid: u32, command: &mut Command) -> Child {
    eventually("the pid", || {
        // The next process gets the pid after this one, unless another process comes first.
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut child = command.spawn().unwrap();
        if child.id() == pid {
            return Some(child);
        }
        let _ = child.kill();
        child.wait_in_time();
        None
    })
}
