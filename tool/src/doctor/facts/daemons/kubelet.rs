//! How a kubelet carries out a port-forward: by itself, or through its container runtime.

use std::path::Path;

use crate::host::root::Root;
use crate::model::ForwardingMode;

/// The path at which kubeadm writes the kubelet's configuration.
const CONFIG: &str = "/var/lib/kubelet/config.yaml";

/// The part of `KubeletConfiguration` (kubelet.config.k8s.io/v1beta1) that matters here. JSON is
/// YAML too.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct KubeletConfig {
    container_runtime_endpoint: Option<String>,
}

/// Native if the kubelet's flags or configuration name a container runtime: the runtime then
/// forwards. Without a name it is a kubelet before 1.24, which contains dockershim and spawns the
/// helpers itself. With `--container-runtime=docker`, which only these kubelets take, the endpoint is
/// where dockershim itself listens (`runDockershim`, pkg/kubelet/kubelet_dockershim.go).
pub(super) fn mode(args: &[String], root: Option<&Root>) -> ForwardingMode {
    if flag(args, "--container-runtime").is_some_and(|runtime| runtime == "docker") {
        return ForwardingMode::Helpers;
    }
    let from_file = || {
        let file = flag(args, "--config").unwrap_or_else(|| CONFIG.to_owned());
        let config = serde_saphyr::from_str::<KubeletConfig>(&root?.read(Path::new(&file))?);
        config.ok()?.container_runtime_endpoint.filter(|endpoint| !endpoint.is_empty())
    };
    let endpoint = flag(args, "--container-runtime-endpoint").or_else(from_file);
    endpoint.map_or(ForwardingMode::Helpers, |_| ForwardingMode::Native)
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

    fn mode_of(line: &str) -> ForwardingMode {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        mode(&args, Some(&Root::own().unwrap()))
    }

    #[test]
    fn a_runtime_named_by_a_flag_forwards_natively() {
        for line in [
            "kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock -v 2",
            "kubelet --container-runtime-endpoint unix:///run/containerd/containerd.sock",
        ] {
            assert_eq!(mode_of(line), ForwardingMode::Native, "{line}");
        }
        assert_eq!(mode_of("kubelet --config=/nonexistent"), ForwardingMode::Helpers);
    }

    #[test]
    fn the_runtime_docker_is_dockershim_at_any_endpoint() {
        for line in [
            "kubelet --container-runtime=docker --config=/nonexistent",
            "kubelet --container-runtime docker --container-runtime-endpoint unix:///run/shim.sock",
        ] {
            assert_eq!(mode_of(line), ForwardingMode::Helpers, "{line}");
        }
        let remote =
            "kubelet --container-runtime=remote --container-runtime-endpoint=unix:///c.sock";
        assert_eq!(mode_of(remote), ForwardingMode::Native);
    }

    #[test]
    fn the_configuration_is_yaml_or_json() {
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
            let line = format!("kubelet --config {}", file.display());
            assert_eq!(mode_of(&line), expected, "{text}");
        }
        std::fs::remove_file(&file).unwrap();
    }
}
