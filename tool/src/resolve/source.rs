//! What a container runtime tells: the same plain data from each of them.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use super::cri::CallError;
use crate::trace::Pod;

/// A container runtime that answers. Another one is a file with this trait, and an arm in
/// [`runtimes`](super::runtimes).
pub(super) trait Source: Send + Sync {
    /// As records name it: `docker`, `podman`, `containerd`, `cri-o`, or `unknown`.
    fn name(&self) -> &'static str;

    /// Its version, in its own words.
    fn version(&self) -> &str;

    /// Every sandbox and container, also those that do not run; the newest first.
    fn list(&self) -> Asking<'_, Vec<Listed>>;

    /// Where the processes of a sandbox or container are now; `None` when it does not run.
    fn place<'a>(&'a self, of: &'a Listed) -> Asking<'a, Option<Place>>;

    /// Whose the container of that id is; `None` when this runtime does not have it.
    fn names<'a>(&'a self, id: &'a str) -> Asking<'a, Option<Names>>;
}

/// An answer that is being waited for: never longer than a deadline.
pub(super) type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, AskError>> + Send + 'a>>;

/// Why a runtime does not answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    /// Nobody listens there, or we may not ask.
    #[error("{}", in_words(.0))]
    Socket(#[from] std::io::Error),
    /// The address is none that can be asked.
    #[error("{0}")]
    Endpoint(String),
    #[error(transparent)]
    Cri(#[from] CallError),
    #[error(transparent)]
    Docker(#[from] bollard::errors::Error),
}

/// The words without the number.
fn in_words(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such socket".to_owned(),
        kind => kind.to_string(),
    }
}

impl AskError {
    /// Somebody is there, and says nothing: a daemon that stands still, or is very busy.
    pub(super) fn is_silence(&self) -> bool {
        use bollard::errors::Error::RequestTimeoutError;
        match self {
            Self::Cri(CallError::Deadline(_)) | Self::Docker(RequestTimeoutError) => true,
            // So many calls wait already that the socket takes no more.
            Self::Socket(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            _ => false,
        }
    }

    /// Somebody is there who does not serve this, and need not.
    pub(super) fn is_not_served(&self) -> bool {
        matches!(self, Self::Cri(CallError::NotServed))
    }
}

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What holds a pod's namespaces.
    Sandbox,
    /// A container, in a pod or not.
    Container,
}

/// A sandbox or a container, in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which of the two.
    pub kind: Kind,
    /// 64 hexadecimal digits.
    pub id: String,
    /// The container's name. Docker's sandboxes are containers too, and have one.
    pub name: Option<String>,
    /// The pod that it is or belongs to.
    pub pod: Option<Pod>,
    /// The sandbox is ready, or the container runs.
    pub is_running: bool,
    /// In the runtime's words: `running`, `exited`, `Ready`, `NotReady`...
    pub state: String,
}

impl Listed {
    /// Whether both are attempts of the same sandbox or container, one after the other.
    pub(super) fn is_attempt_of(&self, other: &Self) -> bool {
        let name = |listed: &Self| {
            let pod = listed.pod.as_ref().map(|pod| (pod.namespace.clone(), pod.name.clone()));
            (listed.kind, pod, listed.name.clone())
        };
        self.pod.is_some() && name(self) == name(other)
    }
}

/// Where processes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Of the first process, where there is one.
    pub(super) pid: Option<u32>,
    /// The network namespace's file, where the runtime tells it.
    pub(super) netns: Option<PathBuf>,
    /// The network is the node's own.
    pub(super) is_host_network: bool,
}

/// A container's name and pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Names {
    pub(super) name: Option<String>,
    pub(super) pod: Option<Pod>,
}
