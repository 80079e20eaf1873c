//! How a kubelet carries out a port-forward: by itself, or through its container runtime.

use super::evidence::Evidence;
use super::flags::{has, value};
use super::kubelet_config::endpoint_in;
use super::kubelet_program::{Dockershim, dockershim};
use crate::model::ForwardingMode;

/// Flags of dockershim. Kubernetes 1.24 removed them together with it, so a kubelet that accepted
/// one is older.
const DOCKERSHIM_FLAGS: [&str; 9] = [
    "cni-bin-dir",
    "cni-cache-dir",
    "cni-conf-dir",
    "docker-endpoint",
    "experimental-dockershim",
    "experimental-dockershim-root-directory",
    "image-pull-progress-deadline",
    "network-plugin",
    "network-plugin-mtu",
];

/// Kubernetes 1.28 added this flag: a folder with parts of the configuration. With or without an
/// endpoint in them, such a kubelet uses a remote runtime.
const DROP_INS_FLAG: &str = "config-dir";

/// The socket at which dockershim serves CRI to its own kubelet.
const DOCKERSHIM_SOCKET: &str = "dockershim.sock";

/// Native if the kubelet uses a remote container runtime: the runtime then forwards. Kubelets up to
/// 1.23 contain dockershim and use it by default: they spawn the helpers themselves. Newer ones
/// always use a remote runtime. From 1.27 on, they take containerd's socket if neither a flag nor
/// the configuration names one (`SetDefaults_KubeletConfiguration`).
pub(super) fn mode(kubelet: &Evidence) -> ForwardingMode {
    if uses_dockershim(kubelet) { ForwardingMode::Helpers } else { ForwardingMode::Native }
}

fn uses_dockershim(kubelet: &Evidence) -> bool {
    let args = kubelet.args;
    // Up to 1.26. From 1.24 on, the only value is `remote`. With `docker`, the endpoint is where
    // dockershim itself listens (`runDockershim`, pkg/kubelet/kubelet_dockershim.go).
    if let Some(runtime) = value(args, "container-runtime") {
        return runtime == "docker";
    }
    if DOCKERSHIM_FLAGS.iter().any(|flag| has(args, flag)) {
        return true;
    }
    if has(args, DROP_INS_FLAG) {
        return false;
    }
    if let Some(endpoint) = endpoint(kubelet) {
        return endpoint.ends_with(DOCKERSHIM_SOCKET);
    }
    // Without a name for a runtime, a program that is not recognized counts as an old kubelet.
    dockershim(kubelet.process) != Dockershim::Absent
}

/// The socket of the container runtime, if one is named. Flags override the configuration, also
/// with an empty value (`kubeletConfigFlagPrecedence`).
fn endpoint(kubelet: &Evidence) -> Option<String> {
    let by_flag = value(kubelet.args, "container-runtime-endpoint");
    let in_config = || endpoint_in(&kubelet.read(&value(kubelet.args, "config")?)?);
    by_flag.or_else(in_config).filter(|endpoint| !endpoint.is_empty())
}

#[cfg(test)]
mod tests {
    use procfs::process::Process;

    use super::*;
    use crate::host::root::Root;

    fn mode_of(line: &str) -> ForwardingMode {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (process, root) = (Process::myself().unwrap(), Root::own().unwrap());
        mode(&Evidence { process: &process, args: &args, root: Some(&root) })
    }

    #[test]
    fn flags_decide_who_forwards() {
        let containerd = "unix:///run/containerd/containerd.sock";
        for (line, expected) in [
            (format!("--container-runtime-endpoint={containerd} -v 2"), ForwardingMode::Native),
            (format!("--container-runtime-endpoint {containerd}"), ForwardingMode::Native),
            (format!("--container_runtime_endpoint={containerd}"), ForwardingMode::Native),
            ("--container-runtime=remote --network-plugin=cni".into(), ForwardingMode::Native),
            ("--config-dir=/etc/kubelet.d".into(), ForwardingMode::Native),
            (
                format!("--container-runtime docker --container-runtime-endpoint={containerd}"),
                ForwardingMode::Helpers,
            ),
            ("--network-plugin=cni".into(), ForwardingMode::Helpers),
            (
                "--container-runtime-endpoint=unix:///var/run/dockershim.sock".into(),
                ForwardingMode::Helpers,
            ),
            ("--container-runtime-endpoint=".into(), ForwardingMode::Helpers),
            ("--config=/nonexistent".into(), ForwardingMode::Helpers),
            ("-v 2".into(), ForwardingMode::Helpers),
        ] {
            assert_eq!(mode_of(&format!("kubelet {line}")), expected, "{line}");
        }
    }

    #[test]
    fn flags_override_the_configuration() {
        let file = std::env::temp_dir().join(format!("pfsnoop-kubelet-{}", std::process::id()));
        std::fs::write(&file, "containerRuntimeEndpoint: unix:///run/crio.sock\n").unwrap();
        let line = format!("kubelet --config {}", file.display());
        assert_eq!(mode_of(&line), ForwardingMode::Native);
        let empty = format!("{line} --container-runtime-endpoint=");
        assert_eq!(mode_of(&empty), ForwardingMode::Helpers);
        std::fs::remove_file(&file).unwrap();
    }
}
