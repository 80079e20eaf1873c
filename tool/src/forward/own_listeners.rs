//! Finds out whether a forward leads back to itself.
//!
//! The listeners are in the network namespace that pfsnoop runs in. If the target has the same
//! namespace, a port of the target may be one of the listeners. Each connection would then make
//! another one, until as many are open as `--max-connections` allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::{PortPair, Via};
use crate::target::Target;

/// Where a forward listens, and where each listener leads.
#[derive(Debug, Default)]
pub(super) struct OwnListeners(Vec<(SocketAddr, PortPair)>);

/// A forward that would lead back to itself.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot forward {ports}: {at} inside the target is this forward's own listener, because the \
     target has the network in which pfsnoop listens; choose another local port, or :{} for a free \
     one",
    .ports.remote
)]
pub struct LeadsBack {
    /// The pair of ports that leads back.
    pub ports: PortPair,
    /// The listener to which it leads.
    pub at: SocketAddr,
}

impl OwnListeners {
    pub(super) fn new(listeners: impl Iterator<Item = (SocketAddr, PortPair)>) -> Self {
        Self(listeners.collect())
    }

    /// An error if one of the listeners would lead back to them.
    pub(super) fn check_all(&self, target: &Target, via: Via) -> Result<(), LeadsBack> {
        self.0.iter().try_for_each(|(_, ports)| self.check(*ports, target, via))
    }

    /// An error if a connection for these ports of that target would lead back.
    pub(super) fn check(
        &self,
        ports: PortPair,
        target: &Target,
        via: Via,
    ) -> Result<(), LeadsBack> {
        if !target.has_our_network() {
            return Ok(());
        }
        match self.led_back(ports.remote, via, &mut Vec::new()) {
            Some(at) => Err(LeadsBack { ports, at }),
            None => Ok(()),
        }
    }

    /// The first listener on the way of a connection to `port` that comes to the same port twice.
    /// `passed` are the ports on the way so far: no more than there are listeners.
    fn led_back(&self, port: u16, via: Via, passed: &mut Vec<u16>) -> Option<SocketAddr> {
        let (at, next) =
            self.0.iter().find(|(at, _)| at.port() == port && is_dialed(at.ip(), via))?;
        if passed.contains(&port) {
            return Some(*at);
        }
        passed.push(port);
        // All listeners at one port lead to the same port.
        self.led_back(next.remote, via, passed).map(|_| *at)
    }
}

/// Whether a dialer that dials localhost reaches a listener on this address. The listeners on `::`
/// take IPv6 only.
pub(super) fn is_dialed(listener: IpAddr, via: Via) -> bool {
    match listener {
        IpAddr::V4(ip) => ip == Ipv4Addr::LOCALHOST || ip.is_unspecified(),
        // socat is started with `TCP4:localhost`.
        IpAddr::V6(ip) => via == Via::Native && (ip == Ipv6Addr::LOCALHOST || ip.is_unspecified()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The listener to which port `remote` leads back, with these listeners: `ADDRESS:PORT` and the
    /// port to which each leads.
    fn led_back(listeners: &[(&str, u16)], remote: u16, via: Via) -> Option<String> {
        let listeners = listeners.iter().map(|&(at, remote)| {
            let at: SocketAddr = at.parse().unwrap();
            (at, PortPair { local: at.port(), remote })
        });
        let at = OwnListeners(listeners.collect()).led_back(remote, via, &mut Vec::new());
        at.map(|at| at.to_string())
    }

    #[test]
    fn a_port_leads_back_to_its_own_listener_and_through_others() {
        let itself = [("127.0.0.1:1", 1), ("[::1]:1", 1)];
        let crossed = [("127.0.0.1:1", 2), ("127.0.0.1:2", 1), ("127.0.0.1:3", 1)];
        let chain = [("127.0.0.1:1", 2), ("127.0.0.1:2", 3)];
        for via in [Via::Native, Via::NsenterSocat] {
            assert_eq!(led_back(&itself, 1, via).as_deref(), Some("127.0.0.1:1"));
            assert_eq!(led_back(&crossed, 2, via).as_deref(), Some("127.0.0.1:2"));
            assert_eq!(led_back(&crossed, 1, via).as_deref(), Some("127.0.0.1:1"), "from 3");
            assert_eq!(led_back(&chain, 2, via), None, "it ends at port 3");
            assert_eq!(led_back(&itself, 2, via), None);
        }
    }

    #[test]
    fn only_listeners_that_the_dialer_reaches_count() {
        for (listener, native, nsenter) in [
            ("0.0.0.0:1", true, true),
            ("[::]:1", true, false),
            ("[::1]:1", true, false),
            ("127.0.0.2:1", false, false),
            ("10.0.0.1:1", false, false),
        ] {
            let listeners = [(listener, 1)];
            assert_eq!(led_back(&listeners, 1, Via::Native).is_some(), native, "{listener}");
            assert_eq!(led_back(&listeners, 1, Via::NsenterSocat).is_some(), nsenter, "{listener}");
        }
    }
}
