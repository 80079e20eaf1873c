//! Why a port cannot be listened on, worded as in kubectl.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use super::go_words::as_go_prints;
use crate::model::PortPair;

/// Why pfsnoop cannot listen on a port, worded as in kubectl.
#[derive(Debug, thiserror::Error)]
#[error(
    "Unable to listen on port {}: Listeners failed to create with the following errors: [{}]",
    .ports.local, Listed(.failures)
)]
pub struct ListenError {
    /// The local port and the port of the target.
    pub ports: PortPair,
    pub(super) failures: Vec<(SocketAddr, io::Error)>,
}

impl ListenError {
    /// What the user can do.
    #[must_use]
    pub fn advice(&self) -> String {
        if self.is_in_use() {
            format!("choose another local port, or :{} for a free one", self.ports.remote)
        } else {
            "`ip address` shows which addresses this node has for --address".to_owned()
        }
    }

    /// Whether another program uses the port.
    pub(super) fn is_in_use(&self) -> bool {
        self.failures.iter().any(|(_, error)| error.kind() == io::ErrorKind::AddrInUse)
    }
}

/// client-go's errors, as Go prints a list.
struct Listed<'a>(&'a [(SocketAddr, io::Error)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (address, error)) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            let family = if address.is_ipv6() { "tcp6" } else { "tcp4" };
            write!(
                f,
                "{space}unable to create listener: Error listen {family} {address}: bind: {}",
                as_go_prints(error)
            )?;
        }
        Ok(())
    }
}
