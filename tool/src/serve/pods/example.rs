//! Entries for tests.

use std::sync::Arc;

use super::pod::ServedPod;
use crate::model::{ForwardingMode, Pod, TargetDetails, TargetInfo, TargetKind};
use crate::runtime::{Answer, IndexEntry, Names, Place, RuntimeClient};

/// A runtime that is not asked anything.
struct Docker;

impl RuntimeClient for Docker {
    fn name(&self) -> &'static str {
        "docker"
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

fn entry(kind: TargetKind, id: &str, name: &str, pod: &str, is_running: bool) -> IndexEntry {
    let mut parts = pod.split('/').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (namespace, pod_name, uid) = (part(), part(), part());
    let info = TargetInfo {
        kind,
        id: id.to_owned(),
        name: (!name.is_empty()).then(|| name.to_owned()),
        name_in_pod: None,
        pod: (!pod.is_empty()).then_some(Pod { namespace, name: pod_name, uid }),
        is_running,
        state: if is_running { "running" } else { "exited" }.to_owned(),
        details: TargetDetails::default(),
    };
    IndexEntry { client: Arc::new(Docker), info }
}

/// A sandbox of the pod `NAMESPACE/NAME/UID`.
pub(in crate::serve) fn sandbox(id: &str, pod: &str, is_running: bool) -> IndexEntry {
    entry(TargetKind::Sandbox, id, "", pod, is_running)
}

/// A container of the pod `NAMESPACE/NAME/UID`, or of none.
pub(in crate::serve) fn container(id: &str, name: &str, pod: &str, is_running: bool) -> IndexEntry {
    entry(TargetKind::Container, id, name, pod, is_running)
}

/// The pod `NAMESPACE/NAME/UID`, whose sandbox has the id `0123`.
pub(in crate::serve) fn served(pod: &str, is_running: bool) -> ServedPod {
    let entry = sandbox("0123", pod, is_running);
    let pod = entry.info.pod.clone().unwrap();
    ServedPod { pod, entry, containers: Vec::new() }
}
