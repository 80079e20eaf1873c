//! Finds a pod or a container by its name.

use super::alike::{Candidate, suggestions};
use super::error::FindError;
use super::identity::Identity;
use super::name::TargetName;
use crate::model::{TargetInfo, TargetKind};
use crate::runtime::{ContainerIndex, IndexEntry, Runtimes};

/// How many matches are listed when there are several.
const MAX_LISTED: usize = 10;

async fn build_index(runtimes: &Runtimes) -> Result<ContainerIndex, FindError> {
    ContainerIndex::build(runtimes).await.map_err(|asked| FindError::NoRuntime { asked })
}

/// The container with this name in its runtime or in its pod, or with an id that starts with it. If
/// several match, the one that runs.
pub(super) async fn container(name: &str, runtimes: &Runtimes) -> Result<IndexEntry, FindError> {
    let index = build_index(runtimes).await?;
    let all = &index.entries;
    let mut found: Vec<&IndexEntry> =
        all.iter().filter(|one| one.info.names().any(|other| other == name)).collect();
    if found.is_empty() {
        found = all.iter().filter(|one| one.info.id.starts_with(name)).collect();
    }
    if found.is_empty() {
        let alike = suggestions(name, all.iter().flat_map(containers));
        return Err(not_found("container", name, &index, alike));
    }
    one(name, &found)
}

/// The sandbox of this pod, without a namespace in the default namespace of its runtime. If there
/// are several attempts, the one that runs.
pub(super) async fn pod(
    name: &str,
    namespace: Option<&str>,
    runtimes: &Runtimes,
) -> Result<IndexEntry, FindError> {
    let index = build_index(runtimes).await?;
    let sandboxes = || index.entries.iter().filter(|one| one.info.kind == TargetKind::Sandbox);
    let is_it = |one: &&IndexEntry| {
        let namespace = namespace.unwrap_or_else(|| one.client.default_namespace());
        let pod = one.info.pod.as_ref();
        pod.is_some_and(|pod| pod.name == name && pod.namespace == namespace)
    };
    let found: Vec<&IndexEntry> = sandboxes().filter(is_it).collect();
    let full_name = format!("{}/{name}", namespace.unwrap_or("default"));
    if found.is_empty() {
        let pods = sandboxes().filter_map(|one| one.info.pod.as_ref()).map(|pod| Candidate {
            name: &pod.name,
            target: TargetName::of_pod(&pod.namespace, &pod.name),
            is_near: pod.namespace == namespace.unwrap_or("default"),
        });
        let alone = index.entries.iter().filter(|one| one.info.pod.is_none());
        let alike = suggestions(name, pods.chain(alone.flat_map(containers)));
        return Err(not_found("pod", &full_name, &index, alike));
    }
    one(&full_name, &found)
}

/// A container, by each of its names.
fn containers(one: &IndexEntry) -> impl Iterator<Item = Candidate<'_>> {
    one.info.names().map(|name| Candidate {
        name,
        target: format!("container/{name}"),
        is_near: false,
    })
}

/// What runs now in the place of a sandbox or container that was found before.
pub(super) async fn again(
    identity: &Identity,
    runtimes: &Runtimes,
) -> Result<IndexEntry, FindError> {
    let index = build_index(runtimes).await?;
    let found: Vec<&IndexEntry> = index.entries.iter().filter(|entry| identity.is(entry)).collect();
    let name = identity.to_string();
    if found.is_empty() {
        return Err(FindError::NotBack { name, asked: index.asked() });
    }
    one(&name, &found)
}

/// The only one that runs. If none runs, the newest: its error is then reported.
fn one(name: &str, found: &[&IndexEntry]) -> Result<IndexEntry, FindError> {
    let mut left: Vec<&IndexEntry> =
        found.iter().filter(|one| one.info.is_running).copied().collect();
    if left.is_empty() {
        // Earlier attempts of the same container do not count as further matches.
        for one in found {
            let is_same = |other: &&IndexEntry| other.info.is_attempt_of(&one.info);
            if !left.iter().any(is_same) {
                left.push(one);
            }
        }
    }
    if let [one] = left[..] {
        return Ok(one.clone());
    }
    let mut found: Vec<String> = left.iter().take(MAX_LISTED).map(|one| described(one)).collect();
    if left.len() > MAX_LISTED {
        found.push(format!("and {} more", left.len() - MAX_LISTED));
    }
    Err(FindError::Ambiguous { name: name.to_owned(), found: found.join(", ") })
}

/// `shop/kuard/web (container/0123456789ab, containerd)`
fn described(IndexEntry { client, info }: &IndexEntry) -> String {
    let TargetInfo { kind, id, pod, .. } = info;
    let pod = pod.iter().flat_map(|pod| [pod.namespace.as_str(), pod.name.as_str()]);
    // The last name is the one in the pod.
    let name = info.names().last().filter(|_| *kind == TargetKind::Container);
    let name: Vec<&str> = pod.chain(name).collect();
    let id = id.get(..12).unwrap_or(id);
    format!("{} (container/{id}, {})", name.join("/"), client.name())
}

fn not_found(
    kind: &'static str,
    name: &str,
    index: &ContainerIndex,
    suggestions: String,
) -> FindError {
    FindError::NotFound { kind, name: name.to_owned(), asked: index.asked(), suggestions }
}
