//! TCP connections, as the kernel lists them (sock_diag(7)). No socket of another process is touched.

use std::io;
use std::time::Duration;

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_REQUEST, NetlinkHeader, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_sock_diag::SockDiagMessage;
use netlink_packet_sock_diag::constants::{AF_INET, AF_INET6, IPPROTO_TCP};
use netlink_packet_sock_diag::inet::nlas::Nla;
use netlink_packet_sock_diag::inet::{
    ExtensionFlags, InetRequest, InetResponse, SocketId, StateFlags,
};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use netlink_sys::{Socket, SocketAddr};
use rustix::net::sockopt::{Timeout, set_socket_timeout};

/// How long the kernel may take for a part of the list.
const PART_TIMEOUT: Duration = Duration::from_secs(1);

/// A part of the list has at most this many bytes (`netlink_dump`, net/netlink/af_netlink.c).
const MAX_PART: usize = 32 * 1024;

/// At most this many connections are listed: any process inside may make many.
const MAX_CONNECTIONS: usize = 100_000;

/// The states of a connection that was established and is not over.
const CONNECTED: StateFlags = StateFlags::ESTABLISHED
    .union(StateFlags::FIN_WAIT1)
    .union(StateFlags::FIN_WAIT2)
    .union(StateFlags::CLOSE_WAIT)
    .union(StateFlags::LAST_ACK)
    .union(StateFlags::CLOSING);

/// A TCP connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Inode of its socket.
    pub inode: u64,
    /// How long ago it last carried data.
    pub last_data: Duration,
}

/// The connections to this port that begin in the calling thread's network namespace.
pub fn connections_here(port: u16) -> io::Result<Vec<Connection>> {
    let mut all = connections(port, AF_INET, &SocketId::new_v4())?;
    // A kernel without IPv6 has none.
    all.extend(connections(port, AF_INET6, &SocketId::new_v6()).unwrap_or_default());
    Ok(all)
}

/// The kernel itself selects by the port (`inet_diag_dump_icsk`, net/ipv4/inet_diag.c).
fn connections(port: u16, family: u8, any: &SocketId) -> io::Result<Vec<Connection>> {
    let request = InetRequest {
        family,
        protocol: IPPROTO_TCP,
        extensions: ExtensionFlags::INFO,
        states: CONNECTED,
        socket_id: SocketId { destination_port: port, ..any.clone() },
    };
    let socket = ask(request)?;
    let (mut found, mut part) = (Vec::new(), Vec::with_capacity(MAX_PART));
    loop {
        part.clear();
        socket.recv(&mut part, 0)?;
        let mut rest = &part[..];
        while !rest.is_empty() {
            let message = NetlinkMessage::<SockDiagMessage>::deserialize(rest);
            let message = message.map_err(io::Error::other)?;
            match message.payload {
                NetlinkPayload::Done(_) => return Ok(found),
                NetlinkPayload::Error(error) => return Err(error.to_io()),
                NetlinkPayload::InnerMessage(SockDiagMessage::InetResponse(response)) => {
                    found.extend(connection(&response));
                }
                _ => {}
            }
            // Messages are aligned (netlink(7)).
            let length = (message.header.length as usize).next_multiple_of(4);
            rest = rest.get(length.max(1)..).unwrap_or_default();
        }
        if found.len() > MAX_CONNECTIONS {
            return Err(io::Error::other("there are too many connections"));
        }
    }
}

fn ask(request: InetRequest) -> io::Result<Socket> {
    let mut header = NetlinkHeader::default();
    header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    let request = SockDiagMessage::InetRequest(request);
    let mut message = NetlinkMessage::new(header, request.into());
    message.finalize();
    let mut bytes = vec![0; message.buffer_len()];
    message.serialize(&mut bytes);
    let mut socket = Socket::new(NETLINK_SOCK_DIAG)?;
    set_socket_timeout(&socket, Timeout::Recv, Some(PART_TIMEOUT))?;
    socket.bind_auto()?;
    socket.connect(&SocketAddr::new(0, 0))?;
    socket.send(&bytes, 0)?;
    Ok(socket)
}

fn connection(response: &InetResponse) -> Option<Connection> {
    let info = response.nlas.iter().find_map(|nla| match nla {
        Nla::TcpInfo(info) => Some(info),
        _ => None,
    })?;
    let last = info.last_data_sent.min(info.last_data_recv);
    let inode = response.header.inode.into();
    Some(Connection { inode, last_data: Duration::from_millis(last.into()) })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    use super::*;

    fn inode(socket: impl AsFd) -> u64 {
        rustix::fs::fstat(socket).unwrap().st_ino
    }

    #[test]
    fn lists_the_connections_to_a_port_with_their_last_data() {
        let servers = ["127.0.0.1:0", "[::1]:0"].map(|at| TcpListener::bind(at).unwrap());
        for server in &servers {
            let address = server.local_addr().unwrap();
            let mut client = TcpStream::connect(address).unwrap();
            let (accepted, _) = server.accept().unwrap();
            std::thread::sleep(Duration::from_millis(200));
            let found = connections_here(address.port()).unwrap();
            let [one] = found[..] else { panic!("{found:?}") };
            assert_eq!(one.inode, inode(&client), "not the server's {}", inode(&accepted));
            assert!(one.last_data >= Duration::from_millis(150), "{one:?}");
            client.write_all(b"x").unwrap();
            let now = connections_here(address.port()).unwrap()[0];
            assert!(now.last_data < one.last_data, "{now:?}");
        }
    }
}
