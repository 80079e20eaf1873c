//! Lists of sandboxes and containers as plain data.

use std::collections::HashMap;

use super::messages::{CONTAINER_RUNNING, Container, PodSandbox, SANDBOX_READY};
use crate::model::{Pod, TargetInfo, TargetKind};

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

fn sandbox(PodSandbox { id, metadata, state, .. }: PodSandbox) -> TargetInfo {
    let pod = metadata.map(|pod| Pod { namespace: pod.namespace, name: pod.name, uid: pod.uid });
    let is_running = state == SANDBOX_READY;
    // The words of `crictl pods`.
    let state = if is_running { "Ready" } else { "NotReady" }.to_owned();
    let (name, name_in_pod) = (None, None);
    TargetInfo { kind: TargetKind::Sandbox, id, name, name_in_pod, pod, is_running, state }
}

fn listed(container: Container, pod: Option<Pod>) -> TargetInfo {
    let Container { id, metadata, state, .. } = container;
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
    TargetInfo { kind, id, name, name_in_pod, pod, is_running, state }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::registry::cri::messages::{ContainerMetadata, PodSandboxMetadata};

    #[test]
    fn containers_have_the_pod_of_their_sandbox_and_the_newest_comes_first() {
        let sandbox = |id: &str, name: &str, state, created_at| PodSandbox {
            id: id.to_owned(),
            metadata: Some(PodSandboxMetadata { name: name.to_owned(), ..Default::default() }),
            state,
            created_at,
        };
        let container = Container {
            id: "c".to_owned(),
            pod_sandbox_id: "new".to_owned(),
            metadata: Some(ContainerMetadata { name: "web".to_owned() }),
            state: CONTAINER_RUNNING,
            created_at: 3,
        };
        let all = join(vec![sandbox("old", "a", 1, 1), sandbox("new", "b", 0, 2)], vec![container]);
        let ids: Vec<(&str, &str)> =
            all.iter().map(|one| (one.id.as_str(), one.state.as_str())).collect();
        assert_eq!(ids, [("new", "Ready"), ("old", "NotReady"), ("c", "Running")]);
        assert_eq!(all[2].pod.as_ref().unwrap().name, "b");
        assert_eq!(all[2].name.as_deref(), Some("web"));
    }
}
