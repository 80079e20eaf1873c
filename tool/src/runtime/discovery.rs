//! Which container runtimes are asked, and where they listen.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::task::AbortOnDropHandle;

use super::candidate::{Asked, Candidate};
use super::client::{RuntimeClient, RuntimeError};
use super::endpoint::Endpoint;
use super::protocol::{Protocol, Variable};
use super::registry::{DEFAULT_FOR_ENDPOINTS, protocols};
use crate::model::TargetInfo;

/// The runtimes to ask.
#[derive(Clone, Debug, Default)]
pub struct Runtimes {
    /// Only the runtimes that serve this API.
    pub protocol: Option<&'static Protocol>,
    /// Only the runtime at this socket.
    pub endpoint: Option<Endpoint>,
    /// Only this one, which is part of this process.
    pub client: Option<Arc<dyn RuntimeClient>>,
}

impl Runtimes {
    /// Only this one, which is part of this process, and not one of the node.
    #[must_use]
    pub fn only(client: Arc<dyn RuntimeClient>) -> Self {
        Self { client: Some(client), ..Self::default() }
    }

    /// Connects to every runtime that was named or has a socket on this node, and has each list its
    /// sandboxes and containers. All at once, so that one runtime that hangs does not delay the
    /// others.
    pub async fn list(&self) -> Vec<(Asked, Result<Vec<TargetInfo>, RuntimeError>)> {
        if let Some(client) = &self.client {
            return vec![listed(Asked::of_client(client)).await];
        }
        let candidates = self.candidates().into_iter().filter(Candidate::is_worth_asking);
        let asking: Vec<_> = candidates
            .map(|one| {
                AbortOnDropHandle::new(tokio::spawn(async { listed(one.ask().await).await }))
            })
            .collect();
        let mut all = Vec::new();
        for asked in asking {
            // A task ends early only by a panic, and panics abort.
            all.extend(asked.await);
        }
        all
    }

    /// A line for each variable of the environment that would name a runtime, and is ignored because
    /// it does not name a unix socket.
    #[must_use]
    pub fn ignored(&self) -> Vec<String> {
        if self.endpoint.is_some() || self.client.is_some() {
            return Vec::new();
        }
        let ignored = self.wanted().filter_map(|protocol| {
            let variable = &protocol.variable;
            let value = value_of(variable).filter(|value| !is_used(variable, value))?;
            let Variable { name, .. } = variable;
            Some(format!(
                "note: {name}={value} is ignored: pfsnoop asks only the runtimes of this node, at \
                 unix sockets; give unix:///PATH, or unset {name}"
            ))
        });
        ignored.collect()
    }

    /// Every address, even if no runtime listens there.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.candidates().into_iter().map(|one| one.address).collect()
    }

    /// The socket of every runtime that may be there, now or later.
    #[must_use]
    pub fn sockets(&self) -> Vec<PathBuf> {
        self.candidates().into_iter().filter_map(|one| one.socket.ok()).collect()
    }

    /// Every runtime that may be there, now or later.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        if self.client.is_some() {
            return Vec::new();
        }
        if let Some(Endpoint(path)) = &self.endpoint {
            let protocol = self.protocol.unwrap_or(DEFAULT_FOR_ENDPOINTS);
            return vec![Candidate::named(protocol, &path.display().to_string())];
        }
        let mut all: Vec<_> = self.wanted().flat_map(of_protocol).collect();
        // `docker.sock` is Podman's on some nodes.
        let mut seen = Vec::new();
        all.retain(|one| {
            let real = one.socket.as_ref().ok().and_then(|path| path.canonicalize().ok());
            let is_new = real.is_none() || !seen.contains(&real);
            seen.push(real);
            is_new
        });
        all
    }

    /// The APIs whose runtimes are asked.
    fn wanted(&self) -> impl Iterator<Item = &'static Protocol> {
        protocols().filter(|one| self.protocol.is_none_or(|protocol| std::ptr::eq(*one, protocol)))
    }
}

/// A runtime that was asked, and its list.
async fn listed(asked: Asked) -> (Asked, Result<Vec<TargetInfo>, RuntimeError>) {
    let list = match &asked.answer {
        Ok(client) => client.list().await,
        Err(error) => Err(error.clone()),
    };
    (asked, list)
}

/// The value of a variable that is set.
fn value_of(variable: &Variable) -> Option<String> {
    let value = std::env::var_os(variable.name).filter(|value| !value.is_empty());
    value.map(|value| value.to_string_lossy().into_owned())
}

/// Whether the variable's value names a runtime.
fn is_used(variable: &Variable, value: &str) -> bool {
    variable.must_be_socket || value.starts_with("unix://")
}

/// The socket that the environment names, and the usual sockets.
fn of_protocol(protocol: &'static Protocol) -> Vec<Candidate> {
    let variable = &protocol.variable;
    let value = value_of(variable).filter(|value| is_used(variable, value));
    let named = value.map(|value| Candidate::named(protocol, &value));
    let is_alone = named.is_some() && variable.is_exclusive;
    let usual = protocol.sockets.iter().filter(|_| !is_alone);
    named.into_iter().chain(usual.map(|socket| Candidate::usual(protocol, socket.path))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_endpoint_is_asked() {
        let endpoint: Option<Endpoint> = Some("/x.sock".parse().unwrap());
        let by_name = |name| protocols().find(|protocol| protocol.name == name);
        for (chosen, asked) in [(None, "cri"), (Some("cri"), "cri"), (Some("docker"), "docker")] {
            let protocol = chosen.and_then(by_name);
            let all = Runtimes { protocol, endpoint: endpoint.clone(), client: None }.candidates();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].protocol.name, asked);
        }
    }
}
