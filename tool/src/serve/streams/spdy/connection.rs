//! What the frames of one client lead to.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::error::StreamsError;
use super::super::open_streams::OpenStreams;
use super::super::outbox::Outbox;
use super::super::pair_frames::PairFrames;
use super::super::request::PortRequest;
use super::encode;
use super::error::SpdyError;
use super::event::Event;
use super::frame::Status;
use super::headers::Headers;
use super::limits::MAX_STREAMS;
use super::pairs::{AlreadyThere, Opened, Pair, Pairs, Role};
use super::spdy_frames::SpdyFrames;

/// The streams of one client.
pub(super) struct Connection {
    /// All open streams. Data streams that wait for their error stream have the forwarder's end.
    numbers: HashMap<u32, Option<UnixStream>>,
    pairs: Pairs,
    data: OpenStreams<SpdyFrames>,
    outbox: Arc<Outbox>,
    /// The highest number so far, for GOAWAY.
    last: u32,
    has_replied: bool,
}

impl Connection {
    pub(super) fn new(outbox: Arc<Outbox>, requests: mpsc::Sender<PortRequest>) -> Self {
        Self {
            numbers: HashMap::new(),
            pairs: Pairs::default(),
            data: OpenStreams::new(Arc::clone(&outbox), requests),
            outbox,
            last: 0,
            has_replied: false,
        }
    }

    /// The highest number of a stream so far.
    pub(super) fn last(&self) -> u32 {
        self.last
    }

    /// Applies what the client has sent. Waits while the client is too fast.
    pub(super) async fn apply(&mut self, event: Event<'_>) -> Result<(), StreamsError> {
        match event {
            Event::Open { stream, headers, is_last } => {
                self.open(stream, &headers).await?;
                if is_last {
                    self.end(stream);
                }
            }
            Event::Data { stream, bytes, is_last } => {
                self.data(stream, bytes).await;
                if is_last {
                    self.end(stream);
                }
            }
            Event::Reset { stream } => self.reset(stream),
            // An even number is the answer to our own ping.
            Event::Ping { id } if id % 2 == 1 => {
                self.outbox.control(|out| encode::ping(out, id)).await;
            }
            // After GOAWAY, the client closes the connection.
            Event::Ping { .. } | Event::GoAway => {}
        }
        Ok(())
    }

    async fn open(&mut self, stream: u32, headers: &Headers) -> Result<(), StreamsError> {
        if stream.is_multiple_of(2) || self.numbers.contains_key(&stream) {
            return Err(SpdyError::StreamId(stream).into());
        }
        self.last = self.last.max(stream);
        match self.admit(stream, headers) {
            Err(status) => {
                self.refuse(stream, status).await;
                Ok(())
            }
            Ok(pair) => {
                let is_first = !std::mem::replace(&mut self.has_replied, true);
                self.outbox.control(|out| encode::syn_reply(out, stream, is_first)).await;
                match pair {
                    Some(pair) => self.request(pair).await,
                    None => Ok(()),
                }
            }
        }
    }

    /// Takes a stream. `Some` if its request is complete with it.
    fn admit(&mut self, stream: u32, headers: &Headers) -> Result<Option<Pair>, Status> {
        if self.numbers.len() >= MAX_STREAMS {
            return Err(Status::RefusedStream);
        }
        let opened = Opened::new(stream, headers).ok_or(Status::ProtocolError)?;
        let forwarders = match opened.role {
            Role::Error => None,
            Role::Data => Some(self.data.open(stream).map_err(|_| Status::InternalError)?),
        };
        let pair = self.pairs.add(opened).map_err(|AlreadyThere| {
            self.data.remove(stream);
            Status::ProtocolError
        })?;
        self.numbers.insert(stream, forwarders);
        Ok(pair)
    }

    async fn request(&mut self, pair: Pair) -> Result<(), StreamsError> {
        let forwarders = self.numbers.get_mut(&pair.streams.data).and_then(Option::take);
        let Some(forwarders) = forwarders else { return Ok(()) };
        self.data.request(pair.streams.data, forwarders, pair.port, pair.streams).await
    }

    async fn refuse(&self, stream: u32, status: Status) {
        self.outbox.control(|out| encode::reset(out, stream, status)).await;
    }

    async fn data(&mut self, stream: u32, bytes: &[u8]) {
        let waits_for_pair = matches!(self.numbers.get(&stream), Some(Some(_)));
        if !waits_for_pair {
            self.data.deliver(stream, bytes).await;
        } else if self.data.get(stream).is_some_and(|data| data.push(bytes) < bytes.len()) {
            // Nobody will read it before the other stream comes, which is behind it.
            self.forget(stream);
            self.refuse(stream, Status::Cancel).await;
        }
    }

    fn end(&self, stream: u32) {
        if let Some(data) = self.data.get(stream) {
            data.end();
        }
    }

    fn reset(&mut self, stream: u32) {
        let waits_for_pair = matches!(self.numbers.get(&stream), Some(Some(_)));
        match self.data.get(stream) {
            Some(data) if !waits_for_pair => data.reset(),
            _ => self.forget_waiting(stream),
        }
    }

    /// Forgets a stream that waits for the other one of its request. Another one stays until its request
    /// has ended.
    fn forget_waiting(&mut self, stream: u32) {
        if self.pairs.remove(stream) {
            self.forget(stream);
        }
    }

    fn forget(&mut self, stream: u32) {
        self.pairs.remove(stream);
        self.numbers.remove(&stream);
        self.data.remove(stream);
    }

    /// When a stream has waited too long for the other one of its request.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.pairs.deadline()
    }

    /// Gives up the streams that have waited too long for the other one, as the kubelet does.
    pub(super) fn expire(&mut self) {
        for Opened { stream, role, request, .. } in self.pairs.expired(Instant::now()) {
            let text = format!("(conn=spdy, request={request}) timed out waiting for streams");
            let frames = SpdyFrames { data: stream, error: stream };
            self.outbox.put(|out| match role {
                Role::Data => frames.reset_data(out),
                Role::Error => {
                    frames.error_text(&text, out);
                    frames.end_errors(out);
                }
            });
            self.forget(stream);
        }
    }

    /// Waits for a request that has ended, and forgets its streams. `None` if none is open.
    pub(super) async fn finished(&mut self) -> Option<()> {
        let SpdyFrames { data, error } = self.data.finished().await?;
        self.forget(data);
        self.forget(error);
        Some(())
    }
}
