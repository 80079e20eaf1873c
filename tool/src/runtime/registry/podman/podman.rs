//! The entry of Podman in the registry, and a [`RuntimeClient`] that asks by Podman's own API.
//!
//! Podman serves Docker's API too, but that one has no pods: its list of containers does not say
//! which of them is an infra container or to which pod one belongs.

use std::path::Path;
use std::sync::Arc;

use hyper::HeaderMap;
use serde::de::DeserializeOwned;

use super::listing::{NAMESPACE, names, targets};
use super::messages::{Container, Pod};
use super::place::{PodNetwork, pod_network};
use crate::model::{ForwardingMode, TargetInfo, TargetKind};
use crate::output::operand;
use crate::runtime::client::{Answer, Names, Place, RuntimeClient, RuntimeError};
use crate::runtime::protocol::{Protocol, Socket, Variable};
use crate::runtime::registry::http::{Client, unreadable};
use crate::runtime::registry::json::{Entries, read};
use crate::runtime::registry::skipped::Skipped;

/// The header by which Podman's answer to a ping differs from Docker's: Podman's version. The same
/// version in `/version` takes Podman half a second, because it asks dpkg or rpm for the packages of
/// its programs.
const VERSION_HEADER: &str = "Libpod-API-Version";

/// Podman's own API, which its documentation calls libpod.
pub(in crate::runtime) const PROTOCOL: Protocol = Protocol {
    name: "podman",
    help: "Podman's own API, which has pods",
    sockets: &[Socket { path: "/run/podman/podman.sock", unit: "podman.socket" }],
    // The variable of podman's own client. It may name another machine (ssh://, tcp://).
    variable: Variable { name: "CONTAINER_HOST", is_exclusive: false, must_be_socket: false },
    unit: "podman.socket",
    connect: |socket| {
        Box::pin(async move {
            let headers = Client::new(&socket).headers("/_ping").await?;
            let client = client_for(&socket, &headers);
            client.ok_or_else(|| RuntimeError::other(&"the daemon at this socket is not Podman"))
        })
    },
};

/// The client for a daemon that has answered a ping with these headers; `None` when it is not Podman.
pub(in crate::runtime) fn client_for(
    socket: &Path,
    headers: &HeaderMap,
) -> Option<Arc<dyn RuntimeClient>> {
    let version = headers.get(VERSION_HEADER)?.to_str().ok()?.to_owned();
    let base = format!("/v{version}/libpod");
    let (client, skipped) = (Client::new(socket), Skipped::default());
    Some(Arc::new(Podman { client, version, base, skipped }))
}

/// A daemon that answers.
struct Podman {
    client: Client,
    version: String,
    /// What all its paths begin with: it serves no paths without a version.
    base: String,
    skipped: Skipped,
}

/// What a list of containers is restricted to.
enum Filter<'a> {
    None,
    Id(&'a str),
    Pod(&'a str),
}

impl Podman {
    /// Containers, running or not, and infra containers too.
    async fn containers(&self, filter: Filter<'_>) -> Result<Vec<Container>, RuntimeError> {
        let base = &self.base;
        let all = format!("{base}/containers/json?all=true&namespace=true");
        let path = match filter {
            Filter::None => all,
            Filter::Id(id) => format!("{all}&filters={}", encoded("id", id)?),
            Filter::Pod(id) => format!("{all}&filters={}", encoded("pod", id)?),
        };
        self.entries(&path).await
    }

    async fn entries<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, RuntimeError> {
        let answer = self.client.list(path).await?;
        let Entries { list, skipped } = read(&answer).map_err(|error| unreadable(path, &error))?;
        self.skipped.report(self.name(), skipped);
        Ok(list)
    }

    async fn container(&self, id: &str) -> Result<Option<Container>, RuntimeError> {
        let found = self.containers(Filter::Id(id)).await?;
        Ok(found.into_iter().find(|one| one.id == id))
    }

    async fn targets(&self) -> Result<Vec<TargetInfo>, RuntimeError> {
        let pods: Vec<Pod> = self.entries(&format!("{}/pods/json", self.base)).await?;
        let containers = self.containers(Filter::None).await?;
        Ok(targets(pods, containers))
    }

    async fn pid(&self, of: &TargetInfo) -> Result<Option<u32>, RuntimeError> {
        if of.kind == TargetKind::Container {
            let container = self.container(&of.id).await?;
            return Ok(container.filter(Container::is_running).map(|one| one.pid));
        }
        match pod_network(self.containers(Filter::Pod(&of.id)).await?.iter()) {
            PodNetwork::None => Ok(None),
            PodNetwork::Of(pid) => Ok(Some(pid)),
            PodNetwork::Several(names) => {
                let names: Vec<_> = names.iter().map(|name| format!("container/{name}")).collect();
                Err(RuntimeError::no_common_network(&format!(
                    "its containers have different network namespaces; name one of them: {}",
                    names.join(", ")
                )))
            }
        }
    }
}

/// `{"KIND":["ID"]}`, encoded for a URL.
fn encoded(kind: &str, id: &str) -> Result<String, RuntimeError> {
    if !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Err(RuntimeError::other(&format!("{id:?} is no id of Podman")));
    }
    Ok(format!("%7B%22{kind}%22%3A%5B%22{id}%22%5D%7D"))
}

impl RuntimeClient for Podman {
    fn name(&self) -> &'static str {
        "podman"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn default_namespace(&self) -> &'static str {
        NAMESPACE
    }

    /// Kubelets do not use Podman.
    fn forwarding_mode(&self) -> ForwardingMode {
        ForwardingMode::None
    }

    fn start_command(&self, id: &str) -> String {
        format!("podman start {}", operand(id))
    }

    fn start_pod_command(&self, id: &str) -> Option<String> {
        Some(format!("podman pod start {}", operand(id)))
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        Box::pin(self.targets())
    }

    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        Box::pin(async {
            // Those of the namespace's interfaces count.
            let addresses = Vec::new();
            let place =
                |pid| Place { pid: Some(pid), netns: None, is_host_network: false, addresses };
            Ok(self.pid(of).await?.map(place))
        })
    }

    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async { Ok(self.container(id).await?.as_ref().map(names)) })
    }
}
