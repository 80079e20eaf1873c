//! Notices that a client is gone.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::peer_watch::{self, RESET_GRACE};
use super::relay_end::{RelayEnd, RelayError};
use super::stream::Socket;

/// Whether a client is gone, and what that means. A client of an endpoint has a stream instead of a
/// socket.
///
/// A reset of a stream is no more than the client's end, once everything from the target is passed on:
/// kubectl resets each stream when it has read the target's end (client-go,
/// tools/portforward/portforward.go, `handleConnection`).
pub(super) struct ClientGone<'a> {
    /// Says when the client has reset its stream; `None` for a socket.
    stream: Option<&'a CancellationToken>,
    /// Everything from the target is passed on.
    is_all_passed_on: AtomicBool,
}

impl<'a> ClientGone<'a> {
    pub(super) fn new(stream: Option<&'a CancellationToken>) -> Self {
        Self { stream, is_all_passed_on: AtomicBool::new(false) }
    }

    /// Everything from the target is passed on. To be called before the client can see that.
    pub(super) fn note_targets_end(&self) {
        self.is_all_passed_on.store(true, Ordering::Relaxed);
    }

    /// Whether the end of what came from the client is a reset: the stream was closed because of it.
    pub(super) fn has_reset(&self) -> bool {
        self.stream.is_some_and(CancellationToken::is_cancelled) && !self.is_after_all()
    }

    /// Waits until the client is gone, and returns how the relay ends then. The relay usually ends before.
    pub(super) async fn wait(&self, socket: Option<&Socket>) -> Result<RelayEnd, RelayError> {
        let Some(stream) = self.stream else {
            return Err(RelayError::Client(peer_watch::gone(socket).await));
        };
        stream.cancelled().await;
        sleep(RESET_GRACE).await;
        if self.is_after_all() { Ok(RelayEnd::Ended) } else { Err(reset()) }
    }

    fn is_after_all(&self) -> bool {
        self.is_all_passed_on.load(Ordering::Relaxed)
    }
}

/// The client has reset its stream.
pub(super) fn reset() -> RelayError {
    RelayError::Client(ErrorKind::ConnectionReset.into())
}
