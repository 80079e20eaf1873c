//! A client that has arrived: its side of the connection, and where the client wants to go.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};
use tokio_util::sync::CancellationToken;

use super::dial::Connection;
use super::event::{Accepted, ForwardEvent};
use super::failure::Failure;
use super::listener_target::ListenerTarget;
use super::own_endpoint::OwnEndpoint;
use super::relay_end::RelayEnd;
use super::shared::Shared;
use super::stream::{Duplex, HeldOpen, limit_buffer};
use super::stream_end::StreamEnd;
use super::stream_target::StreamTarget;
use crate::host::socket_buffer::SocketBuffer;
use crate::model::{Destination, PortPair, Via};

/// A client that has arrived.
pub(super) enum Arrival {
    /// At a listener, with the ports of that listener.
    Socket(TcpStream, PortPair, Arc<ListenerTarget>),
    /// At an endpoint: a stream, which has a pair of sockets between itself and the forwarder.
    Stream(UnixStream, Box<Stream>),
}

/// What belongs to a stream beside its socket.
pub(super) struct Stream {
    pub(super) to: StreamTarget,
    pub(super) endpoint: Arc<OwnEndpoint>,
    /// The client has reset the stream.
    pub(super) gone: CancellationToken,
    /// Called once. Never locked: the lock lets threads share the rest.
    pub(super) answer: Mutex<Box<dyn FnOnce(StreamEnd) + Send>>,
    /// Until the answer is given, the socket must not look like a stream that has ended.
    pub(super) held: Option<HeldOpen>,
}

impl Stream {
    /// Has the client learn how the connection ended, and then closes the stream.
    pub(super) fn answer(self, result: &Result<RelayEnd, Failure>, via: Via) {
        let Self { to, answer, held, .. } = self;
        let answer = answer.into_inner().unwrap_or_else(PoisonError::into_inner);
        answer(StreamEnd::of(result, &to, via));
        drop(held);
    }
}

impl Arrival {
    /// Limits what the client may send at first, and numbers the connection.
    pub(super) fn accept(&self, shared: &Shared) -> (Accepted, ForwardEvent) {
        let (accepted, destination, client) = match self {
            Self::Socket(socket, ports, to) => {
                // The listener's limit would also be one of the window, for good
                // (`tcp_openreq_init_rwin`, net/ipv4/tcp_minisocks.c).
                limit_buffer(SocketBuffer::Receive, socket);
                let (via, destination) = to.leads_to(shared);
                let accepted = shared.accept(via, ports.remote, Some(ports.local));
                (accepted, destination, None)
            }
            Self::Stream(_, stream) => {
                let StreamTarget { target, destination, port, client, .. } = &stream.to;
                let accepted = shared.accept(shared.dialer.via(target), *port, None);
                (accepted, Arc::clone(destination), Some(Arc::clone(client)))
            }
        };
        (accepted, ForwardEvent::Accepted(accepted, destination, client))
    }

    /// Connects to the target.
    pub(super) async fn dial(
        &self,
        shared: &Shared,
    ) -> Result<(Connection, Arc<Destination>), Failure> {
        match self {
            Self::Socket(client, ports, to) => to.dial(client, *ports, shared).await,
            Self::Stream(_, stream) => stream.to.dial(&stream.endpoint, &*shared.dialer).await,
        }
    }

    /// Waits until the client resets the connection. One that has only ended its side may still wait
    /// for an answer.
    pub(super) async fn reset(&self) -> io::Error {
        match self {
            Self::Socket(client, ..) => match client.ready(Interest::ERROR).await {
                Ok(_) => io::ErrorKind::ConnectionReset.into(),
                Err(error) => error,
            },
            Self::Stream(_, stream) => {
                stream.gone.cancelled().await;
                io::ErrorKind::ConnectionReset.into()
            }
        }
    }

    /// The two directions of the client, and what belongs to a stream.
    pub(super) fn into_duplex(self) -> (io::Result<Duplex>, Option<Box<Stream>>) {
        match self {
            Self::Socket(client, ..) => (Duplex::of_client(client), None),
            Self::Stream(socket, mut stream) => {
                let duplex = Duplex::of_stream(socket);
                stream.held = duplex.as_ref().ok().map(|duplex| duplex.to.hold_open());
                (duplex, Some(stream))
            }
        }
    }
}
