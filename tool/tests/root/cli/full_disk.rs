//! A log on a full disk: the command goes on, and says how many lines are lost.

use std::os::fd::AsRawFd as _;
use std::process::Command;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, system};
use crate::support::forward::{get, local_port};
use crate::support::pod::DemoPod;

/// Shell: a disk of 16 KiB at /mnt, for this command only. Then the command, with its log there.
const ON_TINY_DISK: &str = "mount -t tmpfs -o size=16k none /mnt && exec \"$@\" > /mnt/log";

fn on_tiny_disk(args: &[&str]) -> Running {
    let mut command: Command = system("unshare");
    command.args(["--mount", "sh", "-c", ON_TINY_DISK, "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
    Running::start(command.args(args))
}

/// A file on the disk of the command.
fn file(running: &Running, name: &str) -> String {
    format!("/proc/{}/root/mnt/{name}", running.pid())
}

fn log(running: &Running) -> String {
    std::fs::read_to_string(file(running, "log")).unwrap_or_default()
}

/// Fills the disk, to the last byte.
fn fill(running: &Running) {
    let fill = "yes > \"$0\" 2> /dev/null; ! echo x >> \"$0\" 2> /dev/null";
    assert!(system("sh").args(["-c", fill]).arg(file(running, "fill")).status().unwrap().success());
}

fn make_room(running: &Running) {
    std::fs::remove_file(file(running, "fill")).unwrap();
}

/// The number in `N lines could not be written to stdout`.
fn lost_lines(stderr: &[String]) -> usize {
    let said = |line: &String| line.ends_with("could not be written to stdout");
    let mut lines = stderr.iter().filter(|line| said(line));
    let line = lines.next().unwrap_or_else(|| panic!("{stderr:#?}"));
    assert!(lines.next().is_none(), "once: {stderr:#?}");
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

/// The error was reported once.
fn assert_reported_once(stderr: &[String]) {
    let reported = stderr.iter().filter(|line| {
        line.contains("cannot write to stdout: No space left on device")
            && line.contains("going on")
    });
    assert_eq!(reported.count(), 1, "{stderr:#?}");
}

#[test]
fn a_forward_with_a_log_on_a_full_disk_goes_on() {
    let pod = DemoPod::start();
    let target = pod.target();
    for format in ["text", "json"] {
        let args = ["forward", "--dialer", "native", "--no-watch", "-o", format, &target, ":8080"];
        let forward = on_tiny_disk(&args);
        let port = eventually("its listener", || {
            let said = if format == "json" { forward.stderr().join("\n") } else { log(&forward) };
            let line = said.lines().find(|line| line.starts_with("Forwarding from 127."))?;
            Some(local_port(line))
        });
        let page = || get("127.0.0.1", port);
        assert!(page().contains("pfsnoop demo pod"));
        let closed = if format == "json" { "\"closed\"" } else { "Closed" };
        eventually("the first line", || log(&forward).contains(closed).then_some(()));
        fill(&forward);
        let before = log(&forward).lines().count();
        // The last page of the log has room for a few lines.
        eventually("the error", || {
            assert!(page().contains("pfsnoop demo pod"));
            forward.stderr().iter().any(|line| line.contains("cannot write")).then_some(())
        });
        for _ in 0..20 {
            assert!(page().contains("pfsnoop demo pod"));
        }
        let while_full = log(&forward).lines().count() - before;
        make_room(&forward);
        eventually("a line after there is room again", || {
            assert!(page().contains("pfsnoop demo pod"));
            (log(&forward).lines().count() > before + while_full + 1).then_some(())
        });
        let root = std::fs::File::open(format!("/proc/{}/root/mnt", forward.pid())).unwrap();
        forward.signal(Signal::INT);
        let (status, _, stderr) = forward.end();
        assert!(status.success(), "{format}: {status:?} {stderr:#?}");
        assert_reported_once(&stderr);
        assert!(lost_lines(&stderr) > 20, "{stderr:#?}");
        // Every line in the log is whole.
        let log = format!("/proc/self/fd/{}/log", root.as_raw_fd());
        let text = std::fs::read_to_string(log).unwrap();
        for line in text.lines() {
            let is_whole = match format {
                "json" => serde_json::from_str::<serde_json::Value>(line).is_ok(),
                _ => {
                    line.is_empty()
                        || line.starts_with("Forwarding from ")
                        || line.starts_with("Handling connection for ")
                        || line.starts_with("Closed ") && line.ends_with(", ok")
                        || line.starts_with("PORTS ")
                        || line.contains(" -> 8080 ")
                }
            };
            assert!(is_whole, "{line:?} in {text}");
        }
    }
}

#[test]
fn commands_that_show_what_happens_go_on_and_count_what_they_lose() {
    for args in [
        &["exec", "-n", "m-full", "-v"][..],
        &["-n", "m-full", "-v", "-o", "json"],
        &["watch", "-v"],
        &["watch", "-v", "-o", "json"],
    ] {
        let mut command = system("sh");
        command.args(["-c", "exec \"$@\" > /dev/full", "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
        let running = Running::start_attached(command.args(args));
        eventually("the error, for the first line", || {
            running.stderr().iter().any(|line| line.contains("cannot write")).then_some(())
        });
        let (status, _, stderr) = running.interrupt();
        assert!(status.success(), "{args:?}: {stderr:#?}");
        assert_reported_once(&stderr);
        assert!(lost_lines(&stderr) >= 1);
    }
}

/// A limit on the size of files is no end either: the signal for it would be.
#[test]
fn a_log_that_has_reached_its_limit_does_not_end_a_forward() {
    let pod = DemoPod::start();
    let dir = TempDir::new("file-limit");
    let mut command = system("bash");
    let script = "ulimit -f 1; exec \"$@\" > \"$0\"";
    command.args(["-c", script]).arg(dir.join("log")).arg(env!("CARGO_BIN_EXE_pfsnoop"));
    command.args(["forward", "--dialer", "native", "--no-watch", "-o", "json", &pod.target()]);
    let mut forward = Running::start(command.arg(":8080"));
    let line = forward.stderr_line("listener", |line| line.starts_with("Forwarding from 127."));
    let port = local_port(&line);
    eventually("the error", || {
        assert!(get("127.0.0.1", port).contains("pfsnoop demo pod"));
        forward.stderr().iter().any(|line| line.contains("File too large")).then_some(())
    });
    assert!(get("127.0.0.1", port).contains("pfsnoop demo pod"));
    let (status, _, stderr) = forward.interrupt();
    assert!(status.success() && lost_lines(&stderr) > 0, "{stderr:#?}");
}
