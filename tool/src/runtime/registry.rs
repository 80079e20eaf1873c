//! The APIs of container runtimes. Each is one file or folder in `registry/`, and here its `mod`
//! line and its line in the list. The values of `--runtime` come from the list. `http`, `json` and
//! `skipped` are for APIs that speak HTTP.

pub mod cri;
pub(super) mod docker;
mod http;
mod json;
mod kubelet;
pub(super) mod podman;
mod skipped;

use std::path::Path;

use super::protocol::{Protocol, Socket};

/// Every API, in the order in which the runtimes are asked.
const PROTOCOLS: [&Protocol; 3] = [&docker::PROTOCOL, &podman::PROTOCOL, &cri::PROTOCOL];

/// The API of `--runtime-endpoint`, unless `--runtime` names another.
pub(super) const DEFAULT_FOR_ENDPOINTS: &Protocol = &cri::PROTOCOL;

/// Every API by which runtimes can be asked.
pub fn protocols() -> impl Iterator<Item = &'static Protocol> {
    PROTOCOLS.into_iter()
}

/// The command that restarts the daemon at this socket, which was asked by this API. `DOCKER_HOST`
/// may name a socket of Podman.
pub(super) fn restart_command(protocol: &Protocol, path: &Path) -> String {
    let is_like = |socket: &&Socket| Path::new(socket.path).file_name() == path.file_name();
    let all = || protocols().flat_map(|protocol| protocol.sockets);
    let unit = protocol.unit_at(path).or_else(|| Some(all().find(is_like)?.unit));
    format!("systemctl restart {}", unit.unwrap_or(protocol.unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runtime_that_is_installed_can_be_started() {
        let commands = |installed: &[&str]| -> Vec<String> {
            let is_installed = |program: &str| installed.contains(&program);
            protocols().flat_map(|protocol| protocol.start_commands(is_installed)).collect()
        };
        assert_eq!(commands(&["podman"]), ["systemctl enable --now podman.socket"]);
        let both = ["systemctl start docker", "systemctl start containerd"];
        assert_eq!(commands(&["dockerd", "containerd", "crictl"]), both);
        assert_eq!(commands(&[]), [""; 0]);
    }

    #[test]
    fn each_socket_has_the_unit_that_restarts_it() {
        for (name, socket, unit) in [
            ("cri", "/run/containerd/containerd.sock", "containerd"),
            ("cri", "/run/k3s/containerd/containerd.sock", "k3s"),
            ("cri", "/tmp/crio.sock", "crio"),
            ("cri", "/x.sock", "containerd"),
            ("docker", "/var/run/docker.sock", "docker"),
            ("podman", "/run/podman/podman.sock", "podman.socket"),
            ("podman", "/tmp/x.sock", "podman.socket"),
            ("docker", "/tmp/podman/podman.sock", "podman.socket"),
            ("docker", "/run/user/1000/podman/podman.sock", "podman.socket"),
        ] {
            let protocol = protocols().find(|protocol| protocol.name == name).unwrap();
            let command = format!("systemctl restart {unit}");
            assert_eq!(restart_command(protocol, Path::new(socket)), command, "{socket}");
        }
    }
}
