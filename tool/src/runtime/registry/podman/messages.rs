//! What Podman answers, as far as it is needed. The names are those of Podman's
//! pkg/domain/entities (`ListContainer`, `ListPodsReport`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::model::DeclaredPort;
use crate::runtime::registry::json::{First, Strings, lenient};

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
    #[serde(default, deserialize_with = "lenient")]
    pub(super) labels: Strings,
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
    #[serde(default, deserialize_with = "lenient")]
    pub(super) labels: Strings,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) image: String,
    /// The ports that are published.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) ports: Vec<Port>,
    /// The ports that are declared, and their protocols. Podman 5 and newer list them.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) exposed_ports: BTreeMap<u16, Vec<String>>,
}

/// A port that is published, or several with consecutive numbers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Port {
    #[serde(rename = "container_port", deserialize_with = "lenient")]
    pub(super) first: u16,
    #[serde(deserialize_with = "lenient")]
    pub(super) range: u16,
    #[serde(deserialize_with = "lenient")]
    pub(super) protocol: String,
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

    /// The TCP ports that it declares or publishes.
    pub(super) fn tcp_ports(&self) -> Vec<DeclaredPort> {
        let is_tcp = |protocols: &[String]| protocols.iter().any(|one| one == "tcp");
        let exposed =
            self.exposed_ports.iter().filter(|(_, all)| is_tcp(all)).map(|(port, _)| *port);
        let published = self.ports.iter().filter(|port| port.protocol == "tcp");
        let published = published.flat_map(|port| {
            let last = port.first.saturating_add(port.range.saturating_sub(1));
            port.first..=last
        });
        let ports: BTreeSet<u16> = exposed.chain(published).collect();
        ports.into_iter().map(Into::into).collect()
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.names.0.as_deref()
    }

    /// The inode of its network namespace.
    pub(super) fn netns(&self) -> Option<&str> {
        self.namespaces.as_ref().map(|all| all.net.as_str()).filter(|inode| !inode.is_empty())
    }
}
