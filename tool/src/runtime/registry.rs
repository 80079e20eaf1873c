//! The APIs by which container runtimes are asked: one line for each.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::client::{Answer, RuntimeClient};
use super::{cri, docker};

/// Every API, in the order in which the runtimes are asked.
const PROTOCOLS: [&Protocol; 2] = [&docker::PROTOCOL, &cri::PROTOCOL];

/// The API of `--runtime-endpoint`, unless `--runtime` names another.
pub(super) const OF_ENDPOINTS: &Protocol = &cri::PROTOCOL;

/// An API that container runtimes serve.
#[derive(Debug)]
pub struct Protocol {
    /// Its name, as `--runtime` takes it.
    pub name: &'static str,
    /// A few words for `--help`.
    pub help: &'static str,
    /// Where daemons usually listen, and the systemd unit of each.
    pub(super) sockets: &'static [Socket],
    /// The environment variable that names another socket.
    pub(super) variable: Variable,
    /// The systemd unit of a daemon at any other socket.
    pub(super) unit: &'static str,
    /// Connects to a daemon.
    pub(super) connect: fn(PathBuf) -> Answer<'static, Arc<dyn RuntimeClient>>,
}

/// A socket where a daemon usually listens.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) path: &'static str,
    pub(super) unit: &'static str,
}

/// An environment variable that names a socket.
#[derive(Debug)]
pub(super) struct Variable {
    pub(super) name: &'static str,
    /// It replaces the usual sockets, and is not asked beside them.
    pub(super) is_exclusive: bool,
    /// Values that do not name a unix socket are errors, and not ignored.
    pub(super) must_be_socket: bool,
}

/// Every API that runtimes can be asked by.
pub fn protocols() -> impl Iterator<Item = &'static Protocol> {
    PROTOCOLS.into_iter()
}

impl Protocol {
    /// The command that restarts the daemon at this socket.
    pub(super) fn restart_command(&self, socket: &Path) -> String {
        let path = socket.to_string_lossy();
        let word = |unit: &'static str| unit.split('.').next().unwrap_or(unit);
        let known = self.sockets.iter().find(|socket| {
            socket.path == path || socket.unit != self.unit && path.contains(word(socket.unit))
        });
        format!("systemctl restart {}", known.map_or(self.unit, |socket| socket.unit))
    }
}
