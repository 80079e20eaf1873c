//! Pods by their network namespaces. A pod may have no process at the moment. Its runtime still has
//! the file of its namespace.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::host::netns::inode_of;
use crate::model::{Pod, TargetKind};
use crate::runtime::{RuntimeClient, RuntimeError};

/// At most this many pods are remembered. The least recently used one makes room.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// The runtimes are not asked again before this time has passed, because each time takes a call for
/// every pod.
const REFRESH_INTERVAL: Duration = Duration::from_secs(1);

/// The namespaces of the pods that run.
pub(super) struct Namespaces {
    pods: LruCache<u64, PodNetns>,
    refreshed: Option<Instant>,
}

struct PodNetns {
    file: PathBuf,
    runtime: &'static str,
    pod: Pod,
}

impl Namespaces {
    pub(super) fn new() -> Self {
        Self { pods: LruCache::new(CAPACITY), refreshed: None }
    }

    /// The runtime and the pod that have the namespace with this inode, if that is known already.
    pub(super) fn known(&mut self, inode: u64) -> Option<(&'static str, Pod)> {
        let PodNetns { file, runtime, pod } = self.pods.get(&inode)?;
        // The inode may belong to another namespace by now.
        if inode_of(file) != Some(inode) {
            self.pods.pop(&inode);
            return None;
        }
        Some((runtime, pod.clone()))
    }

    /// Whether the runtimes may be asked again. If so, the caller must ask them now.
    pub(super) fn begin_refresh(&mut self) -> bool {
        let is_due = self.refreshed.is_none_or(|when| when.elapsed() >= REFRESH_INTERVAL);
        if is_due {
            self.refreshed = Some(Instant::now());
        }
        is_due
    }

    /// Adds the pods of a runtime.
    pub(super) async fn add(
        &mut self,
        client: &Arc<dyn RuntimeClient>,
    ) -> Result<(), RuntimeError> {
        let listed = client.list().await?;
        let running = listed.iter().filter(|one| one.kind == TargetKind::Sandbox && one.is_running);
        for sandbox in running.take(CAPACITY.get()) {
            let place = match client.place(sandbox).await {
                Err(error) if error.is_silence() => return Err(error),
                // It has ended in the meantime.
                Err(_) | Ok(None) => continue,
                Ok(Some(place)) => place,
            };
            let file = place.netns.filter(|_| !place.is_host_network);
            let (Some(pod), Some(file)) = (sandbox.pod.clone(), file) else { continue };
            if let Some(inode) = inode_of(&file) {
                self.pods.put(inode, PodNetns { file, runtime: client.name(), pod });
            }
        }
        Ok(())
    }
}
