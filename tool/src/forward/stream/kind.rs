//! What a direction leads through.

/// What a direction leads through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The client's socket.
    Client,
    /// A socket inside the target's network namespace.
    Target,
    /// A pipe of a helper.
    Pipe,
    /// A stream of an endpoint's client: one end of a pair of Unix sockets.
    Stream,
}

impl Kind {
    pub(super) fn is_tcp(self) -> bool {
        matches!(self, Self::Client | Self::Target)
    }
}
