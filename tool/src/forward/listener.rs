//! Accepting connections for as long as the forwarder lives.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::{ListenError, ListenOn, Notice, Phase, PortPair, Shared, bind, connection};

/// How long a listener waits after it could not accept, as with too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);

/// How long accepting must not have failed for a failure to be a new one.
const OUTAGE_OVER: Duration = Duration::from_secs(10);

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
    pub(super) async fn serve(self, shared: Arc<Shared>, mut phase: watch::Receiver<Phase>) {
        let mut connections = JoinSet::new();
        let mut outage = Outage::default();
        loop {
            let accepted = tokio::select! {
                accepted = self.socket.accept() => accepted,
                // Reaping as we go keeps the set no larger than what is open.
                Some(_) = connections.join_next() => continue,
                _ = phase.wait_for(|&phase| phase != Phase::Serving) => break,
            };
            match accepted {
                Ok((client, _)) => self.admit(client, &shared, &phase, &mut connections).await,
                // A client that left before its turn is nobody's trouble.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log::debug!("cannot accept on {}: {error}", self.address);
                    if outage.begins(Instant::now()) {
                        shared.tell(Notice::NotAccepted(self.address, error)).await;
                    }
                    sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
        drop(self.socket);
        while connections.join_next().await.is_some() {}
    }

    /// Serves a client, if there is room.
    async fn admit(
        &self,
        client: TcpStream,
        shared: &Arc<Shared>,
        phase: &watch::Receiver<Phase>,
        connections: &mut JoinSet<()>,
    ) {
        let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
            shared.tell(Notice::TooMany(self.pair, shared.max_connections)).await;
            return;
        };
        let serve = connection::serve(client, self.pair, Arc::clone(shared), phase.clone());
        connections.spawn(async move {
            serve.await;
            drop(slot);
        });
    }
}

/// A time during which nothing can be accepted.
#[derive(Debug, Default)]
struct Outage {
    last_failure: Option<Instant>,
}

impl Outage {
    /// Accepting failed: whether that is a new outage, and not more of the last one. At the limit of
    /// open files each connection that ends lets another in, and then it fails again.
    fn begins(&mut self, now: Instant) -> bool {
        let before = self.last_failure.replace(now);
        before.is_none_or(|before| now.duration_since(before) > OUTAGE_OVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_begins_once() {
        let mut outage = Outage::default();
        let mut now = Instant::now();
        assert!(outage.begins(now));
        for _ in 0..100 {
            now += OUTAGE_OVER;
            assert!(!outage.begins(now), "never over in between");
        }
        now += OUTAGE_OVER + ACCEPT_BACKOFF;
        assert!(outage.begins(now));
    }
}
