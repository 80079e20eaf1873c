//! Docker's answers as plain data.

use std::net::IpAddr;

use super::details::details;
use super::messages::{Container, KubeletLabels, Summary};
use crate::model::{Pod, TargetInfo, TargetKind};
use crate::runtime::client::Names;
use crate::runtime::registry::json::{Entries, read};

/// The containers in an answer, and how many entries cannot be read.
pub(in crate::runtime) fn targets_in(
    answer: &[u8],
) -> Result<(Vec<TargetInfo>, usize), serde_json::Error> {
    let Entries { list, skipped } = read::<Entries<Summary>>(answer)?;
    Ok((list.into_iter().map(listed).collect(), skipped))
}

/// The names, the pid and the addresses in an answer about one container.
pub(in crate::runtime) fn place_in(
    answer: &[u8],
) -> Result<(Names, Vec<IpAddr>), serde_json::Error> {
    let container = read(answer)?;
    Ok((names(&container), addresses(&container)))
}

/// The container's addresses in each of its networks. Docker knows none when something else makes
/// the network, as CNI plugins do below cri-dockerd.
pub(super) fn addresses(container: &Container) -> Vec<IpAddr> {
    let networks = container.network_settings.networks.values();
    let all = networks.flat_map(|network| [&network.ip_address, &network.global_ipv6_address]);
    let mut all: Vec<IpAddr> = all.filter_map(|text| text.parse().ok()).collect();
    all.sort_unstable();
    all
}

/// The container's names, and the pid of its first process.
pub(super) fn names(container: &Container) -> Names {
    let name = container.name.as_deref().map(|name| name.trim_start_matches('/').to_owned());
    let pod = pod_of(&KubeletLabels::of(&container.config.labels), name.as_deref());
    Names { name, pod, pid: container.pid() }
}

fn listed(summary: Summary) -> TargetInfo {
    let details = details(&summary);
    let Summary { id, names, labels, state, .. } = summary;
    let kubelets = KubeletLabels::of(&labels);
    let is_sandbox = kubelets.kind == Some("podsandbox");
    let name = names.0.map(|name| name.trim_start_matches('/').to_owned());
    TargetInfo {
        kind: if is_sandbox { TargetKind::Sandbox } else { TargetKind::Container },
        id,
        pod: pod_of(&kubelets, name.as_deref()),
        name_in_pod: name_in_pod(&kubelets, name.as_deref()).filter(|_| !is_sandbox),
        name,
        // A paused container still has its process and its network.
        is_running: matches!(state.as_str(), "running" | "paused"),
        state,
        details,
    }
}

/// The pod by the kubelet's labels, which dockershim and cri-dockerd pass on. Other clients, such
/// as `crictl runp`, may set no labels: then the pod by the name that the shim gives to the
/// container.
fn pod_of(labels: &KubeletLabels<'_>, name: Option<&str>) -> Option<Pod> {
    let &KubeletLabels { kind, pod_name, pod_namespace, pod_uid, .. } = labels;
    let by_labels = || {
        let (namespace, name) = (pod_namespace?.to_owned(), pod_name?.to_owned());
        Some(Pod { namespace, name, uid: pod_uid?.to_owned() })
    };
    by_labels().or_else(|| {
        kind?;
        pod_in(name?)
    })
}

/// A container's name in its pod, found in the same way.
fn name_in_pod(labels: &KubeletLabels<'_>, name: Option<&str>) -> Option<String> {
    labels.container_name.map(str::to_owned).or_else(|| {
        labels.kind?;
        pod_in(name?)?;
        name?.split('_').nth(1).map(str::to_owned)
    })
}

