//! What the pipeline reports, one piece at a time: the input of every sink.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{
    Client, ExecEvent, ExitEvent, Finding, Lost, Owner, PastSession, PortPair, Serving, Session,
    TargetEntry,
};

/// Something to show.
#[derive(Clone, Debug)]
pub enum Update {
    /// Everything is attached, or listens. Comes once.
    Ready(Ready),
    /// A listener of a forward.
    Listening(Listening),
    /// An endpoint listens. Comes once.
    Serving(Box<Serving>),
    /// An exec, and the pod and container that it belongs to.
    Exec(Box<ExecEvent>, Owner),
    /// The end of a process.
    Exit(ExitEvent),
    /// A session entered a state.
    Session(Box<Session>),
    /// A session from the store.
    Past(Box<PastSession>),
    /// Records were lost.
    Lost(Lost),
    /// A forward turned a client away, or cannot accept any.
    Trouble(Trouble),
    /// The target of a forward has restarted.
    Restarted(RestartWords),
    /// What a check of the doctor found.
    Finding(Finding),
    /// A pod or container that can be forwarded to.
    Target(Box<TargetEntry>),
    /// A line of the demo.
    Line(String),
}

/// The command is ready.
#[derive(Clone, Debug)]
pub struct Ready {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// The command's name.
    pub command: &'static str,
    /// Rows of execs will come.
    pub has_execs: bool,
}

/// A listening socket and where it leads.
#[derive(Clone, Copy, Debug)]
pub struct Listening {
    /// `CLOCK_BOOTTIME`, ns.
    pub time_ns: u64,
    /// Where it listens.
    pub address: SocketAddr,
    /// The port inside the target.
    pub target_port: u16,
}

/// Why a client cannot be served.
#[derive(Clone, Debug)]
pub enum Trouble {
    /// As many connections as allowed are open: a client was turned away.
    TooManyConnections {
        /// The ports that the client asked for.
        ports: PortPair,
        /// How many connections are allowed.
        max: u32,
    },
    /// As many connections as allowed are open: a stream was turned away.
    TooManyStreams {
        /// Who asked for it.
        client: Arc<Client>,
        /// The port inside the target.
        port: u16,
        /// How many connections are allowed.
        max: u32,
    },
    /// A listener cannot accept, and tries again. Reported once per outage.
    CannotAccept {
        /// Where it listens.
        address: SocketAddr,
        /// The system's error.
        error: String,
    },
}

/// A restart of a forward's target, for people.
#[derive(Clone, Debug)]
pub struct RestartWords {
    /// How it ended before, in words.
    pub ended: String,
    /// What the user named: `pod shop/kuard` or `container web`.
    pub target: String,
    /// Its process now, if one is known.
    pub pid: Option<u32>,
    /// Inode of its network namespace now.
    pub netns: u64,
    /// The uid of its pod now.
    pub pod_uid: Option<String>,
    /// The id of its sandbox or container, if that is another one now.
    pub new_id: Option<String>,
}
