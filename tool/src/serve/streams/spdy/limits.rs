//! What a client may ask for.

use std::time::Duration;

/// The longest header block, before it is inflated, bytes. kubectl's have about 60.
pub(super) const MAX_HEADER_BLOCK: u32 = 16 * 1024;

/// The most that one header block inflates to, bytes. kubectl's have about 100.
pub(super) const MAX_INFLATED: usize = 64 * 1024;

/// The most headers of one stream. kubectl sends three.
pub(super) const MAX_HEADERS: u32 = 64;

/// Open streams of one client. A forwarded connection has two.
pub(super) const MAX_STREAMS: usize = 512;

/// The longest request id, bytes. kubectl's are small numbers.
pub(super) const MAX_REQUEST_ID: usize = 64;

/// How long one stream of a request waits for the other: the kubelet's
/// `DefaultStreamCreationTimeout` (k8s.io/kubelet/pkg/cri/streaming).
pub(super) const PAIR_TIMEOUT: Duration = Duration::from_secs(30);
