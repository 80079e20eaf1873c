//! What a client sends.

use super::headers::Headers;

/// What a client sends.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The client opens a stream.
    Open {
        /// The stream's number.
        stream: u32,
        /// The stream's headers.
        headers: Headers,
        /// The client sends nothing on it.
        is_last: bool,
    },
    /// A part of what a data frame carries. It may be empty only if it is the last.
    Data {
        /// The stream's number.
        stream: u32,
        /// The bytes, as far as they have come.
        bytes: &'a [u8],
        /// The client sends nothing more on the stream.
        is_last: bool,
    },
    /// The client breaks a stream off.
    Reset {
        /// The stream's number.
        stream: u32,
    },
    /// A ping, or the answer to ours.
    Ping {
        /// The ping's number: odd if the client's.
        id: u32,
    },
    /// The client opens no more streams.
    GoAway,
}
