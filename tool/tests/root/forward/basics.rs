//! `pfsnoop forward` into the demo pod, with the default dialer.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{WaitInTime as _, assert_fails, eventually, pfsnoop, system};
use crate::support::forward::{forward, get, local_port, start};
use crate::support::pod::DemoPod;
use crate::support::processes::{assert_no_process_with, children_of};

#[test]
fn listens_on_both_loopbacks_and_shows_rows_of_its_helpers() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward(pod.pause, &[":8080"]);
    for address in ["127.0.0.1", "::1"] {
        assert!(get(address, locals[0]).contains("pfsnoop demo pod"), "{address}");
    }
    forward.stdout_line("kubectl's line", |line| {
        line == format!("Handling connection for {}", locals[0])
    });
    let command =
        format!("/usr/bin/nsenter -t {} -n /usr/bin/socat - TCP4:localhost:8080", pod.pause);
    let row = forward.stdout_line("nsenter's row", |line| line.ends_with(&command));
    assert_eq!(
        row.split_whitespace().nth(2),
        Some(&*forward.pid().to_string()),
        "we are its parent"
    );
    let pid = row.split_whitespace().nth(1).unwrap().to_owned();
    forward.stdout_line("socat's row", |line| {
        line.starts_with("socat ") && line.split_whitespace().nth(1) == Some(&pid)
    });
    let (status, _, stderr) = forward.interrupt();
    assert!(status.success() && stderr.is_empty(), "{status:?} {stderr:?}");
}

#[test]
fn a_refused_connection_is_reported_and_does_not_end_the_forward() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward(pod.pause, &[":9", ":8080"]);
    assert_eq!(get("127.0.0.1", locals[0]), "", "nothing listens there");
    let line = forward.stderr_line("failure", |line| line.contains("an error occurred"));
    let start =
        format!("pfsnoop: an error occurred forwarding {} -> 9: exit status 1: ", locals[0]);
    assert!(line.starts_with(&start) && line.ends_with("Connection refused"), "{line}");
    assert!(get("127.0.0.1", locals[1]).contains("pfsnoop demo pod"), "it goes on");
}

#[test]
fn half_close_reaches_the_pod() {
    let pod = DemoPod::start();
    let got = temp_path("half-close");
    // This server exits when its client has closed its side. The file then holds what was sent.
    let create = format!("CREATE:{}", got.display());
    let mut server = pod.serve(7000, &["socat", "-u", "TCP4-LISTEN:7000", &create]);
    let (_forward, locals) = forward(pod.pause, &[":7000"]);
    let mut stream = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    stream.write_all(b"all of it").unwrap();
    eventually("the file", || got.is_file().then_some(()));
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(server.wait().success());
    assert_eq!(std::fs::read_to_string(&got).unwrap(), "all of it");
    std::fs::remove_file(&got).unwrap();
    drop(stream);
}

#[test]
fn every_helper_is_reaped() {
    let pod = DemoPod::start();
    let (forward, locals) = forward(pod.pause, &[":8080"]);
    for _ in 0..20 {
        get("127.0.0.1", locals[0]);
    }
    // A client that goes away in the middle takes its helper with it.
    drop(TcpStream::connect(("127.0.0.1", locals[0])).unwrap());
    eventually("no child", || children_of(forward.pid()).is_empty().then_some(()));
}

#[test]
fn open_connections_end_with_the_forwarder() {
    let pod = DemoPod::start();
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::KILL] {
        let (mut forward, locals) = forward(pod.pause, &[":8080"]);
        let _client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        eventually("its helper", || (children_of(forward.pid()).len() == 1).then_some(()));
        forward.signal(signal);
        forward.wait();
        // The demo itself has no open connection, and so no helper.
        assert_no_process_with(&format!("-t {} -n", pod.pause));
        assert_no_process_with("socat - TCP4:localhost:8080");
        TcpStream::connect(("127.0.0.1", locals[0])).unwrap_err();
    }
}

/// Starts a forward. Returns its lines `Forwarding from ...`.
fn start_with_lines(command: &mut std::process::Command) -> (Running, Vec<String>) {
    let (running, _) = start(command);
    let mut lines = running.stdout();
    lines.retain(|line| line.starts_with("Forwarding from "));
    (running, lines)
}

