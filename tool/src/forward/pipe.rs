//! The pipe that splice(2) needs between two file descriptors. It grows with the stream.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, pipe_with};
use tokio::sync::OwnedSemaphorePermit;

use super::budget::Budget;
use super::room::{ROOMS, Room};
use crate::host::pipe_size;
use crate::host::socket_buffer::SocketBuffer;

/// A direction grows once it has moved so many times what it holds: then the other side takes the data, and
/// the buffers do not just fill up.
const PROVEN: usize = 4;

/// In no more time than this. A slow stream needs no larger buffers.
const PROVEN_WITHIN: Duration = Duration::from_secs(10);

/// A pipe, and how much its direction may hold.
#[derive(Debug)]
pub(super) struct Pipe {
    outlet: OwnedFd,
    inlet: OwnedFd,
    room: Room,
    /// What it may still grow to.
    next: &'static [Room],
    /// The buffer of the client's socket in this direction.
    client: SocketBuffer,
    budget: Budget,
    /// What it has grown by.
    grown: Option<OwnedSemaphorePermit>,
    /// Bytes that were moved since then.
    moved: usize,
    since: Instant,
}

impl Pipe {
    /// Makes a pipe of the smallest size. An error when too many files are open.
    pub(super) fn new(budget: &Budget, client: SocketBuffer) -> io::Result<Self> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let [room, next @ ..] = &ROOMS;
        // If the kernel refuses, the pipe keeps its 64 KiB, and is used as if it were smaller.
        let _ = pipe_size::set(&inlet, bytes(room.pipe_kib));
        Ok(Self {
            outlet,
            inlet,
            room: *room,
            next,
            client,
            budget: budget.clone(),
            grown: None,
            moved: 0,
            since: Instant::now(),
        })
    }

    /// Where bytes come out.
    pub(super) fn outlet(&self) -> &OwnedFd {
        &self.outlet
    }

    /// Where bytes go in.
    pub(super) fn inlet(&self) -> &OwnedFd {
        &self.inlet
    }

    /// How many bytes it takes at once.
    pub(super) fn size(&self) -> usize {
        bytes(self.room.pipe_kib)
    }

    /// Notes that so many bytes went through. Returns the sizes of the other buffers if the direction has grown.
    pub(super) fn moved(&mut self, count: usize) -> Option<Room> {
        let [next, rest @ ..] = self.next else { return None };
        self.moved = self.moved.saturating_add(count);
        if self.moved < PROVEN * bytes(self.room.kib(self.client)) {
            return None;
        }
        let is_fast = self.since.elapsed() <= PROVEN_WITHIN;
        (self.moved, self.since) = (0, Instant::now());
        if !is_fast {
            return None;
        }
        let more_kib = next.kib(self.client).saturating_sub(self.room.kib(self.client));
        let permit = self.budget.take(more_kib)?;
        // The kernel may refuse (pipe(7), /proc/sys/fs/pipe-max-size). Then everything stays so.
        if pipe_size::set(&self.inlet, bytes(next.pipe_kib)).is_err() {
            self.next = &[];
            return None;
        }
        (self.room, self.next) = (*next, rest);
        match &mut self.grown {
            Some(grown) => grown.merge(permit),
            none => *none = Some(permit),
        }
        Some(self.room)
    }
}

fn bytes(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forward::room::CONNECTION_KIB;

    const CLIENT: SocketBuffer = SocketBuffer::Send;

    /// Moves what it takes for the pipe to grow.
    fn stream(pipe: &mut Pipe) -> usize {
        pipe.moved(PROVEN * bytes(pipe.room.kib(CLIENT)));
        pipe.size() / 1024
    }

    #[test]
    fn a_pipe_grows_with_its_stream_and_gives_back_what_it_took() {
        let [first, second, third, _] = ROOMS.map(|room| room.kib(CLIENT));
        let budget = Budget::new(2 * CONNECTION_KIB + third - first, 2);
        let mut pipe = Pipe::new(&budget, CLIENT).unwrap();
        assert_eq!(pipe.moved(bytes(first)), None, "that much may just fill the buffers");
        for kib in [64, 256, 256] {
            assert_eq!(stream(&mut pipe), kib, "the limit allows the third size");
        }
        let mut other = Pipe::new(&budget, CLIENT).unwrap();
        assert_eq!(stream(&mut other), 16, "nothing is left");
        drop(pipe);
        assert_eq!(stream(&mut other), 64);
        assert!(budget.take(third - second).is_some());
    }

    #[test]
    fn a_slow_stream_does_not_grow() {
        let budget = Budget::new(1_000_000, 2);
        let mut pipe = Pipe::new(&budget, CLIENT).unwrap();
        pipe.since -= 2 * PROVEN_WITHIN;
        assert_eq!(stream(&mut pipe), 16);
        assert_eq!(stream(&mut pipe), 64, "it is fast now");
    }
}
