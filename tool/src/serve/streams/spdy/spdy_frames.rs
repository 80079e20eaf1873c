//! The frames of one request's two streams.

use super::super::pair_frames::PairFrames;
use super::encode;
use super::frame::{HEAD, Status};

/// The number of our pings: a server's are even.
const PROBE: u32 = 2;

/// The two streams of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpdyFrames {
    pub(super) data: u32,
    pub(super) error: u32,
}

impl PairFrames for SpdyFrames {
    const HAS_END_OF_DATA: bool = true;
    const HEAD: usize = HEAD;

    fn id(&self) -> u32 {
        self.data
    }

    fn head(&self, head: &mut [u8], length: usize) {
        head.copy_from_slice(&encode::data_head(self.data, length, false));
    }

    fn end_data(&self, out: &mut Vec<u8>) {
        out.extend(encode::data_head(self.data, 0, true));
    }

    fn reset_data(&self, out: &mut Vec<u8>) {
        encode::reset(out, self.data, Status::Cancel);
    }

    fn error_text(&self, text: &str, out: &mut Vec<u8>) {
        out.extend(encode::data_head(self.error, text.len(), false));
        out.extend(text.as_bytes());
    }

    fn end_errors(&self, out: &mut Vec<u8>) {
        out.extend(encode::data_head(self.error, 0, true));
    }

    fn probe(out: &mut Vec<u8>) {
        encode::ping(out, PROBE);
    }
}
