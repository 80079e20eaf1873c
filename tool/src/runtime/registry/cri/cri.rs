//! The entry of CRI in the registry, and a [`RuntimeClient`] that asks by CRI.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::client::{CallError, Client, MAX_LIST, MAX_STATUS};
use super::entries::Entries;
use super::info::Info;
use super::listing::join;
use super::messages::{
    CONTAINER_RUNNING, Container, ContainerStatusResponse, IdFilter, ListRequest, NAMESPACE_NODE,
    NetworkStatus, PodSandbox, PodSandboxStatus, PodSandboxStatusResponse, SANDBOX_READY,
    StatusRequest, VersionRequest, VersionResponse,
};
use crate::model::{ForwardingMode, TargetInfo, TargetKind};
use crate::output::operand;
use crate::runtime::client::{Answer, Names, Place, RuntimeClient, RuntimeError};
use crate::runtime::protocol::{Protocol, Socket, Variable};
use crate::runtime::registry::skipped::Skipped;

/// How long one answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Kubernetes' Container Runtime Interface. The sockets belong to containerd, the containerd of k3s
/// and rke2, and CRI-O. cri-dockerd's socket is left out: its CRI reports no pid, and Docker's own
/// API has everything.
pub(in crate::runtime) const PROTOCOL: Protocol = Protocol {
    name: "cri",
    help: "Kubernetes' CRI: containerd, CRI-O",
    sockets: &[
        Socket { path: "/run/containerd/containerd.sock", unit: "containerd" },
        Socket { path: "/run/k3s/containerd/containerd.sock", unit: "k3s" },
        Socket { path: "/run/crio/crio.sock", unit: "crio" },
    ],
    // crictl's variable.
    variable: Variable {
        name: "CONTAINER_RUNTIME_ENDPOINT",
        is_exclusive: true,
        must_be_socket: true,
    },
    unit: "containerd",
    connect: |socket| {
        Box::pin(async move {
            let cri: Arc<dyn RuntimeClient> = Arc::new(Cri::connect(&socket).await?);
            Ok(cri)
        })
    },
};

/// A runtime that answers.
struct Cri {
    client: Client,
    name: &'static str,
    version: String,
    skipped: Skipped,
}

impl Cri {
    /// Connects, and asks for its name.
    async fn connect(socket: &Path) -> Result<Self, RuntimeError> {
        let client = Client::connect(socket, ANSWER_TIMEOUT).await?;
        let request = VersionRequest { version: "v1".to_owned() };
        let version: VersionResponse = client.call("Version", request, MAX_STATUS).await?;
        let name = match version.runtime_name.as_str() {
            "containerd" => "containerd",
            "cri-o" => "cri-o",
            "docker" => "docker",
            _ => "unknown",
        };
        let skipped = Skipped::default();
        Ok(Self { client, name, version: version.runtime_version, skipped })
    }

    /// All sandboxes and containers, or only the ones with this id.
    async fn entries(&self, id: Option<&str>) -> Result<Vec<TargetInfo>, RuntimeError> {
        let filter = |id: &str| IdFilter { id: id.to_owned() };
        let request = || ListRequest { filter: id.map(filter) };
        let containers: Vec<Container> = self.list_of("ListContainers", request()).await?;
        // The sandbox of the container with that id, or the sandbox with that id.
        let sandbox_id = containers.first().map(|one| one.pod_sandbox_id.as_str());
        let request = ListRequest { filter: id.map(|id| filter(sandbox_id.unwrap_or(id))) };
        let sandboxes: Vec<PodSandbox> = self.list_of("ListPodSandbox", request).await?;
        Ok(join(sandboxes, containers))
    }

    async fn list_of<T>(&self, method: &str, request: ListRequest) -> Result<Vec<T>, CallError>
    where
        T: prost::Message + Default + 'static,
    {
        let answer = self.client.call(method, request, MAX_LIST).await?;
        let Entries { list, skipped } = answer;
        self.skipped.report(self.name, skipped);
        Ok(list)
    }

