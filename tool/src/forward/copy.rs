//! Copies one direction of a connection. splice(2) moves the bytes from one file descriptor to the
//! other inside the kernel; only what splice(2) cannot pass takes another way.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::{SendFlags, send};
use rustix::pipe::{SpliceFlags, splice};

use super::count::Count;
use super::pipe::Pipe;
use super::stream::{ReadHalf, WriteHalf};
use super::urgent::{self, Taken};

/// The side that failed.
#[derive(Debug)]
pub(super) enum CopyError {
    /// Where the bytes come from.
    Read(io::Error),
    /// Where they go.
    Write(io::Error),
}

/// Copies everything from one side to the other, and counts the bytes that arrive. The caller then
/// ends the direction. Once `enough` is ready, the copy ends when there is nothing to read.
///
/// A byte of urgent data stays urgent where it goes to a TCP socket. A helper's pipe and a client's
/// stream have no urgent data, so the byte is dropped there, as socat drops it: a server that reads its
/// stream without asking for urgent data does not see that byte either (tcp(7), `SO_OOBINLINE`).
pub(super) async fn copy(
    from: &ReadHalf,
    to: &WriteHalf,
    mut pipe: Pipe,
    count: &Count,
    enough: impl Future<Output = ()>,
) -> Result<(), CopyError> {
    tokio::pin!(enough);
    loop {
        let filled = tokio::select! {
            // Bytes that are ready come first.
            biased;
            filled = fill(from, &pipe) => filled,
            () = &mut enough => return Ok(()),
        };
        match filled.map_err(CopyError::Read)? {
            Taken::Bytes(bytes) => {
                let what_follows = what_follows(from, to);
                drain(&pipe, bytes, to, count, what_follows).await.map_err(CopyError::Write)?;
                if let Some(room) = pipe.moved(bytes) {
                    from.make_room(room);
                    to.make_room(room);
                }
            }
            Taken::Urgent(byte) if to.is_tcp() => {
                send_urgent(byte, to).await.map_err(CopyError::Write)?;
                count.add(1);
            }
            Taken::Urgent(_) => {}
            Taken::End => return Ok(()),
        }
    }
}

/// Waits for data and takes it into the pipe.
async fn fill(from: &ReadHalf, pipe: &Pipe) -> io::Result<Taken> {
    let is_tcp = from.is_tcp();
    let read =
        |from: &OwnedFd| match move_bytes(from, pipe.inlet(), pipe.size(), SpliceFlags::empty()) {
            Ok(bytes @ 1..) => Ok(Taken::Bytes(bytes)),
            // splice(2) says that there is nothing, and cannot see what is behind urgent data.
            Ok(_) | Err(Errno::AGAIN) if is_tcp => urgent::take(from, pipe.inlet()),
            Ok(_) => Ok(Taken::End),
            Err(errno) => Err(errno.into()),
        };
    from.when_readable(read).await
}

async fn send_urgent(byte: u8, to: &WriteHalf) -> io::Result<()> {
    let write = |to: &OwnedFd| Ok(send(to, &[byte], SendFlags::OOB | SendFlags::NOSIGNAL)?);
    to.when_writable(write).await.map(drop)
}

/// What splice(2) is to know about what follows. When the source has ended, the end follows at once,
/// and the kernel sends it together with the last bytes. Otherwise a server that closes its socket as
/// soon as it has those bytes could reset the connection before the end arrives.
fn what_follows(from: &ReadHalf, to: &WriteHalf) -> SpliceFlags {
    if to.is_tcp() && from.has_ended() { SpliceFlags::MORE } else { SpliceFlags::empty() }
}

/// Empties the pipe before it is filled again, so that "would block" in [`fill`] always means the
/// source.
async fn drain(
    pipe: &Pipe,
    mut held: usize,
    to: &WriteHalf,
    count: &Count,
    what_follows: SpliceFlags,
) -> io::Result<()> {
    while held > 0 {
        let write = |to: &OwnedFd| Ok(move_bytes(pipe.outlet(), to, held, what_follows)?);
        let drained = to.when_writable(write).await?;
        held -= drained;
        count.add(drained as u64);
    }
    Ok(())
}

fn move_bytes(
    from: &OwnedFd,
    to: &OwnedFd,
    most: usize,
    what_follows: SpliceFlags,
) -> rustix::io::Result<usize> {
    let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE | what_follows;
    splice(from, None, to, None, most, flags)
}
