//! Pods that end.

use std::net::TcpStream;
use std::thread;

use super::super::endpoint::{Endpoint, PODS, page_of};
use super::client::{CLIENTS, Client};
use super::everything::endpoints;
use super::site::{SITE, ends, hold, pods};
use crate::common::running::Running;
use crate::common::{eventually, stdout_of};

/// A client with a connection to a pod.
struct Open<'a> {
    name: String,
    client: &'a Client,
    endpoint: &'a Endpoint,
    pod: (&'a str, &'a str),
    forward: Running,
    port: u16,
    connection: TcpStream,
}

#[test]
fn every_client_sees_that_a_pod_ends() {
    let pods = pods("serve-ends");
    let endpoints = endpoints(&pods);
    let open = thread::scope(|scope| {
        let both = endpoints.iter().zip(["nsenter", "native"]);
        let both: Vec<_> = both.map(|both| scope.spawn(move || open_all(both))).collect();
        both.into_iter().flat_map(|open| open.join().unwrap()).collect::<Vec<_>>()
    });
    pods.containerd.stop_pod(&pods.web);
    stdout_of(pods.docker.client().args(["kill", "plain"]));
    for endpoint in &endpoints {
        // What a list shows may be a moment old.
        eventually("the end of both pods", || {
            let list = stdout_of(endpoint.kubectl("forky").args(["get", "pods", "-A"]));
            (!list.contains("Running")).then_some(())
        });
    }
    for open in open {
        open.check();
    }
    endpoints.into_iter().for_each(Endpoint::end);
}

/// Every client, to both pods.
fn open_all<'a>((endpoint, dialer): (&'a Endpoint, &str)) -> Vec<Open<'a>> {
    let all = CLIENTS.iter().flat_map(|client| PODS.map(|pod| (client, pod)));
    all.map(|(client, pod)| {
        let (forward, ports) = client.forward(endpoint, pod, None, &[SITE]);
        let (port, connection) = (ports[0], hold(ports[0]));
        let name = format!("{}, {dialer}, {pod:?}", client.name);
        Open { name, client, endpoint, pod, forward, port, connection }
    })
    .collect()
}

impl Open<'_> {
    fn check(mut self) {
        let name = &self.name;
        assert!(ends(self.connection), "{name}: the open connection");
        // A client may have ended after that. kubectl ends at its first connection that fails.
        if let Ok(connection) = TcpStream::connect(("127.0.0.1", self.port)) {
            assert_eq!(page_of(connection, ""), b"", "{name}");
            let words = self.client.not_running;
            self.forward.stderr_line(name, |line| line.contains(words));
        }
        // kubectl asks for the pod before it listens.
        if self.client.is_kubectl() {
            let mut again = self.client.command(self.endpoint, self.pod, None, &[SITE]);
            let (status, _, stderr) = Running::start(&mut again).end();
            assert_eq!(status.code(), Some(1), "{name}: {stderr:?}");
            let said = "error: unable to forward port because pod is not running. Current status=";
            assert!(stderr.len() == 1 && stderr[0].starts_with(said), "{name}: {stderr:?}");
        }
    }
}
