//! What a collector may send.

/// How much of an answer is read, bytes. It has a count and one message.
pub(super) const MAX_ANSWER: usize = 64 * 1024;
