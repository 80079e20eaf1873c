//! Finds out whether a stream leads back to the endpoint that it came through.

use std::net::SocketAddr;

use super::own_listeners::is_dialed;
use crate::model::Via;
use crate::target::Target;

/// Where the endpoint listens. A stream that leads there would let each client be a client of itself,
/// from one stream to the next, until as many are open as are allowed.
#[derive(Debug, Default)]
pub(super) struct OwnEndpoint(Vec<SocketAddr>);

/// A stream that would lead back to the endpoint.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot forward to port {port}: {at} inside the target is where pfsnoop itself listens, because the \
     target has the network in which pfsnoop runs"
)]
pub struct LeadsToEndpoint {
    /// The port of the target.
    pub port: u16,
    /// Where the endpoint listens.
    pub at: SocketAddr,
}

impl OwnEndpoint {
    pub(super) fn new(listeners: Vec<SocketAddr>) -> Self {
        Self(listeners)
    }

    /// An error if a stream for this port of that target would lead back.
    pub(super) fn check(
        &self,
        port: u16,
        target: &Target,
        via: Via,
    ) -> Result<(), LeadsToEndpoint> {
        match self.at(port, via).filter(|_| target.has_our_network()) {
            Some(at) => Err(LeadsToEndpoint { port, at }),
            None => Ok(()),
        }
    }

    fn at(&self, port: u16, via: Via) -> Option<SocketAddr> {
        self.0.iter().copied().find(|at| at.port() == port && is_dialed(at.ip(), via))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_listener_that_the_dialer_reaches_leads_back() {
        let endpoint = ["127.0.0.1:6443", "[::1]:7443", "10.0.0.1:8443"];
        let endpoint = OwnEndpoint::new(endpoint.map(|at| at.parse().unwrap()).to_vec());
        let leads_back = |port, via| endpoint.at(port, via).is_some();
        assert!(leads_back(6443, Via::Native) && leads_back(6443, Via::NsenterSocat));
        assert!(leads_back(7443, Via::Native) && !leads_back(7443, Via::NsenterSocat));
        assert!(!leads_back(8443, Via::Native) && !leads_back(80, Via::Native));
    }
}
