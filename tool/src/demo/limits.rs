//! How much the demo forwards.

use crate::forward::Limits;

/// Enough for a browser, which opens several connections.
pub(super) const LIMITS: Limits =
    Limits { max_connections: 64, max_buffer_kib: 128 * 1024, is_watched: true };
