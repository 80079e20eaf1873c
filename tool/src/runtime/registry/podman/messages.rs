//! What Podman answers, as far as it is needed. The names are those of Podman's
//! pkg/domain/entities (`ListContainer`, `ListPodsReport`).

use serde::Deserialize;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Pod {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) status: String,
    /// Empty for a pod without an infra container.
    pub(super) infra_id: String,
    /// RFC 3339.
    pub(super) created: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Container {
    pub(super) id: String,
    pub(super) names: Option<Vec<String>>,
    pub(super) state: String,
    /// 0 while it does not run.
    pub(super) pid: u32,
    pub(super) is_infra: bool,
    /// Id of its pod; empty outside of pods.
    pub(super) pod: String,
    pub(super) pod_name: String,
    /// Present while it runs.
    pub(super) namespaces: Option<Namespaces>,
    /// RFC 3339.
    pub(super) created: String,
}

/// The inodes of its namespaces.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Namespaces {
    pub(super) net: String,
}

impl Container {
    /// A paused container still has its process and its network, and so has one that is being
    /// stopped: its processes have the time of `podman stop --time` to end.
    pub(super) fn is_running(&self) -> bool {
        self.pid > 0 && matches!(self.state.as_str(), "running" | "paused" | "stopping")
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.names.as_ref()?.first().map(String::as_str)
    }

    /// The inode of its network namespace.
    pub(super) fn netns(&self) -> Option<&str> {
        self.namespaces.as_ref().map(|all| all.net.as_str()).filter(|inode| !inode.is_empty())
    }
}
