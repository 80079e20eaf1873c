//! The pod of `pfsnoop demo`, as something to forward to.

use std::process::Command;

use rustix::process::Signal;

use super::fixture::odd_exec;
use super::netns::netns_of;
use crate::common::running::Running;
use crate::common::{eventually, pfsnoop, stdout_of, system};

/// `pfsnoop demo --stay`, ready. Its web page is on port 8080.
pub struct DemoPod {
    /// The pid of the pause process.
    pub pause: u32,
    /// The port on which the demo itself forwards to the page.
    pub local_port: u16,
    demo: Running,
}

impl DemoPod {
    pub fn start() -> Self {
        let mut demo = Running::start(&mut pfsnoop(&["demo", "--stay"]));
        demo.stdout_line("address to open", |line| line.starts_with("Open http://"));
        let first = demo.stdout_line("pod", |line| line.starts_with("Pod with pause process"));
        let forwarding = demo.stdout_line("listener", |line| line.contains("127.0.0.1:"));
        let word = |line: &str, n: usize| line.split([' ', ':']).nth(n).unwrap().to_owned();
        Self {
            pause: word(&first, 4).parse().unwrap(),
            local_port: word(&forwarding, 3).parse().unwrap(),
            demo,
        }
    }

    /// The pid of `pfsnoop demo`.
    pub fn pid(&self) -> u32 {
        self.demo.pid()
    }

    /// The pod as a TARGET.
    pub fn target(&self) -> String {
        format!("pid/{}", self.pause)
    }

    /// The inode of the pod's network namespace.
    pub fn netns(&self) -> u64 {
        netns_of(self.pause)
    }

    /// A program inside the pod's network namespace.
    pub fn inside(&self, args: &[&str]) -> Command {
        let mut command = system("nsenter");
        command.args(["-t", &self.pause.to_string(), "-n"]).args(args);
        command
    }

    /// Gives the pod an address on an interface of its own.
    pub fn add_address(&self, address: &str) {
        let script = format!(
            "ip link add own0 type veth peer name own1 && ip address add {address} dev own0 && \
             ip link set own0 up && ip link set own1 up"
        );
        stdout_of(&mut self.inside(&["sh", "-c", &script]));
    }

    /// A server inside the pod, once it listens on that port.
    pub fn serve(&self, port: u16, args: &[&str]) -> Running {
        let server = Running::start(&mut self.inside(args));
        let listening = |all: &str| all.contains(&format!(":{port} "));
        eventually("the server", || {
            listening(&stdout_of(&mut self.inside(&["ss", "-Hltn"]))).then_some(())
        });
        server
    }

    /// A server of the fixture inside the pod: `serve-echo`, `serve-zeros` or `serve-reset`.
    pub fn serve_fixture(&self, port: u16, kind: &str) -> Running {
        self.serve(port, &[odd_exec().to_str().unwrap(), kind, &port.to_string()])
    }

    /// Drops every packet to a port of the pod, so that connections to it time out soon.
    pub fn drop_packets_to(&self, port: u16) {
        let script = format!(
            "iptables -A INPUT -p tcp --dport {port} -j DROP && \
             sysctl -qw net.ipv4.tcp_syn_retries=1"
        );
        stdout_of(&mut self.inside(&["sh", "-c", &script]));
    }

    /// Ends the demo by a signal and waits until it exits.
    pub fn end(mut self, signal: Signal) -> std::process::ExitStatus {
        self.demo.signal(signal);
        self.demo.wait()
    }
}
