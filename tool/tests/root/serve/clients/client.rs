//! The clients: one entry for each.

use std::process::Command;

use super::super::endpoint::Endpoint;
use crate::common::running::Running;
use crate::common::system;
use crate::support::fixture::kube_forward;
use crate::support::forward::local_port;
use crate::support::parts;

/// A client of port-forward.
pub struct Client {
    pub name: &'static str,
    kind: Kind,
    /// The end of what a local program sends reaches the pod, and the pod's answer still comes. Only SPDY
    /// has such a half-close. A WebSocket channel has none, so these clients close everything.
    pub half_closes: bool,
    /// A local program that aborts a download does not disturb the next one. kubectl before 1.32 stops
    /// reading such a stream without a reset, and its SPDY library then reads no other stream either
    /// (kubernetes#78446, fixed by #128681). The server does not matter: with containerd's own streaming
    /// server behind an API server of a few lines, kubectl 1.20 forwarded nothing more, while 1.32 and
    /// 1.36 did.
    pub survives_abort: bool,
    /// What the client says of a connection to a pod that has ended. The JavaScript client says only with
    /// which status the endpoint has answered.
    pub not_running: &'static str,
    /// The option with which all ports share one WebSocket, in which each port is one connection. Streams
    /// of kubectl always share one. The JavaScript client takes one port at a time.
    pub together: Option<&'static str>,
}

enum Kind {
    /// kubectl of a Debian release.
    Kubectl(&'static str),
    /// A program that uses the client's library, which takes `KUBECONFIG NAMESPACE POD PORT...`.
    Program(fn() -> Command),
}

/// All clients.
pub const CLIENTS: &[Client] = &[
    Client { survives_abort: false, ..kubectl("kubectl 1.20", "bookworm") },
    kubectl("kubectl 1.32", "trixie"),
    kubectl("kubectl 1.36", "forky"),
    library("Python", python, Some("--together")),
    Client {
        not_running: "Unexpected server response: 400",
        ..library("JavaScript", javascript, None)
    },
    library("kube-rs", || system(kube_forward().to_str().unwrap()), Some("--together")),
];

/// The words of the endpoint.
const NOT_RUNNING: &str = "not running";

const fn kubectl(name: &'static str, release: &'static str) -> Client {
    let kind = Kind::Kubectl(release);
    let not_running = NOT_RUNNING;
    Client { name, kind, half_closes: true, survives_abort: true, not_running, together: None }
}

const fn library(
    name: &'static str,
    program: fn() -> Command,
    together: Option<&'static str>,
) -> Client {
    let kind = Kind::Program(program);
    let not_running = NOT_RUNNING;
    Client { name, kind, half_closes: false, survives_abort: true, not_running, together }
}

fn python() -> Command {
    let mut python = system(parts::client("python").join("bin/python").to_str().unwrap());
    python.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/root/serve/clients/forward.py"));
    python
}

fn javascript() -> Command {
    let mut node = system("node");
    node.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/root/serve/clients/forward.mjs"));
    node.arg(parts::client("javascript"));
    node
}

impl Client {
    pub fn is_kubectl(&self) -> bool {
        matches!(self.kind, Kind::Kubectl(_))
    }

    /// The command that forwards free local ports to these ports of a pod.
    pub fn command(
        &self,
        endpoint: &Endpoint,
        (namespace, name): (&str, &str),
        options: Option<&str>,
        ports: &[u16],
    ) -> Command {
        match self.kind {
            Kind::Kubectl(release) => {
                let mut kubectl = endpoint.kubectl(release);
                kubectl.args(["port-forward", "--address", "127.0.0.1", "-n", namespace]);
                kubectl.arg(format!("pod/{name}"));
                kubectl.args(ports.iter().map(|port| format!(":{port}")));
                kubectl
            }
            Kind::Program(program) => {
                let mut program = program();
                program.arg(&endpoint.kubeconfig).args([namespace, name]).args(options);
                program.args(ports.iter().map(u16::to_string));
                program
            }
        }
    }

    /// Starts it. Returns its local ports too, in that order.
    pub fn forward(
        &self,
        endpoint: &Endpoint,
        pod: (&str, &str),
        options: Option<&str>,
        ports: &[u16],
    ) -> (Running, Vec<u16>) {
        let mut running = Running::start(&mut self.command(endpoint, pod, options, ports));
        let local = ports.iter().map(|port| {
            let end = format!("-> {port}");
            local_port(&running.stdout_line(self.name, |line| line.ends_with(&end)))
        });
        let local = local.collect();
        (running, local)
    }
}
