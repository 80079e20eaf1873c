//! A pid that belongs to another process by now.

use std::process::{Child, Command};
use std::time::Duration;

use pfsnoop::attribution::Attribution;
use pfsnoop::host::process::can_be_entered;
use pfsnoop::model::{Destination, Lookup};

use crate::common::eventually;

/// A new process with that pid. It has exited and is not reaped.
fn exited_process_with(pid: u32) -> Child {
    let child = eventually("the pid", || {
        // The next process gets the pid after this one, unless another process comes first.
        std::fs::write("/proc/sys/kernel/ns_last_pid", (pid - 1).to_string()).unwrap();
        let mut child = Command::new("/bin/true").spawn().unwrap();
        if child.id() == pid {
            return Some(child);
        }
        child.wait().unwrap();
        None
    });
    eventually("its end", || (!can_be_entered(pid)).then_some(()));
    child
}

#[test]
fn the_previous_process_of_a_reused_pid_is_not_reported() {
    let mut attribution = Attribution::without_names();
    let mut first = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = first.id();
    let was = attribution.destination(Lookup::Process(pid));
    assert!(was.netns.is_some(), "{was:?}");
    first.kill().unwrap();
    eventually("its end", || (!can_be_entered(pid)).then_some(()));
    assert_eq!(attribution.destination(Lookup::Process(pid)), was, "ended, not reaped");
    first.wait().unwrap();
    assert_eq!(attribution.destination(Lookup::Process(pid)), was, "reaped");
    // Start times in /proc are in hundredths of a second.
    std::thread::sleep(Duration::from_millis(20));
    let mut second = exited_process_with(pid);
    let nobody = Destination { pid: Some(pid), ..Destination::default() };
    assert_eq!(
        attribution.destination(Lookup::Process(pid)),
        nobody,
        "another process has the pid"
    );
    second.wait().unwrap();
    assert_eq!(attribution.destination(Lookup::Process(pid)), nobody, "and it stays unknown");
}
