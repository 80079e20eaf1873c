//! The two directions of a connection, whatever it is made of, moved by splice(2): bytes go from
//! one file descriptor to the other inside the kernel.

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

/// Bytes that a pipe in between may hold: what the kernel lets anybody have
/// (/proc/sys/fs/pipe-max-size).
const PIPE_SIZE: usize = 1024 * 1024;

/// A direction to read from.
pub(super) struct ReadHalf(Arc<AsyncFd<OwnedFd>>);

/// A direction to write to. Dropping it is no half-close of a socket, whose other direction may
/// still be open.
pub(super) struct WriteHalf {
    fd: Arc<AsyncFd<OwnedFd>>,
    is_socket: bool,
}

/// Both directions of a connection.
pub(super) struct Duplex {
    /// What the other side sends.
    pub(super) from: ReadHalf,
    /// What it is sent.
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
    /// Tells the other side that no more will come.
    pub(super) fn finish(&self) -> io::Result<()> {
        if !self.is_socket {
            // A pipe's end is its being closed, which dropping it is.
            return Ok(());
        }
        match shutdown(self.fd.get_ref(), Shutdown::Write) {
            // The other side was faster: it is gone, and need not be told.
            Err(Errno::NOTCONN) => Ok(()),
            result => result.map_err(Into::into),
        }
    }

    /// The socket, if it is one.
    pub(super) fn socket(&self) -> Option<Socket> {
        self.is_socket.then(|| Socket(Arc::clone(&self.fd)))
    }
}

/// A socket both of whose directions are in use.
pub(super) struct Socket(Arc<AsyncFd<OwnedFd>>);

impl Socket {
    /// Has it end with a reset instead of an end of data, for a peer that must not take what it got
    /// for everything.
    pub(super) fn reset_on_close(&self) {
        // One that is gone already has nothing to reset.
        let _ = set_socket_linger(self.0.get_ref(), Some(Duration::ZERO));
    }
}

/// Which side a direction broke on.
#[derive(Debug)]
pub(super) enum Broke {
    /// Where it comes from.
    Reading(io::Error),
    /// Where it goes.
    Writing(io::Error),
}

/// What a direction's bytes pass through: a pipe, since splice(2) needs one.
pub(super) struct Passage {
    outlet: OwnedFd,
    inlet: OwnedFd,
}

impl Passage {
    /// An error when too many files are open.
    pub(super) fn new() -> io::Result<Self> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // The kernel may refuse: then it is the usual 64 KiB.
        let _ = fcntl_setpipe_size(&inlet, PIPE_SIZE);
        Ok(Self { outlet, inlet })
    }
}

/// Carries everything from one side to the other, whose end is for the caller to tell; adds to
/// `carried` what has arrived there. Once `enough` is ready, nothing more is waited for.
pub(super) async fn carry(
    from: ReadHalf,
    to: &WriteHalf,
    Passage { outlet, inlet }: Passage,
    carried: &Count,
    enough: impl Future<Output = ()>,
) -> Result<(), Broke> {
    tokio::pin!(enough);
    loop {
        let fill = |from: &OwnedFd| move_bytes(from, &inlet, PIPE_SIZE);
        let filled = tokio::select! {
            // What is there comes first.
            biased;
            filled = from.0.async_io(Interest::READABLE, fill) => filled,
            () = &mut enough => Ok(0),
        };
        let mut held = filled.map_err(Broke::Reading)?;
        if held == 0 {
            return Ok(());
        }
        // Emptied before it is filled again: so "would block" above always means the source.
        while held > 0 {
            let drain = |to: &OwnedFd| move_bytes(&outlet, to, held);
            let drained =
                to.fd.async_io(Interest::WRITABLE, drain).await.map_err(Broke::Writing)?;
            held -= drained;
            carried.add(drained as u64);
        }
    }
}

fn move_bytes(from: &OwnedFd, to: &OwnedFd, most: usize) -> io::Result<usize> {
    Ok(splice(from, None, to, None, most, SpliceFlags::NONBLOCK | SpliceFlags::MOVE)?)
}
