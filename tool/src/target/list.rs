//! Everything that can be named as a target, and what listens there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::timeout;

use super::error::FindError;
use super::target::Target;
use crate::host::process::ProcessError;
use crate::model::{TargetEntry, TargetInfo, TargetKind, TargetNetwork};
use crate::runtime::{ContainerIndex, IndexEntry, RuntimeClient, Runtimes};

/// How long the lookup of one network may take.
const NETWORK_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the lookups of all networks together may take.
const NETWORKS_TIMEOUT: Duration = Duration::from_secs(10);

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
        let (deadline, mut late) = (Instant::now() + NETWORKS_TIMEOUT, 0);
        // Runtimes that answered at first and then hung: each further call would time out.
        let mut silent: Vec<Arc<dyn RuntimeClient>> = Vec::new();
        for entry in index.entries {
            let is_late = entry.info.is_running && Instant::now() >= deadline;
            late += usize::from(is_late);
            let is_silent = silent.iter().any(|client| Arc::ptr_eq(client, &entry.client));
            let network = if is_late || is_silent {
                None
            } else {
                let found = timeout(NETWORK_TIMEOUT, network_of(&entry)).await;
                found.unwrap_or_else(|_| Err(too_slow(&entry))).unwrap_or_else(|error| {
                    if matches!(error, FindError::NoAnswer { .. }) {
                        silent.push(Arc::clone(&entry.client));
                    }
                    list.unanswered.push(format!("{:#}", anyhow::Error::from(error)));
                    None
                })
            };
            let IndexEntry { client, info } = entry;
            list.entries.push(TargetEntry { info, runtime: client.name(), network });
        }
        if late > 0 {
            let seconds = NETWORKS_TIMEOUT.as_secs();
            list.unanswered.push(format!("after {seconds} s, {late} that run were not looked up"));
        }
        list.entries.sort_by_cached_key(order);
        Ok(list)
    }
}

fn too_slow(entry: &IndexEntry) -> FindError {
    FindError::no_answer(entry, format!("no answer in {} s", NETWORK_TIMEOUT.as_secs()))
}

/// The network of an entry; `None` when the entry does not run, or has just ended.
async fn network_of(entry: &IndexEntry) -> Result<Option<TargetNetwork>, FindError> {
    if !entry.info.is_running {
        return Ok(None);
    }
    let target = match Target::of_entry(entry).await {
        Ok(target) => target,
        Err(
            // Its containers are listed with their networks.
            FindError::NoCommonNetwork { .. }
            | FindError::PodNotRunning { .. }
            | FindError::ContainerNotRunning { .. }
            | FindError::Process(ProcessError::NotFound(_) | ProcessError::Gone(_)),
        ) => return Ok(None),
        Err(error) => return Err(error),
    };
    let netns = target.netns();
    let unreadable = |why: std::io::Error| FindError::no_answer(entry, why.to_string());
    Ok(Some(TargetNetwork {
        pid: target.pid(),
        netns: netns.inode(),
        addresses: netns.addresses().await.map_err(unreadable)?,
        listeners: netns.listeners().await.map_err(unreadable)?,
    }))
}

/// Each pod with its containers below it, then the containers without a pod.
fn order(entry: &TargetEntry) -> impl Ord + use<> {
    let TargetInfo { kind, id, name, pod, .. } = entry.info.clone();
    let pod = pod.map(|pod| (pod.namespace, pod.name, entry.runtime, pod.uid));
    (pod.is_none(), pod, kind == TargetKind::Container, name, id)
}
