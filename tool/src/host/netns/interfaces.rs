//! The interfaces of the calling thread's network namespace.

use std::io;
use std::net::{IpAddr, Ipv6Addr};

use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrIn6;

/// Whether the loopback interface is up.
pub(super) fn loopback_is_up_here() -> io::Result<bool> {
    // An interface that is down is listed too, without an address.
    let up = InterfaceFlags::IFF_LOOPBACK | InterfaceFlags::IFF_UP;
    Ok(nix::ifaddrs::getifaddrs()?.any(|interface| interface.flags.contains(up)))
}

/// The addresses of the interfaces, without the loopback interface and link-local addresses. The
/// loopback interface may have addresses of services, such as those of a load balancer that leaves
/// the client's destination address in place.
pub fn addresses_here() -> io::Result<Vec<IpAddr>> {
    let is_link_local = |address: &Ipv6Addr| address.segments()[0] & 0xffc0 == 0xfe80;
    let mut found = Vec::new();
    for interface in nix::ifaddrs::getifaddrs()? {
        if interface.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            continue;
        }
        let Some(address) = interface.address else { continue };
        let v4 = address.as_sockaddr_in().map(|address| IpAddr::V4(address.ip()));
        let v6 = address.as_sockaddr_in6().map(SockaddrIn6::ip).filter(|ip| !is_link_local(ip));
        found.extend(v4.or(v6.map(IpAddr::V6)).filter(|ip| !ip.is_loopback()));
    }
    Ok(found)
}
