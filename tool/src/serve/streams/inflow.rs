//! What clients have sent and forwarders have not read yet, of one session.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// The most that one stream holds, bytes. The sockets of a stream hold 208 KiB more (Linux's
/// `net.core.wmem_default`).
pub(super) const MAX_STREAM_BACKLOG: usize = 1 << 20;

/// The most that all streams of a session hold together, bytes.
const MAX_SESSION_BACKLOG: usize = 4 << 20;

/// The unread bytes of a session's streams, together.
#[derive(Debug, Default)]
pub(super) struct Inflow {
    held: AtomicUsize,
    /// Woken when there is room again.
    room: Notify,
}

impl Inflow {
    /// Takes room for up to `wanted` bytes; the answer says for how many there is.
    pub(super) fn take(&self, wanted: usize) -> usize {
        let grown = |held: usize| Some(held + wanted.min(MAX_SESSION_BACKLOG - held));
        match self.held.fetch_update(Ordering::AcqRel, Ordering::Acquire, grown) {
            Ok(held) | Err(held) => wanted.min(MAX_SESSION_BACKLOG - held),
        }
    }

    /// Gives room back.
    pub(super) fn give_back(&self, bytes: usize) {
        if bytes > 0 {
            self.held.fetch_sub(bytes, Ordering::AcqRel);
            self.room.notify_one();
        }
    }

    /// Waits until room has been given back, also if that was since the last wait.
    pub(super) async fn room(&self) {
        self.room.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_has_a_limit() {
        let inflow = Inflow::default();
        assert_eq!(inflow.take(MAX_SESSION_BACKLOG - 1), MAX_SESSION_BACKLOG - 1);
        assert_eq!(inflow.take(10), 1);
        assert_eq!(inflow.take(10), 0);
        inflow.give_back(5);
        assert_eq!(inflow.take(10), 5);
    }
}
