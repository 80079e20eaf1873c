//! What a forwarder has not read yet.

use std::collections::VecDeque;
use std::io::{self, IoSlice};

use tokio::net::UnixStream;
use tokio::time::Instant;

/// What a forwarder has not read yet. It takes memory only while the forwarder is slow.
#[derive(Debug)]
pub(super) struct Backlog {
    bytes: VecDeque<u8>,
    /// When the backlog last began, or shrank.
    progress: Instant,
}

impl Backlog {
    pub(super) fn new() -> Self {
        Self { bytes: VecDeque::new(), progress: Instant::now() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        if self.bytes.is_empty() {
            self.progress = Instant::now();
        }
        self.bytes.extend(bytes);
    }

    /// Writes what the socket takes now. Returns how much that is.
    pub(super) fn write_to(&mut self, socket: &UnixStream) -> io::Result<usize> {
        let (first, second) = self.bytes.as_slices();
        let written = socket.try_write_vectored(&[IoSlice::new(first), IoSlice::new(second)])?;
        self.bytes.drain(..written);
        self.progress = Instant::now();
        if self.bytes.is_empty() {
            self.clear();
        }
        Ok(written)
    }

    /// Drops the bytes and their memory.
    pub(super) fn clear(&mut self) {
        self.bytes = VecDeque::new();
    }

    /// Since when the backlog has not shrunk. `None` if it is empty.
    pub(super) fn stalled_since(&self) -> Option<Instant> {
        (!self.is_empty()).then_some(self.progress)
    }
}
