//! Pairs the two streams of each request.

use std::collections::HashMap;

use tokio::time::Instant;

use super::headers::Headers;
use super::limits::{MAX_REQUEST_ID, PAIR_TIMEOUT};
use super::spdy_frames::SpdyFrames;

/// A stream that a client has opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) stream: u32,
    pub(super) role: Role,
    pub(super) port: u16,
    pub(super) request: String,
}

/// What a stream is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Data,
    Error,
}

/// Both streams of a request. The port is the data stream's, as in the kubelet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    pub(super) streams: SpdyFrames,
    pub(super) port: u16,
}

/// Streams that wait for the other one of their request.
#[derive(Debug, Default)]
pub(super) struct Pairs {
    waiting: HashMap<String, (Opened, Instant)>,
}

/// Why a stream is no part of a pair.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AlreadyThere;

impl Opened {
    /// What a stream is for, by its headers. `None` if one is missing or wrong.
    pub(super) fn new(stream: u32, headers: &Headers) -> Option<Self> {
        let role = match headers.get("streamtype")? {
            "data" => Role::Data,
            "error" => Role::Error,
            _ => return None,
        };
        let port = headers.get("port")?.parse().ok().filter(|port| *port > 0)?;
        let request = match (headers.get("requestid"), role) {
            (Some(request), _) if !request.is_empty() => request.to_owned(),
            // Clients from before request ids open both streams one after the other, the error stream
            // first (`requestID` in the kubelet's portforward/httpstream.go).
            (_, Role::Error) => stream.to_string(),
            (_, Role::Data) => stream.checked_sub(2)?.to_string(),
        };
        let opened = Self { stream, role, port, request };
        (opened.request.len() <= MAX_REQUEST_ID).then_some(opened)
    }
}

impl Pairs {
    /// Adds a stream. `Some` if its request is complete with it.
    pub(super) fn add(&mut self, opened: Opened) -> Result<Option<Pair>, AlreadyThere> {
        match self.waiting.remove(&opened.request) {
            None => {
                let deadline = Instant::now() + PAIR_TIMEOUT;
                self.waiting.insert(opened.request.clone(), (opened, deadline));
                Ok(None)
            }
            Some((other, deadline)) if other.role == opened.role => {
                self.waiting.insert(other.request.clone(), (other, deadline));
                Err(AlreadyThere)
            }
            Some((other, _)) => Ok(Some(Pair::new(&other, &opened))),
        }
    }

    /// Forgets a stream. Returns whether it waited.
    pub(super) fn remove(&mut self, stream: u32) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|_, (opened, _)| opened.stream != stream);
        self.waiting.len() < before
    }

    /// When the next stream has waited too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.waiting.values().map(|(_, deadline)| *deadline).min()
    }

    /// Takes out the streams that have waited too long.
    pub(super) fn expired(&mut self, now: Instant) -> Vec<Opened> {
        let expired = self.waiting.extract_if(|_, (_, deadline)| *deadline <= now);
        expired.map(|(_, (opened, _))| opened).collect()
    }
}

impl Pair {
    fn new(one: &Opened, other: &Opened) -> Self {
        let (data, error) = if one.role == Role::Data { (one, other) } else { (other, one) };
        let streams = SpdyFrames { data: data.stream, error: error.stream };
        Self { streams, port: data.port }
    }
}
