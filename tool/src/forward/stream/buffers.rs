//! The buffers of a direction.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use super::kind::Kind;
use crate::forward::room::{ROOMS, Room};
use crate::forward::stream_pair::limit_stream;
use crate::host::pipe_size;
use crate::host::socket_buffer::SocketBuffer;

/// Limits the buffers of a socket to what a connection starts with.
pub(in crate::forward) fn limit_buffers(socket: impl AsFd) {
    for buffer in [SocketBuffer::Receive, SocketBuffer::Send] {
        limit_buffer(buffer, &socket);
    }
}

/// Limits one of them.
pub(in crate::forward) fn limit_buffer(buffer: SocketBuffer, socket: impl AsFd) {
    let [room, ..] = ROOMS;
    if let Some(kib) = room.limit_of(buffer, false) {
        note(buffer.limit(socket, kib));
    }
}

/// Sizes the buffer of one direction.
pub(super) fn make_room(fd: &OwnedFd, kind: Kind, buffer: SocketBuffer, room: Room) {
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
