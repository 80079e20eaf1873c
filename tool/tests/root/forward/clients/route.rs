//! The ways from a client to a server in a pod: a forward by one of the dialers, or none.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::common::running::Running;
use crate::common::{output, system};
use crate::support::forward::forward_json;
use crate::support::pod::DemoPod;
use crate::support::records::closed;
use crate::support::watch::watch_json;

/// A way to the server.
pub struct Route<'a> {
    pod: &'a DemoPod,
    /// The port that a client connects to.
    pub port: u16,
    forward: Option<Forward>,
}

struct Forward {
    dialer: &'static str,
    remote: u16,
    running: Running,
    watch: Running,
}

impl<'a> Route<'a> {
    /// The client runs in the pod's network namespace.
    pub fn direct(pod: &'a DemoPod, port: u16) -> Self {
        Self { pod, port, forward: None }
    }

    /// The client runs on the node and connects to a forward by this dialer.
    pub fn by(dialer: &'static str, pod: &'a DemoPod, remote: u16) -> Self {
        let watch = watch_json(&[]);
        let (running, locals) = forward_json(dialer, pod.pause, &[&format!(":{remote}")]);
        let forward = Forward { dialer, remote, running, watch };
        Self { pod, port: locals[0], forward: Some(forward) }
    }

    /// A direct one, and one by each dialer.
    pub fn all(pod: &'a DemoPod, port: u16) -> [Self; 3] {
        let [native, nsenter] = ["native", "nsenter"].map(|dialer| Self::by(dialer, pod, port));
        [Self::direct(pod, port), native, nsenter]
    }

    /// The name, for messages.
    pub fn name(&self) -> &'static str {
        self.forward.as_ref().map_or("direct", |forward| forward.dialer)
    }

    /// A program where the client runs.
    pub fn client(&self, program: &str) -> Command {
        let mut command =
            if self.forward.is_none() { self.pod.inside(&[program]) } else { system(program) };
        command.stdin(Stdio::null());
        command
    }

    /// The end of the only session of this forward, as both observers report it.
    pub fn ends(&self) -> Vec<Value> {
        let Some(Forward { remote, running, watch, .. }) = &self.forward else { return Vec::new() };
        let pid = running.pid();
        let is_own =
            |record: &Value| record["forwarder"]["pid"] == pid && record["port"] == *remote;
        [running, watch].map(|observer| closed(observer, is_own)).into()
    }

    /// Both observers report the only session with this outcome.
    pub fn assert_outcome(&self, outcome: &str) {
        for end in self.ends() {
            assert_eq!(end["outcome"], outcome, "{}: {end:#}", self.name());
        }
    }
}

/// Runs a client to its end, which must exit with this code. Returns its stdout.
pub fn run(command: &mut Command, code: i32) -> String {
    let Output { status, stdout, stderr } = output(command);
    let [stdout, stderr] = [stdout, stderr].map(|bytes| crate::common::text(&bytes));
    assert_eq!(status.code(), Some(code), "{command:?}: {stdout} {stderr}");
    stdout
}
