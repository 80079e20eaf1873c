//! Serves one client that uses channels.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::super::error::StreamsError;
use super::super::limits::{CLOSE_TIMEOUT, IDLE_TIMEOUT};
use super::super::open_streams::OpenStreams;
use super::super::outbox::Outbox;
use super::super::request::PortRequest;
use super::channel_frames::ChannelFrames;
use super::channel_writer::write;
use super::encoding::ChannelEncoding;
use super::limits::{MAX_PORTS, config};

/// Serves a client that uses one channel for the data of each port, and one for its errors. `io` is the
/// connection after the upgrade, and `ports` are the ports of the client's query. Each port is requested
/// at once, and only once. The connection ends when all have ended, when the client closes it, or when
/// `ending` is cancelled.
///
/// Channels have no half-close and no reset: what the client sends ends with the connection.
pub async fn serve_channels<IO: AsyncRead + AsyncWrite + Unpin + Send>(
    io: IO,
    encoding: ChannelEncoding,
    ports: &[u16],
    ending: CancellationToken,
    requests: mpsc::Sender<PortRequest>,
) -> Result<(), StreamsError> {
    if ports.is_empty() || ports.len() > MAX_PORTS {
        return Err(StreamsError::Ports(ports.len()));
    }
    let socket = WebSocketStream::from_raw_socket(io, Role::Server, Some(config())).await;
    let (to_client, from_client) = socket.split();
    let outbox = Arc::new(Outbox::new());
    let mut streams = OpenStreams::new(Arc::clone(&outbox), requests);
    let mut writing = pin!(write(to_client, encoding, &outbox));
    let serving = async {
        open(ports, &mut streams, &outbox).await?;
        read(from_client, encoding, &mut streams, &outbox).await
    };
    let ended = tokio::select! {
        ended = serving => ended,
        written = &mut writing => return Ok(written?),
        () = ending.cancelled() => Ok(()),
    };
    outbox.close(|_| ());
    drop(streams);
    // The client may be gone already.
    let _ = timeout(CLOSE_TIMEOUT, writing).await;
    ended
}

/// Requests every port.
async fn open(
    ports: &[u16],
    streams: &mut OpenStreams<ChannelFrames>,
    outbox: &Outbox,
) -> Result<(), StreamsError> {
    for (port, channel) in ports.iter().zip((0..=u8::MAX).step_by(2)) {
        let frames = ChannelFrames { data: channel };
        outbox.control(|out| frames.ports(*port, out)).await;
        let forwarders = streams.open(channel.into())?;
        streams.request(channel.into(), forwarders, *port, frames).await?;
    }
    Ok(())
}

/// Reads from the client, up to the end of the connection or of all ports.
async fn read(
    mut client: impl Stream<Item = Result<Message, Error>> + Unpin,
    encoding: ChannelEncoding,
    streams: &mut OpenStreams<ChannelFrames>,
    outbox: &Outbox,
) -> Result<(), StreamsError> {
    loop {
        tokio::select! {
            message = timeout(IDLE_TIMEOUT, client.next()) => match message {
                Ok(None | Some(Err(Error::ConnectionClosed) | Ok(Message::Close(_)))) => return Ok(()),
                Ok(Some(message)) => {
                    let data = data(message?).and_then(|data| encoding.decode(data));
                    if let Some((channel, bytes)) = data {
                        streams.deliver(channel.into(), &bytes).await;
                    }
                }
                Err(_) if outbox.was_used() => {}
                Err(_) => return Err(StreamsError::Idle(IDLE_TIMEOUT)),
            },
            finished = streams.finished() => {
                if finished.is_none() {
                    // All ports have ended, and the client has read what they sent.
                    outbox.emptied().await;
                    return Ok(());
                }
            }
        }
    }
}

/// What a message carries. Like the kubelet, this takes text and binary messages in either encoding.
fn data(message: Message) -> Option<Bytes> {
    match message {
        Message::Binary(bytes) => Some(bytes),
        Message::Text(text) => Some(text.into()),
        _ => None,
    }
}
