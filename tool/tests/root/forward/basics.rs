//! `pfsnoop forward` into the demo's pod.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::support::leftovers::{assert_no_process_with, children_of};
use crate::support::{eventually, pfsnoop, pod::DemoPod, running::Running, system};

/// A forward into the pod: `:REMOTE` -> the local port.
pub fn forward(pid: u32, ports: &[&str]) -> (Running, Vec<u16>) {
    let target = format!("pid/{pid}");
    let mut args = vec!["forward", &target];
    args.extend(ports);
    let mut running = Running::start(&mut pfsnoop(&args));
    running.stdout_line("header", |line| line.starts_with("PCOMM"));
    let lines = running.stdout();
    let v4 = lines.iter().filter_map(|line| line.strip_prefix("Forwarding from 127.0.0.1:"));
    let locals = v4.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect();
    (running, locals)
}

/// One HTTP/1.0 request; everything until the end, or until the reset that ends a failed one.
pub fn get(address: &str, port: u16) -> String {
    let mut stream = TcpStream::connect((address, port)).unwrap();
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    match stream.read_to_string(&mut page) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => page,
    }
}

#[test]
fn serves_on_both_loopbacks_and_shows_what_the_kernel_saw() {
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
fn a_refused_connection_is_told_and_does_not_end_the_session() {
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
    let got = std::env::temp_dir().join(format!("pfsnoop-half-close-{}", std::process::id()));
    // Ends, and so tells what it got, when its client has ended sending.
    let mut server = system("nsenter");
    server.args(["-t", &pod.pause.to_string(), "-n", "socat", "-u", "TCP4-LISTEN:7000"]);
    let mut server = Running::start(server.arg(format!("CREATE:{}", got.display())));
    let (_forward, locals) = forward(pod.pause, &[":7000"]);
    let stream = eventually("the server", || {
        let mut stream = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        stream.write_all(b"all of it").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(200));
        got.is_file().then_some(stream)
    });
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
        // The demo has no helper of its own: no connection of its is open.
        assert_no_process_with(&format!("-t {} -n", pod.pause));
        assert_no_process_with("socat - TCP4:localhost:8080");
        TcpStream::connect(("127.0.0.1", locals[0])).unwrap_err();
    }
}

#[test]
fn a_target_that_ends_is_told() {
    let mut target = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let (mut forward, locals) = forward(target.id(), &[":80"]);
    target.kill().unwrap();
    target.wait().unwrap();
    assert_eq!(get("127.0.0.1", locals[0]), "");
    forward.stderr_line("what happened", |line| {
        line.contains(&format!("process {} has ended", target.id()))
            && line.contains("look its pid up")
    });
}

/// What a command says on its stdout up to the header, which stands below the listeners.
fn listening_on(command: &mut std::process::Command) -> (Running, Vec<String>) {
    let mut running = Running::start(command);
    running.stdout_line("header", |line| line.starts_with("PCOMM"));
    let mut lines = running.stdout();
    lines.retain(|line| line.starts_with("Forwarding from "));
    (running, lines)
}

#[test]
fn listens_where_address_says() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let addresses = ["--address", "127.0.0.2,::1", "--address", "127.0.0.1"];
    let args = [&["forward", &target, ":8080"][..], &addresses].concat();
    let (forward, lines) = listening_on(&mut pfsnoop(&args));
    let port: u16 = lines[0].split([':', ' ']).nth(3).unwrap().parse().unwrap();
    let expected = ["127.0.0.2", "[::1]", "127.0.0.1"]
        .map(|ip| format!("Forwarding from {ip}:{port} -> 8080"));
    assert_eq!(lines, expected);
    for address in ["127.0.0.2", "::1", "127.0.0.1"] {
        assert!(get(address, port).contains("pfsnoop demo pod"), "{address}");
    }
    let (_, _, stderr) = forward.interrupt();
    assert!(stderr.is_empty(), "nobody else reaches these: {stderr:?}");
}

#[test]
fn everybodys_addresses_stand_side_by_side_and_are_warned_of() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", &target, ":8080", "--address", "0.0.0.0,::"];
    let (forward, lines) = listening_on(&mut pfsnoop(&args));
    let port: u16 = lines[0].split([':', ' ']).nth(3).unwrap().parse().unwrap();
    assert_eq!(lines[1], format!("Forwarding from [::]:{port} -> 8080"));
    for address in ["127.0.0.3", "::1"] {
        assert!(get(address, port).contains("pfsnoop demo pod"), "{address}");
    }
    let (_, _, stderr) = forward.interrupt();
    let note = format!(
        "pfsnoop: note: everybody who reaches this node can use 0.0.0.0:{port}, [::]:{port}"
    );
    assert_eq!(stderr, [note]);
}

#[test]
fn a_node_without_ipv6_has_one_localhost() {
    let mut sleeper = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let target = format!("pid/{}", sleeper.id());
    let without = "ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && exec \"$@\"";
    let mut command = system("unshare");
    command.args(["--net", "sh", "-c", without, "sh", env!("CARGO_BIN_EXE_pfsnoop")]);
    let (_forward, lines) = listening_on(command.args(["forward", &target, ":80"]));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("Forwarding from 127.0.0.1:"), "{lines:?}");
    sleeper.kill().unwrap();
    sleeper.wait().unwrap();
}
