//! The entry of Docker in the registry, and a [`RuntimeClient`] that asks by Docker's API.

use std::path::PathBuf;
use std::sync::Arc;

use hyper::HeaderMap;

use super::listing::{addresses, names, targets_in};
use super::messages::{Container, Version};
use crate::model::{ForwardingMode, TargetInfo};
use crate::output::operand;
use crate::runtime::client::{Answer, Names, Place, RuntimeClient, RuntimeError};
use crate::runtime::protocol::{Protocol, Socket, Variable};
use crate::runtime::registry::http::{Client, unreadable};
use crate::runtime::registry::json::read;
use crate::runtime::registry::podman::client_for;
use crate::runtime::registry::skipped::Skipped;

/// Docker's API.
pub(in crate::runtime) const PROTOCOL: Protocol = Protocol {
    name: "docker",
    help: "Docker's Engine API",
    sockets: &[Socket { path: "/var/run/docker.sock", unit: "docker" }],
    // The variable of docker's own client. A `DOCKER_HOST` by TCP means another machine.
    variable: Variable { name: "DOCKER_HOST", is_exclusive: false, must_be_socket: false },
    unit: "docker",
    connect: |socket| Box::pin(connect(socket)),
};

/// The header with the newest version of the API that the daemon serves.
const VERSION_HEADER: &str = "Api-Version";

/// Connects to a daemon. `DOCKER_HOST` and `docker.sock` may lead to Podman, which serves Docker's
/// API too. Podman is then asked by its own API, because Docker's has no pods.
async fn connect(socket: PathBuf) -> Result<Arc<dyn RuntimeClient>, RuntimeError> {
    let client = Client::new(&socket);
    let headers = client.headers("/_ping").await?;
    if let Some(podman) = client_for(&socket, &headers) {
        return Ok(podman);
    }
    let base = base(&headers);
    let path = format!("{base}/version");
    let answer = client.object(&path).await?.unwrap_or_default();
    let Version { version } = read(&answer).map_err(|error| unreadable(&path, &error))?;
    Ok(Arc::new(Engine { client, version, base, skipped: Skipped::default() }))
}

/// What all paths begin with: the version of the API. A daemon that does not name one is asked by
/// paths without a version, for which it takes its newest.
fn base(headers: &HeaderMap) -> String {
    let version = headers.get(VERSION_HEADER).and_then(|value| value.to_str().ok());
    let is_version = |text: &&str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    version.filter(is_version).map(|version| format!("/v{version}")).unwrap_or_default()
}

/// A daemon that answers.
struct Engine {
    client: Client,
    version: String,
    base: String,
    skipped: Skipped,
}

impl Engine {
    /// `None` when the daemon does not have the container.
    async fn inspect(&self, id: &str) -> Result<Option<Container>, RuntimeError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
        if id.is_empty() || !id.bytes().all(is_plain) {
            return Err(RuntimeError::other(&format!("{id:?} is no id of Docker")));
        }
        let path = format!("{}/containers/{id}/json", self.base);
        let Some(answer) = self.client.object(&path).await? else { return Ok(None) };
        read(&answer).map(Some).map_err(|error| unreadable(&path, &error))
    }

    async fn targets(&self) -> Result<Vec<TargetInfo>, RuntimeError> {
        let path = format!("{}/containers/json?all=true", self.base);
        let answer = self.client.list(&path).await?;
        let (all, skipped) = targets_in(&answer).map_err(|error| unreadable(&path, &error))?;
        self.skipped.report(self.name(), skipped);
        Ok(all)
    }
}

impl RuntimeClient for Engine {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn version(&self) -> &str {
        &self.version
    }

    fn forwarding_mode(&self) -> ForwardingMode {
        ForwardingMode::Helpers
    }

    fn start_command(&self, id: &str) -> String {
        format!("docker start {}", operand(id))
    }

    fn list(&self) -> Answer<'_, Vec<TargetInfo>> {
        Box::pin(self.targets())
    }

    fn place<'a>(&'a self, of: &'a TargetInfo) -> Answer<'a, Option<Place>> {
        Box::pin(async {
            let Some(found) = self.inspect(&of.id).await? else { return Ok(None) };
            let Some(pid) = found.pid() else { return Ok(None) };
            // A container of a pod shares the network of the pod's sandbox.
            let addresses = match found.shares_network_of() {
                Some(other) => {
                    self.inspect(other).await?.as_ref().map(addresses).unwrap_or_default()
                }
                None => addresses(&found),
            };
            Ok(Some(Place { pid: Some(pid), netns: None, is_host_network: false, addresses }))
        })
    }

    fn names<'a>(&'a self, id: &'a str) -> Answer<'a, Option<Names>> {
        Box::pin(async { Ok(self.inspect(id).await?.as_ref().map(names)) })
    }
}
