//! The table of daemons: the systemd unit of each, and how it carries out a port-forward. The name,
//! the flags and the files of a daemon decide how.

use std::path::Path;

use super::evidence::Evidence;
use super::kubelet;
use crate::model::ForwardingMode;

/// A daemon that may carry out port-forwards.
struct KnownDaemon {
    /// The comm.
    name: &'static str,
    /// The systemd unit, without `.service`.
    unit: &'static str,
    mode: fn(&Evidence) -> ForwardingMode,
}

/// The daemons. rke2 is RKE2's process, and kubelite is MicroK8s': each contains a kubelet, and
/// uses containerd.
const DAEMONS: [KnownDaemon; 8] = [
    KnownDaemon { name: "cri-dockerd", unit: "cri-docker", mode: |_| ForwardingMode::Helpers },
    // A kubelet reaches Docker through cri-dockerd, or through dockershim, which is part of a kubelet
    // before 1.24. These do the forwarding.
    KnownDaemon { name: "dockerd", unit: "docker", mode: |_| ForwardingMode::None },
    KnownDaemon { name: "kubelet", unit: "kubelet", mode: kubelet::mode },
    KnownDaemon { name: "k3s", unit: "k3s", mode: of_k3s },
    KnownDaemon { name: "k3s-server", unit: "k3s", mode: of_k3s },
    KnownDaemon { name: "k3s-agent", unit: "k3s-agent", mode: of_k3s },
    KnownDaemon { name: "rke2", unit: "rke2-server", mode: |_| ForwardingMode::Native },
    KnownDaemon {
        name: "kubelite",
        unit: "snap.microk8s.daemon-kubelite",
        mode: |_| ForwardingMode::Native,
    },
];

/// With `--docker`, the cri-dockerd that is built into k3s listens on this socket.
const K3S_CRI_DOCKERD: &str = "/run/k3s/cri-dockerd/cri-dockerd.sock";

/// The systemd unit of the daemon with this name, without `.service`.
#[must_use]
pub fn unit_of(name: &str) -> &str {
    known(name).map_or(name, |daemon| daemon.unit)
}

/// Whether a daemon has this comm.
#[must_use]
pub fn is_daemon(name: &str) -> bool {
    known(name).is_some()
}

fn known(name: &str) -> Option<&'static KnownDaemon> {
    DAEMONS.iter().find(|daemon| daemon.name == name)
}

/// The mode of the daemon with this name.
pub(super) fn of(name: &str, daemon: &Evidence) -> ForwardingMode {
    known(name).map_or(ForwardingMode::None, |known| (known.mode)(daemon))
}

fn of_k3s(&Evidence { args, root, .. }: &Evidence) -> ForwardingMode {
    let is_docker = args.iter().any(|arg| arg == "--docker" || arg == "--docker=true");
    // Once k3s runs, its command line no longer shows its flags, but the socket exists.
    if is_docker || root.is_some_and(|root| root.has(Path::new(K3S_CRI_DOCKERD))) {
        ForwardingMode::Helpers
    } else {
        ForwardingMode::Native
    }
}

#[cfg(test)]
mod tests {
    use procfs::process::Process;

    use super::*;
    use crate::host::root::Root;

    fn mode(line: &str) -> ForwardingMode {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (process, root) = (Process::myself().unwrap(), Root::own().unwrap());
        of(&args[0], &Evidence { process: &process, args: &args, root: Some(&root) })
    }

    #[test]
    fn k3s_spawns_helpers_only_with_docker() {
        assert_eq!(mode("k3s server --docker"), ForwardingMode::Helpers);
        assert_eq!(mode("k3s-server"), ForwardingMode::Native);
    }

    #[test]
    fn each_other_daemon_has_one_mode() {
        assert_eq!(mode("cri-dockerd"), ForwardingMode::Helpers);
        assert_eq!(mode("dockerd"), ForwardingMode::None);
        for name in ["rke2", "kubelite"] {
            assert_eq!(mode(name), ForwardingMode::Native, "{name}");
        }
    }
}
