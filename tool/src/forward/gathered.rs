//! The forwarder's events, many at a time.

use std::future::pending;
use std::time::Duration;

use tokio::sync::mpsc::Receiver;
use tokio::time::{Instant, sleep_until};

use super::event::ForwardEvent;
use super::forwarder::MAX_UNREAD;

/// How long further events may wait once some have come. Each connection has four, and to wake a thread for
/// each of them takes longer than to report it.
const PAUSE: Duration = Duration::from_millis(5);

/// The forwarder's events. The first one after a pause comes at once, and those that follow it together.
pub(super) struct Gathered<'a> {
    events: &'a mut Receiver<ForwardEvent>,
    /// Until then, events wait.
    next_at: Instant,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(events: &'a mut Receiver<ForwardEvent>) -> Self {
        Self { events, next_at: Instant::now() }
    }

    /// Waits for events. Cancel safe.
    pub(super) async fn next(&mut self) -> Vec<ForwardEvent> {
        // A timer takes a millisecond even if its time has come.
        if Instant::now() < self.next_at {
            sleep_until(self.next_at).await;
        }
        let mut events = Vec::new();
        if self.events.recv_many(&mut events, MAX_UNREAD).await == 0 {
            // The forwarder has ended.
            return pending().await;
        }
        self.next_at = Instant::now() + PAUSE;
        events
    }

    /// Those that have come, without waiting.
    pub(super) fn ready(&mut self) -> Vec<ForwardEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).take(MAX_UNREAD).collect()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;
    use tokio::time::timeout;

    use super::*;
    use crate::model::Trouble;

    fn event() -> ForwardEvent {
        let (address, error) = (([127, 0, 0, 1], 1).into(), String::new());
        ForwardEvent::Trouble(Trouble::CannotAccept { address, error })
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_event_comes_at_once_and_the_next_together() {
        let (sender, mut receiver) = mpsc::channel(8);
        let mut gathered = Gathered::new(&mut receiver);
        sender.send(event()).await.unwrap();
        let start = Instant::now();
        assert_eq!((gathered.next().await.len(), start.elapsed()), (1, Duration::ZERO));
        sender.send(event()).await.unwrap();
        assert!(timeout(PAUSE / 2, gathered.next()).await.is_err(), "it waits for more");
        sender.send(event()).await.unwrap();
        assert_eq!(gathered.next().await.len(), 2);
        assert!(start.elapsed() < 2 * PAUSE);
        sender.send(event()).await.unwrap();
        assert_eq!((gathered.ready().len(), gathered.ready().len()), (1, 0), "without a pause");
        tokio::time::sleep(PAUSE).await;
        let later = Instant::now();
        sender.send(event()).await.unwrap();
        assert_eq!((gathered.next().await.len(), later.elapsed()), (1, Duration::ZERO));
    }
}
