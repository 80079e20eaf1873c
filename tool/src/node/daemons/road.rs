//! What a daemon does with a port-forward, told from its name, its flags and its files.

use std::path::Path;

use crate::node::root::Root;

/// Who answers port-forwards, or might. RKE2's and MicroK8s' kubelets are the last two.
pub(super) const DAEMONS: [&str; 8] =
    ["cri-dockerd", "dockerd", "kubelet", "k3s", "k3s-server", "k3s-agent", "rke2", "kubelite"];

/// Where k3s with `--docker` has the cri-dockerd that is built into it.
const K3S_CRI_DOCKERD: &str = "/run/k3s/cri-dockerd/cri-dockerd.sock";

/// Where kubeadm has the kubelet's configuration.
const KUBELET_CONFIG: &str = "/var/lib/kubelet/config.yaml";

/// What a daemon does with a port-forward.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Road {
    /// It spawns nsenter and socat.
    Helpers,
    /// Its container runtime, at this address, does it.
    OfRuntime(String),
    /// It is asked for none: Docker forwards for the kubelet only by way of cri-dockerd.
    Nothing,
}

/// Of the daemon of that name; without `root` its files may not be looked at.
pub(super) fn of(name: &str, args: &[String], root: Option<&Root>) -> Road {
    match name {
        "cri-dockerd" => Road::Helpers,
        "dockerd" => Road::Nothing,
        "kubelet" => of_kubelet(args, root),
        "k3s" | "k3s-server" | "k3s-agent" => of_k3s(args, root),
        _ => Road::OfRuntime("containerd".to_owned()),
    }
}

/// Before 1.24 dockershim was in it; later ones name their runtime, by flag or in the file.
fn of_kubelet(args: &[String], root: Option<&Root>) -> Road {
    let from_file = || {
        let file = flag(args, "--config").unwrap_or_else(|| KUBELET_CONFIG.to_owned());
        let text = root?.read(Path::new(&file))?;
        let line = text.lines().find_map(|line| line.strip_prefix("containerRuntimeEndpoint:"))?;
        let value = line.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let endpoint = flag(args, "--container-runtime-endpoint").or_else(from_file);
    endpoint.map_or(Road::Helpers, Road::OfRuntime)
}

fn of_k3s(args: &[String], root: Option<&Root>) -> Road {
    let is_docker = args.iter().any(|arg| arg == "--docker" || arg == "--docker=true");
    // It hides its flags once it runs.
    if is_docker || root.is_some_and(|root| root.has(Path::new(K3S_CRI_DOCKERD))) {
        Road::Helpers
    } else {
        Road::OfRuntime("containerd".to_owned())
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

    fn road(line: &str) -> Road {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        of(&args[0], &args, Some(&Root::own().unwrap()))
    }

    #[test]
    fn a_kubelets_flags_name_its_runtime() {
        let containerd = Road::OfRuntime("unix:///run/containerd/containerd.sock".to_owned());
        for line in [
            "kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock -v 2",
            "kubelet --container-runtime-endpoint unix:///run/containerd/containerd.sock",
        ] {
            assert_eq!(road(line), containerd, "{line}");
        }
        assert_eq!(road("kubelet --config=/nonexistent"), Road::Helpers);
        let file = std::env::temp_dir().join(format!("pfsnoop-kubelet-{}", std::process::id()));
        std::fs::write(&file, "kind: x\ncontainerRuntimeEndpoint: \"unix:///run/crio.sock\"\n")
            .unwrap();
        let by_file = road(&format!("kubelet --config {}", file.display()));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(by_file, Road::OfRuntime("unix:///run/crio.sock".to_owned()));
    }

    #[test]
    fn k3s_takes_the_helpers_with_docker_alone() {
        assert_eq!(road("k3s server --docker"), Road::Helpers);
        assert!(matches!(road("k3s-server"), Road::OfRuntime(_)));
    }

    #[test]
    fn each_daemon_has_its_road() {
        assert_eq!(road("cri-dockerd"), Road::Helpers);
        assert_eq!(road("dockerd"), Road::Nothing);
        for name in ["rke2", "kubelite"] {
            assert!(matches!(road(name), Road::OfRuntime(_)), "{name}");
        }
    }
}
