//! Which container runtimes are asked, and where they listen.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use tokio::net::UnixStream;

use super::client::{RuntimeClient, RuntimeError};
use super::registry::{OF_ENDPOINTS, Protocol, protocols};

/// A unix socket: `unix:///PATH` or `/PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(PathBuf);

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = Path::new(text.strip_prefix("unix://").unwrap_or(text));
        if !path.is_absolute() {
            return Err("a runtime's endpoint is a unix socket, as \
                        unix:///run/containerd/containerd.sock"
                .to_owned());
        }
        Ok(Self(path.to_owned()))
    }
}

/// The runtimes to ask.
#[derive(Clone, Debug, Default)]
pub struct Runtimes {
    /// Only those that serve this API.
    pub protocol: Option<&'static Protocol>,
    /// Only the runtime at this socket.
    pub endpoint: Option<Endpoint>,
}

/// A runtime that may be asked.
#[derive(Clone, Debug)]
pub struct Candidate {
    protocol: &'static Protocol,
    /// Where it listens, or why it cannot be asked.
    socket: Result<PathBuf, String>,
    /// As it was named.
    address: String,
    /// The user named it, so it must be there.
    is_named: bool,
}

/// A runtime that was asked.
pub struct Asked {
    /// `docker at /var/run/docker.sock`
    pub runtime: String,
    /// The user named it, so it must be there.
    pub is_named: bool,
    /// The command that restarts it.
    pub restart: String,
    /// The client, or why there is none.
    pub answer: Result<Arc<dyn RuntimeClient>, RuntimeError>,
}

impl Runtimes {
    /// Connects to every runtime that was named or whose socket exists, all at once.
    pub async fn connect(&self) -> Vec<Asked> {
        let candidates = self.candidates().into_iter().filter(Candidate::is_worth_asking);
        let asking: Vec<_> = candidates.map(|one| tokio::spawn(one.ask())).collect();
        let mut all = Vec::new();
        for asked in asking {
            // A task ends early only by a panic, and panics abort.
            all.extend(asked.await);
        }
        all
    }

    /// Every address, whether anything is there or not.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        self.candidates().into_iter().map(|one| one.address).collect()
    }

    /// Every runtime that may be there, now or later.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        if let Some(Endpoint(path)) = &self.endpoint {
            let protocol = self.protocol.unwrap_or(OF_ENDPOINTS);
            return vec![Candidate::named(protocol, &path.display().to_string())];
        }
        let is_wanted = |one: &&'static Protocol| {
            self.protocol.is_none_or(|protocol| std::ptr::eq(*one, protocol))
        };
        let mut all: Vec<_> = protocols().filter(is_wanted).flat_map(of_protocol).collect();
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
}

/// The socket that the environment names, and the usual ones.
fn of_protocol(protocol: &'static Protocol) -> Vec<Candidate> {
    let variable = &protocol.variable;
    let value = std::env::var(variable.name).ok().filter(|value| !value.is_empty());
    let value = value.filter(|value| variable.must_be_socket || value.starts_with("unix://"));
    let named = value.map(|value| Candidate::named(protocol, &value));
    let is_alone = named.is_some() && variable.is_exclusive;
    let usual = protocol.sockets.iter().filter(|_| !is_alone);
    named.into_iter().chain(usual.map(|socket| Candidate::usual(protocol, socket.path))).collect()
}

impl Candidate {
    fn named(protocol: &'static Protocol, endpoint: &str) -> Self {
        let parsed = Endpoint::from_str(endpoint);
        let address = parsed
            .as_ref()
            .map_or_else(|_| endpoint.to_owned(), |Endpoint(path)| path.display().to_string());
        let socket = parsed.map(|Endpoint(path)| path);
        Self { protocol, socket, address, is_named: true }
    }

    fn usual(protocol: &'static Protocol, path: &str) -> Self {
        let socket = Ok(PathBuf::from(path));
        Self { protocol, socket, address: path.to_owned(), is_named: false }
    }

    /// Whether the user named it or its socket exists.
    #[must_use]
    pub fn is_worth_asking(&self) -> bool {
        self.is_named || self.socket.as_ref().is_ok_and(|path| path.exists())
    }

    /// Connects to it.
    pub async fn ask(self) -> Asked {
        let Self { protocol, socket, address, is_named } = self;
        let restart = protocol.restart_command(Path::new(&address));
        let answer = match socket {
            Ok(path) => connect(protocol, path).await,
            Err(error) => Err(RuntimeError::other(error)),
        };
        let name = answer.as_ref().map_or(protocol.name, |client| client.name());
        Asked { runtime: format!("{name} at {address}"), is_named, restart, answer }
    }
}

async fn connect(
    protocol: &Protocol,
    socket: PathBuf,
) -> Result<Arc<dyn RuntimeClient>, RuntimeError> {
    // A plain connect has a plainer error than the API's library.
    drop(UnixStream::connect(&socket).await?);
    (protocol.connect)(socket).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_unix_sockets() {
        let socket = Ok(Endpoint("/run/x.sock".into()));
        assert_eq!("unix:///run/x.sock".parse(), socket);
        assert_eq!("/run/x.sock".parse(), socket);
        for wrong in ["", "unix://", "unix://x.sock", "x.sock", "tcp://1.2.3.4:5", "npipe:////./x"]
        {
            assert!(wrong.parse::<Endpoint>().unwrap_err().contains("unix socket"), "{wrong}");
        }
    }

    #[test]
    fn only_a_named_endpoint_is_asked() {
        let endpoint: Option<Endpoint> = Some("/x.sock".parse().unwrap());
        let by_name = |name| protocols().find(|protocol| protocol.name == name);
        for (chosen, asked) in [(None, "cri"), (Some("cri"), "cri"), (Some("docker"), "docker")] {
            let protocol = chosen.and_then(by_name);
            let all = Runtimes { protocol, endpoint: endpoint.clone() }.candidates();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].protocol.name, asked);
        }
    }

    #[test]
    fn each_socket_has_the_unit_that_restarts_it() {
        for (name, socket, unit) in [
            ("cri", "/run/containerd/containerd.sock", "containerd"),
            ("cri", "/run/k3s/containerd/containerd.sock", "k3s"),
            ("cri", "/tmp/crio.sock", "crio"),
            ("cri", "/x.sock", "containerd"),
            ("docker", "/var/run/docker.sock", "docker"),
            ("docker", "/tmp/podman/podman.sock", "podman.socket"),
        ] {
            let protocol = protocols().find(|protocol| protocol.name == name).unwrap();
            let command = format!("systemctl restart {unit}");
            assert_eq!(protocol.restart_command(Path::new(socket)), command, "{socket}");
        }
    }
}
