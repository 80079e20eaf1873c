//! Listening on a port: on every address that was asked for, or on none.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use rustix::net::sockopt::{
    set_ipv6_v6only, set_socket_keepalive, set_tcp_keepcnt, set_tcp_keepidle, set_tcp_keepintvl,
    set_tcp_nodelay,
};
use tokio::net::{TcpListener, TcpSocket};

use super::address::{ListenOn, Wanted, wanted};
use super::{Listener, PortPair};

/// Connections that the kernel holds until we accept them (it allows fewer where
/// `net.core.somaxconn` says so).
const BACKLOG: u32 = 1024;

/// How often the kernel may choose a port for the first address that is taken at the next.
const CHOICES: usize = 16;

/// Why a port cannot be listened on, in kubectl's words.
#[derive(Debug, thiserror::Error)]
#[error(
    "Unable to listen on port {}: Listeners failed to create with the following errors: [{}]",
    .pair.local, Listed(.failures)
)]
pub struct ListenError {
    /// What was to be joined.
    pub pair: PortPair,
    failures: Vec<(SocketAddr, io::Error)>,
}

/// Go's list of client-go's errors.
struct Listed<'a>(&'a [(SocketAddr, io::Error)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (address, error)) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            let family = if address.is_ipv6() { "tcp6" } else { "tcp4" };
            write!(
                f,
                "{space}unable to create listener: Error listen {family} {address}: bind: {}",
                gos_words(error)
            )?;
        }
        Ok(())
    }
}

/// An errno as Go words it: strerror(3)'s text, which begins small, without the number.
fn gos_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words);
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Listens on each of the addresses, at one port.
///
/// kubectl takes one of the two localhosts for enough, and so, where another program has the port
/// on the other, sends part of the clients to that program. Here only an address that the node
/// does not have is passed over.
pub(super) fn listen(listen_on: &[ListenOn], pair: PortPair) -> Result<Vec<Listener>, ListenError> {
    let wanted = wanted(listen_on);
    let mut choices = if pair.local == 0 { CHOICES } else { 1 };
    loop {
        choices -= 1;
        match listen_once(&wanted, pair) {
            Err(error) if choices > 0 && error.is_in_use() => {}
            outcome => return outcome,
        }
    }
}

fn listen_once(wanted: &[Wanted], mut pair: PortPair) -> Result<Vec<Listener>, ListenError> {
    let (mut listeners, mut absent, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    for &Wanted { ip, may_be_absent } in wanted {
        let address = SocketAddr::new(ip, pair.local);
        match bind(address).and_then(|socket| Ok((socket.local_addr()?, socket))) {
            Ok((address, socket)) => {
                // The others take the port that the kernel chose for the first.
                pair.local = address.port();
                listeners.push(Listener { socket, address, pair });
            }
            Err(error) if may_be_absent && is_absent(&error) => absent.push((address, error)),
            Err(error) => failures.push((address, error)),
        }
    }
    if !listeners.is_empty() && failures.is_empty() {
        return Ok(listeners);
    }
    failures.append(&mut absent);
    Err(ListenError { pair, failures })
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() }?;
    if address.is_ipv6() {
        // `::` is IPv6 alone, as in kubectl: 0.0.0.0 may stand beside it.
        set_ipv6_v6only(&socket, true)?;
    }
    socket.set_reuseaddr(true)?;
    accepted_as_go_does(&socket)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// What accepted sockets inherit: answers that are written in two parts go out at once, and a client
/// that vanished, as a laptop does, gives its place free within minutes. As Go's listeners have it
/// (net/tcpsockopt_linux.go), kubectl's among them.
fn accepted_as_go_does(socket: &TcpSocket) -> io::Result<()> {
    const ALIVE: Duration = Duration::from_secs(15);
    const PROBES: u32 = 9;
    set_tcp_nodelay(socket, true)?;
    set_socket_keepalive(socket, true)?;
    set_tcp_keepidle(socket, ALIVE)?;
    set_tcp_keepintvl(socket, ALIVE)?;
    Ok(set_tcp_keepcnt(socket, PROBES)?)
}

/// The node has no such address, or not even its family.
fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable
        || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

impl ListenError {
    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> String {
        if self.is_in_use() {
            format!("choose another local port, or :{} for a free one", self.pair.remote)
        } else {
            "`ip address` shows which addresses this node has for --address".to_owned()
        }
    }

    fn is_in_use(&self) -> bool {
        self.failures.iter().any(|(_, error)| error.kind() == io::ErrorKind::AddrInUse)
    }
}
