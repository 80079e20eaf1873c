//! The pipe that splice(2) needs between two file descriptors. It grows with the stream, within a
//! limit for all connections.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::pipe::{PipeFlags, pipe_with};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::host::pipe_size;

/// The sizes of a pipe, in KiB. The last one is the most that an unprivileged user gets by default
/// (/proc/sys/fs/pipe-max-size).
const SIZES_KIB: [u32; 4] = [16, 64, 256, 1024];

/// KiB for the two pipes of a connection when it starts.
pub(super) const CONNECTION_KIB: u32 = 2 * SIZES_KIB[0];

/// The room for the pipes of all connections.
#[derive(Debug)]
pub(super) struct PipeBudget {
    /// One permit for each KiB by which pipes may still grow.
    growth: Arc<Semaphore>,
}

impl PipeBudget {
    /// A limit of so many KiB for so many connections.
    pub(super) fn new(max_kib: u32, max_connections: u32) -> Self {
        let growth = max_kib.saturating_sub(CONNECTION_KIB.saturating_mul(max_connections));
        let growth = usize::try_from(growth).unwrap_or(Semaphore::MAX_PERMITS);
        Self { growth: Arc::new(Semaphore::new(growth.min(Semaphore::MAX_PERMITS))) }
    }

    /// Makes a pipe of the smallest size. An error when too many files are open.
    pub(super) fn pipe(&self) -> io::Result<Pipe> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let [first, next @ ..] = &SIZES_KIB;
        // If the kernel refuses, the pipe keeps its 64 KiB, and is used as if it were smaller.
        let _ = pipe_size::set(&inlet, bytes(*first));
        let growth = Arc::clone(&self.growth);
        Ok(Pipe { outlet, inlet, size_kib: *first, next, growth, grown: None })
    }
}

/// A pipe.
#[derive(Debug)]
pub(super) struct Pipe {
    outlet: OwnedFd,
    inlet: OwnedFd,
    size_kib: u32,
    /// The sizes that it may still grow to.
    next: &'static [u32],
    growth: Arc<Semaphore>,
    /// What it has grown by.
    grown: Option<OwnedSemaphorePermit>,
}

impl Pipe {
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
        bytes(self.size_kib)
    }

    /// Notes that so many bytes were there at once. A stream that fills a good part of the pipe
    /// gets a larger one, if there is room. (A pipe is full when it holds one piece of data for each
    /// of its pages, and pieces from a network are smaller than a page.)
    pub(super) fn filled(&mut self, held: usize) {
        let [next, rest @ ..] = self.next else { return };
        if held < self.size() / 4 {
            return;
        }
        let growth = Arc::clone(&self.growth);
        let Ok(permit) = growth.try_acquire_many_owned(next - self.size_kib) else { return };
        self.next = rest;
        // The kernel may refuse (pipe(7), /proc/sys/fs/pipe-max-size). Then it stays so.
        if pipe_size::set(&self.inlet, bytes(*next)).is_err() {
            self.next = &[];
            return;
        }
        self.size_kib = *next;
        match &mut self.grown {
            Some(grown) => grown.merge(permit),
            none => *none = Some(permit),
        }
    }
}

fn bytes(kib: u32) -> usize {
    usize::try_from(kib).unwrap_or(usize::MAX).saturating_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_grows_with_its_stream_and_gives_back_what_it_took() {
        let budget = PipeBudget::new(2 * CONNECTION_KIB + 48 + 192, 2);
        let mut pipe = budget.pipe().unwrap();
        pipe.filled(100);
        assert_eq!(pipe.size(), 16 * 1024, "little data");
        for kib in [64, 256, 256] {
            pipe.filled(pipe.size());
            assert_eq!(pipe.size(), kib * 1024, "the limit allows 256 KiB");
        }
        let mut other = budget.pipe().unwrap();
        other.filled(other.size());
        assert_eq!(other.size(), 16 * 1024, "nothing is left");
        drop(pipe);
        other.filled(other.size());
        assert_eq!(other.size(), 64 * 1024);
    }
}
