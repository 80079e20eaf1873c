//! Time limits of all transports.

use std::time::Duration;

/// How long a connection may be idle: the kubelet's `streamingConnectionIdleTimeout`. kubectl pings every
/// 5 s, older clients do not.
pub(super) const IDLE_TIMEOUT: Duration = Duration::from_hours(4);

/// How long the client may take to read what is left at the end.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
