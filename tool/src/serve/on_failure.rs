//! What a client learns of a failure.

/// What a client learns when a port of a pod cannot be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The error, on the error stream. kubectl ends its whole session on any text there.
    Report,
    /// Only that this connection has ended.
    Keep,
}
