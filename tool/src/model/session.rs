//! A forwarded connection as a record: its states and its end. The same for every forwarder.

use std::net::IpAddr;
use std::sync::Arc;

use super::{Client, Destination, End, Outcome, PortPair, Program, Reason};

/// A forwarded connection in one of its states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Identifies the connection for good, in each of its states.
    pub id: String,
    /// When it entered this state: `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// How the forward gets into the target.
    pub via: Via,
    /// The process that forwards.
    pub forwarder: Program,
    /// The helper, once it runs: the nsenter that becomes socat, or that starts socat as its child.
    pub helper: Option<Helper>,
    /// The `SO_COOKIE` of the connection's socket, if its process had asked the kernel for one.
    pub cookie: Option<u64>,
    /// Who asked for the connection, of a session of pfsnoop's own endpoint.
    pub client: Option<Arc<Client>>,
    /// The target.
    pub target: Destination,
    /// The port inside the target.
    pub port: u16,
    /// The local port and the target's, of a session that pfsnoop itself forwards from a local port.
    pub ports: Option<PortPair>,
    /// The address of the target that answered, when it is known.
    pub address: Option<IpAddr>,
    /// The state.
    pub state: State,
}

/// A helper process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Helper {
    /// Its pid.
    pub pid: u32,
    /// Its start, `CLOCK_BOOTTIME`, ns; `None` while the kernel has not reported its exec.
    pub start_ns: Option<u64>,
}

/// How a forward gets into its target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// `nsenter -t PID -n socat - TCP4:localhost:PORT`.
    NsenterSocat,
    /// A socket made inside the network namespace.
    Native,
}

impl Via {
    /// The name in records and rows.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NsenterSocat => "nsenter+socat",
            Self::Native => "native",
        }
    }
}

/// The state of a forwarded connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A client has connected, or a helper has started.
    Started,
    /// The target has answered.
    Connected,
    /// It is over.
    Closed(Closed),
    /// It is no longer followed: its end will not be reported.
    Lost,
}

impl State {
    /// The name in records.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Connected => "connected",
            Self::Closed(_) => "closed",
            Self::Lost => "lost",
        }
    }
}

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// In one word.
    pub outcome: Outcome,
    /// Why.
    pub reason: Reason,
    /// How the helper ended; `None` if that has no meaning for the connection.
    pub helper_end: Option<End>,
    /// The start of what the helper wrote to stderr.
    pub stderr: Option<String>,
    /// The forwarder's own error, worded as in the kubelet. Only of sessions that pfsnoop forwards.
    pub error: Option<String>,
    /// Payload that arrived in the pod, bytes.
    pub bytes_to_pod: Option<u64>,
    /// Payload that arrived at the client, bytes.
    pub bytes_from_pod: Option<u64>,
    /// From the start of the attempt that succeeded to the target's answer, ns.
    pub connect_ns: Option<u64>,
    /// From the session's start to its end, ns.
    pub duration_ns: Option<u64>,
}
