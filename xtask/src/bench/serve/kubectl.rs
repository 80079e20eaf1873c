//! The client: the newest kubectl.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::containerd::{NAME, NAMESPACE};
use super::node::FOLDER;
use crate::bench::Pod;
use crate::setup;

/// Bounds how long it takes until it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(20);

/// How kubectl carries its streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// As it does by itself: SPDY in a WebSocket.
    WebSocket,
    /// SPDY alone, which a runtime's streaming server speaks.
    Spdy,
}

/// A running `kubectl port-forward`.
pub(super) struct Kubectl {
    child: Child,
    output: PathBuf,
    /// Where it listens.
    pub(super) port: u16,
}

impl Kubectl {
    /// Starts it, and waits until it listens.
    pub(super) fn start(kubeconfig: &Path, transport: Transport) -> Result<Self> {
        let output = Path::new(FOLDER).join("kubectl");
        // It prints a line for each connection.
        let file = File::create(&output)?;
        let mut kubectl = Command::new(setup::newest_kubectl());
        kubectl.arg("--kubeconfig").arg(kubeconfig).arg("--cache-dir=/nonexistent");
        kubectl.args(["port-forward", "--address", "127.0.0.1", "-n", NAMESPACE]);
        kubectl.args([&format!("pod/{NAME}"), &format!(":{}", Pod::PORT)]);
        if transport == Transport::Spdy {
            kubectl.env("KUBECTL_PORT_FORWARD_WEBSOCKETS", "false");
        }
        kubectl.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = kubectl.spawn().context("kubectl")?;
        let mut kubectl = Self { child, output, port: 0 };
        kubectl.port = kubectl.wait_for_port()?;
        Ok(kubectl)
    }

    /// `Forwarding from 127.0.0.1:43019 -> 8080`
    fn wait_for_port(&mut self) -> Result<u16> {
        let deadline = Instant::now() + LISTEN_TIMEOUT;
        while Instant::now() < deadline && self.child.try_wait()?.is_none() {
            let printed = fs::read_to_string(&self.output)?;
            let port = printed.strip_prefix("Forwarding from 127.0.0.1:");
            let port = port.and_then(|rest| rest.split_once(' ')?.0.parse().ok());
            if let Some(port) = port {
                return Ok(port);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("kubectl does not forward:{}", self.complaints())
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it printed, without the lines for connections.
    pub(super) fn complaints(&self) -> String {
        let printed = fs::read_to_string(&self.output).unwrap_or_default();
        let usual = |line: &&str| line.starts_with("Handling") || line.starts_with("Forwarding");
        printed
            .lines()
            .filter(|line| !usual(line))
            .fold(String::new(), |all, line| all + "\n" + line)
    }
}

impl Drop for Kubectl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
