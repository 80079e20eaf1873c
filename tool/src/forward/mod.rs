//! The forwarder: listens, and carries each connection into the target by one of two roads.
//!
//! What it does is told as [`Notice`]s; what it spawned is for the kernel to tell.

mod attempt;
mod connection;
mod count;
mod dial;
mod listener;
mod notice;
mod ports;
mod relay;
mod stream;

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

pub use attempt::attempt;
pub use dial::{Connection, Dialer, Dialing, HelperMissing, Native, Nsenter};
pub use listener::{ListenError, Listener};
pub use notice::{Failure, Notice, Report};
pub use ports::PortPair;

use crate::resolve::Target;

/// What every connection of a forwarder shares.
struct Shared {
    target: Target,
    dialer: Box<dyn Dialer>,
    notices: mpsc::UnboundedSender<Notice>,
    /// One for each connection that may be open.
    slots: Arc<Semaphore>,
    max_connections: usize,
}

/// A running forwarder.
pub struct Forwarder {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Forwarder {
    /// Serves each listener until [`stop`](Self::stop); must be called within a tokio runtime.
    pub fn start(
        target: Target,
        dialer: Box<dyn Dialer>,
        listeners: Vec<Listener>,
        max_connections: usize,
    ) -> (Self, mpsc::UnboundedReceiver<Notice>) {
        let (notices, receiver) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let slots = Arc::new(Semaphore::new(max_connections));
        let shared = Arc::new(Shared { target, dialer, notices, slots, max_connections });
        let mut tasks = JoinSet::new();
        for listener in listeners {
            tasks.spawn(listener.serve(Arc::clone(&shared), stopped.clone()));
        }
        (Self { tasks, stop }, receiver)
    }

    /// Closes the listeners, ends every connection and its helper, and waits until they are gone.
    pub async fn stop(mut self) {
        // No receiver is left when every task has ended already.
        let _ = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}