#[test]
fn listens_on_the_addresses_of_the_address_flag() {
    let pod = DemoPod::start();
    let target = pod.target();
    let addresses = ["--address", "127.0.0.2,::1", "--address", "127.0.0.1"];
    let args = [&["forward", &target, ":8080"][..], &addresses].concat();
    let (forward, lines) = start_with_lines(&mut pfsnoop(&args));
    let port = local_port(&lines[0]);
    let expected = ["127.0.0.2", "[::1]", "127.0.0.1"]
        .map(|ip| format!("Forwarding from {ip}:{port} -> 8080"));
    assert_eq!(lines, expected);
    for address in ["127.0.0.2", "::1", "127.0.0.1"] {
        assert!(get(address, port).contains("pfsnoop demo pod"), "{address}");
    }
    let (_, _, stderr) = forward.interrupt();
    assert!(stderr.is_empty(), "nobody else reaches these: {stderr:?}");
}

/// One socket listens for an address and for the wildcard that includes it.
#[test]
fn an_address_beside_the_wildcard_that_includes_it() {
    let pod = DemoPod::start();
    let target = pod.target();
    for (addresses, listeners, reached) in [
        ("127.0.0.1,0.0.0.0", &["0.0.0.0"][..], &["127.0.0.1", "127.0.0.3"][..]),
        ("0.0.0.0,127.0.0.1", &["0.0.0.0"], &["127.0.0.1"]),
        ("localhost,0.0.0.0", &["[::1]", "0.0.0.0"], &["127.0.0.1", "::1"]),
        ("localhost,::,0.0.0.0", &["[::]", "0.0.0.0"], &["127.0.0.1", "::1"]),
        ("::,::ffff:0.0.0.0,::1,0.0.0.0", &["[::]", "0.0.0.0"], &["127.0.0.1", "::1"]),
        ("localhost,127.0.0.1,127.0.0.1", &["127.0.0.1", "[::1]"], &["127.0.0.1", "::1"]),
    ] {
        // Both with a free port and with a certain one.
        let mut local = String::new();
        for _ in 0..2 {
            let ports = format!("{local}:8080");
            let args = ["forward", "--no-watch", "--dialer", "native", &target, &ports];
            let mut forward = Running::start(pfsnoop(&args).args(["--address", addresses]));
            let of = |line: &str| line.starts_with("Forwarding from ");
            eventually(addresses, || {
                let lines = forward.stdout().iter().filter(|line| of(line)).count();
                assert!(!forward.has_exited(), "{addresses}: {:?}", forward.stderr());
                (lines == listeners.len()).then_some(())
            });
            let lines: Vec<String> = forward.stdout().into_iter().filter(|line| of(line)).collect();
            let port: u16 =
                lines[0].split(" ->").next().unwrap().rsplit(':').next().unwrap().parse().unwrap();
            local = port.to_string();
            let expected: Vec<String> = listeners
                .iter()
                .map(|address| format!("Forwarding from {address}:{port} -> 8080"))
                .collect();
            assert_eq!(lines, expected, "{addresses}");
            for address in reached {
                assert!(get(address, port).contains("pfsnoop demo pod"), "{addresses}: {address}");
            }
            assert!(forward.interrupt().0.success());
        }
    }
    // An address that the node lacks is still an error.
    let args = ["forward", &target, ":8080", "--address", "192.0.2.1,0.0.0.0"];
    assert_fails(&mut pfsnoop(&args), 1, &["192.0.2.1", "annot assign requested address"]);
}

#[test]
fn listens_on_all_ipv4_and_all_ipv6_addresses_with_a_warning() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", &target, ":8080", "--address", "0.0.0.0,::"];
    let (forward, lines) = start_with_lines(&mut pfsnoop(&args));
    let port = local_port(&lines[0]);
    assert_eq!(lines[1], format!("Forwarding from [::]:{port} -> 8080"));
    for address in ["127.0.0.3", "::1"] {
        assert!(get(address, port).contains("pfsnoop demo pod"), "{address}");
    }
    let (_, _, stderr) = forward.interrupt();
    let note = format!(
        "pfsnoop: note: everybody who can reach this node can use 0.0.0.0:{port}, [::]:{port}"
    );
    assert_eq!(stderr, [note]);
}

#[test]
fn without_ipv6_it_listens_on_127_0_0_1_only() {
    let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let target = format!("pid/{}", sleeper.id());
    let without = "ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && exec \"$@\"";
    let mut command = system("unshare");
    command.args(["--net", "sh", "-c", without, "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
    let (_forward, lines) = start_with_lines(command.args(["forward", &target, ":80"]));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("Forwarding from 127.0.0.1:"), "{lines:?}");
    sleeper.kill().unwrap();
    sleeper.wait_in_time();
}
