//! Waiting for the reader of stdout or stderr, but not beyond the end of the command.

use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, fstat};
use rustix::io::Errno;
use rustix::net::{SendFlags, send};

use crate::host::shutdown;

/// How long the reader may take for the rest, once the command is to end.
const REST_TIMEOUT: Duration = Duration::from_millis(500);

/// How often a writer that waits for the reader checks whether the command is to end.
const CHECK_INTERVAL: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// `PIPE_BUF` (include/uapi/linux/limits.h): a pipe that polls as writable takes so much at once
/// (`pipe_poll`, fs/pipe.c).
const PIPE_BUF: usize = 4096;

/// What a file descriptor leads to.
pub(super) fn kind(file: impl AsFd) -> FileType {
    fstat(file).map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode))
}

/// Waits for a reader while it writes.
#[derive(Default)]
pub(super) struct ReadyWriter {
    /// When a write first had to wait although the command was to end.
    overdue_since: Option<Instant>,
    gave_up: bool,
}

impl ReadyWriter {
    /// Writes once, and waits for the reader if necessary. `TimedOut` once the command is to end and
    /// nobody reads. Waits also if the file does not block: another program may have made it so,
    /// since all that share it share the flag.
    pub(super) fn write(&mut self, out: &impl AsFd, bytes: &[u8]) -> io::Result<usize> {
        while self.wait(out)? {
            match write_ready(out, bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => return Ok(count),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        self.gave_up = true;
        Err(io::ErrorKind::TimedOut.into())
    }

    /// Whether a write has timed out.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    /// Waits until the file takes something. False once the time of the command is up.
    fn wait(&mut self, out: &impl AsFd) -> io::Result<bool> {
        while !self.gave_up {
            match poll(&mut [PollFd::new(out, PollFlags::OUT)], Some(&CHECK_INTERVAL)) {
                Ok(0) | Err(Errno::INTR) => {}
                // An error too: the write reports it.
                Ok(_) => return Ok(true),
                Err(errno) => return Err(errno.into()),
            }
            if shutdown::is_due() {
                let since = *self.overdue_since.get_or_insert_with(Instant::now);
                if since.elapsed() >= REST_TIMEOUT {
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }
}

/// Writes as much as the file takes without blocking.
fn write_ready(out: &impl AsFd, bytes: &[u8]) -> Result<usize, Errno> {
    match kind(out) {
        FileType::Fifo | FileType::CharacterDevice => {
            rustix::io::write(out, &bytes[..chunk(bytes)])
        }
        FileType::Socket => send(out, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL),
        _ => rustix::io::write(out, bytes),
    }
}

/// How much to write at once: whole lines if possible, so that the last line that is written is
/// complete.
fn chunk(bytes: &[u8]) -> usize {
    let most = &bytes[..bytes.len().min(PIPE_BUF)];
    most.iter().rposition(|&byte| byte == b'\n').map_or(most.len(), |end| end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_fits_into_a_pipe_and_ends_with_a_line_if_possible() {
        assert_eq!(chunk(b"a\nb\nc"), 4);
        assert_eq!(chunk(b"abc"), 3);
        let long = [&[b'x'; PIPE_BUF][..], b"\n"].concat();
        assert_eq!(chunk(&long), PIPE_BUF);
    }
}