/// The pod in `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT` (cri-dockerd, `core/naming.go`). No part
/// has an underscore. If the name was taken, more parts follow.
fn pod_in(name: &str) -> Option<Pod> {
    let mut parts = name.strip_prefix("k8s_")?.split('_').skip(1).map(str::to_owned);
    let (name, namespace, uid) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next()?;
    Some(Pod { namespace, name, uid })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::registry::json::Strings;

    fn labels(key: &str, value: &str) -> Strings {
        let labels = serde_json::json!({key: value, "another": [7]});
        serde_json::from_str(&labels.to_string()).unwrap()
    }

    #[test]
    fn a_container_has_a_name_in_its_pod() {
        let of = |key: &str, value: &str, name| {
            name_in_pod(&KubeletLabels::of(&labels(key, value)), Some(name))
        };
        let (by_label, by_name) = ("io.kubernetes.container.name", "io.kubernetes.docker.type");
        let web = Some("web".to_owned());
        assert_eq!(of(by_label, "web", "anything"), web);
        assert_eq!(of(by_name, "container", "k8s_web_kuard_shop_8765-43_0"), web);
        assert_eq!(of(by_name, "container", "k8s_web"), None);
        assert_eq!(of("some.label", "web", "k8s_web_kuard_shop_8765-43_0"), None);
    }

    #[test]
    fn a_pod_without_labels_is_known_by_its_name() {
        let of = |kind: &str, name: &str| {
            let pod = pod_of(&KubeletLabels::of(&labels(kind, "podsandbox")), Some(name));
            pod.map(|pod| [pod.namespace, pod.name, pod.uid])
        };
        let kind = "io.kubernetes.docker.type";
        let kuard = Some(["shop", "kuard", "8765-43"].map(str::to_owned));
        assert_eq!(of(kind, "k8s_POD_kuard_shop_8765-43_0"), kuard);
        assert_eq!(of(kind, "k8s_web_kuard_shop_8765-43_0_1a2b3c"), kuard);
        assert_eq!(of(kind, "k8s_POD_kuard_shop"), None);
        assert_eq!(of(kind, "k8s"), None);
        assert_eq!(of("some.other.label", "k8s_POD_kuard_shop_8765-43_0"), None);
    }

    #[test]
    fn one_strange_container_does_not_hide_the_others() {
        let text = br#"[{"Id": "a", "Names": ["/web"], "State": "running", "Labels": null},
            {"Id": "b", "Names": 7, "State": "hibernating"}, {"Id": 7}, {"State": "running"},
            {"Id": "c", "State": {"x": 1}, "Labels": {"io.kubernetes.docker.type": ["x"]}}]"#;
        let (all, skipped) = targets_in(text).unwrap();
        let all: Vec<_> = all
            .iter()
            .map(|one| (one.id.as_str(), one.name.as_deref(), one.state.as_str(), one.is_running))
            .collect();
        let expected = [
            ("a", Some("web"), "running", true),
            ("b", None, "hibernating", false),
            ("c", None, "", false),
        ];
        assert_eq!((&all[..], skipped), (&expected[..], 2));
    }

    #[test]
    fn a_container_has_a_pid_while_it_runs() {
        let pid = |text: &str| place_in(text.as_bytes()).unwrap().0.pid;
        assert_eq!(pid(r#"{"State": {"Running": true, "Pid": 42}}"#), Some(42));
        for none in [
            "{}",
            r#"{"State": null}"#,
            r#"{"State": {"Running": false, "Pid": 42}}"#,
            r#"{"State": {"Running": true, "Pid": 0}}"#,
            r#"{"State": {"Running": true, "Pid": -1}}"#,
            r#"{"State": {"Running": "yes", "Pid": 42}}"#,
        ] {
            assert_eq!(pid(none), None, "{none}");
        }
        let text = br#"{"NetworkSettings": {"Networks": {"a": {"IPAddress": "10.0.0.7",
            "GlobalIPv6Address": 7}, "b": {"IPAddress": "x", "GlobalIPv6Address": "fd00::7"}}}}"#;
        let addresses: Vec<IpAddr> = ["10.0.0.7", "fd00::7"].map(|ip| ip.parse().unwrap()).into();
        assert_eq!(place_in(text).unwrap().1, addresses);
    }
}
