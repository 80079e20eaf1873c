//! A connection of `pfsnoop forward` that a `pfsnoop watch` beside it sees too.

use std::io::Read as _;
use std::net::TcpStream;
use std::path::PathBuf;

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop, stdout_of};
use crate::support::forward::start_json;
use crate::support::netns::netns_of;
use crate::support::parts::helpers;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

use super::reasons::assert_same_reason;

/// A way into the pod: a dialer, and where it finds nsenter and socat.
#[derive(Debug)]
pub struct Way {
    pub dialer: &'static str,
    pub helpers: PathBuf,
}

/// The native dialer, and the other one with each version of nsenter and socat.
pub fn ways() -> Vec<Way> {
    let native = Way { dialer: "native", helpers: PathBuf::new() };
    let helped = |helpers| Way { dialer: "nsenter", helpers };
    [native].into_iter().chain(helpers().into_iter().map(helped)).collect()
}

/// A forwarded connection with a server, and both observers.
pub struct Case {
    pub pod: DemoPod,
    pub server: Option<Running>,
    pub watch: Running,
    pub forward: Running,
    pub client: TcpStream,
    pub port: u16,
}

impl Case {
    pub fn start(way: &Way, server: &str, port: u16) -> Self {
        let pod = DemoPod::start();
        let server = pod.serve_fixture(port, server);
        Self { server: Some(server), ..Self::connect(way, pod, port) }
    }

    /// A connection to a port without a server.
    pub fn connect(way: &Way, pod: DemoPod, port: u16) -> Self {
        Self::connect_with(way, &[], pod, port, || {})
    }

    /// The same with more options. `prepare` runs once the forward has started, before the client
    /// connects.
    pub fn connect_with(
        way: &Way,
        options: &[&str],
        pod: DemoPod,
        port: u16,
        prepare: impl FnOnce(),
    ) -> Self {
        let watch = watch_json(&[]);
        let (target, ports) = (pod.target(), format!(":{port}"));
        let args = ["forward", "--dialer", way.dialer, "-o", "json", &target, &ports];
        let args = [&args[..], options].concat();
        let (forward, locals) = start_json(pfsnoop(&args).env("PATH", &way.helpers), 1);
        prepare();
        let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        Self { pod, server: None, watch, forward, client, port }
    }

    /// Waits until a SYN has been sent to a pod that does not answer.
    pub fn attempted(&self) {
        let mut ss = self.pod.inside(&["ss", "-Hnt", "state", "syn-sent"]);
        let port = format!(":{}", self.port);
        eventually("the attempt", || stdout_of(&mut ss).contains(&port).then_some(()));
    }

    /// Waits until both observers have seen the connection into the pod.
    pub fn connected(&self) {
        let netns = netns_of(self.pod.pause);
        let is_it =
            |record: &Value| record["state"] == "connected" && is_at(record, self.port, netns);
        for observer in [&self.forward, &self.watch] {
            eventually("the connection", || sessions(observer, is_it).pop());
        }
    }

    /// Resets the client's connection at once (`tcp_disconnect`, net/ipv4/tcp.c).
    pub fn reset(&self) {
        rustix::net::connect_unspec(&self.client).unwrap();
    }

    pub fn read(&mut self, bytes: usize) {
        self.client.read_exact(&mut vec![0; bytes]).unwrap();
    }

    /// The two `closed` records: of the forwarder, and of `watch`. They must agree.
    pub fn end(&self) -> Value {
        let [own, seen] = self.ends();
        for key in ["outcome", "via", "port", "bytes_to_pod"] {
            assert_eq!(own[key], seen[key], "{key} of {own:#}\n{seen:#}");
        }
        assert_same_reason(&own, &seen);
        seen
    }

    /// The two records, which may differ.
    pub fn ends(&self) -> [Value; 2] {
        let netns = netns_of(self.pod.pause);
        [&self.forward, &self.watch]
            .map(|observer| closed(observer, |record| is_at(record, self.port, netns)))
    }
}

/// Whether a record is about a port in a namespace. Others may use the same port elsewhere.
pub fn is_at(record: &Value, port: u16, netns: u64) -> bool {
    record["port"] == port && record["target"]["netns"] == netns
}

pub fn assert_end(end: &Value, outcome: &str, reason: &str) {
    assert_eq!(end["outcome"], outcome, "{end:#}");
    assert!(end["reason"].as_str().unwrap().contains(reason), "{end:#}");
}

/// Has the connection reset when it is dropped.
pub fn reset(client: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(client, Some(std::time::Duration::ZERO)).unwrap();
}
