//! What a kubelet leaves on a node for each pod: a cgroup with the pod's uid, and a folder of logs
//! with its name. pfsnoop finds the name through both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use procfs::process::Process;

use crate::bench::Pod;

/// The namespace of all pods.
const NAMESPACE: &str = "shop";

/// Mounts an empty `/var/log` that only the program sees, with these folders of pods.
const WITH_LOGS: &str = "mount -t tmpfs tmpfs /var/log
    mkdir /var/log/pods
    for pod in $1; do mkdir /var/log/pods/$pod; done
    shift
    exec \"$@\"";

/// A server with a name that pfsnoop finds.
pub(super) struct NamedPod {
    /// `None` once it has ended.
    pod: Option<Pod>,
    pid: u32,
    name: &'static str,
    uid: String,
    cgroup: PathBuf,
}

impl NamedPod {
    /// Moves the server into a cgroup as a kubelet makes them with the cgroupfs driver.
    pub(super) fn new(name: &'static str, pod: Pod) -> Result<Self> {
        let pid = pod.pid();
        let uid = format!("00000000-0000-4000-8000-{pid:012x}");
        let cgroup = cgroup_root()?.join(format!("pod{uid}"));
        let named = Self { pod: Some(pod), pid, name, uid, cgroup };
        let container = named.container();
        fs::create_dir_all(&container).with_context(|| container.display().to_string())?;
        fs::write(container.join("cgroup.procs"), pid.to_string())
            .with_context(|| format!("cannot move process {pid} to {}", container.display()))?;
        Ok(named)
    }

    /// The server's process.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The cgroup of the pod's container, which is named after the container's id.
    fn container(&self) -> PathBuf {
        self.cgroup.join(format!("{:064x}", self.pid))
    }
}

impl Drop for NamedPod {
    fn drop(&mut self) {
        let container = self.container();
        self.pod = None;
        // The server's own children end a moment after their clients.
        for _ in 0..100 {
            if fs::remove_dir(&container).is_ok() {
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = fs::remove_dir(&self.cgroup);
    }
}

/// Where cgroup v2 is mounted.
fn cgroup_root() -> Result<PathBuf> {
    let mounts = Process::myself()?.mountinfo()?;
    let cgroup2 = mounts.into_iter().find(|mount| mount.fs_type == "cgroup2");
    cgroup2.map(|mount| mount.mount_point).context("cgroup v2 is not mounted")
}

/// The kubelet's folders of logs.
pub(super) struct Logs {
    folders: String,
}

impl Logs {
    /// The folders of these pods.
    pub(super) fn of(pods: &[&NamedPod]) -> Self {
        let folder = |pod: &&NamedPod| format!("{NAMESPACE}_{}_{}", pod.name, pod.uid);
        let folders: Vec<String> = pods.iter().map(folder).collect();
        Self { folders: folders.join(" ") }
    }

    /// A program that sees them.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-ec", WITH_LOGS, "sh", &self.folders]).arg(program);
        command
    }
}
