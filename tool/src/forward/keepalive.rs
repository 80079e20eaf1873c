//! Keepalive: the connection of a peer that has vanished ends within minutes.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::io;
use rustix::net::sockopt::{
    set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl,
};

/// When no data flows, the kernel asks the peer so often, and gives up after so many questions. Go's
/// listeners and dialers, and so kubectl's and containerd's, do the same (net/tcpsockopt_linux.go).
const INTERVAL: Duration = Duration::from_secs(15);
const PROBES: u32 = 9;

/// Turns keepalive on. Accepted sockets inherit it from their listener.
pub(crate) fn set_keepalive(socket: impl AsFd) -> io::Result<()> {
    let socket = socket.as_fd();
    set_socket_keepalive(socket, true)?;
    set_tcp_keepidle(socket, INTERVAL)?;
    set_tcp_keepintvl(socket, INTERVAL)?;
    set_tcp_keepcnt(socket, PROBES)
}
