//! A runtime that accepts connections and never answers. Each lookup times out after five seconds.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::support::exec::run;
use crate::support::helper::run_nsenter_socat;
use crate::support::pod::DemoPod;
use crate::support::records::records;

/// The socket of a daemon that is stopped: the kernel accepts connections, and nobody answers.
struct Silent {
    path: PathBuf,
    listener: UnixListener,
}

impl Silent {
    fn start(name: &str) -> Self {
        let path = temp_path(name);
        let listener = UnixListener::bind(&path).unwrap();
        Self { path, listener }
    }

    /// `pfsnoop` with these options. It asks only this runtime.
    fn pfsnoop(&self, args: &[&str]) -> Command {
        let mut command = crate::common::pfsnoop(args);
        command.env("DOCKER_HOST", format!("unix://{}", self.path.display()));
        command.env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
        command
    }

    /// Waits for a connection.
    fn wait_for_client(&self) {
        self.listener.accept().unwrap();
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn exec_shows_rows_for_the_whole_duration() {
    let silent = Silent::start("silent-exec");
    let mut exec = Running::start(&mut silent.pfsnoop(&["-o", "json", "--duration", "1"]));
    while !exec.has_exited() {
        run("/bin/true", &["m-silent"]);
        sleep(Duration::from_millis(50));
    }
    let shown = records(&exec).iter().filter(|row| row["args"][1] == "m-silent").count();
    assert!(shown > 2, "{shown} shown; {:#?}", exec.stderr());
}

#[test]
fn watch_shows_sessions_for_the_whole_duration() {
    let silent = Silent::start("silent-watch");
    let pod = DemoPod::start();
    let args = ["watch", "-o", "json", "--duration", "1", "--verbose", "--port", "7096"];
    let mut watch = Running::start_attached(&mut silent.pfsnoop(&args));
    while !watch.has_exited() {
        run_nsenter_socat(pod.pause, 7096);
        sleep(Duration::from_millis(100));
    }
    let shown = records(&watch).iter().filter(|record| record["state"] == "closed").count();
    assert!(shown > 2, "{shown} shown; {:#?}", watch.stderr());
}

#[test]
fn sessions_before_an_early_interrupt_are_reported() {
    let silent = Silent::start("silent-early");
    let pod = DemoPod::start();
    let watch = Running::start_attached(&mut silent.pfsnoop(&["watch", "-o", "json", "--verbose"]));
    run_nsenter_socat(pod.pause, 7097);
    silent.wait_for_client();
    let (status, stdout, stderr) = watch.interrupt();
    assert!(status.success(), "{stderr:#?}");
    let is_end = |line: &&String| line.contains("\"refused\"") && line.contains("7097");
    assert_eq!(stdout.iter().filter(is_end).count(), 1, "{stdout:#?} {stderr:#?}");
}

#[test]
fn an_interrupt_does_not_wait_for_a_runtime() {
    let pod = DemoPod::start();
    let by_pid = pod.target();
    for args in [
        &["exec", "-o", "json"][..],
        &["watch"],
        &["forward", "kuard", ":80"],
        &["forward", &by_pid, ":80", "-o", "json"],
    ] {
        let silent = Silent::start("silent-interrupt");
        let running = Running::start(&mut silent.pfsnoop(args));
        silent.wait_for_client();
        let begin = Instant::now();
        let (status, _, stderr) = running.interrupt();
        assert!(begin.elapsed() < Duration::from_secs(2), "{args:?}: {:?}", begin.elapsed());
        assert!(status.success(), "{args:?}: {status:?}, {stderr:#?}");
    }
}
