//! The status of each container runtime of this node: what it is, or why it does not answer.

use super::candidate::Asked;
use super::client::RuntimeClient;
use super::discovery::Runtimes;
use super::registry::protocols;
use crate::host::path::look_up;
use crate::model::{ForwardingMode, TargetInfo, TargetKind};

/// The answers of all runtimes.
#[derive(Clone, Debug)]
pub struct RuntimeStatus {
    /// One for each runtime that is there or was named.
    pub answers: Vec<RuntimeAnswer>,
    /// Where runtimes were looked for.
    pub addresses: Vec<String>,
    /// The command that starts a runtime that is installed, if none answers.
    pub start: Option<String>,
}

/// The answer of one runtime.
#[derive(Clone, Debug)]
pub struct RuntimeAnswer {
    /// `docker at /var/run/docker.sock`
    pub runtime: String,
    /// The user named it, so it must be there.
    pub is_named: bool,
    /// The command that restarts it.
    pub restart: String,
    /// What it is; `Ok(None)` for a daemon for another purpose, such as Docker's own
    /// containerd.
    pub details: Result<Option<RuntimeDetails>, Silence>,
}

/// Why a runtime does not answer.
#[derive(Clone, Debug)]
pub struct Silence {
    /// The reason, for people.
    pub why: String,
    /// The runtime accepts calls and does not answer.
    pub is_hanging: bool,
}

/// A runtime that answers.
#[derive(Clone, Debug)]
pub struct RuntimeDetails {
    /// Its version, in its own words.
    pub version: String,
    /// How many pods it has, running or not.
    pub pods: usize,
    /// How many containers.
    pub containers: usize,
    /// How a kubelet forwards into its pods.
    pub mode: ForwardingMode,
}

impl RuntimeStatus {
    /// Asks every runtime.
    pub async fn query(runtimes: &Runtimes) -> Self {
        let mut answers = Vec::new();
        for (Asked { runtime, is_named, restart, answer }, list) in runtimes.list().await {
            let details = match (answer, list) {
                (Ok(client), Ok(list)) => Ok(Some(details(client.as_ref(), &list))),
                (Err(error), _) | (_, Err(error)) => Err(error),
            };
            let details = match details {
                Err(error) if error.is_not_served() => Ok(None),
                other => other.map_err(|error| Silence {
                    why: error.to_string(),
                    is_hanging: error.is_silence(),
                }),
            };
            answers.push(RuntimeAnswer { runtime, is_named, restart, details });
        }
        let is_installed = |program: &str| look_up(program).is_some();
        let start = protocols().flat_map(|protocol| protocol.start_commands(is_installed)).next();
        Self {
            start: start.filter(|_| answers.is_empty()),
            answers,
            addresses: runtimes.addresses(),
        }
    }
}

fn details(client: &dyn RuntimeClient, listed: &[TargetInfo]) -> RuntimeDetails {
    let pods = listed.iter().filter(|one| one.kind == TargetKind::Sandbox).count();
    let version = client.version().to_owned();
    let mode = client.forwarding_mode();
    RuntimeDetails { version, pods, containers: listed.len() - pods, mode }
}
