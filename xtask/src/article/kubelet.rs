//! The kubelet, and the pod that it starts by itself.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::daemon::Daemon;
use super::docker::{KUARD, PAUSE};
use super::kubectl;
use super::node::ADDRESS;
use crate::run::stdout_of;

const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// Starts it, with its pods below that cgroup.
pub(super) fn start(cgroup: &str) -> Result<Daemon> {
    fs::create_dir_all(MANIFESTS)?;
    let pod = serde_json::json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "kuard", "namespace": "default"},
        "spec": {"containers": [{"name": "kuard", "image": KUARD, "imagePullPolicy": "Never"}]},
    });
    fs::write(format!("{MANIFESTS}/kuard.json"), pod.to_string())?;
    Daemon::start(
        "kubelet",
        &[
            "--container-runtime=docker",
            &format!("--pod-infra-container-image={PAUSE}"),
            &format!("--pod-manifest-path={MANIFESTS}"),
            &format!("--kubeconfig={}", kubectl::CONFIG),
            &format!("--node-ip={ADDRESS}"),
            &format!("--cgroup-root=/{cgroup}"),
            "--cgroup-driver=cgroupfs",
            "--anonymous-auth",
            "--authorization-mode=AlwaysAllow",
            "--resolv-conf=",
            "--fail-swap-on=false",
            // Full disks and low memory of this machine do not matter here, and neither does its firewall.
            "--eviction-hard=",
            "--image-gc-high-threshold=100",
            "--make-iptables-util-chains=false",
            // As for containers: a negative one may be forbidden.
            "--oom-score-adj=0",
        ],
    )
}

/// The version that was built.
pub(super) fn version() -> Result<String> {
    let version = stdout_of(Command::new("kubelet").arg("--version"))?;
    Ok(version.trim().trim_start_matches("Kubernetes ").to_owned())
}
