//! The pair of Unix sockets between a client's stream and the forwarder, and its buffers.

use std::io;
use std::os::fd::AsFd;

use tokio::net::UnixStream;

use super::room::{ROOMS, Room};
use crate::host::socket_buffer::SocketBuffer;

/// Makes the two ends of a client's stream: one for whoever talks to the client, and one for the
/// forwarder.
///
/// What the client has sent and the target has not taken waits in the first end's send buffer, which is
/// limited to what the forwarder counts for a connection. Must be called within a tokio runtime.
pub fn stream_pair() -> io::Result<(UnixStream, UnixStream)> {
    let (client, forwarder) = UnixStream::pair()?;
    let [room, ..] = ROOMS;
    if let Some(kib) = room.limit_of(SocketBuffer::Receive, true) {
        SocketBuffer::Send.limit(&client, kib)?;
    }
    Ok((client, forwarder))
}

/// Sizes a buffer of the forwarder's end. Only the send buffer has a size: what has come counts as the
/// sender's (`sock_alloc_send_pskb`, net/core/sock.c). The kernel never resizes it by itself.
pub(super) fn limit_stream(end: impl AsFd, buffer: SocketBuffer, room: Room) -> io::Result<()> {
    match (buffer, room.limit_of(buffer, true)) {
        (SocketBuffer::Send, Some(kib)) => buffer.limit(end, kib),
        _ => Ok(()),
    }
}
