//! Detects from outside of socat that the server has sent everything.
//!
//! When one side of socat ends, socat waits for the other side for half a second (`socat -t`)
//! before it ends that side. So the client of a server that closes its connection after each response
//! would wait for half a second each time. pfsnoop therefore holds a duplicate of socat's socket,
//! which shows when the server's FIN has come, and how many bytes came before.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::net::sockopt::{set_socket_linger, set_tcp_nodelay};
use rustix::process::Pid;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

use crate::forward::keepalive::set_keepalive;
use crate::forward::peer_watch;
use crate::forward::relayed::Relayed;
use crate::forward::stream::limit_buffers;
use crate::host::socat::{SocatSocket, is_connection_to, socket_of};
use crate::host::tcp::{self, TcpEnds, TcpInfo};

/// How long to wait before the second check of whether socat has a socket, which no event announces. (That
/// the socket is connected then is an event.) The interval doubles after each check.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(1);
/// How long a client's reset may wait for what the client had sent before.
const ARRIVAL_TIMEOUT: Duration = Duration::from_millis(300);
/// The interval does not grow beyond this.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// socat's connection to the server.
#[derive(Debug)]
pub(super) struct ServerEnd {
    socket: OwnedFd,
    /// Becomes readable when the server has ended its direction. Data does not make it readable.
    hang_up: AsyncFd<OwnedFd>,
}

impl ServerEnd {
    /// Waits until this socat, a child that is not reaped yet, is connected to `port`.
    pub(super) async fn of(helper: Pid, port: u16) -> io::Result<Self> {
        let mut interval = FIRST_POLL_INTERVAL;
        loop {
            match socket_of(helper, port)? {
                Some(SocatSocket::Connected(socket)) => return Self::new(socket),
                Some(SocatSocket::Connecting(socket)) => {
                    if let Some(socket) = answered(socket, port).await? {
                        return Self::new(socket);
                    }
                }
                None => {}
            }
            tokio::time::sleep(interval).await;
            interval = (interval * 2).min(MAX_POLL_INTERVAL);
        }
    }

    /// The connection of a socat. The error is `NotFound` while it is not connected. Must be called
    /// within a tokio runtime.
    pub(super) fn now(helper: Pid, port: u16) -> io::Result<Self> {
        match socket_of(helper, port)? {
            Some(SocatSocket::Connected(socket)) => Self::new(socket),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn new(socket: OwnedFd) -> io::Result<Self> {
        // The second part of a client's write must not wait for the server's delayed
        // acknowledgement of the first.
        set_tcp_nodelay(&socket, true)?;
        set_keepalive(&socket)?;
        limit_buffers(&socket);
        let hang_up = epoll::create(CreateFlags::CLOEXEC)?;
        epoll::add(&hang_up, &socket, EventData::new_u64(0), EventFlags::RDHUP)?;
        // SAFETY: the descriptor is owned, and stays the same while it is registered.
        let hang_up = unsafe { AsyncFd::register_with_interest(hang_up, Interest::READABLE)? };
        Ok(Self { socket, hang_up })
    }

    /// Waits until the server has ended its direction and everything that it sent has been relayed.
    /// An error if the server has reset the connection.
    pub(super) async fn wait(&self, relayed: &Relayed) -> io::Result<()> {
        if self.hung_up().await? == TcpEnds::Over {
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        // The FIN has come, so the number is final.
        let bytes = tcp::info(&self.socket)?.bytes_before_fin.unwrap_or_default();
        relayed.from_pod.reaches(bytes).await;
        Ok(())
    }

    /// Waits until the server has ended its direction, or the connection is over, and returns which.
    pub(super) async fn hung_up(&self) -> io::Result<TcpEnds> {
        // The readiness is never cleared, so it stays.
        let _ready = self.hang_up.readable().await?;
        self.ends()
    }

    /// Waits until the server has vanished while data flows, and returns the error.
    pub(super) async fn vanished(&self) -> io::Error {
        peer_watch::vanished(&self.socket).await
    }

    /// Waits a moment until so many bytes have arrived at the server.
    pub(super) async fn arrived(&self, bytes: u64) {
        let deadline = Instant::now() + ARRIVAL_TIMEOUT;
        let has_arrived = |info: TcpInfo| info.bytes_sent >= bytes && !info.has_unsent;
        while !tcp::info(&self.socket).is_ok_and(has_arrived) && Instant::now() < deadline {
            tokio::time::sleep(FIRST_POLL_INTERVAL).await;
        }
    }

    /// Has the kernel reset the connection when socat ends.
    pub(super) fn reset_on_close(&self) {
        // A connection that has ended already has nothing to reset.
        let _ = set_socket_linger(&self.socket, Some(Duration::ZERO));
    }

    /// Whether the server's FIN has come after so many bytes. Also true once the connection is over:
    /// socat may have closed it before anybody has looked.
    pub(super) fn has_fin_after(&self, bytes: u64) -> bool {
        tcp::info(&self.socket).is_ok_and(|info| {
            info.ends != TcpEnds::PeerOpen && info.bytes_before_fin == Some(bytes)
        })
    }

    /// How far the two sides have ended the connection.
    pub(super) fn ends(&self) -> io::Result<TcpEnds> {
        Ok(tcp::info(&self.socket)?.ends)
    }
}

/// Waits for the answer to the SYN of a socket. `None` if the answer is no connection.
async fn answered(socket: OwnedFd, port: u16) -> io::Result<Option<OwnedFd>> {
    // SAFETY: the descriptor is owned, and stays the same while it is registered.
    let socket = unsafe { AsyncFd::register_with_interest(socket, Interest::WRITABLE)? };
    let _ready = socket.writable().await?;
    Ok(is_connection_to(socket.get_ref(), port).then(|| socket.into_inner()))
}
