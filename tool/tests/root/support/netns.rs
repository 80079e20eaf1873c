//! Network namespaces.

use std::fs::File;
use std::os::fd::AsFd as _;
use std::os::unix::fs::MetadataExt as _;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::common::running::Running;
use crate::common::{eventually, system};

/// The inode of a process's network namespace.
pub fn netns_of(pid: u32) -> u64 {
    std::fs::metadata(format!("/proc/{pid}/ns/net")).unwrap().ino()
}

/// A process in a new network namespace, in which the loopback is down.
pub fn process_in_new_netns() -> Running {
    let process = Running::start(system("unshare").args(["--net", "sleep", "60"]));
    let own = netns_of(std::process::id());
    eventually("its namespace", || (netns_of(process.pid()) != own).then_some(()));
    process
}

/// Moves this thread into a process's network namespace. It cannot go back: use a new thread.
pub fn enter_netns_of(pid: u32) {
    let netns = File::open(format!("/proc/{pid}/ns/net")).unwrap();
    move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
}

/// Runs a job in a thread inside a process's network namespace, as container runtimes do.
pub fn in_netns_of<T: Send>(pid: u32, job: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            enter_netns_of(pid);
            job()
        });
        thread.join().unwrap()
    })
}
