//! What the forwarder reports while it works.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::failure::Failure;
use super::relay_end::RelayEnd;
use crate::model::{Client, Destination, PortPair, RestartWords, Trouble, Via};
use crate::target::{Identity, Target, TargetEnded};

/// Something that happened to the forwarder or to one of its connections.
#[derive(Debug)]
pub enum ForwardEvent {
    /// A client connected, and asks for a connection to there. It is known by name if it is a client of
    /// an endpoint.
    Accepted(Accepted, Arc<Destination>, Option<Arc<Client>>),
    /// The dialer has done its part: its helper is inside the target's namespace, or its socket is
    /// connected. It leads there.
    Dialed(Accepted, Upstream, Arc<Destination>),
    /// The target answered, at this time of `CLOCK_BOOTTIME`, ns: the dialer knows it, or the first
    /// byte has come. A connection that ends well reports it before its end at the latest. A
    /// connection that fails may never report it.
    Connected(Accepted, u64),
    /// A connection is over. The forwarder continues.
    Closed(Report),
    /// A client could not be served.
    Trouble(Trouble),
    /// The target has restarted. Later connections lead to it as it runs now.
    Restarted(Restart),
    /// The target has ended for good, and every connection is over. Nothing follows.
    TargetEnded(TargetEnded),
}

/// A restart of the target.
#[derive(Debug)]
pub struct Restart {
    /// The same for people.
    pub words: RestartWords,
    /// Where later connections lead.
    pub destination: Arc<Destination>,
}

/// A connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Number of the connection, unique within the forwarder.
    pub number: u64,
    /// How the forwarder gets into the target.
    pub via: Via,
    /// The port of the target.
    pub port: u16,
    /// The port of the listener, if there is one.
    pub local_port: Option<u16>,
    /// When it was accepted: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
}

/// The side of a connection that leads to the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upstream {
    /// The address of the target that answered, when the dialer knows it.
    pub address: Option<IpAddr>,
    /// The helper process that carries it, when there is one.
    pub helper_pid: Option<u32>,
    /// The start of the helper, once the kernel has reported it: `CLOCK_BOOTTIME`, ns.
    pub helper_start_ns: Option<u64>,
    /// The socket's `SO_COOKIE`, when the socket is ours.
    pub cookie: Option<u64>,
}

/// A connection that is over.
#[derive(Debug)]
pub struct Report {
    /// The connection.
    pub accepted: Accepted,
    /// When it ended: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Its upstream; empty if it was never dialed.
    pub upstream: Upstream,
    /// Bytes that arrived in the pod.
    pub bytes_to_pod: u64,
    /// Bytes that arrived at the client.
    pub bytes_from_pod: u64,
    /// From accept to the end.
    pub duration: Duration,
    /// How it ended.
    pub result: Result<RelayEnd, Failure>,
}

impl Accepted {
    /// The local port and the port of the target, if there is a local one.
    #[must_use]
    pub fn ports(&self) -> Option<PortPair> {
        self.local_port.map(|local| PortPair { local, remote: self.port })
    }
}

impl Restart {
    /// `before` has `ended`, and `now` runs in its place.
    pub(super) fn new(
        ended: String,
        before: &Target,
        now: &Target,
        destination: Arc<Destination>,
    ) -> Self {
        let (old, new) = (before.identity(), now.identity());
        let words = RestartWords {
            ended,
            target: old.map(ToString::to_string).unwrap_or_default(),
            pid: now.pid(),
            netns: now.netns().inode(),
            pod_uid: new.and_then(|new| new.pod()).map(|pod| pod.uid.clone()),
            new_id: new
                .map(Identity::id)
                .filter(|&id| old.is_some_and(|old| old.id() != id))
                .map(str::to_owned),
        };
        Self { words, destination }
    }
}
