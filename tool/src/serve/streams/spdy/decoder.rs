//! Decodes what a client sends.

use super::error::SpdyError;
use super::event::Event;
use super::frame::{FLAG_FIN, HEAD, Head, kind};
use super::headers::Headers;
use super::inflate::Inflater;
use super::limits::MAX_HEADER_BLOCK;

/// Decodes one connection. It stores no frame: the bytes of a data frame pass as they come, and a control
/// frame that matters is short.
#[derive(Debug)]
pub struct Decoder {
    headers: Inflater,
    state: State,
}

/// Where in a frame the next byte is.
#[derive(Clone, Copy, Debug)]
enum State {
    Head,
    Data {
        stream: u32,
        is_last: bool,
        left: u32,
    },
    Control {
        kind: u16,
        flags: u8,
        length: u32,
    },
    /// In a frame without a meaning for us.
    Skip {
        left: u32,
    },
}

impl Decoder {
    /// For a connection that begins.
    #[must_use]
    pub fn new() -> Self {
        Self { headers: Inflater::new(), state: State::Head }
    }

    /// The next event in the input, and how much of the input is decoded with it. Without an event, what
    /// is not decoded must come again with more behind it. After an error, the connection cannot go on.
    pub fn decode<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Option<Event<'a>>), SpdyError> {
        let mut rest = input;
        loop {
            let (before, needs_input) = (rest.len(), !self.is_empty_frame());
            let event = self.step(&mut rest)?;
            if event.is_some() || (rest.len() == before && needs_input) {
                return Ok((input.len() - rest.len(), event));
            }
        }
    }

    /// One step: a head, or what follows it.
    fn step<'a>(&mut self, rest: &mut &'a [u8]) -> Result<Option<Event<'a>>, SpdyError> {
        match self.state {
            State::Head => {
                if let Some((head, after)) = rest.split_first_chunk::<HEAD>() {
                    self.state = State::after(Head::decode(*head)?)?;
                    *rest = after;
                }
                Ok(None)
            }
            State::Data { stream, is_last, left } => Ok(self.data(stream, is_last, left, rest)),
            State::Control { kind, flags, length } => {
                let Some((payload, after)) = rest.split_at_checked(size(length)) else {
                    return Ok(None);
                };
                *rest = after;
                self.state = State::Head;
                self.control(kind, flags, payload)
            }
            State::Skip { left } => {
                let (_, left) = take(rest, left);
                self.state = if left == 0 { State::Head } else { State::Skip { left } };
                Ok(None)
            }
        }
    }

    fn data<'a>(
        &mut self,
        stream: u32,
        is_last: bool,
        left: u32,
        rest: &mut &'a [u8],
    ) -> Option<Event<'a>> {
        let (bytes, left) = take(rest, left);
        let is_whole = left == 0;
        self.state = if is_whole { State::Head } else { State::Data { stream, is_last, left } };
        let is_last = is_last && is_whole;
        (is_last || !bytes.is_empty()).then_some(Event::Data { stream, bytes, is_last })
    }

    fn control<'a>(
        &mut self,
        kind: u16,
        flags: u8,
        payload: &[u8],
    ) -> Result<Option<Event<'a>>, SpdyError> {
        let (stream, after) = word(payload);
        let event = match kind {
            kind::SYN_STREAM => {
                // Behind the stream's number: the number of an associated stream, priority and slot.
                let headers = self.headers(after.get(6..).unwrap_or_default())?;
                Event::Open { stream, headers, is_last: flags & FLAG_FIN != 0 }
            }
            kind::SYN_REPLY | kind::HEADERS => {
                // Without a meaning for us, but a part of the zlib stream.
                self.headers(after)?;
                return Ok(None);
            }
            kind::RST_STREAM => Event::Reset { stream },
            kind::PING => Event::Ping { id: word_with_upper_bit(payload) },
            _ => Event::GoAway,
        };
        Ok(Some(event))
    }

    fn headers(&mut self, block: &[u8]) -> Result<Headers, SpdyError> {
        Headers::decode(&self.headers.inflate(block)?)
    }

    /// The next step needs no input.
    fn is_empty_frame(&self) -> bool {
        matches!(self.state, State::Data { left: 0, .. } | State::Skip { left: 0 })
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    /// What follows a head.
    fn after(head: Head) -> Result<Self, SpdyError> {
        let (kind, flags, length) = match head {
            Head::Data { stream, flags, length } => {
                return Ok(Self::Data { stream, is_last: flags & FLAG_FIN != 0, left: length });
            }
            Head::Control { kind, flags, length } => (kind, flags, length),
        };
        // What a frame has before its headers, bytes (2.6).
        let fixed = match kind {
            kind::SYN_STREAM => 10,
            kind::SYN_REPLY | kind::HEADERS => 4,
            kind::RST_STREAM | kind::GOAWAY if length == 8 => length,
            kind::PING if length == 4 => length,
            kind::RST_STREAM | kind::GOAWAY | kind::PING => {
                return Err(SpdyError::Length { kind, length });
            }
            _ => return Ok(Self::Skip { left: length }),
        };
        match length.checked_sub(fixed) {
            None => Err(SpdyError::Length { kind, length }),
            Some(block) if block > MAX_HEADER_BLOCK => Err(SpdyError::HeaderBlock(block)),
            Some(_) => Ok(Self::Control { kind, flags, length }),
        }
    }
}

/// As much of the rest as has come, at most `left` bytes, and how much of that is still to come.
fn take<'a>(rest: &mut &'a [u8], left: u32) -> (&'a [u8], u32) {
    let (taken, after) = rest.split_at(rest.len().min(size(left)));
    *rest = after;
    let taken_bytes = u32::try_from(taken.len()).unwrap_or(left);
    (taken, left.saturating_sub(taken_bytes))
}

fn size(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// A stream's number, 31 bits, and what follows.
fn word(payload: &[u8]) -> (u32, &[u8]) {
    match payload.split_first_chunk() {
        Some((word, after)) => (u32::from_be_bytes(*word) & (u32::MAX >> 1), after),
        None => (0, payload),
    }
}

fn word_with_upper_bit(payload: &[u8]) -> u32 {
    payload.first_chunk().map_or(0, |word| u32::from_be_bytes(*word))
}
