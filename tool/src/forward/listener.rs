//! Listening on loopback, and accepting for as long as the forwarder lives.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Notice, PortPair, Shared, connection};

/// How long a listener waits after it could not accept, as with too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);

/// Why a port cannot be listened on. The first words are kubectl's.
#[derive(Debug, thiserror::Error)]
#[error(
    "Unable to listen on port {} at {}; choose another local port, or :{} for a free one",
    .pair.local, .address.ip(), .pair.remote
)]
pub struct ListenError {
    pair: PortPair,
    address: SocketAddr,
    source: io::Error,
}

/// One listening socket and where it leads.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    pair: PortPair,
}

impl Listener {
    /// Listens on 127.0.0.1 and, where the node has it, on `[::1]`, at the same port.
    pub async fn on_loopback(mut pair: PortPair) -> Result<Vec<Self>, ListenError> {
        let v4 = Self::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, pair.local)), pair).await?;
        pair.local = v4.pair.local;
        let v6 = Self::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, pair.local)), pair).await;
        match v6 {
            Ok(v6) => Ok(vec![v4, v6]),
            // A node without IPv6 is no reason to fail; a port that is taken there is.
            Err(error) if error.source.kind() != io::ErrorKind::AddrInUse => Ok(vec![v4]),
            Err(error) => Err(error),
        }
    }

    async fn bind(address: SocketAddr, mut pair: PortPair) -> Result<Self, ListenError> {
        let failed = |source| ListenError { pair, address, source };
        let socket = TcpListener::bind(address).await.map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        pair.local = address.port();
        Ok(Self { socket, address, pair })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The ports that it joins; the local one is never 0.
    #[must_use]
    pub fn pair(&self) -> PortPair {
        self.pair
    }

    /// Accepts until told to stop, then waits for its connections to end.
    pub(super) async fn serve(self, shared: Arc<Shared>, mut stop: watch::Receiver<bool>) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                // Reaping as we go keeps the set no larger than what is open.
                Some(_) = connections.join_next() => continue,
                _ = stop.wait_for(|&stop| stop) => break,
            };
            match accepted {
                Ok((client, _)) => {
                    let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
                        let _ =
                            shared.notices.send(Notice::TooMany(self.pair, shared.max_connections));
                        continue;
                    };
                    let serve =
                        connection::serve(client, self.pair, Arc::clone(&shared), stop.clone());
                    connections.spawn(async move {
                        serve.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    let _ = shared.notices.send(Notice::NotAccepted(self.address, error));
                    tokio::time::sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }
}
