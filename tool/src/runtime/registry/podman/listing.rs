//! Lists of pods and containers as plain data.
//!
//! A pod of Podman is a sandbox, and its infra container is part of it: the infra container holds
//! the pod's namespaces, as the pause container of a CRI sandbox does. So a pod is listed once, with
//! the pod's id, and its infra container is not listed again. Podman knows no namespaces of pods,
//! so all its pods are in one that is called `podman`.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;

use super::messages::{Container, Pod};
use super::place;
use crate::model::{self, TargetDetails, TargetInfo, TargetKind};
use crate::runtime::client::Names;
use crate::runtime::registry::json::{Entries, read};

/// The namespace of every pod of Podman.
pub(super) const NAMESPACE: &str = "podman";

/// The pods and containers in two answers, and how many entries cannot be read.
pub(in crate::runtime) fn targets_in(
    pods: &[u8],
    containers: &[u8],
) -> Result<(Vec<TargetInfo>, usize), serde_json::Error> {
    let pods: Entries<Pod> = read(pods)?;
    let containers: Entries<Container> = read(containers)?;
    let skipped = pods.skipped + containers.skipped;
    Ok((targets(pods.list, containers.list), skipped))
}

/// The pods, then the containers; of each, the newest first.
pub(super) fn targets(mut pods: Vec<Pod>, mut containers: Vec<Container>) -> Vec<TargetInfo> {
    pods.sort_by_key(|pod| Reverse(time(&pod.created)));
    containers.sort_by_key(|container| Reverse(time(&container.created)));
    let mut members: HashMap<&str, Vec<&Container>> = HashMap::new();
    for container in &containers {
        members.entry(&container.pod).or_default().push(container);
    }
    let members = |pod: &Pod| members.get(pod.id.as_str()).map_or(&[][..], Vec::as_slice);
    let pods: Vec<TargetInfo> = pods.iter().map(|pod| sandbox(pod, members(pod))).collect();
    let containers = containers.into_iter().filter(|one| !one.is_infra).map(container);
    pods.into_iter().chain(containers).collect()
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn sandbox(pod: &Pod, members: &[&Container]) -> TargetInfo {
    let Pod { id, name, status, infra_id, created, labels } = pod.clone();
    let infra = members.iter().find(|one| one.id == infra_id);
    TargetInfo {
        kind: TargetKind::Sandbox,
        name: infra.and_then(|one| one.name()).map(str::to_owned),
        name_in_pod: None,
        pod: Some(model::Pod { namespace: NAMESPACE.to_owned(), name, uid: id.clone() }),
        is_running: place::has_network(members.iter().copied()),
        id,
        // The words of `podman pod ps`. `Degraded`: some of its containers do not run.
        state: status,
        details: TargetDetails {
            labels: labels.0,
            created: time(&created),
            ..TargetDetails::default()
        },
    }
}

fn container(container: Container) -> TargetInfo {
    TargetInfo {
        kind: TargetKind::Container,
        name: container.name().map(str::to_owned),
        name_in_pod: None,
        pod: pod_of(&container),
        is_running: container.is_running(),
        details: TargetDetails {
            created: time(&container.created),
            ports: container.tcp_ports(),
            labels: container.labels.0,
            image: Some(container.image).filter(|name| !name.is_empty()),
        },
        id: container.id,
        state: container.state,
    }
}

/// The container's name and pod, and the pid of its first process.
pub(super) fn names(container: &Container) -> Names {
    let pid = container.is_running().then_some(container.pid);
    Names { name: container.name().map(str::to_owned), pod: pod_of(container), pid }
}

/// The pod that a container belongs to.
fn pod_of(container: &Container) -> Option<model::Pod> {
    let Container { pod, pod_name, .. } = container;
    let is_known = !pod.is_empty() && !pod_name.is_empty();
    let namespace = NAMESPACE.to_owned();
    is_known.then(|| model::Pod { namespace, name: pod_name.clone(), uid: pod.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Recorded from Podman 4.3.1, and shortened.
    const PODS: &str = r#"[
        {"Cgroup": "/libpod_parent", "Created": "2026-11-26T14:34:38.15606011Z", "Id": "d2e07a",
         "InfraId": "ebef41", "Name": "shop", "Namespace": "", "Status": "Degraded",
         "Labels": {"app": "shop"}},
        {"Created": "2026-11-26T15:36:23.7+01:00", "Id": "d6d0ae", "InfraId": "",
         "Name": "empty", "Status": "Created"}]"#;
    const CONTAINERS: &str = r#"[
        {"Id": "8d7e11", "Names": ["plain"], "Pid": 0, "Pod": "", "PodName": "", "State": "exited",
         "IsInfra": false, "Namespaces": null, "Image": "docker.io/library/nginx:1",
         "Labels": {"tier": "front"}, "ExposedPorts": {"80": ["tcp"], "53": ["udp"]},
         "Ports": [{"host_ip": "", "container_port": 8080, "host_port": 80, "range": 2,
                    "protocol": "tcp"}], "Created": "2026-11-26T14:34:37Z"},
        {"Id": "ebef41", "Names": ["d2e07a-infra"], "Pid": 15259, "Pod": "d2e07a",
         "PodName": "shop", "State": "running", "IsInfra": true, "Labels": null,
         "Namespaces": {"Net": "4026532254"}, "Created": "2026-11-26T14:34:38.1Z"},
        {"Id": "8b9167", "Names": ["web"], "Pid": 15289, "Pod": "d2e07a", "PodName": "shop",
         "State": "running", "IsInfra": false, "Namespaces": {"Net": "4026532254"},
         "Created": "2026-11-26T14:34:38.395987479Z"}]"#;

    #[test]
    fn a_pod_is_listed_once_and_its_infra_container_is_part_of_it() {
        let (all, skipped) = targets_in(PODS.as_bytes(), CONTAINERS.as_bytes()).unwrap();
        assert_eq!(skipped, 0);
        let ids: Vec<_> =
            all.iter().map(|one| (one.id.as_str(), one.state.as_str(), one.is_running)).collect();
        let expected = [
            ("d6d0ae", "Created", false),
            ("d2e07a", "Degraded", true),
            ("8b9167", "running", true),
            ("8d7e11", "exited", false),
        ];
        assert_eq!(ids, expected);
        let pod =
            model::Pod { namespace: "podman".into(), name: "shop".into(), uid: "d2e07a".into() };
        assert_eq!((&all[1].kind, &all[1].pod), (&TargetKind::Sandbox, &Some(pod.clone())));
        assert_eq!((all[2].name.as_deref(), &all[2].pod), (Some("web"), &Some(pod)));
        assert_eq!((all[3].name.as_deref(), &all[3].pod), (Some("plain"), &None));
        let labels = |name: &str, value: &str| [(name.to_owned(), value.to_owned())].into();
        assert_eq!(all[1].details.labels, labels("app", "shop"));
        let details = TargetDetails {
            labels: labels("tier", "front"),
            created: time("2026-11-26T14:34:37Z"),
            image: Some("docker.io/library/nginx:1".to_owned()),
            ports: [80, 8080, 8081].map(Into::into).into(),
        };
        assert_eq!(all[3].details, details);
    }
}
