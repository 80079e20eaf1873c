//! Asks the kernel which user a TCP socket belongs to (sock_diag(7)).

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use netlink_packet_core::{NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponseHeader, SocketId, StateFlags,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr as NetlinkAddr};

/// An answer about one socket has about a hundred bytes. No extension is asked for.
const MAX_ANSWER: usize = 4096;

/// `INET_DIAG_NOCOOKIE` (include/uapi/linux/inet_diag.h): the addresses alone say which socket.
const ANY_COOKIE: [u8; 8] = [0xff; 8];

/// `LOOPBACK_IFINDEX` (include/net/flow.h). What goes from a node to itself passes this interface, whatever
/// the addresses, and a socket that is bound to an interface is found only by that one.
const LOOPBACK: u32 = 1;

/// The states of a connection that was established (include/net/tcp_states.h).
const CONNECTED: [u8; 6] = [1, 4, 5, 8, 9, 11];

/// Answers of the kernel about the sockets of the network namespace in which it was opened.
#[derive(Debug)]
pub struct SocketUsers(Mutex<Socket>);

impl SocketUsers {
    /// Connects to the kernel. An error if it does not tell the users of sockets, which the listening socket
    /// at `own` shows.
    pub fn open(own: SocketAddr) -> io::Result<Self> {
        let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
        socket.bind_auto()?;
        socket.connect(&NetlinkAddr::new(0, 0))?;
        let users = Self(Mutex::new(socket));
        let anything = SocketAddr::new(unspecified_as(own.ip()), 0);
        match users.find(own, anything)? {
            Some(_) => Ok(users),
            None => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// The user of the local end of a TCP connection: who made the socket. `None` if no process has it: it
    /// is on another machine or in another network namespace, or its process has closed it. (The kernel
    /// once told the user of such a socket as root, `sock_i_uid`, net/core/sock.c.)
    pub fn user_of(&self, local: SocketAddr, remote: SocketAddr) -> io::Result<Option<u32>> {
        let found = self.find(local, remote)?;
        // Without a connection, the kernel finds a listening socket at that port.
        let is_it = |found: &InetResponseHeader| {
            found.inode != 0
                && CONNECTED.contains(&found.state)
                && found.socket_id.source_port == local.port()
                && found.socket_id.destination_port == remote.port()
        };
        Ok(found.filter(is_it).map(|found| found.uid))
    }

    /// The socket at this local address that is connected to that one, or listens at the port.
    fn find(
        &self,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> io::Result<Option<InetResponseHeader>> {
        let request = request(local, remote);
        let mut bytes = vec![0; request.buffer_len()];
        request.serialize(&mut bytes);
        // The kernel answers within send(2), so nobody waits long.
        let socket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        socket.send(&bytes, 0)?;
        let mut answer = Vec::with_capacity(MAX_ANSWER);
        socket.recv(&mut answer, 0)?;
        drop(socket);
        let answer = NetlinkMessage::<SockDiagMessage>::deserialize(&answer);
        match answer.map_err(io::Error::other)?.payload {
            NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(found)) => {
                Ok(Some(found.header))
            }
            NetlinkPayload::Error(error) => match error.to_io() {
                error if error.kind() == io::ErrorKind::NotFound => Ok(None),
                error => Err(error),
            },
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn request(local: SocketAddr, remote: SocketAddr) -> NetlinkMessage<SockDiagMessage> {
    let family = if local.is_ipv4() { AF_INET } else { AF_INET6 };
    let socket_id = SocketId {
        source_port: local.port(),
        destination_port: remote.port(),
        source_address: local.ip(),
        destination_address: remote.ip(),
        interface_id: LOOPBACK,
        cookie: ANY_COOKIE,
    };
    let request = SockDiagMessage::InetRequest(InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::empty(),
        states: StateFlags::all(),
        socket_id,
    });
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST;
    let mut message = NetlinkMessage::new(header, NetlinkPayload::from(request));
    message.finalize();
    message
}

/// 0.0.0.0 or `::`, as the other address is of IPv4 or IPv6.
fn unspecified_as(ip: IpAddr) -> IpAddr {
    if ip.is_ipv4() { [0; 4].into() } else { [0_u16; 8].into() }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn only_a_connection_that_a_process_holds_has_a_user() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(address).unwrap();
            let at = listener.local_addr().unwrap();
            let users = SocketUsers::open(at).unwrap();
            let client = TcpStream::connect(at).unwrap();
            let (_accepted, from) = listener.accept().unwrap();
            let own = rustix::process::getuid().as_raw();
            assert_eq!(users.user_of(from, at).unwrap(), Some(own));
            drop(client);
            assert_eq!(users.user_of(from, at).unwrap(), None, "it is closed");
            // Another machine's client may have a port at which a process of this node listens.
            let elsewhere = SocketAddr::new(at.ip(), 9);
            assert_eq!(users.user_of(at, elsewhere).unwrap(), None, "it listens");
        }
    }

    #[test]
    fn an_address_where_nothing_listens_is_an_error() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(SocketUsers::open(free).is_err());
    }
}
