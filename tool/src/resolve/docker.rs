//! Docker's Engine API, on its unix socket: names, labels and pids of containers.

use std::collections::HashMap;
use std::path::Path;

use bollard::errors::Error;
use bollard::models::ContainerSummary;
use bollard::query_parameters::ListContainersOptions;
use bollard::{API_DEFAULT_VERSION, Docker};

use super::source::{AskError, Asking, Kind, Listed, Names, Place, Source};
use crate::trace::Pod;

/// Seconds that one answer may take.
const TIMEOUT: u64 = 5;

/// Where daemons listen, besides `DOCKER_HOST`.
pub(super) const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/podman/podman.sock"];

/// HTTP's status for what is not there.
const NOT_FOUND: u16 = 404;

/// A daemon that answers.
pub(super) struct Engine {
    docker: Docker,
    name: &'static str,
    version: String,
}

impl Engine {
    pub(super) async fn connect(socket: &Path) -> Result<Self, AskError> {
        let path = socket.to_string_lossy();
        let docker = Docker::connect_with_unix(&path, TIMEOUT, API_DEFAULT_VERSION)?;
        let docker = docker.negotiate_version().await?;
        // Podman offers Docker's API too.
        let name = if path.contains("podman") { "podman" } else { "docker" };
        let version = docker.version().await?.version.unwrap_or_default();
        Ok(Self { docker, name, version })
    }
}

impl Source for Engine {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn list(&self) -> Asking<'_, Vec<Listed>> {
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        Box::pin(async {
            let all = self.docker.list_containers(Some(options)).await?;
            Ok(all.into_iter().filter_map(listed).collect())
        })
    }

    fn place<'a>(&'a self, of: &'a Listed) -> Asking<'a, Option<Place>> {
        Box::pin(async {
            let found = match self.docker.inspect_container(&of.id, None).await {
                Ok(found) => found,
                Err(error) if is_not_found(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let state = found.state.unwrap_or_default();
            let pid = state.pid.filter(|_| state.running == Some(true));
            let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|&pid| pid > 0);
            let place = |pid| Place { pid: Some(pid), netns: None, is_host_network: false };
            Ok(pid.map(place))
        })
    }

    fn names<'a>(&'a self, id: &'a str) -> Asking<'a, Option<Names>> {
        Box::pin(async {
            let found = match self.docker.inspect_container(id, None).await {
                Ok(found) => found,
                Err(error) if is_not_found(&error) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
            let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
            let name = found.name.map(|name| name.trim_start_matches('/').to_owned());
            let pod = pod_of(&labels, name.as_deref());
            Ok(Some(Names { name, pod }))
        })
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: NOT_FOUND, .. })
}

fn listed(summary: ContainerSummary) -> Option<Listed> {
    let labels = summary.labels.unwrap_or_default();
    let is_sandbox =
        labels.get("io.kubernetes.docker.type").is_some_and(|kind| kind == "podsandbox");
    let name = summary.names.unwrap_or_default().into_iter().next();
    let name = name.map(|name| name.trim_start_matches('/').to_owned());
    let state = summary.state.map(|state| state.to_string()).unwrap_or_default();
    Some(Listed {
        kind: if is_sandbox { Kind::Sandbox } else { Kind::Container },
        id: summary.id?,
        pod: pod_of(&labels, name.as_deref()),
        name,
        // One that is paused still has its process and its network.
        is_running: matches!(state.as_str(), "running" | "paused"),
        state,
    })
}

/// By the labels of the kubelet, which dockershim and cri-dockerd pass on. Whoever else asks them for
/// a pod, as `crictl runp` does, need give none: then by the name that they make.
fn pod_of(labels: &HashMap<String, String>, name: Option<&str>) -> Option<Pod> {
    let label = |name: &str| labels.get(&format!("io.kubernetes.pod.{name}")).cloned();
    let by_labels =
        || Some(Pod { namespace: label("namespace")?, name: label("name")?, uid: label("uid")? });
    by_labels().or_else(|| {
        labels.get("io.kubernetes.docker.type")?;
        pod_in(name?)
    })
}

/// `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT` (cri-dockerd, `core/naming.go`), of which no part has
/// an underscore; where that name was taken, more follows.
fn pod_in(name: &str) -> Option<Pod> {
    let mut parts = name.strip_prefix("k8s_")?.split('_').skip(1).map(str::to_owned);
    let (name, namespace, uid) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    Some(Pod { namespace, name, uid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pod_without_a_kubelets_labels_is_told_by_its_name() {
        let of = |kind: &str, name: &str| {
            let labels = HashMap::from([(kind.to_owned(), "podsandbox".to_owned())]);
            pod_of(&labels, Some(name)).map(|pod| [pod.namespace, pod.name, pod.uid])
        };
        let kind = "io.kubernetes.docker.type";
        let kuard = Some(["shop", "kuard", "8765-43"].map(str::to_owned));
        assert_eq!(of(kind, "k8s_POD_kuard_shop_8765-43_0"), kuard);
        assert_eq!(of(kind, "k8s_web_kuard_shop_8765-43_0_1a2b3c"), kuard);
        assert_eq!(of(kind, "k8s_POD_kuard_shop"), None);
        assert_eq!(of(kind, "k8s"), None);
        assert_eq!(of("anybody's", "k8s_POD_kuard_shop_8765-43_0"), None);
    }
}
