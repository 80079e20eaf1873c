//! A cluster of one node: etcd, the API server, Docker and the kubelet, with one pod.

use std::fs;
use std::process::Command;

use anyhow::Result;

use super::daemon::Daemon;
use super::node::{ADDRESS, NAME};
use super::{docker, kubectl, kubelet};
use crate::run::{stdout_of, succeeds};

/// The kubelet adds the name of the node to a static pod's name.
pub(super) const POD: &str = "kuard-node1";

const ETCD: &str = "http://127.0.0.1:2379";
const TOKENS: &str = "/etc/kubernetes/tokens.csv";
/// A certificate that the API server signs for itself, and its key.
const CERTIFICATES: &str = "/etc/kubernetes/pki";

/// The running daemons. The guard of the node ends them.
pub(super) struct Cluster {
    _daemons: [Daemon; 4],
}

impl Cluster {
    /// Starts all, and waits until the pod is ready.
    pub(super) fn start(cgroup: &str) -> Result<Self> {
        let mut etcd = Daemon::start("etcd", &["--data-dir", "/var/lib/etcd/data"])?;
        etcd.wait_for("etcd", || {
            succeeds(Command::new("curl").args(["--fail", &format!("{ETCD}/health")])).then_some(())
        })?;
        let api = start_api_server()?;
        let docker = docker::start()?;
        let mut kubelet = kubelet::start(cgroup)?;
        kubelet.wait_for("the pod", || {
            let ready = "jsonpath={.status.conditions[?(@.type==\"Ready\")].status}";
            let ready = stdout_of(kubectl::command().args(["get", "pod", POD, "-o", ready]));
            (ready.ok()? == "True").then_some(())
        })?;
        Ok(Self { _daemons: [etcd, api, docker, kubelet] })
    }
}

fn start_api_server() -> Result<Daemon> {
    fs::create_dir_all(CERTIFICATES)?;
    fs::write(TOKENS, format!("{},admin,admin\n", kubectl::TOKEN))?;
    kubectl::write_config(
        &format!("https://{ADDRESS}:6443"),
        &format!("{CERTIFICATES}/apiserver.crt"),
    )?;
    let mut api = Daemon::start(
        "kube-apiserver",
        &[
            &format!("--etcd-servers={ETCD}"),
            &format!("--advertise-address={ADDRESS}"),
            &format!("--cert-dir={CERTIFICATES}"),
            &format!("--token-auth-file={TOKENS}"),
            "--authorization-mode=AlwaysAllow",
            "--service-cluster-ip-range=10.96.0.0/16",
            &format!("--service-account-issuer=https://{NAME}"),
            &format!("--service-account-signing-key-file={CERTIFICATES}/apiserver.key"),
            &format!("--service-account-key-file={CERTIFICATES}/apiserver.key"),
            // Its accounts would come from a controller manager.
            "--disable-admission-plugins=ServiceAccount",
            // No name server knows the node.
            "--kubelet-preferred-address-types=InternalIP",
        ],
    )?;
    api.wait_for("the API server", || {
        succeeds(kubectl::command().args(["get", "namespace", "default"])).then_some(())
    })?;
    Ok(api)
}
