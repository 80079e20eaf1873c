//! What pfsnoop asks a container runtime. Each runtime answers with the same plain data.

use std::fmt;
use std::future::Future;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;

use crate::model::{ForwardingMode, Pod, TargetInfo};

/// A container runtime that answers.
pub trait RuntimeClient: Send + Sync {
    /// Its name in records: `docker`, `podman`, `containerd`, `cri-o`, or `unknown`.
    fn name(&self) -> &'static str;

    /// Its version, in its own words.
    fn version(&self) -> &str;

    /// The namespace of a pod that the user names without one.
    fn default_namespace(&self) -> &'static str {
        "default"
    }

    /// How a kubelet forwards ports into its pods.
    fn forwarding_mode(&self) -> ForwardingMode;

    /// The command that starts a container that does not run, or shows why it does not.
    fn start_command(&self, id: &str) -> String;

    /// The command that starts a pod that does not run, where the runtime starts pods itself.
    fn start_pod_command(&self, _id: &str) -> Option<String> {
        None
    }

    /// Every sandbox and container, running or not, the newest first.
    fn list(&self) -> Answer<'_, Vec<TargetInfo>>;

    /// Where the processes of a sandbox or container are now; `None` when it does not run.
    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>>;

    /// Name, pod and process of the container with this id; `None` when this runtime does not have
    /// it.
    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>>;
}

impl fmt::Debug for dyn RuntimeClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An answer to wait for. The answers of a client from
/// [`Runtimes::list`](super::Runtimes::list) come or fail within 10 seconds.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RuntimeError>> + Send + 'a>>;

/// Where the processes of a sandbox or container are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its first process, where there is one.
    pub pid: Option<u32>,
    /// The file of the network namespace, where the runtime reports it.
    pub netns: Option<PathBuf>,
    /// It has the node's own network.
    pub is_host_network: bool,
    /// The addresses of its network, where the runtime knows them.
    pub addresses: Vec<IpAddr>,
}

/// A container's name and pod, and its first process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// The container's name.
    pub name: Option<String>,
    /// Its pod.
    pub pod: Option<Pod>,
    /// Its first process, while it runs and where the runtime reports it.
    pub pid: Option<u32>,
}

/// Why a runtime gives no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct RuntimeError {
    kind: ErrorKind,
    message: String,
}

/// What can be concluded from an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ErrorKind {
    /// The runtime accepts calls and does not answer.
    Silent,
    /// A daemon answers, but does not serve this API.
    NotServed,
    /// The containers of the pod have different network namespaces.
    NoCommonNetwork,
    /// Anything else.
    Other,
}

impl RuntimeError {
    /// The runtime accepts calls and does not answer: it hangs, or is very busy.
    #[must_use]
    pub fn silent(message: &impl ToString) -> Self {
        Self { kind: ErrorKind::Silent, message: message.to_string() }
    }

    /// A daemon answers that does not serve this API, and need not.
    #[must_use]
    pub fn not_served(message: &impl ToString) -> Self {
        Self { kind: ErrorKind::NotServed, message: message.to_string() }
    }

    /// The containers of the pod have different network namespaces, and none is the pod's.
    #[must_use]
    pub fn no_common_network(message: &impl ToString) -> Self {
        Self { kind: ErrorKind::NoCommonNetwork, message: message.to_string() }
    }

    /// Any other failure.
    #[must_use]
    pub fn other(message: &impl ToString) -> Self {
        Self { kind: ErrorKind::Other, message: message.to_string() }
    }

    /// Whether the runtime accepts calls and does not answer.
    #[must_use]
    pub fn is_silence(&self) -> bool {
        self.kind == ErrorKind::Silent
    }

    /// Whether a daemon answers that does not serve this API.
    #[must_use]
    pub fn is_not_served(&self) -> bool {
        self.kind == ErrorKind::NotServed
    }

    /// Whether the containers of the pod have different network namespaces.
    #[must_use]
    pub fn is_no_common_network(&self) -> bool {
        self.kind == ErrorKind::NoCommonNetwork
    }
}

/// The socket cannot be connected to.
impl From<std::io::Error> for RuntimeError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::other(&"no such socket"),
            // So many calls wait already that the socket takes no more.
            kind @ std::io::ErrorKind::WouldBlock => Self::silent(&kind),
            kind => Self::other(&kind),
        }
    }
}
