//! The forwarder: listens, and carries each connection into the target by one of two roads.
//!
//! What it does is told as [`Notice`]s; an [`Account`] puts them beside what the kernel saw of it.

mod account;
mod address;
mod attempt;
mod bind;
mod connection;
mod count;
mod dial;
mod listener;
mod notice;
mod ports;
mod relay;
mod stream;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

pub use account::{Account, Records, Told};
pub use address::ListenOn;
pub use attempt::attempt;
pub use bind::ListenError;
pub use dial::{Connection, Dialer, Dialing, HelperMissing, Native, Nsenter};
pub use listener::Listener;
pub use notice::{Begun, Failure, FarEnd, Notice, Report};
pub use ports::PortPair;
pub use tally::Tally;

use crate::node::clock;
use crate::resolve::Target;

/// How long open connections may go on once the forwarder is told to stop. A little longer than
/// socat lives after one of its sides has ended (its `-t`, half a second): what has been answered
/// ends well.
const DRAIN: Duration = Duration::from_millis(700);

/// How many notices may wait to be read, as when stdout stands still.
const UNREAD: usize = 1024;

/// How far the forwarder has come with its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It is not ending.
    Serving,
    /// Nothing more is accepted; what is open may end by itself.
    Draining,
    /// What is open is ended.
    Ending,
}

/// What every connection of a forwarder shares.
struct Shared {
    target: Target,
    dialer: Box<dyn Dialer>,
    notices: mpsc::Sender<Notice>,
    /// One for each connection that may be open.
    slots: Arc<Semaphore>,
    max_connections: u32,
    /// How many connections there have been.
    begun: AtomicU64,
}

impl Shared {
    fn begin(&self, pair: PortPair) -> Begun {
        let number = self.begun.fetch_add(1, Ordering::Relaxed) + 1;
        Begun { number, pair, time_ns: clock::boottime_ns() }
    }

    /// Waits while too much has not been read yet: what is open goes on, what begins or has ended waits.
    async fn tell(&self, notice: Notice) {
        // Whoever reads the notices may be gone: then nobody wants to know.
        let _ = self.notices.send(notice).await;
    }
}

/// A running forwarder.
pub struct Forwarder {
    tasks: JoinSet<()>,
    phase: watch::Sender<Phase>,
}

impl Forwarder {
    /// Serves each listener until [`stop`](Self::stop), until whose end the notices must be read; must be
    /// called within a tokio runtime.
    pub fn start(
        target: Target,
        dialer: Box<dyn Dialer>,
        listeners: Vec<Listener>,
        max_connections: u32,
    ) -> (Self, mpsc::Receiver<Notice>) {
        let (notices, receiver) = mpsc::channel(UNREAD);
        let (phase, phases) = watch::channel(Phase::Serving);
        let slots = usize::try_from(max_connections).unwrap_or(Semaphore::MAX_PERMITS);
        let slots = Arc::new(Semaphore::new(slots.min(Semaphore::MAX_PERMITS)));
        let shared = Arc::new(Shared {
            target,
            dialer,
            notices,
            slots,
            max_connections,
            begun: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(listener.serve(Arc::clone(&shared), phases.clone()));
        }
        (Self { tasks, phase }, receiver)
    }

    /// Closes the listeners, gives open connections a moment to end by themselves, ends the rest and
    /// their helpers, and waits until they are gone.
    pub async fn stop(mut self) {
        // No receiver is left when every task has ended already.
        let _ = self.phase.send(Phase::Draining);
        if timeout(DRAIN, self.all_ended()).await.is_err() {
            let _ = self.phase.send(Phase::Ending);
            self.all_ended().await;
        }
    }

    async fn all_ended(&mut self) {
        while self.tasks.join_next().await.is_some() {}
    }
}
