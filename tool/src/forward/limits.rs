//! The limits of a forwarder.

use super::room::CONNECTION_KIB;
use crate::host::limits::memory_kib;

/// Connections by default, if there is memory for so many.
const MAX_CONNECTIONS: u32 = 4096;

/// The part of the node's memory that the connections may take by default. The kernel limits all TCP
/// connections of the node to a little less (`tcp_init_mem`, net/ipv4/tcp.c).
const MEMORY_SHARE: u64 = 8;

/// By default, connections take this part of the limit when they start. The rest is for streams.
const START_SHARE: u32 = 2;

/// The limits of a forwarder.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many connections may be open at once.
    pub max_connections: u32,
    /// How much kernel memory the pipes and sockets of all connections may take, in KiB.
    pub max_buffer_kib: u32,
    /// A monitor sees what the forwarder does.
    pub is_watched: bool,
}

impl Limits {
    /// The limits that the user has set, and fitting ones for those that the user has not. An error if the
    /// memory does not suffice for the connections.
    pub fn new(
        max_connections: Option<u32>,
        max_buffer_kib: Option<u32>,
        is_watched: bool,
    ) -> Result<Self, TooSmall> {
        let share_kib = u32::try_from(memory_kib() / MEMORY_SHARE).unwrap_or(u32::MAX);
        let needed_kib = max_connections.unwrap_or(1).saturating_mul(CONNECTION_KIB);
        let given_kib =
            max_buffer_kib.unwrap_or_else(|| share_kib.max(needed_kib.saturating_mul(START_SHARE)));
        if given_kib < needed_kib {
            let max_connections = max_connections.unwrap_or(1);
            return Err(TooSmall { max_buffer_kib: given_kib, max_connections, needed_kib });
        }
        let fitting = (given_kib / START_SHARE / CONNECTION_KIB).clamp(1, MAX_CONNECTIONS);
        let max_connections = max_connections.unwrap_or(fitting);
        Ok(Self { max_connections, max_buffer_kib: given_kib, is_watched })
    }
}

/// The limit of memory does not suffice for the limit of connections.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "--max-buffer {max_buffer_kib}K is too small: {max_connections} connection{} {needed_kib}K; raise \
     it, or lower --max-connections",
    if *max_connections == 1 { " needs" } else { "s need" }
)]
pub struct TooSmall {
    max_buffer_kib: u32,
    max_connections: u32,
    needed_kib: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_fits_the_other() {
        let limits = |connections, kib| {
            let limits = Limits::new(connections, kib, true);
            limits.map(|it| (it.max_connections, it.max_buffer_kib))
        };
        let default = limits(None, None).unwrap();
        assert!(default.0 > 0 && default.0 <= MAX_CONNECTIONS, "{default:?}");
        assert!(u64::from(default.1) <= memory_kib() / MEMORY_SHARE, "{default:?}");
        assert_eq!(limits(None, Some(20 * CONNECTION_KIB)), Ok((10, 20 * CONNECTION_KIB)));
        assert_eq!(limits(None, Some(CONNECTION_KIB)), Ok((1, CONNECTION_KIB)));
        assert_eq!(limits(Some(2), Some(u32::MAX)), Ok((2, u32::MAX)));
        let many = limits(Some(1_000_000), None).unwrap();
        assert_eq!(many, (1_000_000, 2_000_000 * CONNECTION_KIB), "as the user wants");
        assert!(limits(Some(10), Some(9 * CONNECTION_KIB)).is_err());
        assert!(limits(None, Some(CONNECTION_KIB - 1)).is_err());
    }
}
