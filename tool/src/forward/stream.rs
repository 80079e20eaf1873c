//! The two directions of a connection. A connection is a socket, or the two pipes of a helper, or the
//! stream of an endpoint's client.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionbio, ioctl_fionread};
use rustix::net::sockopt::{set_socket_linger, socket_error};
use rustix::net::{Shutdown, shutdown};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::{Instant, sleep};

use super::room::{ROOMS, Room};
use super::stream_pair::limit_stream;
use crate::host::socket_buffer::SocketBuffer;
use crate::host::{pipe_size, tcp};

/// How long a reset waits for the peer to take the data before it.
const UNSENT_TIMEOUT: Duration = Duration::from_secs(1);
/// How often it looks. No event tells when a peer has taken everything.
const UNSENT_POLL_INTERVAL: Duration = Duration::from_millis(5);

/// A direction to read from.
pub(super) struct ReadHalf {
    fd: Arc<AsyncFd<OwnedFd>>,
    kind: Kind,
    /// The error with which the connection has ended already, if the kernel has reported one: it
    /// does so once. What arrived before can still be read.
    pub(super) error: Option<io::ErrorKind>,
}

/// A direction to write to. Dropping it does not half-close a socket: the other direction may still
/// be open.
pub(super) struct WriteHalf {
    fd: Arc<AsyncFd<OwnedFd>>,
    kind: Kind,
}

/// A descriptor that stays open, whatever becomes of its directions.
pub(super) type HeldOpen = Arc<AsyncFd<OwnedFd>>;

/// What a direction leads through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The client's socket.
    Client,
    /// A socket inside the target's network namespace.
    Target,
    /// A pipe of a helper.
    Pipe,
    /// A stream of an endpoint's client: one end of a pair of Unix sockets.
    Stream,
}

impl Kind {
    fn is_tcp(self) -> bool {
        matches!(self, Self::Client | Self::Target)
    }
}

/// Both directions of a connection.
pub(super) struct Duplex {
    /// Bytes from the other side.
    pub(super) from: ReadHalf,
    /// Bytes to the other side.
    pub(super) to: WriteHalf,
}

impl Duplex {
    /// The two directions of a client's socket.
    pub(super) fn of_client(stream: TcpStream) -> io::Result<Self> {
        Self::of_socket(stream, Kind::Client)
    }

    /// The two directions of a socket inside the target's network namespace.
    pub(super) fn of_target(stream: TcpStream) -> io::Result<Self> {
        limit_buffers(&stream);
        Self::of_socket(stream, Kind::Target)
    }

    /// The two directions of a stream of an endpoint's client.
    pub(super) fn of_stream(stream: UnixStream) -> io::Result<Self> {
        let (fd, kind) = (register(stream.into_std()?.into())?, Kind::Stream);
        let from = ReadHalf { fd: Arc::clone(&fd), kind, error: None };
        let to = WriteHalf { fd, kind };
        let [room, ..] = ROOMS;
        to.make_room(room);
        Ok(Self { from, to })
    }

    fn of_socket(stream: TcpStream, kind: Kind) -> io::Result<Self> {
        let fd = register(stream.into_std()?.into())?;
        let from = ReadHalf { fd: Arc::clone(&fd), kind, error: None };
        Ok(Self { from, to: WriteHalf { fd, kind } })
    }

    /// A process's stdout and stdin.
    pub(super) fn of_pipes(stdout: OwnedFd, stdin: OwnedFd) -> io::Result<Self> {
        for pipe in [&stdout, &stdin] {
            ioctl_fionbio(pipe, true)?;
        }
        let kind = Kind::Pipe;
        let to = WriteHalf { fd: register(stdin)?, kind };
        let from = ReadHalf { fd: register(stdout)?, kind, error: None };
        let [room, ..] = ROOMS;
        from.make_room(room);
        to.make_room(room);
        Ok(Self { from, to })
    }
}

/// Limits the buffers of a socket to what a connection starts with.
pub(super) fn limit_buffers(socket: impl AsFd) {
    for buffer in [SocketBuffer::Receive, SocketBuffer::Send] {
        limit_buffer(buffer, &socket);
    }
}

/// Limits one of them.
pub(super) fn limit_buffer(buffer: SocketBuffer, socket: impl AsFd) {
    let [room, ..] = ROOMS;
    if let Some(kib) = room.limit_of(buffer, false) {
        note(buffer.limit(socket, kib));
    }
}

/// Sizes the buffer of one direction.
fn make_room(fd: &OwnedFd, kind: Kind, buffer: SocketBuffer, room: Room) {
    note(match kind {
        Kind::Pipe => pipe_size::set(fd, kib_in_bytes(room.helper_pipe_kib())),
        Kind::Stream => limit_stream(fd, buffer, room),
        Kind::Client | Kind::Target => match room.limit_of(buffer, kind == Kind::Client) {
            Some(kib) => buffer.raise_limit(fd, kib),
            None => buffer.unlimit(fd),
        },
    });
}

