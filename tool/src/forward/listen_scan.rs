//! Where processes listen in a target that has restarted: one search for all connections that wait.

use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::target::Target;

/// How often a connection that has waited for a restart checks whether something listens on its port, and how
/// long the answer of a search counts for all of them.
pub(super) const SCAN_INTERVAL: Duration = Duration::from_millis(50);

/// The last search.
#[derive(Debug, Default)]
pub(super) struct ListenScan(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    target: Weak<Target>,
    at: Instant,
    /// `None` if it cannot be seen.
    ports: Option<Vec<u16>>,
}

impl ListenScan {
    /// Whether something listens on the port. What cannot be seen is not waited for.
    pub(super) async fn listens(&self, target: &Arc<Target>, port: u16) -> bool {
        // Whoever comes while another one searches waits for its answer.
        let mut last = self.0.lock().await;
        let is_fresh = |found: &Found| {
            found.target.as_ptr() == Arc::as_ptr(target) && found.at.elapsed() < SCAN_INTERVAL
        };
        if !last.as_ref().is_some_and(is_fresh) {
            let listeners = target.netns().listeners().await.ok();
            let ports = listeners.map(|all| all.iter().map(SocketAddr::port).collect());
            *last = Some(Found { target: Arc::downgrade(target), at: Instant::now(), ports });
        }
        let ports = last.as_ref().and_then(|found| found.ports.as_ref());
        ports.is_none_or(|ports| ports.contains(&port))
    }
}
