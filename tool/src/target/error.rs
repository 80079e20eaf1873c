//! Why a target was not found.

use std::io;
use std::path::PathBuf;

use crate::host::process::ProcessError;
use crate::model::TargetKind;
use crate::runtime::{IndexEntry, RuntimeError};

/// Why a target was not found.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The process cannot be used.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The file is not a network namespace.
    #[error("{} is not a network namespace that can be entered", .path.display())]
    NoNetns {
        /// The file.
        path: PathBuf,
        /// The kernel's error.
        source: io::Error,
    },
    /// No container runtime answers.
    #[error(
        "no container runtime answers on this node ({asked}); a target named pid/PID needs none"
    )]
    NoRuntime {
        /// The runtimes that were asked and their answers, or the addresses where none listens.
        asked: String,
    },
    /// The runtime that has it does not report where it runs.
    #[error("{runtime} does not report where {id} runs: {why}")]
    NoAnswer {
        /// The runtime's name.
        runtime: &'static str,
        /// Id of the sandbox or container.
        id: String,
        /// The reason.
        why: String,
    },
    /// The containers of the pod have different network namespaces.
    #[error("{runtime}'s pod {name} cannot be forwarded to: {why}")]
    NoCommonNetwork {
        /// The runtime's name.
        runtime: &'static str,
        /// Namespace and name of the pod.
        name: String,
        /// The reason, and the containers to name instead.
        why: String,
    },
    /// The runtimes do not have it.
    #[error("no {kind} {name:?} on this node (asked: {asked}){suggestions}")]
    NotFound {
        /// `pod` or `container`.
        kind: &'static str,
        /// As the user gave it.
        name: String,
        /// The runtimes that were asked and their answers.
        asked: String,
        /// The most similar names.
        suggestions: String,
    },
    /// Nothing is there in its place.
    #[error("no {name} is on this node any more (asked: {asked})")]
    NotBack {
        /// What it was.
        name: String,
        /// The runtimes that were asked and their answers.
        asked: String,
    },
    /// More than one matches.
    #[error("{name:?} matches several: {found}; name one of them by its id")]
    Ambiguous {
        /// As the user gave it.
        name: String,
        /// The matches.
        found: String,
    },
    /// The pod exists, but its sandbox does not run. Worded as in kubectl.
    #[error("unable to forward port because pod is not running. Current status={status}")]
    PodNotRunning {
        /// In the runtime's words.
        status: String,
        /// The command that starts it, where its runtime has one.
        start: Option<String>,
    },
    /// The container exists, but does not run. Worded as in dockershim.
    #[error("container not running ({id})")]
    ContainerNotRunning {
        /// Its id.
        id: String,
        /// The command that starts it, or shows why it does not run.
        start: String,
    },
}

impl FindError {
    /// Whether it is known, but does not run.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        matches!(
            self,
            Self::Process(ProcessError::Gone(_))
                | Self::PodNotRunning { .. }
                | Self::ContainerNotRunning { .. }
        )
    }

    /// The entry is listed, but does not run.
    pub(super) fn not_running(IndexEntry { client, info }: &IndexEntry) -> Self {
        match info.kind {
            TargetKind::Container => {
                let start = client.start_command(&info.id);
                Self::ContainerNotRunning { id: info.id.clone(), start }
            }
            TargetKind::Sandbox => {
                // If it runs by the list, it has ended since.
                let status = if info.is_running { "NotReady" } else { &info.state };
                let start = client.start_pod_command(&info.id);
                Self::PodNotRunning { status: status.to_owned(), start }
            }
        }
    }

    /// The runtime of an entry gave an error when it was asked where the entry runs.
    pub(super) fn no_place(entry: &IndexEntry, error: &RuntimeError) -> Self {
        let IndexEntry { client, info } = entry;
        if !error.is_no_common_network() {
            return Self::no_answer(entry, error.to_string());
        }
        let name = info.pod.as_ref().map(|pod| format!("{}/{}", pod.namespace, pod.name));
        let name = name.unwrap_or_else(|| info.id.clone());
        Self::NoCommonNetwork { runtime: client.name(), name, why: error.to_string() }
    }

    /// The entry runs, and its runtime does not report where.
    pub(super) fn no_answer(IndexEntry { client, info }: &IndexEntry, why: String) -> Self {
        Self::NoAnswer { runtime: client.name(), id: info.id.clone(), why }
    }
}