/// A buffer that keeps its size is no failure of the connection.
fn note(sized: io::Result<()>) {
    if let Err(error) = sized {
        log::debug!("cannot size a buffer: {error}");
    }
}

fn kib_in_bytes(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1024)
}

fn register(fd: OwnedFd) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
    // SAFETY: the descriptor is owned, and stays the same while it is registered.
    let registered = unsafe { AsyncFd::register(fd) };
    Ok(Arc::new(registered.map_err(io::Error::from)?))
}

impl ReadHalf {
    /// Whether it is a TCP socket.
    pub(super) fn is_tcp(&self) -> bool {
        self.kind.is_tcp()
    }

    /// Gives the data that waits to be read as much room.
    pub(super) fn make_room(&self, room: Room) {
        make_room(self.fd.get_ref(), self.kind, SocketBuffer::Receive, room);
    }

    /// Whether the peer of a socket has ended its direction: nothing comes but what is here.
    pub(super) fn has_ended(&self) -> bool {
        let mut fds = [PollFd::new(self.fd.get_ref(), PollFlags::RDHUP)];
        self.kind != Kind::Pipe
            && poll(&mut fds, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
    }

    /// The same, and everything has been read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.has_ended() && ioctl_fionread(self.fd.get_ref()).is_ok_and(|bytes| bytes == 0)
    }

    /// Calls `read` whenever there may be something to read, until it does not return "would block".
    pub(super) async fn when_readable<T>(
        &self,
        read: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        self.fd.async_io(Interest::READABLE, read).await
    }

    /// Reads everything to the end, and keeps nothing.
    pub(super) async fn discard(self) {
        let mut bytes = [0; 4096];
        let mut read = |from: &OwnedFd| Ok(rustix::io::read(from, &mut bytes)?);
        while let Ok(1..) = self.when_readable(&mut read).await {
            // A server that sends without end must not keep other tasks and timers from their turn.
            tokio::task::yield_now().await;
        }
    }
}

impl WriteHalf {
    /// Calls `write` whenever there may be room, until it does not return "would block".
    pub(super) async fn when_writable<T>(
        &self,
        write: impl FnMut(&OwnedFd) -> io::Result<T>,
    ) -> io::Result<T> {
        self.fd.async_io(Interest::WRITABLE, write).await
    }

    /// Whether it is a TCP socket.
    pub(super) fn is_tcp(&self) -> bool {
        self.kind.is_tcp()
    }

    /// Gives the data that waits to be taken as much room.
    pub(super) fn make_room(&self, room: Room) {
        make_room(self.fd.get_ref(), self.kind, SocketBuffer::Send, room);
    }

    /// Ends this direction: no more bytes will come.
    pub(super) fn finish(&self) -> io::Result<()> {
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
    pub(super) fn hold_open(&self) -> HeldOpen {
        Arc::clone(&self.fd)
    }

    /// The TCP socket, if it is one.
    pub(super) fn socket(&self) -> Option<Socket> {
        self.is_tcp().then(|| Socket(Arc::clone(&self.fd)))
    }
}

/// A TCP socket with both directions in use.
pub(super) struct Socket(Arc<AsyncFd<OwnedFd>>);

impl Socket {
    /// Makes close(2) send a reset instead of a FIN, so that the peer does not take a part of the
    /// data for all of it.
    pub(super) fn reset_on_close(&self) {
        // A connection that has ended already has nothing to reset.
        let _ = set_socket_linger(self.0.get_ref(), Some(Duration::ZERO));
    }

    /// Has the kernel reset the connection when this process exits: an observer then sees that the
    /// forwarder ended first.
    pub(super) fn reset_at_exit(self) {
        self.reset_on_close();
        std::mem::forget(self);
    }

    /// Waits a moment until the peer has taken everything, since a close that resets the connection
    /// drops the rest.
    pub(super) async fn flushed(&self) {
        let deadline = Instant::now() + UNSENT_TIMEOUT;
        while tcp::info(self).is_ok_and(|info| info.has_unsent) && Instant::now() < deadline {
            sleep(UNSENT_POLL_INTERVAL).await;
        }
    }

    /// Waits until the connection has failed, for example because the peer has reset it. Also
    /// returns while nobody reads or writes, and leaves the error to whoever does.
    pub(super) async fn failed(&self) {
        // An error means that the runtime shuts down.
        let _ = self.0.ready(Interest::ERROR).await;
    }

    /// The error of a connection that has failed. A socket reports it once.
    pub(super) fn error(&self) -> io::Error {
        match socket_error(self.0.get_ref()) {
            Ok(Err(errno)) => errno.into(),
            _ => Errno::CONNRESET.into(),
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.get_ref().as_fd()
    }
}
