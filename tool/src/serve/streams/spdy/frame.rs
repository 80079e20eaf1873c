//! The heads of frames (draft-mbelshe-httpbis-spdy-00, 2.2).

use super::error::SpdyError;

/// Length of a head, bytes.
pub(super) const HEAD: usize = 8;

/// The sender sends nothing more on the stream.
pub(super) const FLAG_FIN: u8 = 1;

/// The upper bit of the first word: a control frame.
pub(super) const CONTROL: u32 = 1 << 31;

/// SPDY/3 and SPDY/3.1 have the same version number.
pub(super) const VERSION: u16 = 3;

/// The types of control frames (2.6).
pub(super) mod kind {
    pub(in super::super) const SYN_STREAM: u16 = 1;
    pub(in super::super) const SYN_REPLY: u16 = 2;
    pub(in super::super) const RST_STREAM: u16 = 3;
    pub(in super::super) const PING: u16 = 6;
    pub(in super::super) const GOAWAY: u16 = 7;
    pub(in super::super) const HEADERS: u16 = 8;
}

/// Why a stream is reset (2.6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// The stream breaks the rules of port-forward.
    ProtocolError = 1,
    /// Too many streams.
    RefusedStream = 3,
    /// Broken off by the pod, or by us.
    Cancel = 5,
    /// This node lacks the means.
    InternalError = 6,
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Head {
    Data { stream: u32, flags: u8, length: u32 },
    Control { kind: u16, flags: u8, length: u32 },
}

impl Head {
    pub(super) fn decode(bytes: [u8; HEAD]) -> Result<Self, SpdyError> {
        let [first @ .., flags, high, middle, low] = bytes;
        let first = u32::from_be_bytes(first);
        let length = u32::from_be_bytes([0, high, middle, low]);
        if first & CONTROL == 0 {
            return Ok(Self::Data { stream: first, flags, length });
        }
        let [version @ .., _, _] = (first & !CONTROL).to_be_bytes();
        let version = u16::from_be_bytes(version);
        if version != VERSION {
            return Err(SpdyError::Version(version));
        }
        let [_, _, kind @ ..] = first.to_be_bytes();
        Ok(Self::Control { kind: u16::from_be_bytes(kind), flags, length })
    }

    /// `length` has 24 bits on the wire.
    pub(super) fn encode(self) -> [u8; HEAD] {
        let (first, flags, length) = match self {
            Self::Data { stream, flags, length } => (stream, flags, length),
            Self::Control { kind, flags, length } => {
                (CONTROL | u32::from(VERSION) << 16 | u32::from(kind), flags, length)
            }
        };
        let second = u32::from(flags) << 24 | length & (u32::MAX >> 8);
        (u64::from(first) << 32 | u64::from(second)).to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_head_survives(first: u32, kind: u16, flags: u8, length in 0_u32..1 << 24, is_data: bool) {
            let head = if is_data {
                Head::Data { stream: first >> 1, flags, length }
            } else {
                Head::Control { kind, flags, length }
            };
            proptest::prop_assert_eq!(Head::decode(head.encode()), Ok(head));
        }
    }

    #[test]
    fn http_is_no_spdy() {
        assert!(
            matches!(Head::decode(*b"GET / HT"), Ok(Head::Data { .. })),
            "ASCII has no upper bit"
        );
        assert_eq!(Head::decode([0x80, 2, 0, 1, 0, 0, 0, 0]), Err(SpdyError::Version(2)));
        assert_eq!(Head::decode([0xff; 8]), Err(SpdyError::Version(0x7fff)));
    }
}
