//! Finding the process behind the name of a pod or a container.

use std::io;
use std::path::PathBuf;

use super::docker::{Engine, Listed};
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
        "no container runtime answers on this node (asked: /var/run/docker.sock and DOCKER_HOST); \
         name the process instead, as pid/PID"
    )]
    NoRuntime,
    /// The runtimes do not have it.
    #[error("no {kind} {name:?} on this node (asked: {asked}){offers}")]
    NotFound {
        /// `pod` or `container`.
        kind: &'static str,
        /// As it was given.
        name: String,
        /// The runtimes, and how many there were to choose from.
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
    #[error("container not running ({0})")]
    ContainerNotRunning(String),
}

/// The pid of the container of that name, or of that beginning of an id.
pub(super) async fn container(name: &str) -> Result<u32, FindError> {
    let all = list().await?;
    let named: Vec<&Listed> =
        all.iter().filter(|(_, listed)| listed.name == name).map(|(_, l)| l).collect();
    let found = if named.is_empty() {
        all.iter().map(|(_, listed)| listed).filter(|listed| listed.id.starts_with(name)).collect()
    } else {
        named
    };
    let [one] = found[..] else {
        let names: Vec<&str> = all.iter().map(|(_, listed)| listed.name.as_str()).collect();
        return Err(none_or_many("container", name, &found, &names));
    };
    let one_id = one.id.clone();
    running_pid(&all, &one_id).await?.ok_or(FindError::ContainerNotRunning(one_id))
}

/// The pid of the sandbox of that pod: of its attempts the one that runs.
pub(super) async fn pod(name: &str, namespace: &str) -> Result<u32, FindError> {
    let all = list().await?;
    let sandboxes = || all.iter().filter(|(_, listed)| listed.is_sandbox);
    let is_it = |listed: &&Listed| {
        listed.pod.as_ref().is_some_and(|pod| pod.name == name && pod.namespace == namespace)
    };
    let found: Vec<&Listed> = sandboxes().map(|(_, listed)| listed).filter(is_it).collect();
    let Some(last) = found.first() else {
        let names: Vec<String> = sandboxes()
            .filter_map(|(_, listed)| listed.pod.as_ref())
            .map(|pod| format!("{}/{}", pod.namespace, pod.name))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let name = format!("{namespace}/{name}");
        return Err(none_or_many("pod", &name, &[], &names));
    };
    let status = last.state.clone();
    for sandbox in &found {
        if let Some(pid) = running_pid(&all, &sandbox.id).await? {
            return Ok(pid);
        }
    }
    Err(FindError::PodNotRunning(status))
}

type Inventory = Vec<(Engine, Listed)>;

/// Every container of every runtime.
async fn list() -> Result<Inventory, FindError> {
    let engines = Engine::find_all().await;
    if engines.is_empty() {
        return Err(FindError::NoRuntime);
    }
    let mut all = Vec::new();
    for engine in engines {
        let containers = engine.containers().await;
        all.extend(containers.into_iter().map(|listed| (engine.clone(), listed)));
    }
    Ok(all)
}

async fn running_pid(all: &Inventory, id: &str) -> Result<Option<u32>, FindError> {
    let Some((engine, _)) = all.iter().find(|(_, listed)| listed.id == id) else { return Ok(None) };
    Ok(engine.container(id).await.and_then(|known| known.pid))
}

fn none_or_many(kind: &'static str, name: &str, found: &[&Listed], names: &[&str]) -> FindError {
    let name = name.to_owned();
    if !found.is_empty() {
        let short = |listed: &&Listed| {
            format!("{} ({})", listed.name, listed.id.get(..12).unwrap_or(&listed.id))
        };
        let found: Vec<String> = found.iter().map(short).collect();
        return FindError::Ambiguous { name, found: found.join(", ") };
    }
    let asked = format!("docker, which has {} {kind}s", names.len());
    FindError::NotFound { kind, offers: offers(&name, names), name, asked }
}

/// The names that are most like it.
fn offers(name: &str, names: &[&str]) -> String {
    let mut near: Vec<(f64, &str)> =
        names.iter().map(|other| (strsim::jaro_winkler(name, other), *other)).collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = near.into_iter().take(OFFERED).map(|(_, name)| name).collect();
    if near.is_empty() { String::new() } else { format!("; did you mean {}?", near.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_names_come_first() {
        let offered = offers("kuad", &["etcd", "kuard", "coredns", "kube-proxy"]);
        assert!(offered.starts_with("; did you mean kuard, "), "{offered}");
        assert_eq!(offers("x", &[]), "");
    }
}
