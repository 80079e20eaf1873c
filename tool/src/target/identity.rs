//! What makes a later sandbox or container the same target.

use std::fmt;

use crate::model::{Pod, TargetInfo, TargetKind};
use crate::runtime::IndexEntry;

/// The sandbox or container that a target by name led to. It stands for what may run in its place
/// after a restart: a pod of the same name, a container of the same name in that pod, or the same
/// container.
#[derive(Clone, Debug)]
pub struct Identity {
    runtime: &'static str,
    info: TargetInfo,
    /// The user gave an id, which names one container and no other pod's.
    is_by_id: bool,
}

impl Identity {
    pub(super) fn new(entry: &IndexEntry, is_by_id: bool) -> Self {
        Self { runtime: entry.client.name(), info: entry.info.clone(), is_by_id }
    }

    /// The same, as it runs now.
    pub(super) fn of_later(&self, entry: &IndexEntry) -> Self {
        Self { info: entry.info.clone(), ..self.clone() }
    }

    /// Whether this is the same target, perhaps after a restart. A container elsewhere with the
    /// same name is not, even if the name alone would now lead there.
    pub(super) fn is(&self, entry: &IndexEntry) -> bool {
        let (before, now) = (&self.info, &entry.info);
        if entry.client.name() != self.runtime || now.kind != before.kind {
            return false;
        }
        now.id == before.id
            || match (&before.pod, &now.pod) {
                (Some(pod), Some(other)) => self.is_pod(pod, other) && is_same_name(before, now),
                (None, None) => !self.is_by_id && is_same_name(before, now),
                _ => false,
            }
    }

    fn is_pod(&self, pod: &Pod, other: &Pod) -> bool {
        let has_same_name = (&pod.namespace, &pod.name) == (&other.namespace, &other.name);
        has_same_name && (!self.is_by_id || pod.uid == other.uid)
    }

    /// The id of the sandbox or container.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.info.id
    }

    /// The pod that it is or belongs to.
    #[must_use]
    pub fn pod(&self) -> Option<&Pod> {
        self.info.pod.as_ref()
    }
}

/// A pod's sandbox needs no name besides the pod's.
fn is_same_name(before: &TargetInfo, now: &TargetInfo) -> bool {
    let name = container_name(before);
    before.kind == TargetKind::Sandbox && before.pod.is_some()
        || name.is_some() && name == container_name(now)
}

/// The container's name in its pod. Docker's names for the containers of pods also have the pod's
/// uid and the number of the attempt: `k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT` (cri-dockerd,
/// `core/naming.go`).
fn container_name(info: &TargetInfo) -> Option<&str> {
    let name = info.name.as_deref()?;
    let in_pod = info.pod.as_ref().and_then(|_| name.strip_prefix("k8s_")?.split('_').next());
    Some(in_pod.unwrap_or(name))
}

