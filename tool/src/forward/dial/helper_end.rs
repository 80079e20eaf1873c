//! Ends a helper whose connection has not ended by itself.

use std::time::Duration;

use rustix::process::{Signal, kill_process};
use tokio::time::timeout;

use super::helper::Helper;

/// How long a helper that has closed its stdout, or got a signal, may take to exit.
pub(super) const EXIT_TIMEOUT: Duration = Duration::from_secs(1);

impl Helper {
    /// Ends the helper as [`end`](Self::end) does, once the client's bytes have arrived at the server,
    /// and has the kernel reset its connection: the server must not mistake incomplete data for
    /// complete data. The helper's stdin must still be open.
    pub(in crate::forward) async fn reset(self, bytes_to_pod: u64) {
        if let Some(server) = self.server_now() {
            server.arrived(bytes_to_pod).await;
            server.reset_on_close();
        }
        self.end().await;
    }

    /// Ends the helper because the forward ends: has its connection reset, and sends SIGTERM, by
    /// which an observer tells this end from a client's reset.
    pub(in crate::forward) async fn stop(mut self) {
        if let Some(server) = self.server_now() {
            server.reset_on_close();
        }
        let terminated = self.raw_pid().is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        if terminated {
            // The kernel kills what is left.
            let _ = timeout(EXIT_TIMEOUT, self.child.wait()).await;
        }
        self.end().await;
    }
}
