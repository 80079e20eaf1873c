//! Why a client's session ended early.

use std::io;
use std::time::Duration;

use tokio_tungstenite::tungstenite;

use super::spdy::SpdyError;
use super::websocket::MAX_PORTS;

/// Why a client's session ended early. A client that closes its connection is no error.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// The connection to the client broke.
    #[error("the connection to the client failed: {0}")]
    Connection(#[from] io::Error),
    /// The client breaks SPDY's rules, or one of our limits.
    #[error("the client does not keep to SPDY/3.1: {0}")]
    Spdy(#[from] SpdyError),
    /// The client breaks WebSocket's rules, or one of our limits.
    #[error("the client's WebSocket failed: {0}")]
    WebSocket(Box<tungstenite::Error>),
    /// The caller asked for more ports than one connection may carry, or for none.
    #[error("{0} ports in one connection; it takes 1 to {max}", max = MAX_PORTS)]
    Ports(usize),
    /// Nothing came and nothing went for so long.
    #[error("the connection was idle for {0:?}")]
    Idle(Duration),
    /// Nobody takes requests any more.
    #[error("no more connections are forwarded")]
    NotServing,
}

impl From<tungstenite::Error> for StreamsError {
    fn from(error: tungstenite::Error) -> Self {
        Self::WebSocket(Box::new(error))
    }
}
