//! A runtime that takes connections and answers nothing: each answer is waited for five seconds.

use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::exec::rows::run;
use crate::exec::unusual_execs::records;
use crate::support::{output, pfsnoop, pod::DemoPod, running::Running, system};

/// A socket like that of a daemon that stands still.
struct Silent {
    path: PathBuf,
    listener: UnixListener,
}

impl Silent {
    fn start(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("pfsnoop-{name}-{}", std::process::id()));
        let listener = UnixListener::bind(&path).unwrap();
        Self { path, listener }
    }

    /// `pfsnoop` with these options, which asks this runtime alone.
    fn pfsnoop(&self, args: &[&str]) -> Command {
        let mut command = pfsnoop(args);
        command.env("DOCKER_HOST", format!("unix://{}", self.path.display()));
        command.env("CONTAINER_RUNTIME_ENDPOINT", "/nonexistent/cri.sock");
        command
    }

    /// Waits until it is asked.
    fn wait(&self) {
        self.listener.accept().unwrap();
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

#[test]
fn execs_are_shown_for_the_whole_of_a_duration() {
    let silent = Silent::start("silent-exec");
    let mut exec = Running::start(&mut silent.pfsnoop(&["-o", "json", "--duration", "1"]));
    while !exec.ended() {
        run("/bin/true", &["m-silent"]);
        sleep(Duration::from_millis(50));
    }
    let shown = records(&exec).iter().filter(|row| row["args"][1] == "m-silent").count();
    assert!(shown > 2, "{shown} shown; {:#?}", exec.stderr());
}

#[test]
fn sessions_are_watched_for_the_whole_of_a_duration() {
    let silent = Silent::start("silent-watch");
    let pod = DemoPod::start();
    let args = ["watch", "-o", "json", "--duration", "1", "--verbose", "--port", "7096"];
    let mut watch = Running::start(&mut silent.pfsnoop(&args));
    watch.stderr_line("word that it is attached", |line| line.contains("attached"));
    let request = format!("nsenter -t {} -n socat - TCP4:localhost:7096 < /dev/null", pod.pause);
    while !watch.ended() {
        output(system("sh").args(["-c", &request]));
        sleep(Duration::from_millis(100));
    }
    let shown = records(&watch).iter().filter(|record| record["state"] == "closed").count();
    assert!(shown > 2, "{shown} shown; {:#?}", watch.stderr());
}

#[test]
fn sessions_before_an_early_interrupt_are_told() {
    let silent = Silent::start("silent-early");
    let pod = DemoPod::start();
    let mut watch = Running::start(&mut silent.pfsnoop(&["watch", "-o", "json", "--verbose"]));
    watch.stderr_line("word that it is attached", |line| line.contains("attached"));
    let request = format!("nsenter -t {} -n socat - TCP4:localhost:7097 < /dev/null", pod.pause);
    output(system("sh").args(["-c", &request]));
    silent.wait();
    let (status, stdout, stderr) = watch.interrupt();
    assert!(status.success(), "{stderr:#?}");
    let is_end = |line: &&String| line.contains("\"refused\"") && line.contains("7097");
    assert_eq!(stdout.iter().filter(is_end).count(), 1, "{stdout:#?} {stderr:#?}");
}

#[test]
fn an_interrupt_does_not_wait_for_a_runtime() {
    let pod = DemoPod::start();
    let by_pid = format!("pid/{}", pod.pause);
    for args in [
        &["exec", "-o", "json"][..],
        &["watch"],
        &["forward", "kuard", ":80"],
        &["forward", &by_pid, ":80", "-o", "json"],
    ] {
        let silent = Silent::start("silent-interrupt");
        let running = Running::start(&mut silent.pfsnoop(args));
        silent.wait();
        let begin = Instant::now();
        let (status, _, stderr) = running.interrupt();
        assert!(begin.elapsed() < Duration::from_secs(2), "{args:?}: {:?}", begin.elapsed());
        assert!(status.success(), "{args:?}: {status:?}, {stderr:#?}");
    }
}
