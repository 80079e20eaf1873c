//! Docker's Engine API, on its unix socket: names, labels and pids of containers.

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerSummary, EndpointSettings};
use bollard::query_parameters::ListContainersOptions;
use bollard::{API_DEFAULT_VERSION, Docker};

use super::podman;
use crate::model::{ForwardingMode, Pod, TargetInfo, TargetKind};
use crate::output::operand;
use crate::runtime::client::{Answer, Names, Place, RuntimeClient, RuntimeError};
use crate::runtime::protocol::{Protocol, Socket, Variable};

/// Seconds that one answer may take.
const ANSWER_TIMEOUT: u64 = 5;

/// Docker's API.
pub(super) const PROTOCOL: Protocol = Protocol {
    name: "docker",
    help: "Docker's Engine API",
    sockets: &[Socket { path: "/var/run/docker.sock", unit: "docker" }],
    // The variable of docker's own client. A `DOCKER_HOST` by TCP means another machine.
    variable: Variable { name: "DOCKER_HOST", is_exclusive: false, must_be_socket: false },
    unit: "docker",
    connect: |socket| Box::pin(connect(socket)),
};

/// HTTP's status for an id that the daemon does not have.
const NOT_FOUND: u16 = 404;

/// Connects to a daemon. `DOCKER_HOST` and `docker.sock` may lead to Podman, which serves Docker's
/// API too. Podman is then asked by its own API, because Docker's has no pods.
async fn connect(socket: PathBuf) -> Result<Arc<dyn RuntimeClient>, RuntimeError> {
    match podman::connect(&socket).await {
        Ok(Some(client)) => return Ok(client),
        Err(error) if error.is_silence() => return Err(error),
        Ok(None) | Err(_) => {}
    }
    let path = socket.to_string_lossy();
    let docker = Docker::connect_with_unix(&path, ANSWER_TIMEOUT, API_DEFAULT_VERSION)?;
    let docker = docker.negotiate_version().await?;
    let version = docker.version().await?.version.unwrap_or_default();
    Ok(Arc::new(Engine { docker, version }))
}

/// A daemon that answers.
struct Engine {
    docker: Docker,
    version: String,
}

impl Engine {
    /// `None` when the daemon does not have the container.
    async fn inspect(&self, id: &str) -> Result<Option<ContainerInspectResponse>, RuntimeError> {
        match self.docker.inspect_container(id, None).await {
            Ok(found) => Ok(Some(found)),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl RuntimeClient for Engine {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn forwarding_mode(&self) -> ForwardingMode {
        ForwardingMode::Helpers
    }

    fn start_command(&self, id: &str) -> String {
        format!("docker start {}", operand(id))
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        let options = ListContainersOptions { all: true, ..ListContainersOptions::default() };
        Box::pin(async {
            let all = self.docker.list_containers(Some(options)).await?;
            Ok(all.into_iter().filter_map(listed).collect())
        })
    }

    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        Box::pin(async {
            let Some(found) = self.inspect(&of.id).await? else { return Ok(None) };
            let state = found.state.clone().unwrap_or_default();
            let pid = state.pid.filter(|_| state.running == Some(true));
            let pid = pid.and_then(|pid| u32::try_from(pid).ok()).filter(|&pid| pid > 0);
            if pid.is_none() {
                return Ok(None);
            }
            // A container of a pod shares the network of the pod's sandbox.
            let addresses = match shares_network_of(&found) {
                Some(other) => self.inspect(other).await?.map(addresses).unwrap_or_default(),
                None => addresses(found),
            };
            Ok(Some(Place { pid, netns: None, is_host_network: false, addresses }))
        })
    }

    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async {
            let Some(found) = self.inspect(id).await? else { return Ok(None) };
            let labels = found.config.and_then(|config| config.labels).unwrap_or_default();
            let name = found.name.map(|name| name.trim_start_matches('/').to_owned());
            let pod = pod_of(&labels, name.as_deref());
            Ok(Some(Names { name, pod }))
        })
    }
}

