//! How much can be reached, for the line that a command prints at its start.

use super::pod::ServedPod;
use crate::model::TargetKind;

/// How many pods and containers clients see, and of which runtimes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PodCounts {
    /// Pods.
    pub pods: usize,
    /// Containers without a pod.
    pub containers: usize,
    /// The names of their runtimes, each once.
    pub runtimes: Vec<&'static str>,
}

impl PodCounts {
    pub(in crate::serve) fn of(pods: &[ServedPod]) -> Self {
        let mut counts = Self::default();
        for ServedPod { entry, .. } in pods {
            match entry.info.kind {
                TargetKind::Sandbox => counts.pods += 1,
                TargetKind::Container => counts.containers += 1,
            }
            let runtime = entry.client.name();
            if !counts.runtimes.contains(&runtime) {
                counts.runtimes.push(runtime);
            }
        }
        counts
    }
}
