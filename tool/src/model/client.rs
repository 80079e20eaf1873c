//! The client of an endpoint.

use std::net::SocketAddr;

/// Who asks for a connection. Known only where pfsnoop itself is the endpoint that the client talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Where the client's connection to the endpoint comes from.
    pub address: SocketAddr,
    /// What the client calls itself (`User-Agent`), or nothing. The endpoint limits its length. Must be
    /// escaped for a terminal.
    pub user_agent: String,
    /// What carries the client's streams.
    pub transport: Transport,
}

/// What carries a client's streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// SPDY/3.1: kubectl up to 1.30, client-go.
    Spdy,
    /// SPDY/3.1 inside a WebSocket: kubectl since 1.31.
    SpdyOverWebSocket,
    /// WebSocket channels: clients in Python, JavaScript, Java and Rust.
    WebSocket,
}

impl Transport {
    /// The name in records and rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spdy => "spdy",
            Self::SpdyOverWebSocket => "spdy+websocket",
            Self::WebSocket => "websocket",
        }
    }
}
