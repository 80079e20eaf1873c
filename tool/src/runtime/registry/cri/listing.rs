//! Lists of sandboxes and containers as plain data.

use std::collections::HashMap;

use jiff::Timestamp;

use super::messages::{CONTAINER_RUNNING, Container, ImageSpec, PodSandbox, SANDBOX_READY};
use crate::model::{Pod, TargetDetails, TargetInfo, TargetKind};
use crate::runtime::registry::kubelet;

/// Gives each container the pod of its sandbox; the newest first.
pub(super) fn join(
    mut sandboxes: Vec<PodSandbox>,
    mut containers: Vec<Container>,
) -> Vec<TargetInfo> {
    sandboxes.sort_by_key(|sandbox| std::cmp::Reverse(sandbox.created_at));
    containers.sort_by_key(|container| std::cmp::Reverse(container.created_at));
    let sandboxes: Vec<TargetInfo> = sandboxes.into_iter().map(sandbox).collect();
    let pods: HashMap<String, Option<Pod>> =
        sandboxes.iter().map(|sandbox| (sandbox.id.clone(), sandbox.pod.clone())).collect();
    let containers = containers.into_iter().map(|container| {
        let pod = pods.get(&container.pod_sandbox_id).cloned().flatten();
        listed(container, pod)
    });
    let containers: Vec<TargetInfo> = containers.collect();
    sandboxes.into_iter().chain(containers).collect()
}

fn sandbox(sandbox: PodSandbox) -> TargetInfo {
    let PodSandbox { id, metadata, state, created_at, labels } = sandbox;
    let pod = metadata.map(|pod| Pod { namespace: pod.namespace, name: pod.name, uid: pod.uid });
    let is_running = state == SANDBOX_READY;
    // The words of `crictl pods`.
    let state = if is_running { "Ready" } else { "NotReady" }.to_owned();
    let (name, name_in_pod) = (None, None);
    let labels = kubelet::without_own_labels(labels);
    let details = TargetDetails { labels, created: time(created_at), ..TargetDetails::default() };
    TargetInfo { kind: TargetKind::Sandbox, id, name, name_in_pod, pod, is_running, state, details }
}

fn listed(container: Container, pod: Option<Pod>) -> TargetInfo {
    let Container { id, metadata, image, state, created_at, labels, annotations, .. } = container;
    let is_running = state == CONTAINER_RUNNING;
    // The words of `crictl ps`.
    let state = match state {
        0 => "Created",
        CONTAINER_RUNNING => "Running",
        2 => "Exited",
        _ => "Unknown",
    };
    let name = metadata.map(|metadata| metadata.name);
    let (kind, name_in_pod, state) = (TargetKind::Container, None, state.to_owned());
    let details = TargetDetails {
        labels: kubelet::without_own_labels(labels),
        created: time(created_at),
        image: image.map(image_name).filter(|name| !name.is_empty()),
        ports: annotations
            .get(kubelet::PORTS)
            .map(|text| kubelet::tcp_ports(text))
            .unwrap_or_default(),
    };
    TargetInfo { kind, id, name, name_in_pod, pod, is_running, state, details }
}

fn image_name(ImageSpec { image, user_specified_image }: ImageSpec) -> String {
    if user_specified_image.is_empty() { image } else { user_specified_image }
}

/// A runtime writes 0 for a time that it does not know.
fn time(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(nanoseconds.into()).ok().filter(|_| nanoseconds > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeclaredPort;
    use crate::runtime::registry::cri::messages::{ContainerMetadata, PodSandboxMetadata};

    #[test]
    fn containers_have_the_pod_of_their_sandbox_and_the_newest_comes_first() {
        let sandbox = |id: &str, name: &str, state, created_at| PodSandbox {
            id: id.to_owned(),
            metadata: Some(PodSandboxMetadata { name: name.to_owned(), ..Default::default() }),
            state,
            created_at,
            labels: [("app", "shop"), ("io.kubernetes.pod.name", name)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        };
        let ports = r#"[{"name":"http","containerPort":8080,"protocol":"TCP"},{"containerPort":53,
            "protocol":"UDP"}]"#;
        let container = Container {
            id: "c".to_owned(),
            pod_sandbox_id: "new".to_owned(),
            metadata: Some(ContainerMetadata { name: "web".to_owned() }),
            state: CONTAINER_RUNNING,
            created_at: 3_000_000_000,
            image: Some(ImageSpec {
                image: "sha256:0123".to_owned(),
                user_specified_image: "kuard:1".to_owned(),
            }),
            labels: HashMap::new(),
            annotations: [(kubelet::PORTS.to_owned(), ports.to_owned())].into(),
        };
        let all = join(vec![sandbox("old", "a", 1, 1), sandbox("new", "b", 0, 2)], vec![container]);
        let ids: Vec<(&str, &str)> =
            all.iter().map(|one| (one.id.as_str(), one.state.as_str())).collect();
        assert_eq!(ids, [("new", "Ready"), ("old", "NotReady"), ("c", "Running")]);
        assert_eq!(all[2].pod.as_ref().unwrap().name, "b");
        assert_eq!(all[2].name.as_deref(), Some("web"));
        let details = &all[2].details;
        let port = DeclaredPort { port: 8080, name: Some("http".to_owned()) };
        assert_eq!((details.image.as_deref(), &details.ports[..]), (Some("kuard:1"), &[port][..]));
        assert_eq!(details.created, Some(Timestamp::from_second(3).unwrap()));
        assert_eq!(all[0].details.labels, [("app".to_owned(), "shop".to_owned())].into());
    }
}
