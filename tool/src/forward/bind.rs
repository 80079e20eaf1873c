//! Binds a port on every requested address, or on none.

use std::io;
use std::net::{IpAddr, SocketAddr};

use rustix::net::sockopt::{set_ipv6_v6only, set_socket_oobinline, set_tcp_nodelay};
use tokio::net::{TcpListener, TcpSocket};

use super::address::{ListenOn, Wanted, wanted};
use super::congestion::choose_congestion;
use super::keepalive::set_keepalive;
use super::listen_error::ListenError;
use super::stream::limit_buffer;
use crate::host::socket_buffer::SocketBuffer;
use crate::model::PortPair;

/// Connections that the kernel holds until they are accepted (`net.core.somaxconn` may allow
/// fewer).
const BACKLOG: u32 = 1024;

/// How many free ports are tried. The kernel chooses a port that is free on the first address;
/// another program may use it on the next address.
const MAX_CHOICES: usize = 16;

/// A listening socket.
pub(super) struct Bound {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    /// The local port is never 0.
    pub(super) ports: PortPair,
}

/// Listens on each of the addresses, at one port.
///
/// kubectl accepts one of the two localhost addresses. If another program uses the port on the
/// other address, some clients reach that program. pfsnoop skips an address only if the node does
/// not have it.
pub(super) fn listen(listen_on: &[ListenOn], ports: PortPair) -> Result<Vec<Bound>, ListenError> {
    let wanted = wanted(listen_on);
    let mut choices = if ports.local == 0 { MAX_CHOICES } else { 1 };
    loop {
        choices -= 1;
        match listen_once(&wanted, ports) {
            Err(error) if choices > 0 && error.is_in_use() => {}
            outcome => return outcome,
        }
    }
}

fn listen_once(wanted: &[Wanted], mut ports: PortPair) -> Result<Vec<Bound>, ListenError> {
    let (mut bound, mut absent, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for &Wanted { ip, may_be_absent, is_included } in wanted {
        let address = SocketAddr::new(ip, ports.local);
        if is_included {
            // The socket of the wildcard accepts its connections, if the node has the address.
            match check(ip) {
                Err(error) if may_be_absent && is_absent(&error) => {}
                Err(error) => failures.push((address, error)),
                Ok(()) => {}
            }
            continue;
        }
        match bind(address).and_then(|socket| Ok((socket.local_addr()?, socket))) {
            Ok((address, socket)) => {
                // The next addresses use the port that the kernel chose for the first.
                ports.local = address.port();
                bound.push(Bound { socket, address, ports });
            }
            Err(error) if may_be_absent && is_absent(&error) => absent.push((address, error)),
            Err(error) => failures.push((address, error)),
        }
    }
    if !bound.is_empty() && failures.is_empty() {
        return Ok(bound);
    }
    failures.append(&mut absent);
    Err(ListenError { ports, failures })
}

/// An error if this node lacks the address. Another socket that listens at the port is none.
fn check(ip: IpAddr) -> io::Result<()> {
    let socket = if ip.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    socket.bind(SocketAddr::new(ip, 0))
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    if address.is_ipv6() {
        // `::` means IPv6 only, as in kubectl, so that 0.0.0.0 can be used beside it.
        set_ipv6_v6only(&socket, true)?;
    }
    socket.set_reuseaddr(true)?;
    // Accepted sockets inherit all of these. A response that is written in two parts is sent at once.
    set_tcp_nodelay(&socket, true)?;
    set_keepalive(&socket)?;
    // Before urgent data can come.
    set_socket_oobinline(&socket, true)?;
    limit_buffer(SocketBuffer::Send, &socket);
    choose_congestion(&socket, address.ip());
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Whether the node lacks the address, or the whole address family.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}
