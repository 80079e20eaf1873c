//! What the endpoint spends on its clients at most.

use std::time::Duration;

/// What the endpoint spends on its clients at most.
#[derive(Clone, Copy, Debug)]
pub struct EndpointLimits {
    /// Connections that have not shown the token. One more takes the place of the oldest, so that
    /// nobody without the token can lock out those who have it. Each takes up to 70 KiB.
    pub strangers: usize,
    /// How long a connection may take to show the token: the TLS handshake and the whole first
    /// request together.
    pub stranger_time: Duration,
    /// Connections that have shown the token, forwards among them. The next request is answered with
    /// `429 Too Many Requests`.
    pub clients: usize,
    /// How long a connection between two requests is kept, and how long a further request may take to
    /// arrive.
    pub idle_time: Duration,
    /// How long open connections may take to end once the endpoint ends.
    pub ending_time: Duration,
}

impl Default for EndpointLimits {
    fn default() -> Self {
        Self {
            strangers: 128,
            stranger_time: Duration::from_secs(15),
            clients: 512,
            // Go's HTTP client keeps idle connections for 90 s, and makes a new one where it has to.
            idle_time: Duration::from_secs(30),
            ending_time: Duration::from_secs(2),
        }
    }
}
