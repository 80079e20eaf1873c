//! An API of container runtimes, and the sockets of the daemons that serve it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::client::{Answer, RuntimeClient};

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
    /// Only the socket that it names is asked, and none of the usual sockets.
    pub(super) is_exclusive: bool,
    /// A value that does not name a unix socket is an error. Otherwise it is ignored.
    pub(super) must_be_socket: bool,
}

impl Protocol {
    /// The commands that start the daemons of this API that are installed. `is_installed` reports
    /// whether a program is.
    pub(super) fn start_commands(&self, is_installed: impl Fn(&str) -> bool) -> Vec<String> {
        let command = |Socket { unit, .. }: &Socket| match unit.strip_suffix(".socket") {
            // systemd listens for the program, and starts it when it is asked.
            Some(program) => {
                is_installed(program).then(|| format!("systemctl enable --now {unit}"))
            }
            None => (is_installed(unit) || is_installed(&format!("{unit}d")))
                .then(|| format!("systemctl start {unit}")),
        };
        self.sockets.iter().filter_map(command).collect()
    }

    /// The systemd unit of the daemon at this socket, where the socket tells which daemon it is.
    pub(super) fn unit_at(&self, path: &Path) -> Option<&'static str> {
        let path = path.to_string_lossy();
        let word = |unit: &'static str| unit.split('.').next().unwrap_or(unit);
        let known = self.sockets.iter().find(|socket| {
            socket.path == path || socket.unit != self.unit && path.contains(word(socket.unit))
        });
        known.map(|socket| socket.unit)
    }
}
