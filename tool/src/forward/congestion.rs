//! Congestion control on loopback.

use std::net::IpAddr;
use std::os::fd::AsFd;

use rustix::net::sockopt::set_tcp_congestion;

/// The only algorithm that each kernel has and that every user may choose by default
/// (`tcp_allowed_congestion_control`, tcp(7)).
const RENO: &str = "reno";

/// Chooses how fast a socket begins to send, if its connections stay on loopback.
///
/// There is no queue between the two ends. CUBIC, the default, ends its slow start as soon as answers take
/// a little longer than at first (HyStart, net/ipv4/tcp_cubic.c). On loopback they take longer because larger
/// pieces are copied. The stream then stays at a window of less than 20 segments, in small pieces: with
/// Reno, which starts until something is lost, it takes a fifth less CPU.
///
/// Accepted sockets inherit the choice from their listener. If the node does not allow it, nothing changes.
pub(crate) fn choose_congestion(socket: impl AsFd, address: IpAddr) {
    if address.is_loopback()
        && let Err(error) = set_tcp_congestion(socket, RENO)
    {
        log::debug!("cannot choose {RENO} for a socket on loopback: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    use rustix::net::sockopt::tcp_congestion;

    use super::*;

    /// What a connection to a listener at this address uses.
    fn chosen_at(address: Ipv4Addr) -> String {
        let listener = TcpListener::bind((address, 0)).unwrap();
        choose_congestion(&listener, address.into());
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        let (accepted, _) = listener.accept().unwrap();
        assert_eq!(tcp_congestion(&client).unwrap(), default(), "the client's choice is its own");
        tcp_congestion(&accepted).unwrap()
    }

    fn default() -> String {
        let default = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control");
        default.unwrap().trim().to_owned()
    }

    #[test]
    fn only_sockets_on_loopback_get_it() {
        assert_eq!(chosen_at(Ipv4Addr::LOCALHOST), RENO);
        assert_eq!(chosen_at(Ipv4Addr::UNSPECIFIED), default(), "its clients may be far away");
    }
}
