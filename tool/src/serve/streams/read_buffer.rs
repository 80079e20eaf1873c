//! What was read from a client and not decoded yet.

use std::io;

use bytes::BufMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// The least that is read at once, bytes.
const SMALLEST: usize = 4 * 1024;

/// The most that is read at once, bytes.
const LARGEST: usize = 64 * 1024;

/// After so many small reads in a row, the memory is given back. kubectl writes the head of a frame and
/// the data one after the other, so a few small reads mean nothing.
const SMALL_READS: u32 = 8;

/// What was read and not decoded yet: at most [`LARGEST`] bytes, and the longest frame that the decoder
/// takes as a whole.
#[derive(Debug)]
pub(super) struct ReadBuffer {
    bytes: Vec<u8>,
    at_once: usize,
    small_reads: u32,
}

impl ReadBuffer {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), at_once: SMALLEST, small_reads: 0 }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Reads more; 0 is the end. The future can be dropped without loss.
    pub(super) async fn fill(&mut self, from: &mut (impl AsyncRead + Unpin)) -> io::Result<usize> {
        self.bytes.reserve(self.at_once);
        let read = from.read_buf(&mut (&mut self.bytes).limit(self.at_once)).await?;
        self.adapt(read);
        Ok(read)
    }

    /// Drops what was decoded.
    pub(super) fn consume(&mut self, decoded: usize) {
        self.bytes.drain(..decoded.min(self.bytes.len()));
        if self.at_once == SMALLEST && self.bytes.capacity() > 2 * SMALLEST {
            self.bytes.shrink_to(SMALLEST);
        }
    }

    fn adapt(&mut self, read: usize) {
        let is_small = read <= SMALLEST / 2;
        self.small_reads = if is_small { self.small_reads + 1 } else { 0 };
        if read == self.at_once {
            self.at_once = (self.at_once * 4).min(LARGEST);
        } else if self.small_reads >= SMALL_READS {
            self.at_once = SMALLEST;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn memory_follows_the_stream() {
        let mut buffer = ReadBuffer::new();
        let mut bulk = tokio::io::repeat(1);
        for _ in 0..4 {
            let read = buffer.fill(&mut bulk).await.unwrap();
            buffer.consume(read);
        }
        assert_eq!(buffer.at_once, LARGEST);
        for _ in 0..SMALL_READS {
            let read = buffer.fill(&mut &b"ping"[..]).await.unwrap();
            buffer.consume(read);
        }
        assert!(buffer.bytes.capacity() <= 2 * SMALLEST, "{}", buffer.bytes.capacity());
    }
}
