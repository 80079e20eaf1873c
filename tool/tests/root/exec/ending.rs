//! `pfsnoop exec`: how soon rows come, and how it ends.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::io::ioctl_fionread as fionread;
use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::{eventually, pfsnoop, system, text};
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

/// A pfsnoop with a full stdout that nobody reads.
struct Unread {
    snoop: Child,
    started: Instant,
}

impl Unread {
    /// Starts it, and fills its stdout with rows.
    fn start(args: &[&str]) -> Self {
        let mut command = pfsnoop(args);
        command.args(["-n", "true", "-q"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (started, snoop) = (Instant::now(), command.spawn().unwrap());
        let wchan = format!("/proc/{}/wchan", snoop.id());
        eventually("the kernel programs are attached", || {
            run("/bin/true", &[&"x".repeat(8000)]);
            fionread(snoop.stdout.as_ref().unwrap()).is_ok_and(|len| len > 0).then_some(())
        });
        // A pipe holds 64 KiB.
        for _ in 0..20 {
            run("/bin/true", &[&"x".repeat(8000)]);
        }
        eventually("it waits for its reader", || {
            let is_full = fionread(snoop.stdout.as_ref().unwrap()).unwrap() > 32 * 1024;
            (is_full && std::fs::read_to_string(&wchan).unwrap().contains("poll")).then_some(())
        });
        Self { snoop, started }
    }

    /// Waits until it ends, with the pipe still full. Returns its rows and its stderr.
    fn end(mut self) -> (String, String) {
        let status = eventually("its end", || self.snoop.try_wait().unwrap());
        assert!(status.success(), "{status:?}");
        let output = self.snoop.wait_with_output().unwrap();
        (text(&output.stdout), text(&output.stderr))
    }
}

/// Each row that was made was written, or is counted as not written.
fn assert_counted((rows, stderr): &(String, String), made: usize) {
    let written = rows.lines().count();
    let [line] = stderr.lines().collect::<Vec<_>>()[..] else { panic!("one line: {stderr}") };
    let count = line.strip_prefix("pfsnoop: ").and_then(|line| {
        line.strip_suffix(" lines could not be written to stdout, which nobody reads")
    });
    let unwritten: usize = count.unwrap_or_else(|| panic!("{line}")).parse().unwrap();
    assert!(unwritten > 0 && written + unwritten >= made, "{written} and {unwritten} of {made}");
    assert!(rows.ends_with('\n') || rows.len() > 32 * 1024);
}

#[test]
fn ends_on_time_and_says_what_was_not_written_although_nobody_reads() {
    let unread = Unread::start(&["--duration", "3"]);
    let started = unread.started;
    let end = unread.end();
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert_counted(&end, 21);
}

#[test]
fn one_signal_ends_it_although_nobody_reads() {
    for kind in [Signal::TERM, Signal::INT] {
        let unread = Unread::start(&[]);
        let signalled = Instant::now();
        signal(unread.snoop.id(), kind);
        let end = unread.end();
        assert!(signalled.elapsed() < Duration::from_secs(3), "{:?}", signalled.elapsed());
        assert_counted(&end, 21);
    }
}

#[test]
fn a_slow_reader_gets_every_row() {
    // Long enough for a busy machine to run all that makes rows.
    let unread = Unread::start(&["--duration", "4"]);
    // It reads on as soon as the time is up.
    sleep(Duration::from_secs(4).saturating_sub(unread.started.elapsed()));
    let output = unread.snoop.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).lines().count() > 21);
}

#[test]
fn ends_at_once_when_its_reader_has_gone() {
    for args in [&["-n", "neverever"][..], &["-o", "json", "-n", "neverever"], &["watch"]] {
        let mut snoop = pfsnoop(args);
        let mut snoop = snoop.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut first = [0];
        snoop.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
        assert_ends_quietly(snoop, |snoop| drop(snoop.stdout.take()));
    }
}

#[test]
fn ends_at_once_when_the_other_end_of_a_socket_or_terminal_has_gone() {
    let (reader, writer) = UnixStream::pair().unwrap();
    let mut snoop = pfsnoop(&["-n", "neverever"]);
    let snoop = snoop.stdout(OwnedFd::from(writer)).stderr(Stdio::piped()).spawn().unwrap();
    (&reader).read_exact(&mut [0]).unwrap();
    assert_ends_quietly(snoop, |_| drop(reader));

    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&master).and_then(|()| unlockpt(&master)).unwrap();
    let terminal = File::options().write(true).open(terminal_of(&master)).unwrap();
    let mut snoop = pfsnoop(&["-n", "neverever"]);
    let snoop = snoop.stdout(terminal).stderr(Stdio::piped()).spawn().unwrap();
    rustix::io::read(&master, &mut [0]).unwrap();
    assert_ends_quietly(snoop, |_| drop(master));
}

fn terminal_of(master: &OwnedFd) -> String {
    ptsname(master, Vec::new()).unwrap().into_string().unwrap()
}

/// Takes the reader away, and waits for the end: soon, successful, and without a word.
fn assert_ends_quietly(mut snoop: Child, close: impl FnOnce(&mut Child)) {
    let closed = Instant::now();
    close(&mut snoop);
    let status = eventually("its end", || snoop.try_wait().unwrap());
    assert!(status.success(), "{status:?}");
    assert!(closed.elapsed() < Duration::from_secs(3), "{:?}", closed.elapsed());
    let mut stderr = String::new();
    snoop.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
}
