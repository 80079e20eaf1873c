//! The forwarders, and a client and a server on both sides of them.

use std::collections::HashSet;
use std::process::{Child, Command, Stdio};

use super::behaviours::Behaviour;
use super::way::{Observed, Way};
use crate::common::running::Running;
use crate::common::{eventually, stdout_of, system};
use crate::support::fixture::peer;

/// A node and a target, each a network namespace of its own, and the forwarders between them.
pub struct Forwarders {
    node: Running,
    target: Running,
    pfsnoop: Vec<Running>,
    _socat: Vec<Listener>,
}

impl Forwarders {
    /// Starts the forwarders for so many behaviours.
    pub fn start(behaviours: usize) -> Self {
        let (node, target) = (netns(), netns());
        let ports = |way: Way| (0..behaviours).map(move |number| way.port(number));
        let socat = ports(Way::Socat).map(|port| socat(&node, &target, port)).collect();
        let pfsnoop = [Way::Nsenter, Way::Native].map(|way| {
            let target = format!("pid/{}", target.pid());
            let mut command = inside(&node, env!("CARGO_BIN_EXE_pfsnoop"));
            command.args(["forward", "--dialer", way.name(), &target]);
            Running::start(command.args(ports(way).map(|port| port.to_string())))
        });
        let wanted: HashSet<u16> = Way::ALL[1..].iter().flat_map(|&way| ports(way)).collect();
        eventually("the listeners", || wanted.is_subset(&listening_ports(&node)).then_some(()));
        Self { node, target, pfsnoop: pfsnoop.into(), _socat: socat }
    }

    /// What pfsnoop has printed.
    pub fn printed(&self) -> Vec<String> {
        self.pfsnoop.iter().flat_map(|one| [one.stdout(), one.stderr()].concat()).collect()
    }

    /// Runs one behaviour, which has this number, in one way.
    pub fn run(&self, way: Way, number: usize, behaviour: &Behaviour) -> Observed {
        let client = if way == Way::Direct { &self.target } else { &self.node };
        let mut command = Command::new(peer());
        for side in [client, &self.target] {
            command.arg(format!("/proc/{}/ns/net", side.pid()));
        }
        command.arg(way.port(number).to_string()).args([behaviour.client, behaviour.server]);
        let text = stdout_of(&mut command);
        let mut lines = text.lines().map(ToOwned::to_owned);
        Observed { client: lines.next().unwrap(), server: lines.next().unwrap() }
    }
}

/// A network namespace with a loopback, in which TCP gives up a silent peer after seconds.
fn netns() -> Running {
    const SCRIPT: &str = "ip link set lo up && sysctl -qw net.ipv4.tcp_retries2=3 && echo ready && \
                          exec sleep 600";
    let mut process = Running::start(system("unshare").args(["--net", "sh", "-c", SCRIPT]));
    process.stdout_line("the namespace", |line| line == "ready");
    process
}

fn inside(netns: &Running, program: &str) -> Command {
    let mut command = system("nsenter");
    command.args(["-t", &netns.pid().to_string(), "-n", program]);
    command
}

fn listening_ports(netns: &Running) -> HashSet<u16> {
    let all = stdout_of(inside(netns, "ss").arg("-Hltn"));
    let local = all.lines().filter_map(|line| line.split_whitespace().nth(3));
    local.filter_map(|address| address.rsplit(':').next()?.parse().ok()).collect()
}

/// A socat that forwards as a kubelet does. Dropping it kills it.
struct Listener(Child);

fn socat(node: &Running, target: &Running, port: u16) -> Listener {
    let helper = format!("nsenter -t {} -n socat - TCP4\\:localhost\\:{port}", target.pid());
    let mut command = inside(node, "socat");
    command.arg(format!("TCP4-LISTEN:{port},bind=127.0.0.1,fork")).arg(format!("EXEC:{helper}"));
    Listener(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
