//! The limits of a forwarder.

use super::pipe::CONNECTION_KIB;

/// The limits of a forwarder.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections may be open at once.
    pub max_connections: u32,
    /// How much data the pipes of all connections may hold, in KiB.
    pub max_buffer_kib: u32,
    /// A monitor sees what the forwarder does.
    pub is_watched: bool,
}

impl Limits {
    /// Checks that each connection gets its share.
    pub fn check(self) -> Result<Self, TooSmall> {
        let needed_kib = u64::from(CONNECTION_KIB) * u64::from(self.max_connections);
        if u64::from(self.max_buffer_kib) < needed_kib {
            let Self { max_connections, max_buffer_kib, .. } = self;
            return Err(TooSmall { max_buffer_kib, max_connections, needed_kib });
        }
        Ok(self)
    }
}

/// The limit of the pipes does not suffice for the limit of connections.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "--max-buffer {max_buffer_kib}K is too small: {max_connections} connections need {needed_kib}K; \
     raise it, or lower --max-connections"
)]
pub struct TooSmall {
    max_buffer_kib: u32,
    max_connections: u32,
    needed_kib: u64,
}
