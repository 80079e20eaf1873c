//! Finding what is behind the name of a pod or a container.

use std::io;
use std::path::PathBuf;

use super::inventory::{Entry, Inventory};
use super::runtimes::Runtimes;
use super::source::Kind;
use crate::node::process::ProcessError;

/// How many names are offered when none matches.
const OFFERED: usize = 3;

/// Why there is no target.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The process cannot be used.
    #[error(transparent)]
    Process(#[from] ProcessError),
    /// The file is no network namespace.
    #[error("{} is no network namespace that can be entered", .path.display())]
    NoNetns {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Nobody can be asked.
    #[error(
        "no container runtime answers on this node ({asked}); a target named pid/PID needs none"
    )]
    NoRuntime {
        /// Whom we asked and what they said, or where we looked.
        asked: String,
    },
    /// The runtime that has it says no more.
    #[error("{runtime} does not say where {id} runs: {why}")]
    NoAnswer {
        /// Its name.
        runtime: &'static str,
        /// Of the sandbox or container.
        id: String,
        /// What it said.
        why: String,
    },
    /// The runtimes do not have it.
    #[error("no {kind} {name:?} on this node (asked: {asked}){offers}")]
    NotFound {
        /// `pod` or `container`.
        kind: &'static str,
        /// As it was given.
        name: String,
        /// The runtimes, and what they have.
        asked: String,
        /// The names that are nearest.
        offers: String,
    },
    /// More than one matches.
    #[error("{name:?} is the name of several: {found}; give more of the id, or the namespace")]
    Ambiguous {
        /// As it was given.
        name: String,
        /// What it may mean.
        found: String,
    },
    /// The pod is there, and its sandbox does not run. The words are kubectl's.
    #[error("unable to forward port because pod is not running. Current status={0}")]
    PodNotRunning(String),
    /// The words are dockershim's.
    #[error("container not running ({id})")]
    ContainerNotRunning {
        /// Its id.
        id: String,
        /// Whose it is.
        runtime: &'static str,
    },
}

impl FindError {
    /// It was there, and does not run.
    pub(super) fn not_running(entry: &Entry) -> Self {
        let listed = &entry.listed;
        match listed.kind {
            Kind::Container => {
                let (id, runtime) = (listed.id.clone(), entry.source.name());
                Self::ContainerNotRunning { id, runtime }
            }
            // It was ready when it was listed.
            Kind::Sandbox if listed.is_running => Self::PodNotRunning("NotReady".to_owned()),
            Kind::Sandbox => Self::PodNotRunning(listed.state.clone()),
        }
    }
}

/// The container of that name, or of that beginning of an id; of several, the one that runs.
pub(super) async fn container(name: &str, runtimes: &Runtimes) -> Result<Entry, FindError> {
    let inventory = Inventory::take(runtimes).await?;
    let all = &inventory.entries;
    let mut found: Vec<&Entry> =
        all.iter().filter(|one| one.listed.name.as_deref() == Some(name)).collect();
    if found.is_empty() {
        found = all.iter().filter(|one| one.listed.id.starts_with(name)).collect();
    }
    if found.is_empty() {
        let names = all.iter().filter_map(|one| one.listed.name.clone()).collect();
        return Err(none("container", name, &inventory, names));
    }
    one(name, &found)
}

/// The sandbox of that pod: of its attempts the one that runs.
pub(super) async fn pod(
    name: &str,
    namespace: &str,
    runtimes: &Runtimes,
) -> Result<Entry, FindError> {
    let inventory = Inventory::take(runtimes).await?;
    let sandboxes = || inventory.entries.iter().filter(|one| one.listed.kind == Kind::Sandbox);
    let is_it = |one: &&Entry| {
        let pod = one.listed.pod.as_ref();
        pod.is_some_and(|pod| pod.name == name && pod.namespace == namespace)
    };
    let found: Vec<&Entry> = sandboxes().filter(is_it).collect();
    let name = format!("{namespace}/{name}");
    if found.is_empty() {
        let pods = sandboxes().filter_map(|one| one.listed.pod.as_ref());
        let names = pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect();
        return Err(none("pod", &name, &inventory, names));
    }
    one(&name, &found)
}

/// The only one that runs. Where none does, the newest: what comes of it is the newest's error.
fn one(name: &str, found: &[&Entry]) -> Result<Entry, FindError> {
    let mut left: Vec<&Entry> = found.iter().filter(|one| one.listed.is_running).copied().collect();
    if left.is_empty() {
        // Earlier attempts of the same are no matches of their own.
        for one in found {
            let is_same = |other: &&Entry| other.listed.is_attempt_of(&one.listed);
            if !left.iter().any(is_same) {
                left.push(one);
            }
        }
    }
    if let [one] = left[..] {
        return Ok(one.clone());
    }
    let found: Vec<String> = left.into_iter().map(described).collect();
    Err(FindError::Ambiguous { name: name.to_owned(), found: found.join(", ") })
}

/// `shop/kuard/web (0123456789ab, containerd)`
fn described(Entry { source, listed }: &Entry) -> String {
    let pod = listed.pod.iter().flat_map(|pod| [pod.namespace.as_str(), pod.name.as_str()]);
    let name: Vec<&str> = pod.chain(listed.name.as_deref()).collect();
    let id = listed.id.get(..12).unwrap_or(&listed.id);
    format!("{} ({id}, {})", name.join("/"), source.name())
}

fn none(kind: &'static str, name: &str, inventory: &Inventory, names: Vec<String>) -> FindError {
    let offers = offers(name, names);
    FindError::NotFound { kind, name: name.to_owned(), asked: inventory.asked(), offers }
}

/// The names that are most like it.
fn offers(name: &str, mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let likeness = |other: &String| strsim::jaro_winkler(name, other);
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    names.truncate(OFFERED);
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let names = ["etcd", "kuard", "coredns", "kube-proxy", "kuard"].map(str::to_owned);
        let offered = offers("kuad", names.into());
        assert!(offered.starts_with("; did you mean kuard, "), "{offered}");
        assert_eq!(offered.matches("kuard").count(), 1, "{offered}");
        assert_eq!(offers("x", Vec::new()), "");
    }
}
