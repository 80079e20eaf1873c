//! What a daemon does with a port-forward, from its name, its flags and its files.

use std::path::Path;

use crate::host::root::Root;
use crate::model::ForwardingMode;

/// A daemon that answers port-forwards, or might.
pub(super) struct Known {
    /// Its comm.
    pub(super) name: &'static str,
    mode: fn(&[String], Option<&Root>) -> ForwardingMode,
}

/// The daemons. Of the last two, rke2 and kubelite, RKE2 and MicroK8s make their kubelets; both use
/// containerd.
pub(super) const DAEMONS: [Known; 8] = [
    Known { name: "cri-dockerd", mode: |_, _| ForwardingMode::Helpers },
    // Docker forwards for a kubelet only through cri-dockerd.
    Known { name: "dockerd", mode: |_, _| ForwardingMode::None },
    Known { name: "kubelet", mode: of_kubelet },
    Known { name: "k3s", mode: of_k3s },
    Known { name: "k3s-server", mode: of_k3s },
    Known { name: "k3s-agent", mode: of_k3s },
    Known { name: "rke2", mode: |_, _| ForwardingMode::Native },
    Known { name: "kubelite", mode: |_, _| ForwardingMode::Native },
];

/// The cri-dockerd that is built into k3s listens here with `--docker`.
const K3S_CRI_DOCKERD: &str = "/run/k3s/cri-dockerd/cri-dockerd.sock";

/// Where kubeadm puts the kubelet's configuration.
const KUBELET_CONFIG: &str = "/var/lib/kubelet/config.yaml";

/// The mode of the daemon with this name and these arguments; without `root`, its files may not be
/// read.
pub(super) fn of(name: &str, args: &[String], root: Option<&Root>) -> ForwardingMode {
    let known = DAEMONS.iter().find(|daemon| daemon.name == name);
    known.map_or(ForwardingMode::None, |daemon| (daemon.mode)(args, root))
}

/// Before 1.24 the kubelet contained dockershim. Later kubelets name their runtime, by flag or in
/// their configuration; it then forwards.
fn of_kubelet(args: &[String], root: Option<&Root>) -> ForwardingMode {
    let from_file = || {
        let file = flag(args, "--config").unwrap_or_else(|| KUBELET_CONFIG.to_owned());
        let config = serde_saphyr::from_str::<KubeletConfig>(&root?.read(Path::new(&file))?);
        config.ok()?.container_runtime_endpoint.filter(|endpoint| !endpoint.is_empty())
    };
    let endpoint = flag(args, "--container-runtime-endpoint").or_else(from_file);
    endpoint.map_or(ForwardingMode::Helpers, |_| ForwardingMode::Native)
}

/// The part of `KubeletConfiguration` (kubelet.config.k8s.io/v1beta1) that matters here. JSON is
/// YAML too.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct KubeletConfig {
    container_runtime_endpoint: Option<String>,
}

fn of_k3s(args: &[String], root: Option<&Root>) -> ForwardingMode {
    let is_docker = args.iter().any(|arg| arg == "--docker" || arg == "--docker=true");
    // k3s hides its flags once it runs.
    if is_docker || root.is_some_and(|root| root.has(Path::new(K3S_CRI_DOCKERD))) {
        ForwardingMode::Helpers
    } else {
        ForwardingMode::Native
    }
}

/// The value of `--flag=value` or `--flag value`.
fn flag(args: &[String], name: &str) -> Option<String> {
    let at = args.iter().position(|arg| arg.split('=').next() == Some(name))?;
    match args.get(at)?.split_once('=') {
        Some((_, value)) => Some(value.to_owned()),
        None => args.get(at + 1).cloned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(line: &str) -> ForwardingMode {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        of(&args[0], &args, Some(&Root::own().unwrap()))
    }

    #[test]
    fn a_kubelet_whose_flags_name_a_runtime_does_not_forward_itself() {
        for line in [
            "kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock -v 2",
            "kubelet --container-runtime-endpoint unix:///run/containerd/containerd.sock",
        ] {
            assert_eq!(mode(line), ForwardingMode::Native, "{line}");
        }
        assert_eq!(mode("kubelet --config=/nonexistent"), ForwardingMode::Helpers);
    }

    #[test]
    fn a_kubelets_configuration_is_yaml_or_json() {
        let file = std::env::temp_dir().join(format!("pfsnoop-kubelet-{}", std::process::id()));
        for (text, expected) in [
            (
                "kind: x\ncontainerRuntimeEndpoint: \"unix:///run/crio.sock\"\n",
                ForwardingMode::Native,
            ),
            ("{\"containerRuntimeEndpoint\": \"unix:///run/crio.sock\"}", ForwardingMode::Native),
            ("kind: x\ncontainerRuntimeEndpoint: ''\n", ForwardingMode::Helpers),
            ("kind: x\n", ForwardingMode::Helpers),
        ] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(mode(&format!("kubelet --config {}", file.display())), expected, "{text}");
        }
        std::fs::remove_file(&file).unwrap();
    }

    #[test]
    fn k3s_spawns_helpers_with_docker_alone() {
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
