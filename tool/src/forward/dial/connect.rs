//! One attempt of the native dialer.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream as StdTcpStream};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::sockopt::{set_socket_oobinline, set_tcp_nodelay, socket_cookie};
use tokio::net::TcpStream;

use crate::forward::congestion::choose_congestion;
use crate::forward::keepalive::set_keepalive;
use crate::forward::stream::Duplex;

/// A connection that was established.
pub(super) struct Connected {
    pub(super) duplex: Duplex,
    pub(super) address: IpAddr,
    /// The socket's `SO_COOKIE`.
    pub(super) cookie: Option<u64>,
}

/// Connects a non-blocking socket.
///
/// A server may accept the connection and reset it before connect(2) reports its result. That is
/// this server's answer, so it counts as a connection, with the reset as its error: another address
/// might lead to another server.
pub(super) async fn connect(socket: OwnedFd, at: SocketAddr) -> io::Result<Connected> {
    // The kernel sets a cookie when it is asked for one. Its records then carry the cookie.
    let cookie = socket_cookie(&socket).ok();
    // The second part of a client's write must not wait for the server's delayed acknowledgement of
    // the first.
    set_tcp_nodelay(&socket, true)?;
    set_keepalive(&socket)?;
    // Before urgent data can come.
    set_socket_oobinline(&socket, true)?;
    choose_congestion(&socket, at.ip());
    match rustix::net::connect(&socket, &at) {
        Ok(()) | Err(Errno::INPROGRESS) => {}
        Err(error) => return Err(error.into()),
    }
    let stream = TcpStream::from_std(StdTcpStream::from(socket))?;
    stream.writable().await?;
    let reset = match stream.take_error()? {
        Some(error) if is_after_connecting(&error) => Some(error.kind()),
        Some(error) => return Err(error),
        None => None,
    };
    let mut duplex = Duplex::of_target(stream)?;
    duplex.from.error = reset;
    Ok(Connected { duplex, address: at.ip(), cookie })
}

/// Whether the connection was established before it failed. For a reset in answer to the SYN, the
/// error is `ECONNREFUSED` (`tcp_reset`, net/ipv4/tcp_input.c); after the server's FIN, it is
/// `EPIPE`.
fn is_after_connecting(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
