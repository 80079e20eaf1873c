//! What all connections of a forwarder share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::budget::Budget;
use super::dial::Dialer;
use super::event::{Accepted, ForwardEvent, Upstream};
use super::kernel_ends::{KernelEnd, KernelEnds};
use super::limits::Limits;
use crate::host::clock;
use crate::model::Via;

/// What all connections of a forwarder share, with their listeners.
pub(super) struct Shared {
    pub(super) dialer: Box<dyn Dialer>,
    events: mpsc::Sender<ForwardEvent>,
    /// The kernel's view of helpers' ends; `None` with `--no-watch`.
    pub(super) kernel_ends: Option<Arc<KernelEnds>>,
    /// The kernel memory of all connections.
    pub(super) budget: Budget,
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
        dialer: Box<dyn Dialer>,
        events: mpsc::Sender<ForwardEvent>,
        Limits { max_connections, max_buffer_kib, is_watched }: Limits,
    ) -> Self {
        let slots = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            dialer,
            events,
            kernel_ends: is_watched.then(Arc::default),
            budget: Budget::new(max_buffer_kib, max_connections),
            slots: Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS))),
            max_connections,
            accepted: AtomicU64::new(0),
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            ending: CancellationToken::new(),
        }
    }

    /// Awaits what the kernel sees of a connection's helper.
    pub(super) fn kernel_end_of(&self, upstream: &Upstream) -> Option<KernelEnd> {
        Some(self.kernel_ends.as_ref()?.of(upstream.helper_pid?))
    }

    /// Numbers a connection that was accepted now.
    pub(super) fn accept(&self, via: Via, port: u16, local_port: Option<u16>) -> Accepted {
        let number = self.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        Accepted { number, via, port, local_port, time_ns: clock::boottime_ns() }
    }

    /// Waits until no connection is open. No other may be accepted then.
    pub(super) async fn connections_ended(&self) {
        // An error means that the semaphore is closed, which it never is.
        let _ = self.slots.acquire_many(self.max_connections).await;
    }

    /// Reports an event, unless too many are unread.
    pub(super) fn try_report(&self, event: ForwardEvent) {
        // Without a receiver, the event is not needed.
        let _ = self.events.try_send(event);
    }

    /// Reports an event. Waits while too many are unread. Open connections continue meanwhile.
    pub(super) async fn report(&self, event: ForwardEvent) {
        // Without a receiver, the event is not needed.
        let _ = self.events.send(event).await;
    }
}
