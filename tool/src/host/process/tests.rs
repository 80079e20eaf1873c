use super::*;
use crate::model::ProcessId;

const NS_PER_SECOND: u64 = 1_000_000_000;

#[test]
fn holds_a_process_until_it_ends() {
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let handle = ProcessHandle::open(child.id()).unwrap();
    assert!(handle.is_alive());
    let pid = child.id();
    let stat = procfs::process::Process::new(pid.cast_signed()).unwrap().stat().unwrap();
    let start_ns = stat.starttime * (NS_PER_SECOND / procfs::ticks_per_second());
    let of = |start_ns| ProcessId { pid, start_ns };
    assert!(is_running(of(start_ns)) && is_running(of(start_ns + 1)) && is_running(of(0)));
    assert!(!is_running(of(start_ns - 1)), "another process with that pid");
    child.kill().unwrap();
    // Ended, and not reaped yet.
    while handle.is_alive() {}
    assert!(!is_running(of(start_ns)));
    assert!(matches!(netns_of(handle.pid()), Err(ProcessError::Gone(_))));
    child.wait().unwrap();
    assert!(!handle.is_alive());
    assert!(!is_running(of(start_ns)));
    assert!(matches!(ProcessHandle::open(handle.pid()), Err(ProcessError::NotFound(_))));
}

#[test]
fn no_process_has_these_pids() {
    for pid in [0, u32::MAX, 1 << 30] {
        assert!(matches!(ProcessHandle::open(pid), Err(ProcessError::NotFound(_))), "{pid}");
    }
}
