//! The two directions of a connection. A connection is a socket, or the two pipes of a helper.
//! splice(2) moves the bytes from one file descriptor to the other inside the kernel.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::io::{Errno, ioctl_fionbio};
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{Shutdown, shutdown};
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::net::TcpStream;

use super::count::Count;

/// Size of the pipe between the two sides, in bytes: the most that an unprivileged user gets by
/// default (/proc/sys/fs/pipe-max-size).
const PIPE_SIZE: usize = 1024 * 1024;

/// A direction to read from.
pub(super) struct ReadHalf(Arc<AsyncFd<OwnedFd>>);

/// A direction to write to. Dropping it does not half-close a socket: the other direction may still
/// be open.
pub(super) struct WriteHalf {
    fd: Arc<AsyncFd<OwnedFd>>,
    is_socket: bool,
}

/// Both directions of a connection.
pub(super) struct Duplex {
    /// Bytes from the other side.
    pub(super) from: ReadHalf,
    /// Bytes to the other side.
    pub(super) to: WriteHalf,
}

impl Duplex {
    /// A socket's two directions.
    pub(super) fn of_socket(stream: TcpStream) -> io::Result<Self> {
        let fd = register(stream.into_std()?.into())?;
        let from = ReadHalf(Arc::clone(&fd));
        Ok(Self { from, to: WriteHalf { fd, is_socket: true } })
    }

    /// A process's stdout and stdin.
    pub(super) fn of_pipes(stdout: OwnedFd, stdin: OwnedFd) -> io::Result<Self> {
        for pipe in [&stdout, &stdin] {
            ioctl_fionbio(pipe, true)?;
        }
        let to = WriteHalf { fd: register(stdin)?, is_socket: false };
        Ok(Self { from: ReadHalf(register(stdout)?), to })
    }
}

fn register(fd: OwnedFd) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
    // SAFETY: the descriptor is owned, and stays the same while it is registered.
    let registered = unsafe { AsyncFd::register(fd) };
    Ok(Arc::new(registered.map_err(io::Error::from)?))
}

impl WriteHalf {
    /// Ends this direction: no more bytes will come.
    pub(super) fn finish(&self) -> io::Result<()> {
        if !self.is_socket {
            // A pipe ends when it is closed, which dropping does.
            return Ok(());
        }
        match shutdown(self.fd.get_ref(), Shutdown::Write) {
            // The connection has ended already.
            Err(Errno::NOTCONN) => Ok(()),
            result => result.map_err(Into::into),
        }
    }

    /// The socket, if it is one.
    pub(super) fn socket(&self) -> Option<Socket> {
        self.is_socket.then(|| Socket(Arc::clone(&self.fd)))
    }
}

/// A socket with both directions in use.
pub(super) struct Socket(Arc<AsyncFd<OwnedFd>>);

impl Socket {
    /// Makes close(2) send a reset instead of a FIN, so that the peer does not take a part of
    /// the data for all of it.
    pub(super) fn reset_on_close(&self) {
        // A connection that has ended already has nothing to reset.
        let _ = set_socket_linger(self.0.get_ref(), Some(Duration::ZERO));
    }
}

/// The side that failed.
#[derive(Debug)]
pub(super) enum CopyError {
    /// Where the bytes come from.
    Read(io::Error),
    /// Where they go.
    Write(io::Error),
}

/// The pipe that splice(2) needs between two sockets.
pub(super) struct SplicePipe {
    outlet: OwnedFd,
    inlet: OwnedFd,
}

impl SplicePipe {
    /// Makes a pipe. An error when too many files are open.
    pub(super) fn new() -> io::Result<Self> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // If the kernel refuses, the pipe keeps its 64 KiB.
        let _ = fcntl_setpipe_size(&inlet, PIPE_SIZE);
        Ok(Self { outlet, inlet })
    }
}

/// Copies everything from one side to the other, and counts the bytes that arrive. The caller then
/// ends the direction. Once `enough` is ready, the copy ends when there is nothing to read.
pub(super) async fn copy(
    from: ReadHalf,
    to: &WriteHalf,
    SplicePipe { outlet, inlet }: SplicePipe,
    count: &Count,
    enough: impl Future<Output = ()>,
) -> Result<(), CopyError> {
    tokio::pin!(enough);
    loop {
        let fill = |from: &OwnedFd| move_bytes(from, &inlet, PIPE_SIZE);
        let filled = tokio::select! {
            // Bytes that are ready come first.
            biased;
            filled = from.0.async_io(Interest::READABLE, fill) => filled,
            () = &mut enough => Ok(0),
        };
        let mut held = filled.map_err(CopyError::Read)?;
        if held == 0 {
            return Ok(());
        }
        // The pipe is emptied before it is filled again, so that "would block" above always means
        // the source.
        while held > 0 {
            let drain = |to: &OwnedFd| move_bytes(&outlet, to, held);
            let drained =
                to.fd.async_io(Interest::WRITABLE, drain).await.map_err(CopyError::Write)?;
            held -= drained;
            count.add(drained as u64);
        }
    }
}

fn move_bytes(from: &OwnedFd, to: &OwnedFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, to, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE)?)
}
