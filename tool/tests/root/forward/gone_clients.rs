//! Clients that are gone while the server says nothing: none holds its connection for ever.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;

use crate::common::running::Running;
use crate::common::{eventually, system};
use crate::support::forward::start_json;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, in_state};

/// A node in a network namespace of its own, with a forward of port 7090 to a pod.
struct Node {
    /// Holds the namespace.
    namespace: Running,
    forward: Running,
    local: u16,
    _server: Running,
    _pod: DemoPod,
}

impl Node {
    fn start(server: &str, dialer: &str) -> Self {
        let pod = DemoPod::start();
        let server = pod.serve_fixture(7090, server);
        let script = "ip link set lo up; echo 2 > /proc/sys/net/ipv4/tcp_fin_timeout; echo up; \
                      exec sleep 600";
        let mut namespace = Running::start(system("unshare").args(["--net", "sh", "-c", script]));
        namespace.stdout_line("the node", |line| line == "up");
        let netns = format!("--net=/proc/{}/ns/net", namespace.pid());
        let pfsnoop = env!("CARGO_BIN_EXE_pfsnoop");
        let target = pod.target();
        let mut command = system("nsenter");
        command.args([&netns, pfsnoop, "forward", "--address", "127.0.0.1"]);
        command.args(["--dialer", dialer, "-o", "json", &target, ":7090"]);
        let (forward, locals) = start_json(&mut command, 1);
        Self { local: locals[0], namespace, forward, _server: server, _pod: pod }
    }

    fn connect(&self) -> TcpStream {
        in_netns_of(self.namespace.pid(), || TcpStream::connect(("127.0.0.1", self.local)).unwrap())
    }

    fn open(&self) -> usize {
        in_state(&self.forward, "started").len() - in_state(&self.forward, "closed").len()
    }
}

/// A client that resets the connection after its own end. Nobody reads from it any more.
#[test]
fn a_reset_after_the_clients_end_is_noticed_at_once() {
    for dialer in ["native", "nsenter"] {
        let node = Node::start("serve-deaf", dialer);
        let client = node.connect();
        eventually("it is open", || (node.open() == 1).then_some(()));
        client.shutdown(Shutdown::Write).unwrap();
        std::thread::sleep(Duration::from_millis(100));
        set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
        let reset_at = Instant::now();
        drop(client);
        let end = closed(&node.forward, |_| true);
        let took = reset_at.elapsed();
        assert!(took < Duration::from_secs(3), "{dialer}: {took:?} {end:#}");
        assert_eq!(end["outcome"] == "reset", dialer == "native", "{end:#}");
    }
}

/// A reset while the server takes no more data: nobody reads from the client then, too.
#[test]
fn a_reset_is_noticed_while_the_server_takes_no_data() {
    let node = Node::start("serve-deaf", "native");
    let mut client = node.connect();
    client.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    while client.write(&[0; 8192]).is_ok() {}
    set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    let reset_at = Instant::now();
    drop(client);
    let end = closed(&node.forward, |_| true);
    assert!(reset_at.elapsed() < Duration::from_secs(4), "{end:#}");
    assert_eq!(end["outcome"], "reset", "{end:#}");
}

/// The kernel of a client that has closed its socket answers a keepalive probe with a reset, and that
/// of a client that has ended only its direction acknowledges the probe.
#[test]
fn a_client_that_has_closed_for_good_is_told_from_one_that_waits() {
    let node = Node::start("serve-deaf", "native");
    let (closes, mut waits) = (node.connect(), node.connect());
    eventually("both are open", || (node.open() == 2).then_some(()));
    waits.shutdown(Shutdown::Write).unwrap();
    drop(closes);
    let start = Instant::now();
    while node.open() == 2 {
        assert!(start.elapsed() < Duration::from_mins(1), "the dead client is still there");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(20));
    assert_eq!(node.open(), 1, "the client that waits is still there");
    waits.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let error = waits.read(&mut [0]).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
}
