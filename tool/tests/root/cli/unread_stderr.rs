//! A stderr that nobody reads: one signal ends each command that runs on.

use std::io::{PipeReader, PipeWriter, Write as _, pipe};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{WaitInTime as _, eventually, pfsnoop};
use crate::support::pod::DemoPod;
use crate::support::processes::{has_signal, signal};

/// A pipe that takes nothing more.
fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, mut writer) = pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    while writer.write(&[b'x'; 4096]).is_ok() {}
    while writer.write(b"x").is_ok() {}
    rustix::io::ioctl_fionbio(&writer, false).unwrap();
    (reader, writer)
}

/// Whether one signal ends it. Kills it if it does not end. What waits for a reader waits for ever.
fn is_ended_by(kind: Signal, mut child: Child) -> bool {
    // To start and to end takes seconds on a busy machine.
    const LIMIT: Duration = Duration::from_secs(30);
    let pid = child.id();
    eventually("it catches the signal", || has_signal(pid, "SigCgt:", kind).then_some(()));
    signal(pid, kind);
    let signalled = Instant::now();
    while signalled.elapsed() < LIMIT {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status:?}");
            return true;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait_in_time();
    false
}

#[test]
fn one_signal_ends_each_command_although_nobody_reads_its_stderr() {
    let pod = DemoPod::start();
    let forward = format!("forward -v --dialer native {} :8080", pod.target());
    let commands = ["exec -v", "watch -v", "-v -o json", &forward, "demo --stay -v"];
    for (line, kind) in commands.into_iter().zip([Signal::TERM, Signal::INT].into_iter().cycle()) {
        for is_stdout_full in [false, true] {
            // Each command logs that its kernel programs are attached.
            let (_reader, full) = full_pipe();
            let mut command = pfsnoop(&line.split(' ').collect::<Vec<_>>());
            command.stderr(full.try_clone().unwrap());
            if is_stdout_full {
                command.stdout(full);
            } else {
                command.stdout(Stdio::null());
            }
            let is_ended = is_ended_by(kind, command.spawn().unwrap());
            assert!(is_ended, "{line}, stdout is full: {is_stdout_full}");
        }
    }
}
