//! The running forwarder.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use super::allowed_users::AllowedUsers;
use super::dial::Dialer;
use super::event::ForwardEvent;
use super::follow::follow;
use super::limits::Limits;
use super::listener::Listener;
use super::listener_target::ListenerTarget;
use super::own_listeners::{LeadsBack, OwnListeners};
use super::shared::Shared;
use super::target_source::TargetSource;
use crate::model::Session;
use crate::model::Via;
use crate::target::Target;

/// How long open connections may continue after the forwarder was stopped. This is a little longer
/// than socat runs after one of its sides has ended (`-t`, half a second), so that a request that
/// was answered ends well.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(700);

/// How many events may wait to be read, for example while stdout is blocked. Beyond that, new
/// connections wait.
pub(super) const MAX_UNREAD: usize = 1024;

/// A running forwarder: its listeners, or its endpoint, and its connections.
pub struct Forwarder {
    pub(super) shared: Arc<Shared>,
}

/// An error if one of these listeners would lead back to them.
pub fn refuse_loop(listeners: &[Listener], target: &Target, via: Via) -> Result<(), LeadsBack> {
    own(listeners).check_all(target, via)
}

fn own(listeners: &[Listener]) -> OwnListeners {
    OwnListeners::new(listeners.iter().map(|listener| (listener.address(), listener.ports())))
}

impl Forwarder {
    /// Serves each listener until [`stop`](Self::stop) has returned. Until then the events must be
    /// read. `allowed_users` may use it, or everybody. Must be called within a tokio runtime.
    pub fn start(
        source: TargetSource,
        dialer: Box<dyn Dialer>,
        listeners: Vec<Listener>,
        limits: Limits,
        allowed_users: Option<AllowedUsers>,
    ) -> (Self, mpsc::Receiver<ForwardEvent>) {
        let (events, receiver) = mpsc::channel(MAX_UNREAD);
        let own_listeners = own(&listeners);
        let (live, names) = source.into_live();
        let to = Arc::new(ListenerTarget { live, own_listeners, allowed_users });
        let shared = Arc::new(Shared::new(dialer, events, limits));
        shared.tasks.spawn(follow(Arc::clone(&to), Arc::clone(&shared), names));
        for listener in listeners {
            shared.tasks.spawn(listener.serve(Arc::clone(&to), Arc::clone(&shared)));
        }
        shared.tasks.close();
        (Self { shared }, receiver)
    }

    /// Takes a session that the kernel saw: a connection may wait for it.
    pub fn session(&self, session: &Session) {
        if let Some(ends) = &self.shared.kernel_ends {
            ends.session(session);
        }
    }

    /// Closes the listeners, gives open connections a moment to end by themselves, ends the rest
    /// and their helpers, and waits until they are gone.
    pub async fn stop(&self) {
        let Shared { tasks, draining, ending, .. } = &*self.shared;
        draining.cancel();
        if timeout(DRAIN_TIMEOUT, tasks.wait()).await.is_err() {
            ending.cancel();
            tasks.wait().await;
        }
    }
}
