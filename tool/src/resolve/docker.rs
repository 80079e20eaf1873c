//! Docker's Engine API, on its unix socket: names, labels and pids of containers.

use std::collections::HashMap;
use std::path::Path;

use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use bollard::{API_DEFAULT_VERSION, Docker};

use crate::trace::Pod;

/// Seconds that one answer may take.
const TIMEOUT: u64 = 5;

/// Where daemons listen, besides `DOCKER_HOST`.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// A daemon that answers.
#[derive(Clone)]
pub(super) struct Engine {
    docker: Docker,
    /// As records name it.
    pub(super) runtime: &'static str,
}

/// A container, as the daemon knows it.
pub(super) struct Known {
    pub(super) name: Option<String>,
    /// From the labels that dockershim and cri-dockerd write.
    pub(super) pod: Option<Pod>,
    /// Pid of its first process, while it runs.
    pub(super) pid: Option<u32>,
}

/// A container in a list.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) pod: Option<Pod>,
    /// It is what holds a pod's namespaces.
    pub(super) is_sandbox: bool,
    /// In the daemon's words: `running`, `exited`...
    pub(super) state: String,
}

impl Engine {
    /// Every daemon of this node.
    pub(super) async fn find_all() -> Vec<Self> {
        let host = std::env::var("DOCKER_HOST").ok();
        let own = host.iter().filter_map(|host| host.strip_prefix("unix://"));
        let mut found = Vec::new();
        for socket in own.chain(SOCKETS).filter(|socket| Path::new(socket).exists()) {
            match Self::connect(socket).await {
                Ok(engine) => found.push(engine),
                Err(error) => log::warn!("the Docker API at {socket} does not answer: {error}"),
            }
        }
        found
    }

    async fn connect(socket: &str) -> Result<Self, bollard::errors::Error> {
        let docker = Docker::connect_with_unix(socket, TIMEOUT, API_DEFAULT_VERSION)?;
        let docker = docker.negotiate_version().await?;
        // Podman offers Docker's API too.
        let runtime = if socket.contains("podman") { "podman" } else { "docker" };
        Ok(Self { docker, runtime })
    }

    /// The container of that id; `None` when this daemon does not have it.
    pub(super) async fn container(&self, id: &str) -> Option<Known> {
        let found = self.docker.inspect_container(id, None).await.ok()?;
        let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
        let name = found.name.map(|name| name.trim_start_matches('/').to_owned());
        let state = found.state.unwrap_or_default();
        let pid = state.pid.filter(|_| state.running == Some(true));
        let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|&pid| pid > 0);
        Some(Known { name, pod: pod_of(&labels), pid })
    }

    /// Every container, also those that do not run; the newest first.
    pub(super) async fn containers(&self) -> Vec<Listed> {
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        match self.docker.list_containers(Some(options)).await {
            Ok(all) => all.into_iter().filter_map(listed).collect(),
            Err(error) => {
                log::warn!("the Docker API does not list its containers: {error}");
                Vec::new()
            }
        }
    }
}

fn listed(summary: ContainerSummary) -> Option<Listed> {
    let labels = summary.labels.unwrap_or_default();
    let name = summary.names.unwrap_or_default().into_iter().next().unwrap_or_default();
    Some(Listed {
        id: summary.id?,
        name: name.trim_start_matches('/').to_owned(),
        pod: pod_of(&labels),
        is_sandbox: labels
            .get("io.kubernetes.docker.type")
            .is_some_and(|kind| kind == "podsandbox"),
        state: summary.state.map(|state| state.to_string()).unwrap_or_default(),
    })
}

/// dockershim's and cri-dockerd's labels (libdocker/..., `core/labels.go`).
fn pod_of(labels: &HashMap<String, String>) -> Option<Pod> {
    let label = |name: &str| labels.get(&format!("io.kubernetes.pod.{name}")).cloned();
    Some(Pod { namespace: label("namespace")?, name: label("name")?, uid: label("uid")? })
}
