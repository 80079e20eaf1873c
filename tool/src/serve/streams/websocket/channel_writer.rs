//! Writes messages of channels.

use bytes::Bytes;
use futures_util::{Sink, SinkExt};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::super::outbox::Outbox;
use super::super::waiting::Frames;
use super::channel_frames::next_message;
use super::encoding::ChannelEncoding;

/// Writes everything that comes into the outbox, until it is closed. Then closes the WebSocket, with the
/// status of an ordinary end (1000).
pub(super) async fn write(
    mut client: impl Sink<Message, Error = Error> + Unpin,
    encoding: ChannelEncoding,
    outbox: &Outbox,
) -> Result<(), Error> {
    let mut written = Frames::default();
    while let Some(mut frames) = outbox.next(written).await {
        let mut bytes = Bytes::from(std::mem::take(&mut frames.bytes));
        while let Some(message) = next_message(&mut bytes) {
            let is_ping = message.is_empty();
            let message = if is_ping { Message::Ping(message) } else { encoding.encode(message) };
            client.feed(message).await?;
        }
        client.flush().await?;
        written = frames;
    }
    let end = CloseFrame { code: CloseCode::Normal, reason: Utf8Bytes::default() };
    client.send(Message::Close(Some(end))).await
}
