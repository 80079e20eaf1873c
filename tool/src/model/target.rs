//! What can be forwarded to: the pods and containers of the node's runtimes.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use jiff::Timestamp;

use super::Pod;

/// What a runtime lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// The sandbox of a pod, which holds the pod's namespaces.
    Sandbox,
    /// A container, in a pod or not.
    Container,
}

/// A sandbox or a container, as its runtime lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetInfo {
    /// Sandbox or container.
    pub kind: TargetKind,
    /// 64 hexadecimal digits.
    pub id: String,
    /// The container's name. Docker's sandboxes are containers too, and have one.
    pub name: Option<String>,
    /// The container's name in its pod, if the runtime's name is another, as in Docker.
    pub name_in_pod: Option<String>,
    /// The pod that it is or belongs to.
    pub pod: Option<Pod>,
    /// The sandbox is ready, or the container runs.
    pub is_running: bool,
    /// The state in the runtime's words: `running`, `exited`, `Ready`, `NotReady`...
    pub state: String,
    /// What only a list for people or for other programs shows.
    pub details: TargetDetails,
}

/// What a runtime's list says about a sandbox or a container, beyond what it takes to find it. What the
/// runtime does not report is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetDetails {
    /// Its labels, without those by which a kubelet names the pod and the container.
    pub labels: BTreeMap<String, String>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// The name of the container's image.
    pub image: Option<String>,
    /// The TCP ports that the container declares. It may listen on others.
    pub ports: Vec<DeclaredPort>,
}

/// A TCP port that a container declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredPort {
    /// The port in the container.
    pub port: u16,
    /// Its name in the pod's specification.
    pub name: Option<String>,
}

/// A port without a name, as Docker and Podman list them.
impl From<u16> for DeclaredPort {
    fn from(port: u16) -> Self {
        Self { port, name: None }
    }
}

impl TargetInfo {
    /// Its name in the runtime and its name in its pod.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.name, &self.name_in_pod].into_iter().flatten().map(String::as_str)
    }

    /// Whether both are attempts to run the same sandbox or container.
    #[must_use]
    pub fn is_attempt_of(&self, other: &Self) -> bool {
        let name = |info: &Self| {
            let pod = info.pod.as_ref().map(|pod| (pod.namespace.clone(), pod.name.clone()));
            (info.kind, pod, info.name.clone())
        };
        self.pod.is_some() && name(self) == name(other)
    }
}

/// A sandbox or a container, with its runtime and its network.
#[derive(Clone, Debug)]
pub struct TargetEntry {
    /// As its runtime lists it.
    pub info: TargetInfo,
    /// Name of its runtime.
    pub runtime: &'static str,
    /// Its network; `None` while it does not run.
    pub network: Option<TargetNetwork>,
}

impl TargetEntry {
    /// The pod's name, or the container's; the id where neither is known.
    #[must_use]
    pub fn name(&self) -> &str {
        let TargetInfo { kind, id, name, pod, .. } = &self.info;
        let pod =
            pod.as_ref().filter(|_| *kind == TargetKind::Sandbox).map(|pod| pod.name.as_str());
        pod.or(name.as_deref()).unwrap_or(id)
    }
}

/// A target's network namespace.
#[derive(Clone, Debug, Default)]
pub struct TargetNetwork {
    /// The process through which the namespace is entered, when one is known.
    pub pid: Option<u32>,
    /// Inode of the namespace.
    pub netns: u64,
    /// Addresses of its interfaces, without those of loopback and link-local ones.
    pub addresses: Vec<IpAddr>,
    /// Listening TCP sockets.
    pub listeners: Vec<SocketAddr>,
}
