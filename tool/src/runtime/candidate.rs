//! A runtime that may run on this node, and how to connect to it.

use std::io;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;

use super::client::{RuntimeClient, RuntimeError};
use super::endpoint::Endpoint;
use super::guarded::Guarded;
use super::protocol::Protocol;
use super::registry::restart_command;
use super::worker;

/// How long a runtime may take to answer for the first time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A runtime that may be asked.
#[derive(Clone, Debug)]
pub struct Candidate {
    pub(super) protocol: &'static Protocol,
    /// Where it listens, or why it cannot be asked.
    pub(super) socket: Result<PathBuf, String>,
    /// The socket, as the user or the registry names it.
    pub(super) address: String,
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

impl Asked {
    /// One that is part of this process.
    pub(super) fn of_client(client: &Arc<dyn RuntimeClient>) -> Self {
        let (runtime, answer) = (client.name().to_owned(), Ok(Arc::clone(client)));
        Self { runtime, is_named: true, restart: String::new(), answer }
    }
}

impl Candidate {
    pub(super) fn named(protocol: &'static Protocol, endpoint: &str) -> Self {
        let parsed = Endpoint::from_str(endpoint);
        let address = parsed
            .as_ref()
            .map_or_else(|_| endpoint.to_owned(), |Endpoint(path)| path.display().to_string());
        let socket = parsed.map(|Endpoint(path)| path);
        Self { protocol, socket, address, is_named: true }
    }

    pub(super) fn usual(protocol: &'static Protocol, path: &str) -> Self {
        let socket = Ok(PathBuf::from(path));
        Self { protocol, socket, address: path.to_owned(), is_named: false }
    }

    /// The socket, as the user or the registry names it.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The name of the API by which it is asked. Only an answer tells which runtime serves it.
    #[must_use]
    pub fn protocol_name(&self) -> &'static str {
        self.protocol.name
    }

    /// Whether the user named it or its socket exists.
    #[must_use]
    pub fn is_worth_asking(&self) -> bool {
        self.is_named || self.socket.as_ref().is_ok_and(|path| path.exists())
    }

    /// Connects to it.
    pub async fn ask(self) -> Asked {
        let Self { protocol, socket, address, is_named } = self;
        let restart = restart_command(protocol, Path::new(&address));
        let answer = match socket {
            Ok(path) => connect(protocol, path).await,
            Err(error) => Err(RuntimeError::other(&error)),
        };
        let name = answer.as_ref().map_or(protocol.name, |client| client.name());
        Asked { runtime: format!("{name} at {address}"), is_named, restart, answer }
    }
}

async fn connect(
    protocol: &'static Protocol,
    socket: PathBuf,
) -> Result<Arc<dyn RuntimeClient>, RuntimeError> {
    let connecting = async move {
        // A plain connect has a plainer error than the API's library.
        drop(UnixStream::connect(&socket).await.map_err(|error| explained(&socket, error))?);
        (protocol.connect)(socket).await
    };
    worker::ask(CONNECT_TIMEOUT, connecting).await.map(Guarded::guard)
}

/// connect(2) says ECONNREFUSED for any file that is no socket.
fn explained(socket: &Path, error: io::Error) -> RuntimeError {
    let is_refused = error.kind() == io::ErrorKind::ConnectionRefused;
    let file = socket.metadata().ok().filter(|_| is_refused);
    match file.filter(|file| !file.file_type().is_socket()) {
        Some(_) => RuntimeError::other(&"the file is not a socket"),
        None => error.into(),
    }
}
