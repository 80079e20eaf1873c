//! Accepts connections until the forwarder stops.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::address::ListenOn;
use super::arrival::Arrival;
use super::bind;
use super::connection;
use super::event::ForwardEvent;
use super::listen_error::ListenError;
use super::listener_target::ListenerTarget;
use super::shared::Shared;
use crate::model::{PortPair, Trouble};

/// How long a listener waits after it could not accept, for example because too many files are
/// open.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(200);

/// How long accepting must have worked before the next failure is reported again.
const OUTAGE_OVER: Duration = Duration::from_secs(10);

/// A listening socket and where it leads.
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    ports: PortPair,
}

/// Listens on every pair of ports, at each of these addresses, or on none. The error is worded as
/// in kubectl. (kubectl itself continues with the ports that it got, and its users notice too late
/// that a part of the forward is missing.)
///
/// Must be called within a tokio runtime.
pub fn listen_all(addresses: &[ListenOn], ports: &[PortPair]) -> Result<Vec<Listener>, String> {
    let (mut listeners, mut failed): (Vec<Listener>, Vec<ListenError>) = (Vec::new(), Vec::new());
    for &pair in ports {
        match bind::listen(addresses, pair) {
            Ok(sockets) => listeners.extend(sockets.into_iter().map(Listener::from)),
            Err(error) => failed.push(error),
        }
    }
    let Some(first) = failed.first() else { return Ok(listeners) };
    let none = listeners.is_empty().then(|| {
        let ports: Vec<_> =
            ports.iter().map(|pair| format!("{{{} {}}}", pair.local, pair.remote)).collect();
        format!("unable to listen on any of the requested ports: [{}]: ", ports.join(" "))
    });
    let each: Vec<_> = failed.iter().map(ToString::to_string).collect();
    Err(format!("{}{}; {}", none.unwrap_or_default(), each.join("; "), first.advice()))
}

impl From<bind::Bound> for Listener {
    fn from(bind::Bound { socket, address, ports }: bind::Bound) -> Self {
        Self { socket, address, ports }
    }
}

impl Listener {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The local port, which is never 0, and the port of the target.
    #[must_use]
    pub fn ports(&self) -> PortPair {
        self.ports
    }

    /// Accepts until the forwarder drains.
    pub(super) async fn serve(self, to: Arc<ListenerTarget>, shared: Arc<Shared>) {
        let mut outage = Outage::default();
        loop {
            let accepted = tokio::select! {
                biased;
                () = shared.draining.cancelled() => return,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((client, _)) => self.admit(client, &to, &shared).await,
                // The client left before its turn.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    log::debug!("cannot accept on {}: {error}", self.address);
                    if outage.starts(Instant::now()) {
                        let (address, error) = (self.address, error.to_string());
                        let trouble = Trouble::CannotAccept { address, error };
                        shared.report(ForwardEvent::Trouble(trouble)).await;
                    }
                    sleep(ACCEPT_BACKOFF).await;
                }
            }
        }
    }

    /// Serves a client, if there is room.
    async fn admit(&self, client: TcpStream, to: &Arc<ListenerTarget>, shared: &Arc<Shared>) {
        let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
            let max = shared.max_connections;
            let trouble = Trouble::TooManyConnections { ports: self.ports, max };
            shared.report(ForwardEvent::Trouble(trouble)).await;
            return;
        };
        let arrival = Arrival::Socket(client, self.ports, Arc::clone(to));
        let serving = Arc::clone(shared);
        shared.tasks.spawn(async move {
            connection::serve(arrival, serving).await;
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
    /// Notes that accepting failed, and returns whether a new outage starts. At the limit of open
    /// files, each connection that ends lets another one in, and then accepting fails again: that
    /// is the same outage.
    fn starts(&mut self, now: Instant) -> bool {
        let before = self.last_failure.replace(now);
        before.is_none_or(|before| now.duration_since(before) > OUTAGE_OVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_starts_once() {
        let mut outage = Outage::default();
        let mut now = Instant::now();
        assert!(outage.starts(now));
        for _ in 0..100 {
            now += OUTAGE_OVER;
            assert!(!outage.starts(now), "it was never over");
        }
        now += OUTAGE_OVER + ACCEPT_BACKOFF;
        assert!(outage.starts(now));
    }
}
