//! The daemons of root's that answer a `kubectl port-forward` on this node, or might.

use std::ffi::OsString;
use std::path::Path;

use procfs::process::{LimitValue, Process};

use super::program::Root;

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

/// A running daemon.
#[derive(Clone, Debug)]
pub struct Daemon {
    /// Its pid.
    pub pid: u32,
    /// Its comm, which is one of a few.
    pub name: String,
    /// What it does.
    pub road: Road,
    /// Its `PATH`; `None` where it has none or it cannot be read.
    pub path: Option<OsString>,
    /// Files that it has open, and how many it may have.
    pub open_files: Option<(u64, u64)>,
}

/// All that run here.
#[must_use]
pub fn running() -> Vec<Daemon> {
    let all = procfs::process::all_processes().into_iter().flatten().flatten();
    all.filter_map(|process| daemon(&process)).collect()
}

fn daemon(process: &Process) -> Option<Daemon> {
    // One that has ended and waits to be reaped forwards nothing.
    let stat = process.stat().ok().filter(|stat| stat.state != 'Z')?;
    let pid = u32::try_from(process.pid()).ok()?;
    // Anybody may call a process of his kubelet; it is root's PATH that is believed. (The owner of
    // /proc/PID does not tell: it is root's for whatever may not be dumped.)
    process.status().ok().filter(|status| (status.ruid, status.euid) == (0, 0))?;
    let args = process.cmdline().unwrap_or_default();
    let root = Root::of_process(pid);
    let road = match stat.comm.as_str() {
        "cri-dockerd" => Road::Helpers,
        "dockerd" => Road::Nothing,
        "kubelet" => of_kubelet(&args, &root),
        "k3s" | "k3s-server" | "k3s-agent" => of_k3s(&args, &root),
        // RKE2's and MicroK8s' kubelets, whose runtime is containerd.
        "rke2" | "kubelite" => Road::OfRuntime("containerd".to_owned()),
        _ => return None,
    };
    let path = process.environ().ok().and_then(|mut all| all.remove(&OsString::from("PATH")));
    Some(Daemon { pid, name: stat.comm, road, path, open_files: open_files(process) })
}

/// Before 1.24 dockershim was in it; later ones name their runtime, by flag or in the file.
fn of_kubelet(args: &[String], root: &Root) -> Road {
    let from_file = || {
        let file = flag(args, "--config").unwrap_or_else(|| KUBELET_CONFIG.to_owned());
        let text = root.read(Path::new(&file))?;
        let line = text.lines().find_map(|line| line.strip_prefix("containerRuntimeEndpoint:"))?;
        let value = line.trim().trim_matches(['"', '\'']);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let endpoint = flag(args, "--container-runtime-endpoint").or_else(from_file);
    endpoint.map_or(Road::Helpers, Road::OfRuntime)
}

fn of_k3s(args: &[String], root: &Root) -> Road {
    let is_docker = args.iter().any(|arg| arg == "--docker" || arg == "--docker=true");
    // It hides its flags once it runs.
    if is_docker || root.has(Path::new(K3S_CRI_DOCKERD)) {
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

fn open_files(process: &Process) -> Option<(u64, u64)> {
    let open = process.fd_count().ok()?;
    let LimitValue::Value(most) = process.limits().ok()?.max_open_files.soft_limit else {
        return None;
    };
    Some((open as u64, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kubelet(line: &str) -> Road {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        of_kubelet(&args, &Root::own())
    }

    #[test]
    fn a_kubelets_flags_name_its_runtime() {
        let containerd = Road::OfRuntime("unix:///run/containerd/containerd.sock".to_owned());
        for line in [
            "kubelet --container-runtime-endpoint=unix:///run/containerd/containerd.sock -v 2",
            "kubelet --container-runtime-endpoint unix:///run/containerd/containerd.sock",
        ] {
            assert_eq!(kubelet(line), containerd, "{line}");
        }
        assert_eq!(kubelet("kubelet --config=/nonexistent"), Road::Helpers);
        let file = std::env::temp_dir().join(format!("pfsnoop-kubelet-{}", std::process::id()));
        std::fs::write(&file, "kind: x\ncontainerRuntimeEndpoint: \"unix:///run/crio.sock\"\n")
            .unwrap();
        let road = kubelet(&format!("kubelet --config {}", file.display()));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(road, Road::OfRuntime("unix:///run/crio.sock".to_owned()));
    }

    #[test]
    fn k3s_takes_the_helpers_with_docker_alone() {
        let road = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            of_k3s(&args, &Root::own())
        };
        assert_eq!(road("k3s server --docker"), Road::Helpers);
        assert!(matches!(road("k3s server"), Road::OfRuntime(_)));
    }
}
