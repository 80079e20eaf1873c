//! Whether the agent works, for the probes of a kubelet.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::model::Update;
use crate::output::Sink;

/// How often the event loop shows that it turns.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// A loop that has not turned for this long is stuck. An attached monitor turns four times a second.
const STUCK_TIMEOUT: Duration = Duration::from_secs(10);

/// When the event loop and the monitor turned last. Shared between threads.
#[derive(Clone, Debug)]
pub struct Health {
    start: Instant,
    turns: Arc<Turns>,
}

/// Times in ms after the start; 0 for never.
#[derive(Debug, Default)]
struct Turns {
    of_loop: AtomicU64,
    of_monitor: AtomicU64,
}

impl Health {
    /// Nothing has turned yet.
    #[must_use]
    pub fn new() -> Self {
        Self { start: Instant::now(), turns: Arc::default() }
    }

    /// Notes once a second that this event loop turns. Await it in the event loop of the monitor.
    pub async fn beat(&self) -> ! {
        loop {
            self.note(&self.turns.of_loop);
            sleep(BEAT_INTERVAL).await;
        }
    }

    /// Whether the event loop turns.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.is_recent(&self.turns.of_loop)
    }

    /// Whether a monitor is attached and turns.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.is_recent(&self.turns.of_monitor)
    }

    fn note(&self, turn: &AtomicU64) {
        turn.store(self.now_ms(), Ordering::Relaxed);
    }

    fn is_recent(&self, turn: &AtomicU64) -> bool {
        let last_ms = turn.load(Ordering::Relaxed);
        let since = Duration::from_millis(self.now_ms().saturating_sub(last_ms));
        last_ms > 0 && since < STUCK_TIMEOUT
    }

    /// At least 1.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_add(1)
    }
}

impl Default for Health {
    fn default() -> Self {
        Self::new()
    }
}

/// Notes each turn of the monitor.
pub struct HealthSink(pub Health);

impl Sink for HealthSink {
    fn update(&mut self, _update: &Update) -> io::Result<()> {
        Ok(())
    }

    /// The monitor flushes at each turn, also when nothing happens.
    fn flush(&mut self) -> io::Result<()> {
        self.0.note(&self.0.turns.of_monitor);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_turned_or_not_lately_is_not_healthy() {
        let health = Health::new();
        assert!(!health.is_alive() && !health.is_ready(), "nothing has turned");
        HealthSink(health.clone()).flush().unwrap();
        assert!(health.is_ready() && !health.is_alive());
        let later = Health { start: health.start.checked_sub(STUCK_TIMEOUT).unwrap(), ..health };
        assert!(!later.is_ready(), "not for {STUCK_TIMEOUT:?}");
    }
}
