//! Both directions of a connection.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::ioctl_fionbio;
use tokio::io::unix::AsyncFd;
use tokio::net::{TcpStream, UnixStream};

use super::buffers::limit_buffers;
use super::kind::Kind;
use super::read_half::ReadHalf;
use super::write_half::WriteHalf;
use crate::forward::room::ROOMS;

/// Both directions of a connection.
pub(in crate::forward) struct Duplex {
    /// Bytes from the other side.
    pub(in crate::forward) from: ReadHalf,
    /// Bytes to the other side.
    pub(in crate::forward) to: WriteHalf,
}

impl Duplex {
    /// The two directions of a client's socket.
    pub(in crate::forward) fn of_client(stream: TcpStream) -> io::Result<Self> {
        Self::of_socket(stream, Kind::Client)
    }

    /// The two directions of a socket inside the target's network namespace.
    pub(in crate::forward) fn of_target(stream: TcpStream) -> io::Result<Self> {
        limit_buffers(&stream);
        Self::of_socket(stream, Kind::Target)
    }

    /// The two directions of a stream of an endpoint's client.
    pub(in crate::forward) fn of_stream(stream: UnixStream) -> io::Result<Self> {
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
    pub(in crate::forward) fn of_pipes(stdout: OwnedFd, stdin: OwnedFd) -> io::Result<Self> {
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

fn register(fd: OwnedFd) -> io::Result<Arc<AsyncFd<OwnedFd>>> {
    // SAFETY: the descriptor is owned, and stays the same while it is registered.
    let registered = unsafe { AsyncFd::register(fd) };
    Ok(Arc::new(registered.map_err(io::Error::from)?))
}
