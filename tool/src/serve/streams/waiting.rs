//! Frames that wait to be written.

use std::mem;

/// Frames, one after the other.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) bytes: Vec<u8>,
    /// How many pieces of data there are.
    pub(super) pieces: usize,
    /// How many frames without data took room.
    pub(super) controls: usize,
}

/// Frames that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) frames: Frames,
    /// Frames are being written.
    is_writing: bool,
    /// Nothing more comes.
    pub(super) is_closed: bool,
    /// Something was written since the last look.
    was_used: bool,
}

impl Waiting {
    /// Takes all frames, in exchange for an empty buffer. `None` if there are none yet; no bytes if none
    /// come any more.
    pub(super) fn swap(&mut self, empty: &mut Vec<u8>) -> Option<Frames> {
        self.is_writing = !self.frames.bytes.is_empty();
        self.was_used |= self.is_writing;
        if !self.is_writing && !self.is_closed {
            return None;
        }
        let next = Frames { bytes: mem::take(empty), pieces: 0, controls: 0 };
        Some(mem::replace(&mut self.frames, next))
    }

    /// Nothing waits, and nothing is being written.
    pub(super) fn is_empty(&self) -> bool {
        self.frames.bytes.is_empty() && !self.is_writing
    }

    pub(super) fn was_used(&mut self) -> bool {
        mem::take(&mut self.was_used)
    }

    /// Gives memory back.
    pub(super) fn shrink(&mut self) {
        if self.frames.bytes.is_empty() {
            self.frames.bytes = Vec::new();
        }
    }
}
