//! The demo's pod, as a container runtime would list it: no runtime of this node has it.

use std::sync::Arc;

use jiff::Timestamp;

use crate::demo::pod::{NAME, PORT, Pod};
use crate::model::{self, DeclaredPort, ForwardingMode, TargetDetails, TargetInfo, TargetKind};
use crate::runtime::{Answer, Names, Place, RuntimeClient, Runtimes};

/// The namespace that clients use if they name none.
const NAMESPACE: &str = "default";

/// Lists one pod.
struct PodRuntime {
    pause: u32,
    since: Timestamp,
}

/// The pod as the only one of this node.
pub(super) fn runtimes(pod: &Pod) -> Runtimes {
    Runtimes::only(Arc::new(PodRuntime { pause: pod.pause_pid(), since: Timestamp::now() }))
}

impl PodRuntime {
    fn sandbox(&self) -> TargetInfo {
        let uid = format!("demo-{}", self.pause);
        TargetInfo {
            kind: TargetKind::Sandbox,
            id: format!("{:064x}", self.pause),
            name: None,
            name_in_pod: None,
            pod: Some(model::Pod { namespace: NAMESPACE.to_owned(), name: NAME.to_owned(), uid }),
            is_running: true,
            state: "running".to_owned(),
            details: TargetDetails { created: Some(self.since), ..TargetDetails::default() },
        }
    }

    fn container(&self) -> TargetInfo {
        let mut info = self.sandbox();
        info.kind = TargetKind::Container;
        info.id = format!("{:063x}1", self.pause);
        info.name = Some("web".to_owned());
        info.details.ports = vec![DeclaredPort { port: PORT, name: None }];
        info
    }
}

impl RuntimeClient for PodRuntime {
    fn name(&self) -> &'static str {
        "the demo"
    }

    fn version(&self) -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    fn forwarding_mode(&self) -> ForwardingMode {
        ForwardingMode::Helpers
    }

    fn start_command(&self, _id: &str) -> String {
        "pfsnoop demo".to_owned()
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        Box::pin(async { Ok(vec![self.sandbox(), self.container()]) })
    }

    fn place<'a>(&'a self, _of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        let place = Place {
            pid: Some(self.pause),
            netns: None,
            is_host_network: false,
            addresses: Vec::new(),
        };
        Box::pin(async { Ok(Some(place)) })
    }

    fn names<'a>(&'a self, _id: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async { Ok(None) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::ContainerIndex;

    #[tokio::test]
    async fn no_runtime_of_the_node_is_asked_and_the_pod_is_listed() {
        let pod = PodRuntime { pause: 4711, since: Timestamp::UNIX_EPOCH };
        let runtimes = Runtimes::only(Arc::new(pod));
        assert!(runtimes.candidates().is_empty() && runtimes.sockets().is_empty());
        let index = ContainerIndex::build(&runtimes).await.unwrap();
        assert_eq!(index.asked(), "the demo: 1 pod, 1 container");
        let pods = index.entries.iter().filter_map(|entry| entry.info.pod.as_ref());
        assert!(pods.map(|pod| pod.name.as_str()).eq([NAME, NAME]));
        let place = index.entries[0].place().await.unwrap().unwrap();
        assert_eq!(place.pid, Some(4711));
    }
}
