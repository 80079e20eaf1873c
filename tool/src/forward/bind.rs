//! Binding a port: on every address that was asked for, or on none.

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
use crate::model::PortPair;

/// Connections that the kernel holds until they are accepted (`net.core.somaxconn` may allow
/// fewer).
const BACKLOG: u32 = 1024;

/// How often the kernel may choose a port that is free at the first address and taken at the next.
const MAX_CHOICES: usize = 16;

/// A socket that listens.
pub(super) struct Bound {
    pub(super) socket: TcpListener,
    pub(super) address: SocketAddr,
    /// The local port is never 0.
    pub(super) ports: PortPair,
}

/// Why a port cannot be listened on, in kubectl's words.
#[derive(Debug, thiserror::Error)]
#[error(
    "Unable to listen on port {}: Listeners failed to create with the following errors: [{}]",
    .ports.local, Listed(.failures)
)]
pub struct ListenError {
    /// The ports to join.
    pub ports: PortPair,
    failures: Vec<(SocketAddr, io::Error)>,
}

/// client-go's errors, as Go prints a list.
struct Listed<'a>(&'a [(SocketAddr, io::Error)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (address, error)) in self.0.iter().enumerate() {
            let space = if n == 0 { "" } else { " " };
            let family = if address.is_ipv6() { "tcp6" } else { "tcp4" };
            write!(
                f,
                "{space}unable to create listener: Error listen {family} {address}: bind: {}",
                in_gos_words(error)
            )?;
        }
        Ok(())
    }
}

/// An errno in Go's words: strerror(3)'s text without the number, starting in lower case.
fn in_gos_words(error: &io::Error) -> String {
    let words = error.to_string();
    let words = words.split(" (os error").next().unwrap_or(&words);
    let mut letters = words.chars();
    letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
}

/// Listens on each of the addresses, at one port.
///
/// kubectl is content with one of the two localhosts. If another program has the port on the other
/// one, some clients reach that program. Here only an address that the node does not have is passed
/// over.
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
    for &Wanted { ip, may_be_absent } in wanted {
        let address = SocketAddr::new(ip, ports.local);
        match bind(address).and_then(|socket| Ok((socket.local_addr()?, socket))) {
            Ok((address, socket)) => {
                // The others take the port that the kernel chose for the first.
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

/// Sets what accepted sockets inherit: answers that are written in two parts go out at once, and the
/// connection of a client that has vanished ends within minutes. Go's listeners, and so kubectl's,
/// do the same (net/tcpsockopt_linux.go).
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
            format!("choose another local port, or :{} for a free one", self.ports.remote)
        } else {
            "`ip address` shows which addresses this node has for --address".to_owned()
        }
    }

    fn is_in_use(&self) -> bool {
        self.failures.iter().any(|(_, error)| error.kind() == io::ErrorKind::AddrInUse)
    }
}
