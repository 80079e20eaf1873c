//! What a client may send.

use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

/// Ports in one connection with channels. The numbers of channels are one byte: 127 ports at most.
pub const MAX_PORTS: usize = 32;

/// The longest message, and the longest frame, bytes: the channel, and as much data as the Python client
/// takes at once (`PortForward._proxy` in its stream/ws_client.py). Other clients send at most 64 KiB.
const MAX_MESSAGE: usize = 1 + (1 << 20);

/// How much is read from the connection at once, bytes.
const READ_BUFFER: usize = 32 * 1024;

/// Nothing is collected before it is written: the outbox has done that.
const WRITE_BUFFER: usize = 0;

/// More than the longest message of ours: the outbox's pieces.
const MAX_WRITE_BUFFER: usize = 1 << 20;

/// What the WebSockets of clients are limited to.
pub(super) fn config() -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .max_message_size(Some(MAX_MESSAGE))
        .max_frame_size(Some(MAX_MESSAGE))
}
