//! The open data streams of one client.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::answer::Answer;
use super::data_stream::DataStream;
use super::error::StreamsError;
use super::inflow::Inflow;
use super::outbox::Outbox;
use super::pair_frames::PairFrames;
use super::pump::Pump;
use super::request::PortRequest;
use crate::forward::stream_pair;

/// No transport of port-forward has flow control, so a stream that is not read holds up the whole
/// connection once its backlog is full. If it is not read at all for so long, and other streams are open,
/// it is reset.
const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// While the connection is held up, a client that has vanished is noticed only when something is written
/// to it: a ping, so often.
const PROBE_INTERVAL: Duration = Duration::from_secs(15);

/// The open data streams of one client, each with a task that pumps it.
#[derive(Debug)]
pub(super) struct OpenStreams<F> {
    streams: HashMap<u32, Arc<DataStream>>,
    pumps: JoinSet<F>,
    finished: Vec<F>,
    inflow: Arc<Inflow>,
    outbox: Arc<Outbox>,
    requests: mpsc::Sender<PortRequest>,
    /// Cancelled at the end of the session; the parent of each stream's.
    gone: CancellationToken,
}

impl<F: PairFrames> OpenStreams<F> {
    pub(super) fn new(outbox: Arc<Outbox>, requests: mpsc::Sender<PortRequest>) -> Self {
        Self {
            streams: HashMap::new(),
            pumps: JoinSet::new(),
            finished: Vec::new(),
            inflow: Arc::default(),
            outbox,
            requests,
            gone: CancellationToken::new(),
        }
    }

    /// Opens a data stream. Returns the forwarder's end.
    pub(super) fn open(&mut self, id: u32) -> io::Result<UnixStream> {
        let (ours, forwarders) = stream_pair()?;
        let stream = DataStream::new(ours, self.gone.child_token(), Arc::clone(&self.inflow));
        self.streams.insert(id, Arc::new(stream));
        Ok(forwarders)
    }

    /// Asks for the port that an open data stream leads to. Waits while too many requests are untaken.
    pub(super) async fn request(
        &mut self,
        id: u32,
        forwarders: UnixStream,
        port: u16,
        frames: F,
    ) -> Result<(), StreamsError> {
        let Some(stream) = self.streams.get(&id).map(Arc::clone) else { return Ok(()) };
        let (answer, end) = Answer::new();
        let gone = stream.gone.clone();
        let request = PortRequest { port, stream: forwarders, gone, answer };
        self.requests.send(request).await.map_err(|_| StreamsError::NotServing)?;
        let pump = Pump::new(stream, frames, Arc::clone(&self.outbox), end);
        self.pumps.spawn(pump.run());
        Ok(())
    }

    pub(super) fn get(&self, id: u32) -> Option<&DataStream> {
        self.streams.get(&id).map(Arc::as_ref)
    }

    /// Forgets a stream that has no request yet, or none any more.
    pub(super) fn remove(&mut self, id: u32) {
        self.streams.remove(&id);
    }

    /// Passes on what the client has sent. Waits while there is no room for it, and resets streams that
    /// hold up others.
    pub(super) async fn deliver(&mut self, id: u32, mut bytes: &[u8]) {
        while let Some(stream) = self.streams.get(&id) {
            let taken = stream.push(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
            if bytes.is_empty() {
                return;
            }
            self.wait_for_room().await;
        }
    }

    async fn wait_for_room(&mut self) {
        let probe_at = Instant::now() + PROBE_INTERVAL;
        let deadline = self.stall_deadline().map_or(probe_at, |at| at.min(probe_at));
        tokio::select! {
            () = self.inflow.room() => {}
            Some(finished) = self.pumps.join_next() => self.note(finished),
            () = sleep_until(deadline) => {
                self.reset_stalled();
                if Instant::now() >= probe_at {
                    self.outbox.try_control(F::probe);
                }
            }
        }
    }

    /// When the next stream has held up others for too long.
    fn stall_deadline(&self) -> Option<Instant> {
        if self.streams.len() < 2 {
            return None;
        }
        self.streams
            .values()
            .filter_map(|stream| Some(stream.stalled_since()? + STALL_TIMEOUT))
            .min()
    }

    fn reset_stalled(&mut self) {
        let has_others = self.streams.len() > 1;
        let now = Instant::now();
        let is_stalled = |stream: &DataStream| {
            stream.stalled_since().is_some_and(|since| since + STALL_TIMEOUT <= now)
        };
        for stream in self.streams.values().filter(|stream| has_others && is_stalled(stream)) {
            stream.break_off();
        }
    }

    /// Waits for a request that has ended. `None` if none is open.
    pub(super) async fn finished(&mut self) -> Option<F> {
        loop {
            if let Some(frames) = self.finished.pop() {
                return Some(frames);
            }
            let finished = self.pumps.join_next().await?;
            self.note(finished);
        }
    }

    fn note(&mut self, finished: Result<F, JoinError>) {
        // A pump is never aborted while the session lasts.
        if let Ok(frames) = finished {
            self.streams.remove(&frames.id());
            self.finished.push(frames);
        }
    }
}

impl<F> Drop for OpenStreams<F> {
    /// The client is gone. The forwarder learns that before its sockets close.
    fn drop(&mut self) {
        self.gone.cancel();
    }
}