/// `pod shop/kuard` or `container shop/kuard/web`
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let TargetInfo { kind, id, pod, .. } = &self.info;
        let pod_name = pod.as_ref().map(|pod| format!("{}/{}", pod.namespace, pod.name));
        match (kind, pod_name, container_name(&self.info)) {
            (TargetKind::Sandbox, Some(pod), _) => write!(f, "pod {pod}"),
            (_, Some(pod), Some(name)) => write!(f, "container {pod}/{name}"),
            (_, None, Some(name)) => write!(f, "container {name}"),
            (_, _, None) => write!(f, "container {id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{ForwardingMode, TargetDetails};
    use crate::runtime::{Answer, Names, Place, RuntimeClient};

    struct Named(&'static str);

    impl RuntimeClient for Named {
        fn name(&self) -> &'static str {
            self.0
        }

        fn version(&self) -> &'static str {
            ""
        }

        fn forwarding_mode(&self) -> ForwardingMode {
            ForwardingMode::None
        }

        fn start_command(&self, _: &str) -> String {
            String::new()
        }

        fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
            Box::pin(async { Ok(Vec::new()) })
        }

        fn place<'a>(&'a self, _: &'a TargetInfo) -> Answer<'a, Option<Place>> {
            Box::pin(async { Ok(None) })
        }

        fn names<'a>(&'a self, _: &'a str) -> Answer<'a, Option<Names>> {
            Box::pin(async { Ok(None) })
        }
    }

    /// `POD-NAMESPACE/POD-NAME/UID`, or nothing without a pod.
    fn entry(kind: TargetKind, id: &str, name: &str, pod: &str) -> IndexEntry {
        let mut parts = pod.split('/').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (namespace, pod_name, uid) = (part(), part(), part());
        let info = TargetInfo {
            name_in_pod: None,
            kind,
            id: id.to_owned(),
            name: (!name.is_empty()).then(|| name.to_owned()),
            pod: (!pod.is_empty()).then_some(Pod { namespace, name: pod_name, uid }),
            is_running: true,
            state: String::new(),
            details: TargetDetails::default(),
        };
        IndexEntry { client: Arc::new(Named("containerd")), info }
    }

    fn sandbox(id: &str, pod: &str) -> IndexEntry {
        entry(TargetKind::Sandbox, id, "", pod)
    }

    fn container(id: &str, name: &str, pod: &str) -> IndexEntry {
        entry(TargetKind::Container, id, name, pod)
    }

    #[test]
    fn a_pod_made_anew_is_the_same_target_and_another_pod_is_not() {
        let pod = Identity::new(&sandbox("1", "shop/kuard/a"), false);
        assert_eq!(pod.to_string(), "pod shop/kuard");
        assert!(pod.is(&sandbox("2", "shop/kuard/b")));
        assert!(!pod.is(&sandbox("2", "default/kuard/a")));
        assert!(!pod.is(&sandbox("2", "shop/kuard2/a")));
        assert!(!pod.is(&container("2", "web", "shop/kuard/a")));
        let elsewhere =
            IndexEntry { client: Arc::new(Named("docker")), ..sandbox("1", "shop/kuard/a") };
        assert!(!pod.is(&elsewhere));
        let by_id = Identity::new(&sandbox("1", "shop/kuard/a"), true);
        assert!(by_id.is(&sandbox("2", "shop/kuard/a")), "a new sandbox of the same pod");
        assert!(!by_id.is(&sandbox("2", "shop/kuard/b")), "an id names no later pod");
    }

    #[test]
    fn a_container_made_anew_is_the_same_target_and_another_pods_is_not() {
        let web = Identity::new(&container("1", "web", "shop/kuard/a"), false);
        assert_eq!(web.to_string(), "container shop/kuard/web");
        assert!(web.is(&container("2", "web", "shop/kuard/b")));
        assert!(!web.is(&container("2", "web", "shop/other/a")));
        assert!(!web.is(&container("2", "sidecar", "shop/kuard/a")));
        assert!(!web.is(&sandbox("2", "shop/kuard/a")));
        let by_id = Identity::new(&container("1", "web", "shop/kuard/a"), true);
        assert!(by_id.is(&container("2", "web", "shop/kuard/a")));
        assert!(!by_id.is(&container("2", "web", "shop/kuard/b")));
    }

    #[test]
    fn dockers_names_have_the_number_of_the_attempt() {
        let name = |attempt: u8| format!("k8s_web_kuard_shop_a_{attempt}");
        let web = Identity::new(&container("1", &name(0), "shop/kuard/a"), false);
        assert_eq!(web.to_string(), "container shop/kuard/web");
        assert!(web.is(&container("2", &name(1), "shop/kuard/a")));
        assert!(!web.is(&container("2", "k8s_side_kuard_shop_a_1", "shop/kuard/a")));
        let plain = Identity::new(&container("1", "web", ""), false);
        assert_eq!(plain.to_string(), "container web");
        assert!(plain.is(&container("2", "web", "")));
        assert!(!plain.is(&container("2", "web2", "")));
        let by_id = Identity::new(&container("1", "web", ""), true);
        assert!(by_id.is(&container("1", "web", "")) && !by_id.is(&container("2", "web", "")));
    }
}
