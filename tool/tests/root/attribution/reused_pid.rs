//! A pid that belongs to another process by now.

use std::process::{Child, Command};
use std::time::Duration;

use pfsnoop::attribution::Attribution;
use pfsnoop::model::{Destination, Lookup, NamedProcess};

use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::support::reused_pid::process_with;

/// A new process with that pid. It has exited and is not reaped.
fn exited_process_with(attribution: &mut Attribution, pid: u32) -> Child {
    let child = process_with(pid, &mut Command::new("/bin/true"));
    eventually("its end", || (!attribution.can_be_entered(named(pid))).then_some(()));
    child
}

/// The process that has the pid now.
fn named(pid: u32) -> NamedProcess {
    NamedProcess { pid, pidns: None, time_ns: u64::MAX }
}

#[test]
fn the_previous_process_of_a_reused_pid_is_not_reported() {
    let mut attribution = Attribution::without_names();
    let mut first = Command::new("sleep").arg("1000").spawn().unwrap();
    let pid = first.id();
    let was = attribution.destination(Lookup::Process(named(pid)));
    assert!(was.netns.is_some(), "{was:?}");
    first.kill().unwrap();
    eventually("its end", || (!attribution.can_be_entered(named(pid))).then_some(()));
    assert_eq!(attribution.destination(Lookup::Process(named(pid))), was, "ended, not reaped");
    first.wait_in_time();
    assert_eq!(attribution.destination(Lookup::Process(named(pid))), was, "reaped");
    // Start times in /proc are in hundredths of a second.
    std::thread::sleep(Duration::from_millis(20));
    let mut second = exited_process_with(&mut attribution, pid);
    let nobody = Destination { pid: Some(pid), ..Destination::default() };
    assert_eq!(
        attribution.destination(Lookup::Process(named(pid))),
        nobody,
        "another process has the pid"
    );
    second.wait_in_time();
    assert_eq!(
        attribution.destination(Lookup::Process(named(pid))),
        nobody,
        "and it stays unknown"
    );
}
