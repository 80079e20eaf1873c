//! Tells connections what the kernel saw of the ends of their helpers.
//!
//! socat 1.7 exits with 0 after its connection was reset. The kernel's record of the socket has the
//! reset, so that the client does not mistake incomplete data for a complete reply.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio::time::timeout;

use crate::host::clock;
use crate::model::{Outcome, Reason, Session, State};

/// How long an end waits for the kernel's record: as long as its report.
const KERNEL_TIMEOUT: Duration = Duration::from_secs(1);

/// The helpers whose ends are awaited, by pid: at most one for each open connection.
#[derive(Debug, Default)]
pub(super) struct KernelEnds(Mutex<HashMap<u32, Awaited>>);

#[derive(Debug)]
struct Awaited {
    /// An older session of another process may have had the same pid.
    since_ns: u64,
    is_reset: Arc<SetOnce<bool>>,
}

/// The end of one helper. Dropping it ends the wait.
#[derive(Debug)]
pub(super) struct KernelEnd {
    all: Arc<KernelEnds>,
    pid: u32,
    is_reset: Arc<SetOnce<bool>>,
}

impl KernelEnds {
    /// Awaits the end of a helper, a child that is not reaped yet.
    pub(super) fn of(self: &Arc<Self>, pid: u32) -> KernelEnd {
        let is_reset = Arc::new(SetOnce::new());
        let awaited = Awaited { since_ns: clock::boottime_ns(), is_reset: Arc::clone(&is_reset) };
        self.awaited(|all| all.insert(pid, awaited));
        KernelEnd { all: Arc::clone(self), pid, is_reset }
    }

    /// Takes a session that the kernel saw.
    pub(super) fn session(&self, session: &Session) {
        let (Some(helper), State::Closed(closed)) = (session.helper, &session.state) else {
            return;
        };
        let is_reset = closed.outcome == Outcome::Reset || closed.reason == Reason::ResetAfterEnd;
        self.awaited(|all| {
            if let Some(awaited) = all.get(&helper.pid)
                && awaited.since_ns <= session.time_ns
            {
                // A second end of the same session would be the same.
                let _ = awaited.is_reset.set(is_reset);
            }
        });
    }

    fn awaited<T>(&self, work: impl FnOnce(&mut HashMap<u32, Awaited>) -> T) -> T {
        // The map is complete after each step, also after one that panicked.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KernelEnd {
    /// Whether the target reset the connection. False if the record does not come in time.
    pub(super) async fn is_reset(&self) -> bool {
        timeout(KERNEL_TIMEOUT, self.is_reset.wait()).await.is_ok_and(|is_reset| *is_reset)
    }
}

impl Drop for KernelEnd {
    fn drop(&mut self) {
        self.all.awaited(|all| all.remove(&self.pid));
    }
}
