//! Accepting connections for as long as the forwarder lives.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{ListenError, ListenOn, Notice, PortPair, Shared, bind, connection};

/// How long a listener waits after it could not accept, as with too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);

/// One listening socket and where it leads.
pub struct Listener {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) pair: PortPair,
}

impl Listener {
    /// Listens on each of these addresses, at the same port: on all, or on none.
    ///
    /// Must be called within a tokio runtime.
    pub fn on(addresses: &[ListenOn], pair: PortPair) -> Result<Vec<Self>, ListenError> {
        bind::listen(addresses, pair)
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
