//! A target without a pod and a container is named by its first process.

use std::net::TcpStream;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{eventually, system};
use crate::support::helper::run_nsenter_socat;
use crate::support::netns::{in_netns_of, netns_of};
use crate::support::records::closed;
use crate::support::watch::{watch_json, watch_text};

/// A process in a network namespace of its own, of a program with this name.
fn process_named(dir: &TempDir, name: &str) -> Running {
    std::fs::copy("/bin/sleep", dir.join(name)).unwrap();
    let own = netns_of(std::process::id());
    let script = "ip link set lo up; exec \"$0\" 60";
    let mut command = system("unshare");
    let process = Running::start(command.args(["--net", "sh", "-c", script]).arg(dir.join(name)));
    eventually("its namespace and its name", || {
        let comm = std::fs::read_to_string(format!("/proc/{}/comm", process.pid())).unwrap();
        (netns_of(process.pid()) != own && comm.trim_end().ends_with(name)).then_some(())
    });
    process
}

#[test]
fn a_target_without_a_container_is_named_by_its_first_process() {
    let dir = TempDir::new("first-process");
    // A name with an escape sequence.
    for (name, shown) in [("m-first", "m-first"), ("m\x1b[31m", "m\\x1b[31m")] {
        let first = process_named(&dir, name);
        let (pid, netns) = (first.pid(), netns_of(first.pid()));
        // It started later.
        let mut enter = system("nsenter");
        let later = Running::start(enter.args(["-t", &pid.to_string(), "-n", "sleep", "60"]));
        eventually("the second process", || (netns_of(later.pid()) == netns).then_some(()));
        let (mut text, json) = (watch_text(&[]), watch_json(&[]));
        let dial = || in_netns_of(pid, || TcpStream::connect("127.0.0.1:9").map(drop));
        assert!(dial().is_err(), "nothing listens there");
        let target = format!("net:[{netns}] ({shown} {pid})");
        let row = text.stdout_line("its row", |line| line.contains(&target));
        assert!(!row.contains('\x1b'), "{row}");
        let end = closed(&json, |record| record["target"]["netns"] == netns);
        assert_eq!(end["target"]["pid"], pid, "{end}");

        // nsenter names the other process.
        let helper = run_nsenter_socat(later.pid(), 9);
        let end = closed(&json, |record| record["helper_pid"] == helper);
        assert_eq!(end["target"]["pid"], later.pid(), "{end}");
        let target = format!("net:[{netns}] (sleep {})", later.pid());
        text.stdout_line("its row", |line| line.contains(&target));

        // Without its first process, it has another one.
        drop(first);
        eventually("the first process that is left", || {
            let target = format!("net:[{netns}] (sleep {})", later.pid());
            let _ = in_netns_of(later.pid(), || TcpStream::connect("127.0.0.1:10").map(drop));
            let rows = text.stdout();
            rows.iter().any(|line| line.contains(&target) && line.contains("native")).then_some(())
        });
    }
}
