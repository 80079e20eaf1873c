//! The running forwarder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::dial::Dialer;
use super::event::{Accepted, ForwardEvent};
use super::listener::Listener;
use crate::host::clock;
use crate::model::PortPair;
use crate::target::Target;

/// How long open connections may go on once the forwarder is told to stop. A little longer than
/// socat lives after one of its sides has ended (its `-t`, half a second), so that an answered
/// request ends well.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(700);

/// How many events may wait to be read, as when stdout is blocked. Further connections then wait.
const MAX_UNREAD: usize = 1024;

/// What every connection of a forwarder shares.
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
    pub(super) fn accept(&self, ports: PortPair) -> Accepted {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        Accepted { number, ports, time_ns: clock::boottime_ns() }
    }

    /// Reports an event. Waits while too many are unread: open connections go on meanwhile.
    pub(super) async fn report(&self, event: ForwardEvent) {
        // If the receiver is gone, nobody wants to know.
        let _ = self.events.send(event).await;
    }
}

/// A running forwarder.
pub struct Forwarder {
    shared: Arc<Shared>,
}

impl Forwarder {
    /// Serves each listener until [`stop`](Self::stop) has returned. Until then the events must be
    /// read. Must be called within a tokio runtime.
    pub fn start(
        target: Target,
        dialer: Box<dyn Dialer>,
        listeners: Vec<Listener>,
        max_connections: u32,
    ) -> (Self, mpsc::Receiver<ForwardEvent>) {
        let (events, receiver) = mpsc::channel(MAX_UNREAD);
        let slots = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        let shared = Arc::new(Shared {
            target,
            dialer,
            events,
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            max_connections,
            accepted: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            ending: CancellationToken::new(),
        });
        for listener in listeners {
            shared.tasks.spawn(listener.serve(Arc::clone(&shared)));
        }
        shared.tasks.close();
        (Self { shared }, receiver)
    }

    /// Closes the listeners, gives open connections a moment to end by themselves, ends the rest and
    /// their helpers, and waits until they are gone.
    pub async fn stop(self) {
        let Shared { tasks, draining, ending, .. } = &*self.shared;
        draining.cancel();
        if timeout(DRAIN_TIMEOUT, tasks.wait()).await.is_err() {
            ending.cancel();
            tasks.wait().await;
        }
    }
}
