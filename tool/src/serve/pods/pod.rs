//! A pod as clients see it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::phase::Phase;
use crate::model::{Pod, TargetInfo};
use crate::runtime::IndexEntry;

/// A sandbox with its containers, or a container without a pod, which clients see as a pod of one
/// container.
#[derive(Clone)]
pub(in crate::serve) struct ServedPod {
    /// Its names. A container without a pod is in the namespace that is called like its runtime, and its
    /// uid is its id.
    pub(in crate::serve) pod: Pod,
    /// The sandbox or the container, which is what a forward leads to.
    pub(in crate::serve) entry: IndexEntry,
    /// The newest attempt of each container.
    pub(in crate::serve) containers: Vec<TargetInfo>,
}

impl ServedPod {
    /// Whether a forward can lead to it.
    pub(in crate::serve) fn is_running(&self) -> bool {
        self.entry.info.is_running
    }

    /// Where it is in its life.
    pub(in crate::serve) fn phase(&self) -> Phase {
        Phase::of(&self.entry.info)
    }

    pub(in crate::serve) fn labels(&self) -> &BTreeMap<String, String> {
        &self.entry.info.details.labels
    }

    pub(in crate::serve) fn created(&self) -> Option<Timestamp> {
        self.entry.info.details.created
    }
}
