//! How the outbox holds messages of channels, until they are encoded.

use bytes::{Buf, Bytes};

use super::super::pair_frames::PairFrames;

/// Before each message, its length as a number of 32 bits.
const LENGTH: usize = 4;

/// The channels of one port: data, and the next one for errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChannelFrames {
    pub(super) data: u8,
}

impl ChannelFrames {
    fn errors(self) -> u8 {
        self.data.saturating_add(1)
    }

    /// The first message on each channel: the port.
    pub(super) fn ports(self, port: u16, out: &mut Vec<u8>) {
        for channel in [self.data, self.errors()] {
            message(channel, &port.to_le_bytes(), out);
        }
    }
}

/// The next message, with the number of its channel before it. An empty one is a ping.
pub(super) fn next_message(out: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(out.try_get_u32().ok()?).unwrap_or(usize::MAX);
    Some(out.split_to(length.min(out.len())))
}

fn message(channel: u8, data: &[u8], out: &mut Vec<u8>) {
    out.extend(head(channel, data.len()));
    out.extend(data);
}

fn head(channel: u8, length: usize) -> [u8; LENGTH + 1] {
    let [a, b, c, d] = u32::try_from(length + 1).unwrap_or(u32::MAX).to_be_bytes();
    [a, b, c, d, channel]
}

/// The kubelet sends nothing at the end of a channel (`handleWebSocketStreams` in its
/// portforward/websocket.go): its clients learn an end when all ports have ended, and the connection
/// closes.
impl PairFrames for ChannelFrames {
    const HAS_END_OF_DATA: bool = false;
    const HEAD: usize = LENGTH + 1;

    fn id(&self) -> u32 {
        self.data.into()
    }

    fn head(&self, bytes: &mut [u8], length: usize) {
        bytes.copy_from_slice(&head(self.data, length));
    }

    fn end_data(&self, _: &mut Vec<u8>) {}

    fn reset_data(&self, _: &mut Vec<u8>) {}

    fn error_text(&self, text: &str, out: &mut Vec<u8>) {
        message(self.errors(), text.as_bytes(), out);
    }

    fn end_errors(&self, _: &mut Vec<u8>) {}

    fn probe(out: &mut Vec<u8>) {
        out.extend([0; LENGTH]);
    }
}
