//! The endpoint that scrapers and probes ask.

use std::io;
use std::net::{SocketAddr, TcpListener};

use prometheus_client::registry::Registry;

use super::accept::accept_all;
use super::exposition::Exposition;
use super::route::Site;
use crate::agent::health::Health;

/// A listening endpoint. Connections wait until it [serves](Self::serve).
#[derive(Debug)]
pub struct MetricsEndpoint {
    listener: TcpListener,
    address: SocketAddr,
}

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot serve metrics at {address}: {}; choose another address with --listen, or --no-listen",
    .source.kind()
)]
pub struct ListenError {
    /// The address.
    pub address: SocketAddr,
    /// The kernel's error.
    source: io::Error,
}

impl MetricsEndpoint {
    /// Listens.
    pub fn bind(address: SocketAddr) -> Result<Self, ListenError> {
        let bound = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(Self { address: listener.local_addr()?, listener })
        };
        bound().map_err(|source| ListenError { address, source })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the metrics of the registry, for ever. An error comes at the start.
    pub async fn serve(self, registry: Registry, health: Health) -> io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let site = Site { exposition: Exposition::new(registry), health };
        accept_all(listener, site).await
    }
}
