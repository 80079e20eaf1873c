//! The real kubectl.

use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::wait::eventually;

pub(super) const CONFIG: &str = "/etc/kubernetes/admin.conf";
pub(super) const TOKEN: &str = "article";

/// What it prints, in the order in which it prints it.
const OUTPUT: &str = "/run/node/kubectl.txt";

/// Bounds how long it takes until it listens.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(20);

/// Writes how to reach the API server, for kubectl and the kubelet.
pub(super) fn write_config(server: &str, certificate: &str) -> Result<()> {
    // JSON is YAML too.
    let config = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{
            "name": "article",
            "cluster": {"server": server, "certificate-authority": certificate},
        }],
        "users": [{"name": "admin", "user": {"token": TOKEN}}],
        "contexts": [{"name": "article", "context": {"cluster": "article", "user": "admin"}}],
        "current-context": "article",
    });
    fs::write(CONFIG, config.to_string()).context(CONFIG)
}

pub(super) fn command() -> Command {
    let mut command = Command::new("kubectl");
    command.env("KUBECONFIG", CONFIG);
    command
}

/// A running `kubectl port-forward`.
pub(super) struct PortForward {
    kubectl: Child,
}

impl PortForward {
    /// Starts it, and waits until it listens.
    pub(super) fn start(pod: &str, ports: &str) -> Result<Self> {
        let output = File::create(OUTPUT)?;
        let mut kubectl = command();
        kubectl.args(["port-forward", pod, ports]).stdin(Stdio::null());
        kubectl.stdout(output.try_clone()?).stderr(output);
        let forward = Self { kubectl: kubectl.spawn().context("kubectl")? };
        eventually("kubectl port-forward", LISTEN_TIMEOUT, || {
            Ok(fs::read_to_string(OUTPUT)?.contains("Forwarding from [::1]").then_some(()))
        })?;
        Ok(forward)
    }

    /// Ends it as Ctrl-C does. Returns everything that it printed.
    pub(super) fn stop(mut self) -> Result<String> {
        kill_process(Pid::from_child(&self.kubectl), Signal::INT)?;
        self.kubectl.wait()?;
        fs::read_to_string(OUTPUT).map_err(Into::into)
    }
}
