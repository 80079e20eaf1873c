//! Who may hold a connection: anybody for a short time, and for long only who has shown the token.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::serve::limits::EndpointLimits;

/// The connections of the endpoint.
pub(in crate::serve) struct Admissions {
    limits: EndpointLimits,
    /// Connections that have not shown the token, the oldest first.
    strangers: Mutex<Strangers>,
    clients: Arc<Semaphore>,
}

#[derive(Default)]
struct Strangers {
    /// The number of the next one.
    next: u64,
    waiting: VecDeque<(u64, CancellationToken)>,
}

/// One connection, for as long as it is open.
pub(in crate::serve) struct Visitor {
    address: SocketAddr,
    number: u64,
    admissions: Arc<Admissions>,
    /// Cancelled when it must make room.
    displaced: CancellationToken,
    /// Set once it has shown the token.
    permit: OnceLock<OwnedSemaphorePermit>,
}

impl Admissions {
    pub(in crate::serve) fn new(limits: EndpointLimits) -> Arc<Self> {
        let clients = Arc::new(Semaphore::new(limits.clients));
        Arc::new(Self { limits, strangers: Mutex::default(), clients })
    }

    pub(super) fn limits(&self) -> &EndpointLimits {
        &self.limits
    }

    /// A new connection. If there are too many strangers, it takes the place of the oldest one.
    pub(in crate::serve) fn enter(self: &Arc<Self>, address: SocketAddr) -> Visitor {
        let displaced = CancellationToken::new();
        let mut strangers = self.strangers();
        if strangers.waiting.len() >= self.limits.strangers.max(1)
            && let Some((_, oldest)) = strangers.waiting.pop_front()
        {
            oldest.cancel();
        }
        let number = strangers.next;
        strangers.next += 1;
        strangers.waiting.push_back((number, displaced.clone()));
        drop(strangers);
        let (admissions, permit) = (Arc::clone(self), OnceLock::new());
        Visitor { address, number, admissions, displaced, permit }
    }

    /// A panic aborts the process, so nothing half done is seen here.
    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    pub(in crate::serve) fn address(&self) -> SocketAddr {
        self.address
    }

    /// It has shown the token, and is a stranger no longer. False if too many clients are there already.
    pub(in crate::serve) fn admit(&self) -> bool {
        if self.permit.get().is_some() {
            return true;
        }
        let Ok(permit) = Arc::clone(&self.admissions.clients).try_acquire_owned() else {
            return false;
        };
        self.leave_strangers();
        // Requests on one connection come one after the other.
        self.permit.set(permit).is_ok()
    }

    /// Waits until it must end: it is a stranger, and has taken too long or must make room.
    pub(super) async fn overstayed(&self) {
        let is_over = async {
            sleep(self.admissions.limits.stranger_time).await;
            if self.permit.get().is_some() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! { () = self.displaced.cancelled() => {}, () = is_over => {} }
    }

    fn leave_strangers(&self) {
        let mut strangers = self.admissions.strangers();
        strangers.waiting.retain(|(number, _)| *number != self.number);
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.leave_strangers();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn admissions(strangers: usize, clients: usize) -> Arc<Admissions> {
        let stranger_time = Duration::from_millis(100);
        let limits = EndpointLimits { strangers, stranger_time, clients, ..Default::default() };
        Admissions::new(limits)
    }

    fn enter(admissions: &Arc<Admissions>) -> Visitor {
        admissions.enter("127.0.0.1:1".parse().unwrap())
    }

    #[test]
    fn one_stranger_too_many_displaces_the_oldest_and_no_client() {
        let all = admissions(2, 8);
        let (client, first, second) = (enter(&all), enter(&all), enter(&all));
        assert!(client.displaced.is_cancelled(), "it was the oldest of three");
        assert!(first.admit());
        let (_third, _fourth) = (enter(&all), enter(&all));
        assert!(second.displaced.is_cancelled() && !first.displaced.is_cancelled());
        drop((client, second));
        assert_eq!(all.strangers().waiting.len(), 2);
    }

    #[test]
    fn clients_have_a_limit_and_leave_their_places() {
        let all = admissions(8, 1);
        let (first, second) = (enter(&all), enter(&all));
        assert!(first.admit() && first.admit());
        assert!(!second.admit());
        drop(first);
        assert!(second.admit());
    }

    #[tokio::test]
    async fn a_stranger_has_a_limit_of_time_and_a_client_has_none() {
        let all = admissions(8, 8);
        let (stranger, client) = (enter(&all), enter(&all));
        assert!(client.admit());
        stranger.overstayed().await;
        let waited = tokio::time::timeout(Duration::from_millis(200), client.overstayed()).await;
        assert!(waited.is_err());
    }
}
