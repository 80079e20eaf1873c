//! Programs named cri-dockerd, nsenter and socat that only pretend to forward.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Command;

use super::attackers::{NOBODY, script_in_container};
use super::fixture::impostor;
use crate::common::system;
use crate::common::temp::TempDir;

/// Runs a program with a server on the port `$0` of localhost.
const WITH_SERVER: &str = "ip link set lo up; \"$1\" serve-echo \"$0\" & shift; \
     until ss -Hltn | grep -q \":$0 \"; do sleep 0.01; done; \"$@\"; code=$?; kill %1; exit $code";

/// Who runs them.
#[derive(Clone, Copy, Debug)]
pub enum Attacker {
    /// Root on the node, as an honest forwarder is.
    Root,
    /// User nobody on the node.
    Nobody,
    /// Root in a container with pid, network and mount namespaces of its own.
    Container,
}

/// The folder with the programs.
pub struct Impostors(TempDir);

impl Impostors {
    pub fn new(test: &str) -> Self {
        let dir = TempDir::new(test);
        for name in ["cri-dockerd", "nsenter", "socat"] {
            std::fs::copy(impostor(), dir.join(name)).unwrap();
        }
        std::fs::copy(super::fixture::odd_exec(), dir.join("odd-exec")).unwrap();
        Self(dir)
    }

    /// The false cri-dockerd.
    pub fn forwarder(&self) -> PathBuf {
        self.0.join("cri-dockerd")
    }

    pub fn dir(&self) -> &TempDir {
        &self.0
    }

    /// The false cri-dockerd, which is about to start the false nsenter with the arguments of a forward to
    /// this port of the process `target`.
    pub fn forward(&self, attacker: Attacker, target: u32, port: u16) -> Command {
        let port = port.to_string();
        let odd_exec = self.0.join("odd-exec").display().to_string();
        let prefix: Vec<&str> = match attacker {
            Attacker::Root => vec!["env"],
            Attacker::Nobody => NOBODY.to_vec(),
            Attacker::Container => {
                [&script_in_container(WITH_SERVER)[..], &[&port, &odd_exec]].concat()
            }
        };
        let mut command = system(prefix[0]);
        command.args(&prefix[1..]).arg(self.forwarder());
        command.args(["-t", &target.to_string(), "-n", "socat", "-"]);
        command.arg(format!("TCP4:localhost:{port}"));
        command
    }
}

/// A server on a port of the node's localhost, which answers each connection with what it gets.
pub fn serve(port: u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || std::io::copy(&mut &stream, &mut &stream));
        }
    });
}
