//! When a command ends: a signal, the time it was given, or nobody reading any more.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// SIGINT, SIGTERM, SIGHUP, and an optional end of time.
pub(super) struct Stop {
    signals: [Signal; 3],
    deadline: Option<Instant>,
}

impl Stop {
    /// From here on the signals no longer end the process by themselves.
    pub(super) fn new(duration: Option<Duration>) -> io::Result<Self> {
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        // A duration beyond what the clock can hold is for ever.
        let deadline = duration.and_then(|duration| Instant::now().checked_add(duration));
        Ok(Self { signals, deadline })
    }

    /// Waits for the end.
    pub(super) async fn wait(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.signals;
        let deadline = self.deadline;
        let time_is_up = async move {
            match deadline {
                Some(deadline) => sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
            () = time_is_up => {}
        }
    }
}
