//! A terminal that closes: an ignored SIGHUP stays ignored in every command that runs on.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use rustix::process::Signal;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, system};
use crate::support::forward::local_port;
use crate::support::pod::DemoPod;
use crate::support::processes::signal;

/// Each command that runs on, and what its stdout has once it runs.
fn commands(pod: &DemoPod) -> Vec<(Vec<String>, &'static str)> {
    let target = pod.target();
    let forward = format!("forward {target} :8080");
    [
        ("exec -n m-hangup".to_owned(), "PCOMM"),
        ("-n m-hangup -o json".to_owned(), "\"ready\""),
        ("watch".to_owned(), "TIME"),
        ("watch -o json".to_owned(), "\"ready\""),
        (forward.clone(), "PCOMM"),
        (format!("{forward} --no-watch --dialer native"), "Forwarding"),
        (format!("{forward} -o json"), "\"ready\""),
        ("demo --stay".to_owned(), "Open http"),
    ]
    .into_iter()
    .map(|(line, start)| (line.split(' ').map(str::to_owned).collect(), start))
    .collect()
}

fn start(shell: &str, args: &[String], is_up: &str) -> Running {
    let mut command: Command = system("sh");
    command.args(["-c", &format!("{shell} exec \"$@\""), "sh"]);
    let mut running = Running::start(command.arg(env!("CARGO_BIN_EXE_pfsnoop")).args(args));
    running.stdout_line(&format!("{args:?}"), |line| line.contains(is_up));
    running
}

/// Whether the process ignores SIGHUP, catches it, or neither.
fn disposition(running: &Running) -> &'static str {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.pid())).unwrap();
    let has = |name: &str| {
        let mask = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
    };
    match (has("SigIgn:"), has("SigCgt:")) {
        (true, _) => "ignored",
        (_, true) => "caught",
        _ => "neither",
    }
}

#[test]
fn an_ignored_hangup_stays_ignored() {
    let pod = DemoPod::start();
    for (args, is_up) in commands(&pod) {
        let running = start("trap '' HUP;", &args, is_up);
        assert_eq!(disposition(&running), "ignored", "{args:?}");
        running.signal(Signal::HUP);
        running.signal(Signal::HUP);
        // Other signals still end it well.
        running.signal(Signal::TERM);
        let (status, stdout, stderr) = running.end();
        assert!(status.success(), "{args:?}: {status:?} {stdout:#?} {stderr:#?}");
    }
}

#[test]
fn a_hangup_ends_a_command_that_does_not_ignore_it() {
    let pod = DemoPod::start();
    for (args, is_up) in commands(&pod) {
        let running = start("", &args, is_up);
        assert_eq!(disposition(&running), "caught", "{args:?}");
        running.signal(Signal::HUP);
        let (status, ..) = running.end();
        assert!(status.success(), "{args:?}: {status:?}");
    }
}

/// `nohup pfsnoop forward`, whose terminal closes: the helpers of its connections go on too.
#[test]
fn a_forward_outlives_its_terminal() {
    let pod = DemoPod::start();
    let dir = TempDir::new("hangup");
    let log = dir.join("log");
    let _server = pod.serve(7041, &["socat", "TCP4-LISTEN:7041,fork", "SYSTEM:cat"]);
    // script(1) makes a terminal, which closes when script ends.
    let command = format!(
        "echo pid $$; exec nohup {} forward --dialer nsenter {} :7041 > {} 2>&1",
        env!("CARGO_BIN_EXE_pfsnoop"),
        pod.target(),
        log.display()
    );
    let mut script = Running::start(system("script").args(["-qfec", &command, "/dev/null"]));
    let line = script.stdout_line("its pid", |line| line.starts_with("pid "));
    let pid: u32 = line.trim()[4..].parse().unwrap();
    let read_log = || std::fs::read_to_string(&log).unwrap_or_default();
    let port = eventually("its listener", || {
        let text = read_log();
        let line = text.lines().find(|line| line.starts_with("Forwarding from 127.0.0.1:"))?;
        Some(local_port(line))
    });
    let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut echo = |text: &str| {
        client.write_all(text.as_bytes()).unwrap();
        let mut answer = vec![0; text.len()];
        client.read_exact(&mut answer).unwrap();
        assert_eq!(answer, text.as_bytes());
    };
    echo("before");
    script.signal(Signal::KILL);
    script.wait();
    eventually("the terminal is closed", || {
        let tty = std::fs::read_link(format!("/proc/{pid}/fd/0")).ok()?;
        let gone = !tty.exists() || tty.to_string_lossy().contains("null");
        gone.then_some(())
    });
    echo("after");
    signal(pid, Signal::TERM);
    eventually("its end", || read_log().contains("PORTS").then_some(()));
}
