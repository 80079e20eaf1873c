//! Clients and servers that vanish: they are silent from one moment to the next, as when a machine loses
//! its power. The bound is 150 s, of `VANISHED_TIMEOUT` (forward/peer_watch.rs) and of keepalive
//! (forward/keepalive.rs). Neither can be made shorter from outside.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, stdout_of, system};
use crate::support::forward::start_json;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, in_state, records};
use crate::support::watch::watch_json;

const PORT: u16 = 7105;

/// The bound, the interval of pfsnoop's checks, and a moment.
const EXPECTED: std::ops::Range<Duration> = Duration::from_secs(145)..Duration::from_secs(165);

/// A node with a forward to a pod, and a client's machine, with a network between them.
struct Network {
    client: Running,
    forward: Running,
    watch: Running,
    local: u16,
    pod: DemoPod,
    _server: Running,
    _node: Running,
}

fn machine() -> Running {
    let script = "ip link set lo up; echo up; exec sleep 600";
    let mut machine = Running::start(system("unshare").args(["--net", "sh", "-c", script]));
    machine.stdout_line("the machine", |line| line == "up");
    machine
}

fn inside(machine: &Running, script: &str) {
    let netns = format!("--net=/proc/{}/ns/net", machine.pid());
    stdout_of(system("nsenter").args([&netns, "sh", "-c", script]));
}

impl Network {
    fn start(server: &str, dialer: &str) -> Self {
        let (node, client, pod) = (machine(), machine(), DemoPod::start());
        let watch = watch_json(&[]);
        let server = pod.serve_fixture(PORT, server);
        let link = format!("ip link add n0 type veth peer name c0 netns {}", client.pid());
        inside(
            &node,
            &format!("{link} && ip address add 10.99.0.1/24 dev n0 && ip link set n0 up"),
        );
        inside(&client, "ip address add 10.99.0.2/24 dev c0 && ip link set c0 up");
        let netns = format!("--net=/proc/{}/ns/net", node.pid());
        let (pfsnoop, target) = (env!("CARGO_BIN_EXE_pfsnoop"), pod.target());
        let port = format!(":{PORT}");
        let mut command = system("nsenter");
        command.args([&netns, pfsnoop, "forward", "--address", "127.0.0.1,10.99.0.1"]);
        command.args(["--dialer", dialer, "-o", "json", &target, &port]);
        let (forward, _) = start_json(&mut command, 1);
        let local = eventually("the listener", || {
            let is_it = |record: &Value| record["address"] == "10.99.0.1";
            let listener = records(&forward).into_iter().find(is_it)?;
            Some(u16::try_from(listener["port"].as_u64()?).unwrap())
        });
        Self { client, forward, watch, local, pod, _server: server, _node: node }
    }

    fn connect(&self) -> TcpStream {
        let client = in_netns_of(self.client.pid(), || {
            eventually("the connection", || TcpStream::connect(("10.99.0.1", self.local)).ok())
        });
        eventually("it is connected", || in_state(&self.forward, "connected").pop());
        client
    }

    /// The client's machine gets nothing and sends nothing any more.
    fn client_vanishes(&self) {
        inside(&self.client, "iptables -A INPUT -j DROP && iptables -A OUTPUT -j DROP");
    }

    /// Nothing reaches the server any more.
    fn server_vanishes(&self) {
        let drop = format!("iptables -A INPUT -p tcp --dport {PORT} -j DROP");
        stdout_of(&mut self.pod.inside(&["sh", "-c", &drop]));
    }

    /// Waits for the end. Returns how long it took, and the records of both observers.
    fn end(&self, start: Instant) -> (Duration, [Value; 2]) {
        loop {
            if let Some(own) = in_state(&self.forward, "closed").pop() {
                let took = start.elapsed();
                let pid = self.forward.pid();
                return (took, [own, closed(&self.watch, |end| end["forwarder"]["pid"] == pid)]);
            }
            assert!(start.elapsed() < 2 * EXPECTED.end, "it is still open");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// The connection ends in time, and with these outcomes in `forward` and in `watch`.
fn assert_ends(network: &Network, start: Instant, outcomes: [&str; 2]) {
    let (took, ends) = network.end(start);
    let [own, seen] = &ends;
    println!("{took:?}: {} {} / {}", own["via"], own["reason"], seen["reason"]);
    assert!(EXPECTED.contains(&took), "{took:?} {own:#}");
    assert_eq!([&own["outcome"], &seen["outcome"]], outcomes, "{ends:#?}");
    assert!(own["reason"].as_str().unwrap().contains("Connection timed out"), "{own:#}");
}

/// The server goes on sending.
fn client_while_data_flows(dialer: &str) {
    let network = Network::start("serve-trickle", dialer);
    let mut client = network.connect();
    client.read_exact(&mut [0; 4096]).unwrap();
    network.client_vanishes();
    assert_ends(&network, Instant::now(), ["failed", "reset"]);
}

/// Neither side says anything.
fn client_while_idle(dialer: &str) {
    let network = Network::start("serve-echo", dialer);
    let mut client = network.connect();
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    network.client_vanishes();
    assert_ends(&network, Instant::now(), ["failed", "reset"]);
}

/// The client goes on sending.
fn server_while_data_flows(dialer: &str) {
    let network = Network::start("serve-echo", dialer);
    let mut client = network.connect();
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    network.server_vanishes();
    client.write_all(b"hello?").unwrap();
    let seen = if dialer == "native" { "failed" } else { "killed" };
    assert_ends(&network, Instant::now(), ["timeout", seen]);
}

fn server_while_idle(dialer: &str) {
    let network = Network::start("serve-echo", dialer);
    let mut client = network.connect();
    client.write_all(b"hello").unwrap();
    client.read_exact(&mut [0; 5]).unwrap();
    network.server_vanishes();
    assert_ends(&network, Instant::now(), ["timeout", "timeout"]);
}

#[test]
fn a_peer_that_vanishes_is_noticed_within_the_documented_time() {
    let cases =
        [client_while_data_flows, client_while_idle, server_while_data_flows, server_while_idle];
    std::thread::scope(|scope| {
        for case in cases {
            for dialer in ["native", "nsenter"] {
                scope.spawn(move || case(dialer));
            }
        }
    });
}