/// Classifies bollard's errors.
impl From<Error> for RuntimeError {
    fn from(error: Error) -> Self {
        match error {
            Error::RequestTimeoutError => Self::silent(&error),
            error => Self::other(&error),
        }
    }
}

fn is_not_found(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: NOT_FOUND, .. })
}

/// The container whose network this one shares (`--network container:ID`).
fn shares_network_of(container: &ContainerInspectResponse) -> Option<&str> {
    container.host_config.as_ref()?.network_mode.as_deref()?.strip_prefix("container:")
}

/// The container's addresses in each of its networks. Docker knows none when something else makes
/// the network, as CNI plugins do below cri-dockerd.
fn addresses(container: ContainerInspectResponse) -> Vec<IpAddr> {
    let networks = container.network_settings.and_then(|settings| settings.networks);
    let of_network = |network: EndpointSettings| [network.ip_address, network.global_ipv6_address];
    let all = networks.into_iter().flatten().flat_map(|(_, network)| of_network(network));
    let mut all: Vec<IpAddr> = all.flatten().filter_map(|text| text.parse().ok()).collect();
    // The networks are in no order.
    all.sort_unstable();
    all
}

fn listed(summary: ContainerSummary) -> Option<TargetInfo> {
    let labels = summary.labels.unwrap_or_default();
    let is_sandbox =
        labels.get("io.kubernetes.docker.type").is_some_and(|kind| kind == "podsandbox");
    let name = summary.names.unwrap_or_default().into_iter().next();
    let name = name.map(|name| name.trim_start_matches('/').to_owned());
    let state = summary.state.map(|state| state.to_string()).unwrap_or_default();
    Some(TargetInfo {
        kind: if is_sandbox { TargetKind::Sandbox } else { TargetKind::Container },
        id: summary.id?,
        pod: pod_of(&labels, name.as_deref()),
        name_in_pod: name_in_pod(&labels, name.as_deref()).filter(|_| !is_sandbox),
        name,
        // A paused container still has its process and its network.
        is_running: matches!(state.as_str(), "running" | "paused"),
        state,
    })
}

/// The pod by the kubelet's labels, which dockershim and cri-dockerd pass on. Other clients, such
/// as `crictl runp`, may set no labels: then the pod by the name that the shim gives to the
/// container.
fn pod_of(labels: &HashMap<String, String>, name: Option<&str>) -> Option<Pod> {
    let label = |name: &str| labels.get(&format!("io.kubernetes.pod.{name}")).cloned();
    let by_labels =
        || Some(Pod { namespace: label("namespace")?, name: label("name")?, uid: label("uid")? });
    by_labels().or_else(|| {
        labels.get("io.kubernetes.docker.type")?;
        pod_in(name?)
    })
}

/// A container's name in its pod, found in the same way.
fn name_in_pod(labels: &HashMap<String, String>, name: Option<&str>) -> Option<String> {
    labels.get("io.kubernetes.container.name").cloned().or_else(|| {
        labels.get("io.kubernetes.docker.type")?;
        pod_in(name?)?;
        name?.split('_').nth(1).map(str::to_owned)
    })
}

/// The pod in `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT` (cri-dockerd, `core/naming.go`). No part
/// has an underscore. If the name was taken, more parts follow.
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
    fn a_container_has_a_name_in_its_pod() {
        let of = |key: &str, value: &str, name| {
            let labels = HashMap::from([(key.to_owned(), value.to_owned())]);
            name_in_pod(&labels, Some(name))
        };
        let (by_label, by_name) = ("io.kubernetes.container.name", "io.kubernetes.docker.type");
        let web = Some("web".to_owned());
        assert_eq!(of(by_label, "web", "anything"), web);
        assert_eq!(of(by_name, "container", "k8s_web_kuard_shop_8765-43_0"), web);
        assert_eq!(of(by_name, "container", "k8s_web"), None);
        assert_eq!(of("some.label", "web", "k8s_web_kuard_shop_8765-43_0"), None);
    }

    #[test]
    fn a_pod_without_labels_is_known_by_its_name() {
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
        assert_eq!(of("some.other.label", "k8s_POD_kuard_shop_8765-43_0"), None);
    }
}
