//! Which container runtimes are asked, and where they listen.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use clap::ValueEnum;
use tokio::net::UnixStream;

use super::cri::{self, Cri};
use super::docker::{self, Engine};
use super::source::{AskError, Source};

/// What `--runtime` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum RuntimeChoice {
    /// Every runtime that is found
    #[default]
    Auto,
    /// Docker's Engine API, which Podman offers too
    Docker,
    /// Kubernetes' CRI: containerd, CRI-O
    Cri,
}

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
    /// Of which kind.
    pub choice: RuntimeChoice,
    /// Only at this socket; it speaks CRI, unless Docker was chosen.
    pub endpoint: Option<Endpoint>,
}

/// The two ways of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Docker,
    Cri,
}

/// Somebody who may be asked.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    protocol: Protocol,
    /// Where it listens, or why nobody can be asked there.
    socket: Result<PathBuf, String>,
    /// As it was named.
    place: String,
    /// The user named it: it is to be there.
    is_named: bool,
}

/// Somebody who was asked.
pub(super) struct Asked {
    /// `docker at /var/run/docker.sock`
    pub(super) whom: String,
    /// The user named it, so it is to be there.
    pub(super) is_named: bool,
    pub(super) answer: Result<Arc<dyn Source>, AskError>,
}

impl Runtimes {
    /// Asks all at once: those that were named, and those whose sockets are there.
    pub(super) async fn connect(&self) -> Vec<Asked> {
        let candidates = self.candidates().into_iter().filter(Candidate::is_worth_asking);
        let asking: Vec<_> = candidates.map(|one| tokio::spawn(one.ask())).collect();
        let mut all = Vec::new();
        for asked in asking {
            // A task ends early only by a panic, and those abort.
            all.extend(asked.await);
        }
        all
    }

    /// Every address, whether anybody is there or not.
    pub(super) fn addresses(&self) -> Vec<String> {
        self.candidates().into_iter().map(|one| one.place).collect()
    }

    /// Everybody who may be there, now or later.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        let mut all = Vec::new();
        match (&self.endpoint, self.choice) {
            (Some(Endpoint(path)), choice) => {
                let is_docker = choice == RuntimeChoice::Docker;
                let protocol = if is_docker { Protocol::Docker } else { Protocol::Cri };
                all.push(Candidate::named(protocol, &path.display().to_string()));
            }
            (None, RuntimeChoice::Docker) => all.extend(docker_candidates()),
            (None, RuntimeChoice::Cri) => all.extend(cri_candidates()),
            (None, RuntimeChoice::Auto) => {
                all.extend(docker_candidates().into_iter().chain(cri_candidates()));
            }
        }
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

/// `DOCKER_HOST` comes first, as docker's own client has it; one by TCP is another machine's.
fn docker_candidates() -> Vec<Candidate> {
    let host = std::env::var("DOCKER_HOST").ok();
    let host = host.filter(|host| host.starts_with("unix://"));
    let named = host.map(|host| Candidate::named(Protocol::Docker, &host));
    let usual = docker::SOCKETS.map(|path| Candidate::usual(Protocol::Docker, path));
    named.into_iter().chain(usual).collect()
}

/// `CONTAINER_RUNTIME_ENDPOINT` stands for the usual sockets, as crictl has it.
fn cri_candidates() -> Vec<Candidate> {
    match std::env::var("CONTAINER_RUNTIME_ENDPOINT").ok().filter(|endpoint| !endpoint.is_empty()) {
        Some(endpoint) => vec![Candidate::named(Protocol::Cri, &endpoint)],
        None => cri::SOCKETS.map(|path| Candidate::usual(Protocol::Cri, path)).into(),
    }
}

impl Candidate {
    fn named(protocol: Protocol, endpoint: &str) -> Self {
        let parsed = Endpoint::from_str(endpoint);
        let place = parsed
            .as_ref()
            .map_or_else(|_| endpoint.to_owned(), |Endpoint(path)| path.display().to_string());
        let socket = parsed.map(|Endpoint(path)| path);
        Self { protocol, socket, place, is_named: true }
    }

    fn usual(protocol: Protocol, path: &str) -> Self {
        let socket = Ok(PathBuf::from(path));
        Self { protocol, socket, place: path.to_owned(), is_named: false }
    }

    /// Named, or there.
    pub(super) fn is_worth_asking(&self) -> bool {
        self.is_named || self.socket.as_ref().is_ok_and(|path| path.exists())
    }

    pub(super) async fn ask(self) -> Asked {
        let Self { protocol, socket, place, is_named } = self;
        let answer = match socket {
            Ok(path) => connect(protocol, &path).await,
            Err(error) => Err(AskError::Endpoint(error)),
        };
        let name = answer.as_ref().map_or(
            match protocol {
                Protocol::Docker => "docker",
                Protocol::Cri => "cri",
            },
            |source| source.name(),
        );
        Asked { whom: format!("{name} at {place}"), is_named, answer }
    }
}

async fn connect(protocol: Protocol, socket: &Path) -> Result<Arc<dyn Source>, AskError> {
    // Says in plain words why nobody can be asked, before a library does in its own.
    drop(UnixStream::connect(socket).await?);
    Ok(match protocol {
        Protocol::Docker => Arc::new(Engine::connect(socket).await?),
        Protocol::Cri => Arc::new(Cri::connect(socket).await?),
    })
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
    fn an_endpoint_is_the_only_one_that_is_asked() {
        let endpoint = Some("/x.sock".parse().unwrap());
        for (choice, protocol) in [
            (RuntimeChoice::Auto, Protocol::Cri),
            (RuntimeChoice::Cri, Protocol::Cri),
            (RuntimeChoice::Docker, Protocol::Docker),
        ] {
            let all = Runtimes { choice, endpoint: endpoint.clone() }.candidates();
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].protocol, protocol);
        }
    }
}
