//! Reads urgent data (`MSG_OOB`) and the bytes behind it, at which splice(2) stops.
//!
//! splice(2) stops before a byte of urgent data until somebody reads past it (`tcp_read_sock`,
//! net/ipv4/tcp.c). Then it returns "would block" although data is there, and 0 after the peer's
//! end although data is unread. recv(2) reads on.
//!
//! Sockets have `SO_OOBINLINE`: an urgent byte then stays in its place in the stream, is readable by
//! itself, and is not dropped when another one follows (`tcp_check_urg`, net/ipv4/tcp_input.c).

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};

use rustix::io::write;
use rustix::net::{RecvFlags, recv};

/// How much is read at once. A pipe that is empty takes so much in one write (`PIPE_BUF`).
const READ_SIZE: usize = 4096;

/// include/uapi/asm-generic/sockios.h
const SIOCATMARK: libc::Ioctl = 0x8905;

/// What was taken from a socket.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// So many bytes are in the pipe.
    Bytes(usize),
    /// The next byte of the stream, which is urgent.
    Urgent(u8),
    /// The peer has ended this direction, and nothing is unread.
    End,
}

/// Takes what recv(2) finds, after splice(2) has found nothing. The pipe is empty.
pub(super) fn take(socket: &OwnedFd, pipe: &OwnedFd) -> io::Result<Taken> {
    let is_urgent = is_at_mark(socket)?;
    let mut data = [0; READ_SIZE];
    let most = if is_urgent { 1 } else { READ_SIZE };
    let room = data.get_mut(..most).unwrap_or_default();
    let (read, _) = recv(socket, room, RecvFlags::DONTWAIT)?;
    match data.get(..read).unwrap_or_default() {
        [] => Ok(Taken::End),
        [byte, ..] if is_urgent => Ok(Taken::Urgent(*byte)),
        bytes => Ok(Taken::Bytes(write(pipe, bytes)?)),
    }
}

/// Whether the next byte is an urgent one (sockatmark(3)).
fn is_at_mark(socket: &OwnedFd) -> io::Result<bool> {
    let mut is_at_mark: libc::c_int = 0;
    // SAFETY: the call writes an integer.
    let done = unsafe { libc::ioctl(socket.as_raw_fd(), SIOCATMARK, &raw mut is_at_mark) };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(is_at_mark != 0) }
}
