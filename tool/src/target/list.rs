//! Everything that can be named as a target, and what listens there.

use super::error::FindError;
use super::networks::NetworkLookup;
use crate::model::{TargetEntry, TargetInfo, TargetKind};
use crate::runtime::{ContainerIndex, IndexEntry, Runtimes};

/// The pods and containers of this node.
#[derive(Debug)]
pub struct TargetList {
    /// Each pod, followed by its containers, by namespace and name. Then the containers without a
    /// pod.
    pub entries: Vec<TargetEntry>,
    /// A line for each question that was not answered.
    pub unanswered: Vec<String>,
}

impl TargetList {
    /// Asks the runtimes, and reads each network namespace. An error when no runtime answers.
    pub async fn query(runtimes: &Runtimes) -> Result<Self, FindError> {
        let index = ContainerIndex::build(runtimes).await;
        let index = index.map_err(|asked| FindError::NoRuntime { asked })?;
        let mut list = Self { entries: Vec::new(), unanswered: index.unanswered() };
        let mut networks = NetworkLookup::start();
        for entry in index.entries {
            let network = networks.of(&entry).await;
            let IndexEntry { client, info } = entry;
            list.entries.push(TargetEntry { info, runtime: client.name(), network });
        }
        list.unanswered.extend(networks.unanswered());
        list.entries.sort_by_cached_key(order);
        Ok(list)
    }
}

/// Each pod with its containers below it, then the containers without a pod.
fn order(entry: &TargetEntry) -> impl Ord + use<> {
    let TargetInfo { kind, id, name, pod, .. } = entry.info.clone();
    let pod = pod.map(|pod| (pod.namespace, pod.name, entry.runtime, pod.uid));
    (pod.is_none(), pod, kind == TargetKind::Container, name, id)
}
