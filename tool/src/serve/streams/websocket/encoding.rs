//! How messages carry channels.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Buf, Bytes};
use tokio_tungstenite::tungstenite::Message;

/// How messages carry channels (`k8s.io/apimachinery/pkg/util/httpstream/wsstream`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelEncoding {
    /// `v4.channel.k8s.io`: binary messages; the first byte is the channel.
    Binary,
    /// `v4.base64.channel.k8s.io`: text messages; the first character is the channel, counted from `0`,
    /// and the rest is base64.
    Base64,
}

impl ChannelEncoding {
    /// The subprotocol's name.
    #[must_use]
    pub fn subprotocol(self) -> &'static str {
        match self {
            Self::Binary => "v4.channel.k8s.io",
            Self::Base64 => "v4.base64.channel.k8s.io",
        }
    }

    /// The channel and the data of a message. `None` for a message without them, which the kubelet
    /// ignores too.
    #[must_use]
    pub fn decode(self, mut message: Bytes) -> Option<(u8, Bytes)> {
        let first = message.try_get_u8().ok()?;
        match self {
            Self::Binary => Some((first, message)),
            Self::Base64 => {
                let channel = first.checked_sub(b'0')?;
                Some((channel, STANDARD.decode(&message).ok()?.into()))
            }
        }
    }

    /// The message for a channel and its data, `bytes`, which begins with the channel.
    pub(super) fn encode(self, bytes: Bytes) -> Message {
        match (self, bytes.split_first()) {
            (Self::Base64, Some((channel, data))) => {
                let mut text = String::with_capacity(data.len().div_ceil(3) * 4 + 1);
                text.push(char::from(channel.saturating_add(b'0')));
                STANDARD.encode_string(data, &mut text);
                Message::text(text)
            }
            _ => Message::Binary(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_ones_of_the_kubelet() {
        let data = Bytes::from_static(b"\x00foo\n");
        assert_eq!(ChannelEncoding::Base64.encode(data.clone()), Message::text("0Zm9vCg=="));
        assert_eq!(ChannelEncoding::Binary.encode(data.clone()), Message::Binary(data));
        for (encoding, message) in
            [(ChannelEncoding::Base64, &b"3"[..]), (ChannelEncoding::Binary, b"\x03")]
        {
            assert_eq!(encoding.decode(message.into()), Some((3, Bytes::new())));
        }
        assert_eq!(ChannelEncoding::Binary.decode(Bytes::new()), None);
        for message in [&b""[..], b"0no base64!", b"!Zm9v"] {
            assert_eq!(ChannelEncoding::Base64.decode(message.into()), None);
        }
    }

    proptest::proptest! {
        #[test]
        fn data_survives(channel in 0_u8..64, data: Vec<u8>) {
            for encoding in [ChannelEncoding::Binary, ChannelEncoding::Base64] {
                let bytes = [&[channel][..], &data].concat();
                let message = encoding.encode(bytes.into()).into_data();
                let decoded = encoding.decode(message);
                proptest::prop_assert_eq!(decoded, Some((channel, data.clone().into())));
            }
        }
    }
}
