//! The native dialer, with what nsenter and socat cannot do.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use rustix::process::Signal;

use crate::common::{eventually, pfsnoop};
use crate::support::forward::{forward_native, get, start};
use crate::support::pod::DemoPod;
use crate::support::processes::{children_of, stop};

#[test]
fn it_spawns_nothing_and_says_which_address_answered() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &[":8080"]);
    assert!(get("127.0.0.1", locals[0]).contains("pfsnoop demo pod"));
    let closed = forward.stdout_line("report", |line| line.starts_with("Closed connection"));
    assert!(
        closed.contains(" at 127.0.0.1: 18 bytes to the pod, ") && closed.ends_with("s, ok"),
        "{closed}"
    );
    assert_eq!(children_of(forward.pid()), Vec::<String>::new());
    let (status, stdout, stderr) = forward.interrupt();
    assert!(status.success() && stderr.is_empty(), "{stderr:?}");
    assert!(!stdout.iter().any(|line| line.contains("nsenter")), "{stdout:#?}");
}

#[test]
fn a_reply_three_seconds_after_the_half_close_arrives() {
    let pod = DemoPod::start();
    let (_forward, locals) = forward_native(&pod, &[":7001"]);
    let reply = "SYSTEM:cat > /dev/null; sleep 3; echo late but whole";
    let listen = "TCP4-LISTEN:7001,fork,reuseaddr";
    let _server = pod.serve(7001, &["socat", "-t", "10", listen, reply]);
    let mut stream = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    stream.write_all(b"question").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "late but whole\n");
}

/// Prints how many segments come (`tcpi_segs_in`, include/uapi/linux/tcp.h) until the client ends.
const SEGMENTS: &str = "import socket, struct\n\
     client, _ = socket.create_server(('127.0.0.1', 7004)).accept()\n\
     def segments():\n\
     \x20   info = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 144)\n\
     \x20   return struct.unpack('I', info[140:])[0]\n\
     before = segments()\n\
     print('accepted', flush=True)\n\
     while client.recv(1000): pass\n\
     print('segments:', segments() - before, flush=True)\n";

/// A server that closes its socket as soon as it has the last bytes must not get ahead of the end.
#[test]
fn a_clients_end_comes_in_one_segment_with_its_last_bytes() {
    let pod = DemoPod::start();
    let (forward, locals) = forward_native(&pod, &[":7004"]);
    let mut server = pod.serve(7004, &["python3", "-c", SEGMENTS]);
    let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    server.stdout_line("the connection", |line| line == "accepted");
    // The forwarder finds both at once.
    stop(forward.pid());
    client.write_all(b"the last bytes").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    forward.signal(Signal::CONT);
    let segments = server.stdout_line("the end", |line| line.starts_with("segments: "));
    assert_eq!(segments, "segments: 1");
}

#[test]
fn it_finds_servers_on_ipv6_localhost_and_on_the_pods_own_address() {
    let pod = DemoPod::start();
    pod.add_address("10.88.0.5/32");
    let (mut forward, locals) = forward_native(&pod, &[":7002", ":7003"]);
    let v6 = ["socat", "TCP6-LISTEN:7002,bind=[::1],ipv6only,fork", "SYSTEM:echo by six"];
    let own = ["socat", "TCP4-LISTEN:7003,bind=10.88.0.5,fork", "SYSTEM:echo by its own"];
    let _servers = [pod.serve(7002, &v6), pod.serve(7003, &own)];
    for (local, answer, address) in
        [(locals[0], "by six\n", "::1"), (locals[1], "by its own\n", "10.88.0.5")]
    {
        // A server that exits before it has read the request resets the connection, and the answer can
        // be lost.
        eventually(answer, || (get("127.0.0.1", local) == answer).then_some(()));
        forward.stdout_line("which address", |line| {
            line.contains(&format!(" for {local} at {address}: "))
        });
    }
}

#[test]
fn a_refused_connection_is_reported_and_does_not_end_the_forward() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &[":9", ":8080"]);
    assert_eq!(get("127.0.0.1", locals[0]), "");
    forward.stderr_line("failure", |line| {
        line.contains(&format!("an error occurred forwarding {} -> 9: ", locals[0]))
            && line.contains("refused")
    });
    assert!(get("127.0.0.1", locals[1]).contains("pfsnoop demo pod"));
}

#[test]
fn a_network_namespace_can_be_the_target() {
    let pod = DemoPod::start();
    let target = format!("netns//proc/{}/ns/net", pod.pause);
    let (_forward, locals) = start(&mut pfsnoop(&["forward", &target, ":8080"]));
    assert!(get("127.0.0.1", locals[0]).contains("pfsnoop demo pod"));
}

#[test]
fn auto_dials_natively_without_socat_and_says_so() {
    let pod = DemoPod::start();
    let target = pod.target();
    let (mut forward, locals) =
        start(pfsnoop(&["forward", &target, ":8080"]).env("PATH", "/nonexistent"));
    assert!(get("127.0.0.1", locals[0]).contains("pfsnoop demo pod"));
    forward.stderr_line("the reason", |line| {
        line.contains("unable to do port forwarding: socat not found") && line.contains("natively")
    });
}

#[test]
fn more_connections_than_allowed_are_turned_away() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &["--max-connections", "2", ":8080"]);
    let open = || TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let (first, _second) = (open(), open());
    let handling = format!("Handling connection for {}", locals[0]);
    eventually("both are open", || {
        (forward.stdout().iter().filter(|line| **line == handling).count() == 2).then_some(())
    });
    assert_eq!(open().read(&mut [0]).unwrap_or(0), 0, "turned away");
    forward.stderr_line("why", |line| line.contains("--max-connections"));
    drop(first);
    eventually("a free slot", || {
        get("127.0.0.1", locals[0]).contains("pfsnoop demo pod").then_some(())
    });
}
