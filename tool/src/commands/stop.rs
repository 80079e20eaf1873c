//! When a command ends: a signal, the time it was given, or nobody reading any more.

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::{Instant, sleep_until};

/// SIGINT, SIGTERM, SIGHUP, and an optional end of time.
pub(super) struct Stop {
    signals: [Signal; 3],
    deadline: Option<Instant>,
}

impl Stop {
    /// From here on the signals no longer end the process by themselves.
    pub(super) fn new() -> io::Result<Self> {
        end_at_once_by_a_second()?;
        let signals = [
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ];
        Ok(Self { signals, deadline: None })
    }

    /// The time runs from now on, if there is an end to it.
    pub(super) fn after(&mut self, duration: Option<Duration>) {
        // A duration beyond what the clock can hold is for ever.
        self.deadline = duration.and_then(|duration| Instant::now().checked_add(duration));
    }

    /// What comes of `work`, which may wait for others; `None` when the end comes first.
    pub(super) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            done = work => Some(done),
            () = self.wait() => None,
        }
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

/// A second signal ends the process at once: the first may find it in the middle of writing to a
/// pipe whose reader stands still. What it spawned dies with it.
fn end_at_once_by_a_second() -> io::Result<()> {
    let is_second = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: the first signal passes by the first line, and then arms it.
        flag::register_conditional_shutdown(signal, 0, Arc::clone(&is_second))?;
        flag::register(signal, Arc::clone(&is_second))?;
    }
    Ok(())
}
