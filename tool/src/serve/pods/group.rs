//! From the list of sandboxes and containers to pods.

use std::collections::BTreeMap;

use super::pod::ServedPod;
use crate::model::{Pod, TargetInfo, TargetKind};
use crate::runtime::IndexEntry;

/// Namespace and name of a pod, by which clients know it.
type Name = (String, String);

/// The pods, by namespace and name. The newest entries come first: of several attempts to run the same
/// pod, the one that runs counts, else the newest.
pub(super) fn pods_of(entries: Vec<IndexEntry>) -> Vec<ServedPod> {
    let is_member =
        |entry: &IndexEntry| entry.info.kind == TargetKind::Container && entry.info.pod.is_some();
    let (members, roots): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_member);
    let mut pods: BTreeMap<Name, ServedPod> = BTreeMap::new();
    for root in roots {
        let pod = served(root);
        let name = (pod.pod.namespace.clone(), pod.pod.name.clone());
        let is_better = pods.get(&name).is_none_or(|other| pod.is_running() && !other.is_running());
        if is_better {
            pods.insert(name, pod);
        }
    }
    for member in members {
        add_member(&mut pods, member);
    }
    pods.into_values().collect()
}

/// A sandbox, still without its containers, or a container without a pod.
fn served(entry: IndexEntry) -> ServedPod {
    let info = &entry.info;
    let plain = || Pod {
        namespace: entry.client.name().to_owned(),
        name: info.name.clone().unwrap_or_else(|| info.id.clone()),
        uid: info.id.clone(),
    };
    let pod = info.pod.clone().unwrap_or_else(plain);
    let is_container = info.kind == TargetKind::Container;
    let containers = is_container.then(|| info.clone()).into_iter().collect();
    ServedPod { pod, entry, containers }
}

/// Adds a container to its pod, unless a newer attempt of it is there.
fn add_member(pods: &mut BTreeMap<Name, ServedPod>, member: IndexEntry) {
    let Some(pod) = &member.info.pod else { return };
    let Some(served) = pods.get_mut(&(pod.namespace.clone(), pod.name.clone())) else { return };
    let name = |info: &TargetInfo| info.names().last().map(str::to_owned);
    let is_of_pod = served.pod.uid == pod.uid && served.entry.client.name() == member.client.name();
    let is_new = !served.containers.iter().any(|one| name(one) == name(&member.info));
    if is_of_pod && is_new {
        served.containers.push(member.info);
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{container, sandbox};
    use super::*;

    fn shown(entries: Vec<IndexEntry>) -> Vec<(String, String, Vec<String>)> {
        let ids = |pod: &ServedPod| pod.containers.iter().map(|one| one.id.clone()).collect();
        let pods = pods_of(entries);
        pods.iter()
            .map(|one| {
                let Pod { namespace, name, .. } = &one.pod;
                (format!("{namespace}/{name}"), one.entry.info.id.clone(), ids(one))
            })
            .collect()
    }

    fn row(pod: &str, id: &str, containers: &[&str]) -> (String, String, Vec<String>) {
        let containers = containers.iter().map(|&one| one.to_owned()).collect();
        (pod.to_owned(), id.to_owned(), containers)
    }

    #[test]
    fn a_pod_has_the_newest_attempt_of_each_container() {
        let all = vec![
            sandbox("s1", "shop/kuard/u1", true),
            container("c2", "web", "shop/kuard/u1", true),
            container("c1", "web", "shop/kuard/u1", false),
            container("c3", "log", "shop/kuard/u1", true),
            container("c4", "web", "shop/kuard/u0", true),
            container("c5", "web", "shop/other/u1", true),
        ];
        assert_eq!(shown(all), [row("shop/kuard", "s1", &["c2", "c3"])]);
    }

    #[test]
    fn of_several_attempts_the_running_one_counts_else_the_newest() {
        let pod = |id: &str, is_running| sandbox(id, "shop/kuard/u1", is_running);
        let id = |all: Vec<IndexEntry>| shown(all).remove(0).1;
        assert_eq!(id(vec![pod("new", false), pod("old", true)]), "old");
        assert_eq!(id(vec![pod("new", true), pod("old", true)]), "new");
        assert_eq!(id(vec![pod("new", false), pod("old", false)]), "new");
    }

    #[test]
    fn a_container_without_a_pod_is_a_pod_in_its_runtimes_namespace() {
        let all = vec![container("c1", "web", "", true), container("c2", "", "", true)];
        let expected = [row("docker/c2", "c2", &["c2"]), row("docker/web", "c1", &["c1"])];
        assert_eq!(shown(all), expected);
    }
}
