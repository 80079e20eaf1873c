//! `pfsnoop exec`: how soon rows come, and how it ends.

use std::process::Stdio;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{eventually, pfsnoop, system};
use crate::support::exec::{run, start_exec};
use crate::support::processes::signal;

#[test]
fn rows_come_at_once_through_a_pipe() {
    // `-n` is a filter of the kernel programs, which wake the reader at each match. `-l` is a filter
    // of user space.
    for filter in [["-n", "true"], ["-l", "m-prompt"]] {
        let mut snoop = start_exec(&filter);
        let delay = |n| {
            // By now the reader sleeps. Without a wake-up it reads once a second.
            sleep(Duration::from_millis(100));
            let mark = format!("m-prompt-{n}");
            let start = Instant::now();
            run("/bin/true", &[&mark]);
            snoop.stdout_line("row", |line| line.ends_with(&mark));
            start.elapsed()
        };
        let fastest = (0..5).map(delay).min().unwrap();
        assert!(fastest < Duration::from_millis(500), "{filter:?}: {fastest:?}");
    }
}

#[test]
fn ends_after_a_count_and_after_a_time() {
    let mut counted = start_exec(&["-n", "true", "--count", "2"]);
    for _ in 0..3 {
        run("/bin/true", &[]);
    }
    assert!(counted.wait().success());
    assert_eq!(counted.all_stdout().len(), 3, "a header and two rows");
    let started = Instant::now();
    let mut timed = start_exec(&["--duration", "0.5"]);
    assert!(timed.wait().success());
    assert!(started.elapsed() >= Duration::from_millis(500), "not before its time");
}

#[test]
fn a_closed_pipe_ends_it_without_a_message() {
    let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
    // Each row after `head` has ended meets a closed pipe.
    let script = format!(
        "{pfsnoop} 2>&1 >&3 | sed s/^/stderr:/ >&2 & i=0; \
        while [ $i -lt 50 ]; do /bin/true; sleep 0.02; i=$((i+1)); done"
    );
    let pipeline = format!("{{ {script}; wait; }} 3>&1 | head -n 2");
    let output = system("timeout").args(["20", "bash", "-c", &pipeline]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing on stderr");
}

#[test]
fn a_second_signal_ends_it_while_stdout_is_blocked() {
    // Nobody reads the pipe, which is full after 64 KiB.
    let mut command = pfsnoop(&["-n", "true", "-q"]);
    let mut snoop = command.stdout(Stdio::piped()).spawn().unwrap();
    let long = "x".repeat(8000);
    let wchan = format!("/proc/{}/wchan", snoop.id());
    eventually("it waits for its reader", || {
        run("/bin/true", &[&long]);
        std::fs::read_to_string(&wchan).unwrap().contains("pipe_write").then_some(())
    });
    for _ in 0..2 {
        signal(snoop.id(), Signal::TERM);
        sleep(Duration::from_millis(100));
    }
    let status = eventually("its end", || snoop.try_wait().unwrap());
    assert!(status.success(), "{status:?}");
}
