//! What a parent process leaves: blocked and ignored signals.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop};
use crate::support::forward::{get, start_json};
use crate::support::pod::DemoPod;
use crate::support::processes::{child_of, has_signal, mask};
use crate::support::records::closed;

/// Has the command begin with SIGCHLD and SIGTERM ignored, and every signal blocked.
fn badly_started(mut command: Command) -> Command {
    // SAFETY: between fork and exec, the closure only makes system calls.
    unsafe {
        command.pre_exec(|| {
            libc::signal(libc::SIGCHLD, libc::SIG_IGN);
            libc::signal(libc::SIGTERM, libc::SIG_IGN);
            let mut all = std::mem::zeroed();
            libc::sigfillset(&raw mut all);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, std::ptr::null_mut());
            Ok(())
        });
    }
    command
}

fn threads(pid: u32) -> Vec<String> {
    let all = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
    all.filter_map(|thread| thread.file_name().into_string().ok()).collect()
}

#[test]
fn the_exit_codes_of_helpers_are_known_although_sigchld_was_ignored() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "-o", "json", &target, ":8080"];
    let (forward, locals) = start_json(&mut badly_started(pfsnoop(&args)), 1);
    assert!(get("127.0.0.1", locals[0]).contains("pfsnoop demo pod"));
    let end = closed(&forward, |_| true);
    assert_eq!((&end["outcome"], &end["exit_code"]), (&"ok".into(), &0.into()), "{end}");
}

#[test]
fn signals_end_each_command_although_they_were_blocked_and_ignored() {
    let pod = DemoPod::start();
    let target = pod.target();
    for args in [
        &["exec", "-v"][..],
        &["watch", "-v"],
        &["forward", "-v", &target, ":8080"],
        &["demo", "--stay", "-v"],
    ] {
        let running = Running::start_attached(&mut badly_started(pfsnoop(args)));
        // While it starts a thread, the C library blocks all signals.
        eventually("no thread blocks a signal", || {
            threads(running.pid()).iter().all(|tid| mask(tid, "SigBlk:") == 0).then_some(())
        });
        running.signal(Signal::TERM);
        let (status, _, stderr) = running.end();
        assert!(status.success(), "{args:?}: {status:?} {stderr:#?}");
    }
}

/// socat would not end by the SIGTERM that ends a forward.
#[test]
fn helpers_do_not_inherit_blocked_and_ignored_signals() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "-o", "json", &target, ":8080"];
    let (forward, locals) = start_json(&mut badly_started(pfsnoop(&args)), 1);
    let _client = std::net::TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let socat = eventually("socat", || child_of(forward.pid(), "/usr/bin/socat"));
    assert_eq!(mask(&socat.to_string(), "SigBlk:"), 0);
    for signal in [Signal::CHILD, Signal::TERM] {
        assert!(!has_signal(socat, "SigIgn:", signal), "{signal:?}");
    }
}
