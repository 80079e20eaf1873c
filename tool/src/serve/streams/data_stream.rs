//! One data stream, from the client towards the forwarder.

use std::convert::Infallible;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::net::Shutdown;
use tokio::net::UnixStream;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::backlog::Backlog;
use super::inflow::{Inflow, MAX_STREAM_BACKLOG};

/// The session's end of a data stream.
#[derive(Debug)]
pub(super) struct DataStream {
    /// The other end is the forwarder's.
    pub(super) socket: UnixStream,
    /// Cancelled when the client has reset the stream or has vanished.
    pub(super) gone: CancellationToken,
    /// Everything that the pod sends is on its way to the client.
    is_sent: AtomicBool,
    /// We have reset the stream.
    is_broken_off: AtomicBool,
    inbound: Mutex<Inbound>,
    /// Woken when there is a backlog.
    has_backlog: Notify,
    inflow: Arc<Inflow>,
}

/// What the client sends.
#[derive(Debug)]
struct Inbound {
    backlog: Backlog,
    /// The client sends nothing more.
    has_ended: bool,
    /// The forwarder reads nothing more.
    is_unread: bool,
}

impl DataStream {
    pub(super) fn new(socket: UnixStream, gone: CancellationToken, inflow: Arc<Inflow>) -> Self {
        let inbound = Inbound { backlog: Backlog::new(), has_ended: false, is_unread: false };
        Self {
            socket,
            gone,
            is_sent: AtomicBool::new(false),
            is_broken_off: AtomicBool::new(false),
            inbound: Mutex::new(inbound),
            has_backlog: Notify::new(),
            inflow,
        }
    }

    /// Passes on what the client has sent: to the socket if it takes it, otherwise to the backlog.
    /// Returns how much was taken.
    pub(super) fn push(&self, piece: &[u8]) -> usize {
        let mut inbound = self.inbound();
        if inbound.is_unread || inbound.has_ended {
            return piece.len();
        }
        let mut rest = piece;
        if inbound.backlog.is_empty() {
            let written = self.or_drop(&mut inbound, self.socket.try_write(piece));
            if inbound.is_unread {
                return piece.len();
            }
            rest = piece.get(written..).unwrap_or_default();
        }
        piece.len() - rest.len() + self.hold(&mut inbound, rest)
    }

    /// Adds to the backlog what there is room for.
    fn hold(&self, inbound: &mut Inbound, rest: &[u8]) -> usize {
        let room = MAX_STREAM_BACKLOG.saturating_sub(inbound.backlog.len());
        let taken = self.inflow.take(rest.len().min(room));
        if taken > 0 {
            inbound.backlog.add(rest.get(..taken).unwrap_or_default());
            self.has_backlog.notify_one();
        }
        taken
    }

    /// The client sends nothing more. The forwarder sees that after the backlog.
    pub(super) fn end(&self) {
        let mut inbound = self.inbound();
        inbound.has_ended = true;
        if inbound.backlog.is_empty() {
            self.shut_down();
        }
    }

    /// The client has reset the stream. That is an ordinary end once the pod's side is complete: kubectl
    /// closes its local connection then, and always resets the stream (client-go's `portforward.go`,
    /// `handleConnection`).
    pub(super) fn reset(&self) {
        if self.is_sent() {
            self.end();
        } else {
            self.gone.cancel();
        }
    }

    /// We reset the stream, because it holds up others.
    pub(super) fn break_off(&self) {
        self.is_broken_off.store(true, Ordering::Release);
        self.gone.cancel();
        self.discard();
    }

    pub(super) fn is_broken_off(&self) -> bool {
        self.is_broken_off.load(Ordering::Acquire)
    }

    /// Writes the backlog whenever the socket takes more, without an end.
    pub(super) async fn drain(&self) -> Infallible {
        loop {
            self.has_backlog.notified().await;
            while !self.inbound().backlog.is_empty() {
                match self.socket.writable().await {
                    Ok(()) => self.write_backlog(),
                    Err(_) => self.discard(),
                }
            }
        }
    }

    fn write_backlog(&self) {
        let mut inbound = self.inbound();
        let written = inbound.backlog.write_to(&self.socket);
        self.inflow.give_back(self.or_drop(&mut inbound, written));
        if inbound.backlog.is_empty() && inbound.has_ended {
            self.shut_down();
        }
    }

    /// How much was written. Drops the backlog if the forwarder has closed its end.
    fn or_drop(&self, inbound: &mut Inbound, written: io::Result<usize>) -> usize {
        match written {
            Ok(written) => return written,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.drop_backlog(inbound),
        }
        0
    }

    /// Drops what was not read, and everything that still comes.
    pub(super) fn discard(&self) {
        self.drop_backlog(&mut self.inbound());
    }

    fn drop_backlog(&self, inbound: &mut Inbound) {
        inbound.is_unread = true;
        self.inflow.give_back(inbound.backlog.len());
        inbound.backlog.clear();
    }

    /// Since when the forwarder has read nothing of the backlog. `None` without a backlog.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        self.inbound().backlog.stalled_since()
    }

    pub(super) fn is_sent(&self) -> bool {
        self.is_sent.load(Ordering::Acquire)
    }

    pub(super) fn set_sent(&self) {
        self.is_sent.store(true, Ordering::Release);
    }

    /// Both sides have sent everything.
    pub(super) fn is_complete(&self) -> bool {
        self.is_sent() && self.inbound().has_ended
    }

    fn shut_down(&self) {
        // An error means that the forwarder has closed its end.
        let _ = rustix::net::shutdown(&self.socket, Shutdown::Write);
    }

    fn inbound(&self) -> MutexGuard<'_, Inbound> {
        self.inbound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
