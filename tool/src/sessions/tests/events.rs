//! Events of one helper and of one native forwarder, as the kernel programs report them.

use std::net::{IpAddr, SocketAddr};

use crate::model::{
    Arg, Args, Bytes, End, Ending, Event, ExecEvent, ExitEvent, SockEvent, SockState, invocation,
};

pub(super) const MS: u64 = 1_000_000;
pub(super) const PID: u32 = 100;
pub(super) const START: u64 = 5;
pub(super) const NETNS: u32 = 4026;

pub(super) fn exec(time_ns: u64, comm: &str, line: &str) -> ExecEvent {
    let list = line.split(' ').map(|arg| Arg::Text(arg.as_bytes())).collect();
    let args = Args { list, ..Args::default() };
    ExecEvent {
        time_ns,
        start_ns: START,
        pid: PID,
        tid: PID,
        ppid: 1,
        comm: comm.as_bytes().into(),
        parent_comm: b"kubelet"[..].into(),
        parent_uid: Some(0),
        invocation: invocation(&args),
        args,
        netns: Some(NETNS),
        pidns: Some(4000),
        ..ExecEvent::default()
    }
}

pub(super) fn nsenter(time_ns: u64) -> ExecEvent {
    let host = Some(1);
    let line = "/usr/bin/nsenter -t 7 -n /usr/bin/socat - TCP4:localhost:80";
    ExecEvent { netns: host, ..exec(time_ns, "nsenter", line) }
}

pub(super) fn socat(time_ns: u64) -> ExecEvent {
    exec(time_ns, "socat", "/usr/bin/socat - TCP4:localhost:80")
}

pub(super) fn exit(time_ns: u64, end: End) -> ExitEvent {
    let comm = b"socat"[..].into();
    let netns = Some(NETNS);
    ExitEvent { time_ns, start_ns: START, pid: PID, ppid: 1, uid: 0, comm, netns, end }
}

/// A connection of socat.
pub(super) fn sock(time_ns: u64, state: SockState) -> SockEvent {
    SockEvent {
        time_ns,
        cookie: None,
        id: 0xabc,
        state,
        pid: PID,
        tid: PID,
        start_ns: START,
        comm: b"socat"[..].into(),
        uid: Some(0),
        share: 0,
        netns: Some(NETNS),
        is_foreign: false,
        source: "127.0.0.1".parse().unwrap(),
        destination: "127.0.0.1:80".parse().unwrap(),
        is_answered: false,
        bytes: Some(Bytes { sent: 18, received: 1000 }),
    }
}

/// A connection of containerd.
pub(super) fn native(time_ns: u64, state: SockState) -> SockEvent {
    SockEvent { is_foreign: true, comm: b"containerd"[..].into(), ..sock(time_ns, state) }
}

pub(super) fn to(address: &str, sock: SockEvent) -> SockEvent {
    let ip: IpAddr = address.parse().unwrap();
    SockEvent { id: sock.id + 1, source: ip, destination: SocketAddr::new(ip, 80), ..sock }
}

pub(super) const CONNECTING: SockState = SockState::Connecting;
pub(super) const CONNECTED: SockState = SockState::Connected;
/// Nothing of note.
pub(super) const NOTHING: Ending = Ending {
    error: None,
    is_ended_there: false,
    is_ended_here: false,
    is_released: false,
    reset: None,
    unsent: 0,
    is_loopback_down: false,
    server_end: None,
};
/// Both sides have ended.
pub(super) const CLOSED: SockState =
    SockState::Closed(Ending { is_ended_there: true, is_ended_here: true, ..NOTHING });

pub(super) fn failed(errno: i32) -> SockState {
    SockState::Closed(Ending { error: Some(errno), ..NOTHING })
}

impl From<ExecEvent> for Event {
    fn from(exec: ExecEvent) -> Self {
        Self::Exec(exec)
    }
}

impl From<ExitEvent> for Event {
    fn from(exit: ExitEvent) -> Self {
        Self::Exit(exit)
    }
}

impl From<SockEvent> for Event {
    fn from(sock: SockEvent) -> Self {
        Self::Sock(sock)
    }
}