    async fn sandbox(&self, of: &TargetInfo) -> Result<Option<Place>, RuntimeError> {
        let (status, info) = match self.sandbox_status(&of.id).await {
            Ok(answer) => answer,
            Err(CallError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if status.state != SANDBOX_READY {
            return Ok(None);
        }
        let addresses = addresses(status.network);
        let network = status.linux.and_then(|linux| linux.namespaces?.options);
        let is_host_network = network.is_some_and(|options| options.network == NAMESPACE_NODE);
        let Info { mut pid, netns, .. } = info;
        if pid.is_none() {
            pid = self.pid_of_a_container(&of.id).await?;
        }
        Ok(Some(Place { pid, netns, is_host_network, addresses }))
    }

    /// Where a container runs. Its addresses are those of its sandbox.
    async fn container(&self, id: &str) -> Result<Option<Place>, RuntimeError> {
        let Some(info) = self.container_info(id).await? else { return Ok(None) };
        let network = match info.sandbox {
            Some(sandbox) => match self.sandbox_status(&sandbox).await {
                Ok((status, _)) => status.network,
                Err(CallError::NotFound(_)) => None,
                Err(error) => return Err(error.into()),
            },
            None => None,
        };
        let addresses = addresses(network);
        Ok(Some(Place { pid: info.pid, netns: info.netns, is_host_network: false, addresses }))
    }

    async fn sandbox_status(&self, id: &str) -> Result<(PodSandboxStatus, Info), CallError> {
        let request = StatusRequest { id: id.to_owned(), verbose: true };
        let answer: PodSandboxStatusResponse =
            self.client.call("PodSandboxStatus", request, MAX_STATUS).await?;
        Ok((answer.status.unwrap_or_default(), Info::of(&answer.info)))
    }

    /// A process of the sandbox's containers. CRI-O's sandboxes have no process of their own.
    async fn pid_of_a_container(&self, sandbox: &str) -> Result<Option<u32>, RuntimeError> {
        let all: Vec<Container> = self.list_of("ListContainers", ListRequest::default()).await?;
        let is_in =
            |one: &&Container| one.pod_sandbox_id == sandbox && one.state == CONTAINER_RUNNING;
        for container in all.iter().filter(is_in) {
            if let Some(info) = self.container_info(&container.id).await?
                && info.pid.is_some()
            {
                return Ok(info.pid);
            }
        }
        Ok(None)
    }

    /// `None` when it does not run.
    async fn container_info(&self, id: &str) -> Result<Option<Info>, RuntimeError> {
        let request = StatusRequest { id: id.to_owned(), verbose: true };
        let answer: ContainerStatusResponse =
            match self.client.call("ContainerStatus", request, MAX_STATUS).await {
                Ok(answer) => answer,
                Err(CallError::NotFound(_)) => return Ok(None),
                Err(error) => return Err(error.into()),
            };
        let runs = answer.status.is_some_and(|status| status.state == CONTAINER_RUNNING);
        Ok(runs.then(|| Info::of(&answer.info)))
    }
}

fn addresses(network: Option<NetworkStatus>) -> Vec<IpAddr> {
    let network = network.unwrap_or_default();
    let all = network.additional_ips.into_iter().map(|address| address.ip);
    std::iter::once(network.ip).chain(all).filter_map(|text| text.parse().ok()).collect()
}

impl RuntimeClient for Cri {
    fn name(&self) -> &'static str {
        self.name
    }

    fn version(&self) -> &str {
        &self.version
    }

    /// containerd dropped socat in 1.4, CRI-O in 1.19.
    fn forwarding_mode(&self) -> ForwardingMode {
        match self.name {
            "containerd" | "cri-o" => ForwardingMode::Native,
            "docker" => ForwardingMode::Helpers,
            _ => ForwardingMode::None,
        }
    }

    fn start_command(&self, id: &str) -> String {
        // The kubelet makes a new container in its place.
        format!("crictl inspect {}", operand(id))
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        Box::pin(self.entries(None))
    }

    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        Box::pin(async move {
            if of.kind == TargetKind::Sandbox {
                return self.sandbox(of).await;
            }
            self.container(&of.id).await
        })
    }

    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async move {
            let found = self.entries(Some(id)).await?.into_iter().find(|one| one.id == id);
            let Some(TargetInfo { kind, name, pod, .. }) = found else { return Ok(None) };
            let pid = match kind {
                TargetKind::Sandbox => match self.sandbox_status(id).await {
                    Ok((_, info)) => info.pid,
                    Err(CallError::NotFound(_)) => None,
                    Err(error) => return Err(error.into()),
                },
                TargetKind::Container => self.container_info(id).await?.and_then(|info| info.pid),
            };
            Ok(Some(Names { name, pod, pid }))
        })
    }
}
