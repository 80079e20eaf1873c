//! A direction to write to.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::net::{Shutdown, shutdown};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::buffers::make_room;
use super::kind::Kind;
use super::socket::Socket;
use crate::forward::room::Room;
use crate::host::socket_buffer::SocketBuffer;

/// A direction to write to. Dropping it does not half-close a socket: the other direction may still
/// be open.
pub(in crate::forward) struct WriteHalf {
    pub(super) fd: Arc<AsyncFd<OwnedFd>>,
    pub(super) kind: Kind,
}

/// A descriptor that stays open, whatever becomes of its directions.
pub(in crate::forward) type HeldOpen = Arc<AsyncFd<OwnedFd>>;

impl WriteHalf {
    /// Calls `write` whenever there may be room, until it does not return "would block".
    pub(in crate::forward) async fn when_writable<T>(
        &self,
        write: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        self.fd.async_io(Interest::WRITABLE, write).await
    }

    /// Whether it is a TCP socket.
    pub(in crate::forward) fn is_tcp(&self) -> bool {
        self.kind.is_tcp()
    }

    /// Gives the data that waits to be taken as much room.
    pub(in crate::forward) fn make_room(&self, room: Room) {
        make_room(self.fd.get_ref(), self.kind, SocketBuffer::Send, room);
    }

    /// Ends this direction: no more bytes will come.
    pub(in crate::forward) fn finish(&self) -> io::Result<()> {
        if self.kind == Kind::Pipe {
            // A pipe ends when it is closed, which dropping does.
            return Ok(());
        }
        match shutdown(self.fd.get_ref(), Shutdown::Write) {
            // The connection has ended already.
            Err(Errno::NOTCONN) => Ok(()),
            result => result.map_err(Into::into),
        }
    }

    /// Keeps the descriptor open beyond both directions.
    pub(in crate::forward) fn hold_open(&self) -> HeldOpen {
        Arc::clone(&self.fd)
    }

    /// The TCP socket, if it is one.
    pub(in crate::forward) fn socket(&self) -> Option<Socket> {
        self.is_tcp().then(|| Socket::new(Arc::clone(&self.fd)))
    }
}
