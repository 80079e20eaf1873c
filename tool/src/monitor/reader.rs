//! The reader thread. It only moves events from the ring buffers to the inbox.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::{Builder, JoinHandle};

use tokio::runtime;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::inbox::{Batch, Inbox};
use crate::host::{privileges, slice};
use crate::model::{Event, Losses};
use crate::probe::{ProbeError, RingReader, Rings};

/// The running thread. Dropping it ends the thread.
pub(super) struct Reader {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and its owner share.
#[derive(Default)]
struct Shared {
    inbox: Inbox,
    /// Asks for a batch now, even an empty one: its horizon is news.
    poll: Notify,
    /// Asks the thread to read what is left and to end.
    drain: CancellationToken,
}

impl Reader {
    /// Starts the thread; when this returns, it reads.
    pub(super) fn start(rings: Rings) -> Result<Self, ProbeError> {
        let shared = Arc::new(Shared::default());
        let (opened, result) = sync_channel(1);
        let of_thread = Arc::clone(&shared);
        let thread = Builder::new().name("reader".to_owned()).spawn(move || {
            // A record must not wait until the traced process has used its slice.
            slice::shorten();
            privileges::settle_thread();
            let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(opened.send(Err(ProbeError::Wait(error)))),
            };
            runtime.block_on(async {
                match RingReader::open(rings) {
                    Ok(rings) => {
                        // The starter waits for this.
                        let _ = opened.send(Ok(()));
                        of_thread.read(rings).await;
                    }
                    Err(error) => drop(opened.send(Err(error))),
                }
            });
        });
        let thread = Some(thread.map_err(ProbeError::Wait)?);
        let reader = Self { shared, thread };
        let ended = |_| ProbeError::Wait(std::io::ErrorKind::UnexpectedEof.into());
        result.recv().map_err(ended)??;
        Ok(reader)
    }

    /// Waits until there is something to take. Cancel safe.
    pub(super) async fn news(&self) {
        self.shared.inbox.news().await;
    }

    /// Takes what was read, without waiting.
    pub(super) fn take(&self) -> Batch {
        self.shared.inbox.take()
    }

    /// Has the thread read at once, so that a batch comes with a horizon of now or later.
    pub(super) fn poll(&self) {
        self.shared.poll.notify_one();
    }

    /// Has the thread read what is left; its last batch then says so.
    pub(super) fn drain(&self) {
        self.shared.drain.cancel();
    }

    /// Reads what is left, and ends the thread. Returns the events that were not taken, and
    /// what could not be kept since the start.
    pub(super) fn finish(mut self) -> (Vec<Event>, Losses) {
        self.drain();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let mut events = Vec::new();
        loop {
            let batch = self.take();
            events.extend(batch.events);
            if batch.is_last {
                return (events, self.losses());
            }
        }
    }

    /// Events that were read and could not be kept, since the start.
    pub(super) fn losses(&self) -> Losses {
        self.shared.inbox.losses()
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.drain();
        // The thread never waits for anything but records, so this takes moments.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    async fn read(&self, mut rings: RingReader) {
        let mut events = Vec::new();
        loop {
            let horizon_ns = tokio::select! {
                read = rings.read(&mut events) => match read {
                    Ok(horizon_ns) => horizon_ns,
                    Err(error) => {
                        log::warn!("{:#}", anyhow::Error::from(error));
                        break;
                    }
                },
                () = self.poll.notified() => rings.read_ready(&mut events),
                () = self.drain.cancelled() => break,
            };
            self.inbox.push(&mut events, horizon_ns, rings.undecodable());
        }
        loop {
            let before = events.len();
            let horizon_ns = rings.read_ready(&mut events);
            let is_empty = events.len() == before;
            self.inbox.push(&mut events, horizon_ns, rings.undecodable());
            if is_empty {
                break;
            }
        }
        self.inbox.close();
    }
}
