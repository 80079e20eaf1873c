//! A connection that has become a port-forward, and who takes it.

use std::future::Future;
use std::net::SocketAddr;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use crate::model::Pod;
use crate::runtime::IndexEntry;

/// A client's connection after its upgrade. The pod was found, is allowed and runs.
pub struct UpgradedClient {
    /// The connection. It begins with the first byte after the request's head.
    pub io: TokioIo<Upgraded>,
    /// What the client speaks on it.
    pub protocol: StreamProtocol,
    /// The pod, as the client knows it: a plain container has its runtime's name as its namespace.
    pub pod: Pod,
    /// The pod's sandbox, or the plain container: [`Target::of_entry`](crate::target::Target::of_entry)
    /// looks it up.
    pub entry: IndexEntry,
    /// The client's address.
    pub address: SocketAddr,
    /// The client's `User-Agent`, printable and at most 128 bytes. Empty without one.
    pub user_agent: String,
    /// Cancelled when the endpoint ends.
    pub ending: CancellationToken,
}

/// What a port-forward client speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamProtocol {
    /// SPDY/3.1 on the connection itself: kubectl up to 1.30.
    Spdy,
    /// SPDY/3.1 in WebSocket messages (`SPDY/3.1+portforward.k8s.io`): kubectl since 1.31.
    SpdyOverWebSocket,
    /// Two channels of a WebSocket for each port (`v4.channel.k8s.io`): the clients for Python,
    /// JavaScript and Rust.
    Channels {
        /// Messages are base64 in text (`v4.base64.channel.k8s.io`).
        is_base64: bool,
        /// The ports, in the order of their channels: at most 127, none is 0.
        ports: Vec<u16>,
    },
}

/// Serves connections that have become port-forwards.
pub trait UpgradeHandler: Send + Sync + 'static {
    /// Serves one, until it ends or `client.ending` is cancelled.
    fn serve(&self, client: UpgradedClient) -> impl Future<Output = ()> + Send;
}
