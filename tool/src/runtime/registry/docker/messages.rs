//! What Docker answers, as far as it is needed. The names are those of Docker's api/swagger.yaml
//! (`ContainerSummary`, `ContainerInspectResponse`).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::runtime::registry::json::{First, Strings, lenient};

/// An entry of the list of containers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Summary {
    pub(super) id: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) names: First,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) labels: Strings,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) state: String,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) image: String,
    /// Seconds since 1970.
    #[serde(default, deserialize_with = "lenient")]
    pub(super) created: i64,
    #[serde(default, deserialize_with = "lenient")]
    pub(super) ports: Vec<Port>,
}

/// A port that the container declares or publishes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Port {
    /// The port in the container.
    pub(super) private_port: u16,
    #[serde(rename = "Type", default, deserialize_with = "lenient")]
    pub(super) protocol: String,
}

/// One container.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Container {
    #[serde(deserialize_with = "lenient")]
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "lenient")]
    pub(super) state: State,
    #[serde(deserialize_with = "lenient")]
    pub(super) host_config: HostConfig,
    #[serde(deserialize_with = "lenient")]
    pub(super) network_settings: NetworkSettings,
    #[serde(deserialize_with = "lenient")]
    pub(super) config: Config,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct State {
    #[serde(deserialize_with = "lenient")]
    pub(super) running: bool,
    /// 0 while it does not run.
    #[serde(deserialize_with = "lenient")]
    pub(super) pid: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct HostConfig {
    #[serde(deserialize_with = "lenient")]
    pub(super) network_mode: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct NetworkSettings {
    #[serde(deserialize_with = "lenient")]
    pub(super) networks: BTreeMap<String, Network>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Network {
    #[serde(rename = "IPAddress", deserialize_with = "lenient")]
    pub(super) ip_address: String,
    #[serde(rename = "GlobalIPv6Address", deserialize_with = "lenient")]
    pub(super) global_ipv6_address: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Config {
    #[serde(deserialize_with = "lenient")]
    pub(super) labels: Strings,
}

/// The labels that dockershim and cri-dockerd set. A container may have any number of others.
#[derive(Debug, Default)]
pub(super) struct KubeletLabels<'a> {
    pub(super) kind: Option<&'a str>,
    pub(super) container_name: Option<&'a str>,
    pub(super) pod_name: Option<&'a str>,
    pub(super) pod_namespace: Option<&'a str>,
    pub(super) pod_uid: Option<&'a str>,
}

impl<'a> KubeletLabels<'a> {
    pub(super) fn of(Strings(labels): &'a Strings) -> Self {
        let label = |name: &str| labels.get(name).map(String::as_str);
        Self {
            kind: label("io.kubernetes.docker.type"),
            container_name: label("io.kubernetes.container.name"),
            pod_name: label("io.kubernetes.pod.name"),
            pod_namespace: label("io.kubernetes.pod.namespace"),
            pod_uid: label("io.kubernetes.pod.uid"),
        }
    }
}

impl Container {
    /// The pid of its first process, while it runs.
    pub(super) fn pid(&self) -> Option<u32> {
        let State { running, pid } = self.state;
        (running && pid > 0).then_some(pid)
    }

    /// The container whose network this one shares (`--network container:ID`).
    pub(super) fn shares_network_of(&self) -> Option<&str> {
        self.host_config.network_mode.strip_prefix("container:")
    }
}

/// The answer about the daemon itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct Version {
    #[serde(deserialize_with = "lenient")]
    pub(super) version: String,
}
