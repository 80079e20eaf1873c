//! What a client does that SPDY or our limits forbid.

use super::limits::{MAX_HEADER_BLOCK, MAX_HEADERS, MAX_INFLATED};

/// What a client does that SPDY/3.1 or our limits forbid. It ends the session.
#[derive(Clone, Copy, Debug, thiserror::Error, PartialEq, Eq)]
pub enum SpdyError {
    /// A control frame of another version: most likely no SPDY at all.
    #[error("a frame has version {0} instead of 3")]
    Version(u16),
    /// The length of a frame does not fit its type.
    #[error("a frame of type {kind} has {length} bytes")]
    Length {
        /// The type of the frame (2.6).
        kind: u16,
        /// Its length without the head, bytes.
        length: u32,
    },
    /// A header block is longer than the limit.
    #[error("compressed headers of {0} bytes are above the limit of {MAX_HEADER_BLOCK}")]
    HeaderBlock(u32),
    /// A header block inflates to more than the limit.
    #[error("headers inflate to more than {MAX_INFLATED} bytes")]
    Inflated,
    /// A header block has more headers than the limit.
    #[error("{0} headers are above the limit of {MAX_HEADERS}")]
    Headers(u32),
    /// A header block is no part of the connection's zlib stream.
    #[error("headers cannot be inflated")]
    Zlib,
    /// The inflated headers contradict their lengths.
    #[error("headers contradict their lengths")]
    Malformed,
    /// A client's streams have odd numbers, each number once.
    #[error("a stream has the number {0}")]
    StreamId(u32),
}
