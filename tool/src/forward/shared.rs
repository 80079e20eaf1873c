//! What the listeners and connections of a forwarder share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::Dialer;
use super::event::{Accepted, ForwardEvent};
use crate::host::clock;
use crate::model::PortPair;
use crate::target::Target;

/// What the listeners and connections of a forwarder share.
pub(super) struct Shared {
    pub(super) target: Target,
    pub(super) dialer: Box<dyn Dialer>,
    events: mpsc::Sender<ForwardEvent>,
    /// One permit for each connection that may be open.
    pub(super) slots: Arc<Semaphore>,
    pub(super) max_connections: u32,
    /// How many connections there have been.
    accepted: AtomicU64,
    /// The listeners and the connections.
    pub(super) tasks: TaskTracker,
    /// Nothing more is accepted; open connections may end by themselves.
    pub(super) draining: CancellationToken,
    /// Open connections are ended.
    pub(super) ending: CancellationToken,
}

impl Shared {
    pub(super) fn new(
        target: Target,
        dialer: Box<dyn Dialer>,
        events: mpsc::Sender<ForwardEvent>,
        max_connections: u32,
    ) -> Self {
        let slots = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            target,
            dialer,
            events,
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            max_connections,
            accepted: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            ending: CancellationToken::new(),
        }
    }

    /// Numbers a connection that was accepted now.
    pub(super) fn accept(&self, ports: PortPair) -> Accepted {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        Accepted { number, ports, time_ns: clock::boottime_ns() }
    }

    /// Reports an event. Waits while too many are unread. Open connections continue meanwhile.
    pub(super) async fn report(&self, event: ForwardEvent) {
        // Without a receiver, the event is not needed.
        let _ = self.events.send(event).await;
    }
}
