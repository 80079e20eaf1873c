//! The client's end of a WebSocket.

use futures_util::{SinkExt, StreamExt};
use tokio::io::{DuplexStream, duplex};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

pub(super) type Client = WebSocketStream<DuplexStream>;

/// The client's end, and the connection of the server.
pub(super) async fn pair() -> (Client, DuplexStream) {
    let (ours, servers) = duplex(64 * 1024);
    (WebSocketStream::from_raw_socket(ours, Role::Client, None).await, servers)
}

pub(super) async fn send(client: &mut Client, bytes: &[u8]) {
    client.send(Message::binary(bytes.to_vec())).await.unwrap();
}

/// The next message. `None` at the end.
pub(super) async fn next(client: &mut Client) -> Option<Message> {
    client.next().await?.ok()
}
