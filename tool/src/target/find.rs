//! Finds a pod or a container by its name.

use super::error::FindError;
use super::identity::Identity;
use crate::model::TargetKind;
use crate::runtime::{ContainerIndex, IndexEntry, Runtimes};

/// How many names are suggested when none matches.
const MAX_SUGGESTIONS: usize = 3;

async fn build_index(runtimes: &Runtimes) -> Result<ContainerIndex, FindError> {
    ContainerIndex::build(runtimes).await.map_err(|asked| FindError::NoRuntime { asked })
}

/// The container with this name, or with an id that starts with it. If several match, the one that
/// runs.
pub(super) async fn container(name: &str, runtimes: &Runtimes) -> Result<IndexEntry, FindError> {
    let index = build_index(runtimes).await?;
    let all = &index.entries;
    let mut found: Vec<&IndexEntry> =
        all.iter().filter(|one| one.info.name.as_deref() == Some(name)).collect();
    if found.is_empty() {
        found = all.iter().filter(|one| one.info.id.starts_with(name)).collect();
    }
    if found.is_empty() {
        let names = all.iter().filter_map(|one| one.info.name.clone()).collect();
        return Err(not_found("container", name, &index, names));
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
    let name = format!("{}/{name}", namespace.unwrap_or("default"));
    if found.is_empty() {
        let pods = sandboxes().filter_map(|one| one.info.pod.as_ref());
        let names = pods.map(|pod| format!("{}/{}", pod.namespace, pod.name)).collect();
        return Err(not_found("pod", &name, &index, names));
    }
    one(&name, &found)
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
    let found: Vec<String> = left.into_iter().map(described).collect();
    Err(FindError::Ambiguous { name: name.to_owned(), found: found.join(", ") })
}

/// `shop/kuard/web (0123456789ab, containerd)`
fn described(IndexEntry { client, info }: &IndexEntry) -> String {
    let pod = info.pod.iter().flat_map(|pod| [pod.namespace.as_str(), pod.name.as_str()]);
    let name: Vec<&str> = pod.chain(info.name.as_deref()).collect();
    let id = info.id.get(..12).unwrap_or(&info.id);
    format!("{} ({id}, {})", name.join("/"), client.name())
}

fn not_found(
    kind: &'static str,
    name: &str,
    index: &ContainerIndex,
    names: Vec<String>,
) -> FindError {
    let suggestions = suggestions(name, names);
    FindError::NotFound { kind, name: name.to_owned(), asked: index.asked(), suggestions }
}

/// The names that are most similar to the given one.
fn suggestions(name: &str, mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let likeness = |other: &String| strsim::jaro_winkler(name, other);
    names.sort_by(|a, b| likeness(b).total_cmp(&likeness(a)));
    names.truncate(MAX_SUGGESTIONS);
    if names.is_empty() { String::new() } else { format!("; did you mean {}?", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_similar_name_comes_first() {
        let names = ["etcd", "kuard", "coredns", "kube-proxy", "kuard"].map(str::to_owned);
        let suggested = suggestions("kuad", names.into());
        assert!(suggested.starts_with("; did you mean kuard, "), "{suggested}");
        assert_eq!(suggested.matches("kuard").count(), 1, "{suggested}");
        assert_eq!(suggestions("x", Vec::new()), "");
    }
}
