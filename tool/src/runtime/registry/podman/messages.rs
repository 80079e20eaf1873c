//! What Podman answers, as far as it is needed. The names are those of Podman's
//! pkg/domain/entities (`ListContainer`, `ListPodsReport`).

use serde::Deserialize;

use crate::runtime::registry::json::{First, lenient};

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Pod {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) name: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) status: String,
    /// Empty for a pod without an infra container.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) infra_id: String,
    /// RFC 3339.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) created: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Container {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) names: First,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) state: String,
    /// 0 while it does not run.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) pid: u32,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) is_infra: bool,
    /// Id of its pod; empty outside of pods.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) pod: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) pod_name: String,
    /// Present while it runs.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) namespaces: Option<Namespaces>,
    /// RFC 3339.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) created: String,
}

/// The inodes of its namespaces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Namespaces {
    #[serde(deserialize_with = "lenient")]
    pub(super) net: String,
}

impl Container {
    /// A paused container still has its process and its network, and so has one that is being
    /// stopped: its processes have the time of `podman stop --time` to end.
    pub(super) fn is_running(&self) -> bool {
        self.pid > 0 && matches!(self.state.as_str(), "running" | "paused" | "stopping")
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.names.0.as_deref()
    }

    /// The inode of its network namespace.
    pub(super) fn netns(&self) -> Option<&str> {
        self.namespaces.as_ref().map(|all| all.net.as_str()).filter(|inode| !inode.is_empty())
    }
}
