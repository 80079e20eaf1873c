//! What the forwarder reports while it works.

use std::net::IpAddr;
use std::time::Duration;

use super::failure::Failure;
use super::relay_end::RelayEnd;
use crate::model::{PortPair, Trouble};

/// Something that happened to the forwarder or to one of its connections.
#[derive(Debug)]
pub enum ForwardEvent {
    /// A client connected.
    Accepted(Accepted),
    /// The dialer has done its part: its helper is inside the target's namespace, or its socket is
    /// connected.
    Dialed(Accepted, Upstream),
    /// The target answered, at this time of `CLOCK_BOOTTIME`, ns: the dialer knows it, or the first
    /// byte has come. A connection that ends well reports it before its end at the latest. A
    /// connection that fails may never report it.
    Connected(Accepted, u64),
    /// A connection is over. The forwarder continues.
    Closed(Report),
    /// A client could not be served.
    Trouble(Trouble),
}

/// A connection that was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// Number of the connection, unique within the forwarder.
    pub number: u64,
    /// The local port and the port of the target.
    pub ports: PortPair,
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
