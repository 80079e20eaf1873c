//! The native dialer: a socket that is made inside the target's network namespace and used from
//! outside. It needs neither nsenter nor socat. containerd and CRI-O dial in a similar way.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream as StdTcpStream};
use std::time::Duration;

use rustix::net::sockopt::socket_cookie;
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::dialer::{Connection, Dialer, Dialing};
use crate::forward::failure::Failure;
use crate::forward::stream::Duplex;
use crate::host::netns::Netns;
use crate::model::Via;
use crate::target::Target;

/// How long one address may take to answer. Inside a pod, an answer takes microseconds.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(5);

/// Dials natively.
#[derive(Clone, Copy, Debug)]
pub struct Native;

impl Dialer for Native {
    fn via(&self) -> Via {
        Via::Native
    }

    fn dial<'a>(&'a self, target: &'a Target, port: u16) -> Dialing<'a> {
        Box::pin(dial(target, port))
    }
}

/// Tries IPv4 localhost, IPv6 localhost, then the target's own addresses, until one answers. If none
/// answers, the first error counts: it comes from the address that kubectl would have dialed.
async fn dial(target: &Target, port: u16) -> Result<Connection, Failure> {
    target.check().map_err(Failure::TargetGone)?;
    let netns = target.netns();
    let mut first_error = None;
    for localhost in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        match connect(netns, localhost, port).await {
            Ok(connection) => return Ok(connection),
            Err(error) => first_error.get_or_insert(error),
        };
    }
    for address in target.own_addresses().await {
        if let Ok(connection) = connect(netns, address, port).await {
            return Ok(connection);
        }
    }
    let error = first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
    Err(Failure::NotConnected { port, source: error })
}

async fn connect(netns: &Netns, address: IpAddr, port: u16) -> io::Result<Connection> {
    let socket = netns.tcp_socket(address.is_ipv6()).await?;
    // The kernel sets a cookie when it is asked for one. Its records then carry the cookie.
    let cookie = socket_cookie(&socket).ok();
    let socket = TcpSocket::from_std_stream(StdTcpStream::from(socket));
    let connecting = socket.connect(SocketAddr::new(address, port));
    let stream =
        timeout(ADDRESS_TIMEOUT, connecting).await.map_err(|_| io::ErrorKind::TimedOut)??;
    // The second part of a client's write must not wait for the server's delayed acknowledgement of
    // the first.
    stream.set_nodelay(true)?;
    let duplex = Duplex::of_socket(stream)?;
    Ok(Connection { duplex, address: Some(address), cookie, helper: None })
}
