//! A direction to read from.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::ioctl_fionread;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::buffers::make_room;
use super::kind::Kind;
use crate::forward::room::Room;
use crate::host::socket_buffer::SocketBuffer;

/// A direction to read from.
pub(in crate::forward) struct ReadHalf {
    pub(super) fd: Arc<AsyncFd<OwnedFd>>,
    pub(super) kind: Kind,
    /// The error with which the connection has ended already, if the kernel has reported one: it
    /// does so once. What arrived before can still be read.
    pub(in crate::forward) error: Option<io::ErrorKind>,
}

impl ReadHalf {
    /// Whether it is a TCP socket.
    pub(in crate::forward) fn is_tcp(&self) -> bool {
        self.kind.is_tcp()
    }

    /// Gives the data that waits to be read as much room.
    pub(in crate::forward) fn make_room(&self, room: Room) {
        make_room(self.fd.get_ref(), self.kind, SocketBuffer::Receive, room);
    }

    /// Whether the peer of a socket has ended its direction: nothing comes but what is here.
    pub(in crate::forward) fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.fd.get_ref(), PollFlags::RDHUP)];
        self.kind != Kind::Pipe
            && poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// The same, and everything has been read.
    pub(in crate::forward) fn is_exhausted(&self) -> bool {
        self.has_ended() && ioctl_fionread(self.fd.get_ref()).is_ok_and(|bytes| bytes == 0)
    }

    /// Calls `read` whenever there may be something to read, until it does not return "would block".
    pub(in crate::forward) async fn when_readable<T>(
        &self,
        read: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        self.fd.async_io(Interest::READABLE, read).await
    }

    /// Reads everything to the end, and keeps nothing.
    pub(in crate::forward) async fn discard(self) {
        let mut bytes = [0; 4096];
        let mut read = |from: &OwnedFd| Ok(rustix::io::read(from, &mut bytes)?);
        while let Ok(1..) = self.when_readable(&mut read).await {
            // A server that sends without end must not keep other tasks and timers from their turn.
            tokio::task::yield_now().await;
        }
    }
}
