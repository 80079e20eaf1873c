//! Every transition, with events that are late, lost, or another process's.

use std::net::{IpAddr, SocketAddr};

use super::*;
use crate::trace::{Arg, Args, Bytes, Closed, End, Outcome, State};

const MS: u64 = 1_000_000;
const PID: u32 = 100;
const START: u64 = 5;
const NETNS: u32 = 4026;

/// The state machine, and everything that it told.
#[derive(Default)]
struct Run {
    sessions: Sessions,
    told: Vec<Session>,
    /// Processes that cannot be entered.
    gone: Vec<u32>,
}

impl Run {
    fn take(&mut self, event: impl Into<Event>) -> &mut Self {
        let event = event.into();
        let whose = self.sessions.whom(&event).map(|whom| match whom {
            Whom::Pid(pid) => {
                Destination { pid: Some(pid), netns: Some(NETNS.into()), ..Destination::default() }
            }
            Whom::Netns(netns) => {
                Destination { netns: Some(netns.into()), ..Destination::default() }
            }
        });
        let gone = self.gone.clone();
        self.told.extend(self.sessions.take(&event, whose, |pid| !gone.contains(&pid)));
        self
    }

    fn at(&mut self, time_ns: u64) -> &mut Self {
        self.told.extend(self.sessions.expire(time_ns));
        self
    }

    fn states(&self) -> Vec<&'static str> {
        let name = |session: &Session| match session.state {
            State::Started => "started",
            State::Connected => "connected",
            State::Closed(_) => "closed",
        };
        self.told.iter().map(name).collect()
    }

    /// The one session's end; nothing is left of it.
    fn end(&self) -> Closed {
        assert!(self.is_empty(), "{:?}", self.sessions);
        let ids: BTreeSet<_> = self.told.iter().map(|session| &session.id).collect();
        assert_eq!(ids.len(), 1, "one session: {ids:?}");
        match &self.told.last().expect("a record").state {
            State::Closed(closed) => closed.clone(),
            state => panic!("not over: {state:?}"),
        }
    }

    fn is_empty(&self) -> bool {
        let Sessions { open, by_helper, by_connection, deadlines, .. } = &self.sessions;
        open.is_empty() && by_helper.is_empty() && by_connection.is_empty() && deadlines.is_empty()
    }
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

fn exec(time_ns: u64, comm: &str, line: &str) -> ExecEvent {
    ExecEvent {
        time_ns,
        start_ns: START,
        pid: PID,
        tid: PID,
        ppid: 1,
        uid: 0,
        gid: 0,
        ret: 0,
        comm: comm.as_bytes().into(),
        parent_comm: b"kubelet"[..].into(),
        filename: Box::default(),
        args: Args {
            list: line.split(' ').map(|arg| Arg::Text(arg.as_bytes().into())).collect(),
            ..Args::default()
        },
        netns: Some(NETNS),
        mntns: None,
        pidns: None,
        cgroup_id: 0,
        cgroup: Box::default(),
    }
}

fn nsenter(time_ns: u64) -> ExecEvent {
    let host = Some(1);
    let line = "/usr/bin/nsenter -t 7 -n /usr/bin/socat - TCP4:localhost:80";
    ExecEvent { netns: host, ..exec(time_ns, "nsenter", line) }
}

fn socat(time_ns: u64) -> ExecEvent {
    exec(time_ns, "socat", "/usr/bin/socat - TCP4:localhost:80")
}

fn exit(time_ns: u64, end: End) -> ExitEvent {
    let comm = b"socat"[..].into();
    ExitEvent { time_ns, start_ns: START, pid: PID, ppid: 1, uid: 0, comm, end }
}

/// A connection of socat's.
fn sock(time_ns: u64, state: SockState) -> SockEvent {
    SockEvent {
        time_ns,
        cookie: None,
        id: 0xabc,
        state,
        pid: PID,
        tid: PID,
        start_ns: START,
        comm: b"socat"[..].into(),
        netns: Some(NETNS),
        is_foreign: false,
        source: "127.0.0.1".parse().unwrap(),
        destination: "127.0.0.1:80".parse().unwrap(),
        is_answered: false,
        bytes: Some(Bytes { sent: 18, received: 1000 }),
    }
}

/// A connection of a thread of containerd's.
fn native(time_ns: u64, state: SockState) -> SockEvent {
    SockEvent { is_foreign: true, comm: b"containerd"[..].into(), ..sock(time_ns, state) }
}

fn to(address: &str, sock: SockEvent) -> SockEvent {
    let ip: IpAddr = address.parse().unwrap();
    SockEvent { id: sock.id + 1, source: ip, destination: SocketAddr::new(ip, 80), ..sock }
}

const CONNECTING: SockState = SockState::Connecting;
const CONNECTED: SockState = SockState::Connected;
const CLOSED: SockState = SockState::Closed { error: None, is_broken_off: false };

fn failed(errno: i32) -> SockState {
    SockState::Closed { error: Some(errno), is_broken_off: false }
}

#[test]
fn a_helper_from_start_to_end() {
    let mut run = Run::default();
    run.take(nsenter(MS)).take(socat(2 * MS)).take(sock(3 * MS, CONNECTING));
    run.take(sock(4 * MS, CONNECTED)).take(sock(8 * MS, CLOSED)).take(exit(9 * MS, End::Exited(0)));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    let end = run.end();
    assert_eq!((end.outcome, end.helper), (Outcome::Ok, Some(End::Exited(0))));
    assert_eq!((end.bytes_to_pod, end.bytes_from_pod), (Some(18), Some(1000)));
    assert_eq!((end.connect_ns, end.duration_ns), (Some(MS), Some(8 * MS)));
    let last = run.told.last().unwrap();
    assert_eq!(last.id, format!("{PID}-{START}"), "the helper's exec_id");
    assert_eq!((last.helper_pid, last.port, last.via), (Some(PID), 80, Via::NsenterSocat));
    assert_eq!((last.forwarder.pid, &*last.forwarder.comm), (1, &b"kubelet"[..]));
    assert_eq!((last.target.pid, last.target.netns), (Some(7), Some(NETNS.into())));
    assert_eq!(last.address, Some("127.0.0.1".parse().unwrap()));
}

/// nsenter's or socat's end, and what was seen of the connection, decide.
#[test]
fn every_end_of_a_helper_has_its_outcome() {
    let cases: [(&str, bool, Option<SockState>, End, Outcome); 14] = [
        ("no socat", false, None, End::Exited(127), Outcome::HelperMissing),
        ("socat is a folder", false, None, End::Exited(126), Outcome::Failed),
        ("not permitted", false, None, End::Exited(1), Outcome::Failed),
        ("nsenter killed", false, None, End::Killed(9), Outcome::Killed),
        ("killed", true, Some(CONNECTED), End::Killed(9), Outcome::Killed),
        ("socat caught SIGTERM", true, Some(CONNECTED), End::Exited(143), Outcome::Killed),
        ("broke off", true, Some(CONNECTED), End::Exited(1), Outcome::Failed),
        ("no such code", true, Some(CONNECTED), End::Exited(255), Outcome::Failed),
        ("refused", true, Some(failed(libc::ECONNREFUSED)), End::Exited(1), Outcome::Refused),
        ("no answer", true, Some(failed(libc::ETIMEDOUT)), End::Exited(1), Outcome::Timeout),
        ("socat gave up", true, Some(CLOSED), End::Exited(1), Outcome::Timeout),
        ("no route", true, Some(failed(libc::EHOSTUNREACH)), End::Exited(1), Outcome::Unreachable),
        ("other errno", true, Some(failed(libc::EPERM)), End::Exited(1), Outcome::Failed),
        ("loopback down", true, None, End::Exited(1), Outcome::Unreachable),
    ];
    for (what, becomes_socat, connection, end, outcome) in cases {
        let mut run = Run::default();
        run.take(nsenter(MS));
        if becomes_socat {
            run.take(socat(2 * MS));
        }
        if let Some(state) = connection {
            run.take(sock(3 * MS, CONNECTING)).take(sock(4 * MS, state));
            if state == CONNECTED {
                run.take(sock(5 * MS, CLOSED));
            }
        }
        run.take(exit(6 * MS, end));
        assert_eq!(run.end().outcome, outcome, "{what}: {:?}", run.end());
        let connected = connection == Some(CONNECTED);
        assert_eq!(run.states().contains(&"connected"), connected, "{what}");
    }
}

#[test]
fn a_target_that_is_gone_is_told_from_one_that_is_not_entered() {
    let mut run = Run { gone: vec![7], ..Run::default() };
    run.take(nsenter(MS)).take(exit(2 * MS, End::Exited(1)));
    assert_eq!(run.end().outcome, Outcome::TargetGone);
    assert_eq!(run.end().reason, Some(Reason::TargetEnded(7)));
    // It may be gone by the time that socat ends: that is another matter.
    let mut run = Run { gone: vec![7], ..Run::default() };
    run.take(nsenter(MS)).take(socat(2 * MS)).take(sock(3 * MS, CONNECTING));
    run.take(sock(4 * MS, failed(libc::ECONNREFUSED))).take(exit(5 * MS, End::Exited(1)));
    assert_eq!(run.end().outcome, Outcome::Refused);
}

#[test]
fn the_end_of_a_killed_helpers_connection_comes_after_its_own() {
    let mut run = Run::default();
    run.take(nsenter(MS)).take(socat(2 * MS)).take(sock(3 * MS, CONNECTING));
    run.take(sock(4 * MS, CONNECTED)).take(exit(5 * MS, End::Killed(9)));
    assert_eq!(run.states(), ["started", "connected"], "its bytes are not known yet");
    run.take(sock(6 * MS, CLOSED));
    assert_eq!((run.end().outcome, run.end().bytes_to_pod), (Outcome::Killed, Some(18)));
    assert_eq!(run.end().duration_ns, Some(4 * MS), "until the helper's end");
    // It may never come.
    let mut run = Run::default();
    run.take(nsenter(MS)).take(socat(2 * MS)).take(sock(3 * MS, CONNECTING));
    run.take(exit(5 * MS, End::Killed(9))).at(5 * MS + GRACE_NS - 1);
    assert_eq!(run.states(), ["started"]);
    run.at(5 * MS + GRACE_NS);
    assert_eq!(run.end().outcome, Outcome::Killed);
}

#[test]
fn a_pid_that_is_used_again_is_another_session() {
    let mut run = Run::default();
    run.take(nsenter(MS)).take(socat(2 * MS));
    // The end was lost, and so was all of the next one but its end.
    let later = ExitEvent { start_ns: 50, ..exit(60 * MS, End::Exited(1)) };
    run.take(later);
    assert_eq!(run.states(), ["started"], "another process's end");
    run.take(ExecEvent { start_ns: 70, ..nsenter(80 * MS) });
    assert_eq!(run.states(), ["started", "closed", "started"]);
    let State::Closed(closed) = &run.told[1].state else { panic!("closed") };
    assert_eq!((closed.outcome, closed.reason.clone()), (Outcome::Failed, Some(Reason::NotSeen)));
    assert_ne!(run.told[1].id, run.told[2].id);
    run.take(SockEvent { start_ns: 50, ..sock(81 * MS, CONNECTING) });
    assert!(run.sessions.open().all(|open| open.connection.is_none()), "another process's");
}

#[test]
fn a_native_forward_from_start_to_end() {
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED)).take(native(9 * MS, CLOSED));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    let end = run.end();
    assert_eq!((end.outcome, end.helper), (Outcome::Ok, None));
    assert_eq!((end.bytes_to_pod, end.bytes_from_pod), (Some(18), Some(1000)));
    let last = run.told.last().unwrap();
    assert_eq!((last.forwarder.pid, &*last.forwarder.comm), (PID, &b"containerd"[..]));
    assert_eq!((last.target.netns, last.via), (Some(NETNS.into()), Via::Native));
}

#[test]
fn ipv4_then_ipv6_is_one_session() {
    let refused = failed(libc::ECONNREFUSED);
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, refused));
    run.take(to("::1", native(3 * MS, CONNECTING)));
    run.at(10_000 * MS);
    run.take(to("::1", native(10_001 * MS, CONNECTED)));
    run.take(to("::1", native(10_002 * MS, CLOSED)));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!(run.end().outcome, Outcome::Ok);
    assert_eq!(run.told.last().unwrap().address, Some("::1".parse().unwrap()));

    // Both refuse, and then an address of the pod's own; the first answer counts.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, refused));
    run.take(to("::1", native(3 * MS, CONNECTING)));
    run.take(to("::1", native(4 * MS, failed(libc::EADDRNOTAVAIL))));
    run.take(to("10.1.2.3", native(5 * MS, CONNECTING)))
        .take(to("10.1.2.3", native(6 * MS, refused)));
    assert_eq!(run.states(), ["started"]);
    run.at(6 * MS + GRACE_NS);
    assert_eq!(run.end().outcome, Outcome::Refused);
    let address = "127.0.0.1".parse().unwrap();
    assert_eq!(run.end().reason, Some(Reason::NothingListens { address, port: 80 }));
    assert_eq!(run.end().duration_ns, Some(5 * MS), "without the wait");
}

#[test]
fn the_same_address_again_is_another_session() {
    let refused = failed(libc::ECONNREFUSED);
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, refused));
    run.take(native(3 * MS, CONNECTING)).take(native(4 * MS, refused));
    run.at(MS + 2 * GRACE_NS);
    assert_eq!(run.states(), ["started", "started", "closed", "closed"]);
    assert!(run.is_empty());
}

#[test]
fn every_end_of_a_native_forward_has_its_outcome() {
    let broken_off = SockState::Closed { error: None, is_broken_off: true };
    for (connects, state, outcome) in [
        (true, failed(libc::ECONNRESET), Outcome::Failed),
        (true, failed(libc::ETIMEDOUT), Outcome::Timeout),
        (true, broken_off, Outcome::Failed),
        (false, failed(libc::ETIMEDOUT), Outcome::Timeout),
        (false, failed(libc::EHOSTUNREACH), Outcome::Unreachable),
        (false, CLOSED, Outcome::Timeout),
    ] {
        let mut run = Run::default();
        run.take(native(MS, CONNECTING));
        if connects {
            run.take(native(2 * MS, CONNECTED));
        }
        run.take(native(3 * MS, state)).at(4 * MS + GRACE_NS);
        assert_eq!(run.end().outcome, outcome, "{state:?}");
    }
}

#[test]
fn a_forwarder_that_ends_takes_its_connections_with_it() {
    for (end, outcome) in [
        (End::Killed(9), Outcome::Killed),
        (End::Exited(2), Outcome::Killed),
        (End::Exited(0), Outcome::Ok),
    ] {
        let mut run = Run::default();
        run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED)).take(exit(3 * MS, end));
        assert_eq!(run.states(), ["started", "connected"]);
        run.take(native(4 * MS, CLOSED));
        assert_eq!((run.end().outcome, run.end().bytes_to_pod), (outcome, Some(18)), "{end:?}");
        assert_eq!(run.end().helper, None, "it is the forwarder's end");
    }
    // One that was refused, and then ended: nothing more is tried.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, failed(libc::ECONNREFUSED)));
    run.take(exit(3 * MS, End::Exited(1)));
    assert_eq!(run.end().outcome, Outcome::Refused);
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(exit(3 * MS, End::Killed(9))).at(4 * MS + GRACE_NS);
    assert_eq!(run.end().outcome, Outcome::Killed, "its connection's end was lost");
}

#[test]
fn lost_events_leave_nothing_behind() {
    // The first state.
    let mut run = Run::default();
    run.take(native(2 * MS, CONNECTED)).take(native(3 * MS, CLOSED));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!((run.end().outcome, run.end().connect_ns), (Outcome::Ok, None));
    // The last: the kernel uses the id again, for the same process or for another.
    for pid in [PID, 200] {
        let mut run = Run::default();
        run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
        run.take(SockEvent { pid, ..native(3 * MS, CONNECTING) });
        run.take(SockEvent { pid, ..native(4 * MS, CONNECTED) });
        run.take(SockEvent { pid, ..native(5 * MS, CLOSED) });
        let closed = run.told.iter().filter(|told| matches!(told.state, State::Closed(_)));
        assert_eq!(closed.count(), if pid == PID { 2 } else { 1 }, "{:?}", run.states());
        run.take(exit(6 * MS, End::Exited(0))).at(7 * MS + GRACE_NS);
        assert!(run.is_empty(), "{:?}", run.sessions);
    }
    // The answer.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING));
    run.take(SockEvent { is_answered: true, ..native(3 * MS, CLOSED) });
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!((run.end().outcome, run.end().connect_ns), (Outcome::Ok, None));
    // The end, until somebody looked.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
    run.take(SockEvent { bytes: None, ..native(3 * MS, SockState::Gone) });
    assert_eq!(run.end().reason, Some(Reason::NotSeen));
    let mut run = Run::default();
    run.take(native(MS, CONNECTING));
    run.take(SockEvent { bytes: None, ..native(3 * MS, SockState::Gone) }).at(4 * MS + GRACE_NS);
    assert_eq!(run.end().reason, Some(Reason::NotSeen));
    // All but the last.
    let mut run = Run::default();
    run.take(native(MS, CLOSED))
        .take(sock(MS, CLOSED))
        .take(socat(MS))
        .take(exit(MS, End::Exited(0)));
    assert!(run.told.is_empty() && run.is_empty());
}

#[test]
fn what_is_no_forward_makes_no_session() {
    let mut run = Run::default();
    run.take(exec(MS, "nsenter", "nsenter -t 7 -n ip addr"));
    run.take(exec(MS, "socat", "socat - FILE:/etc/hosts"));
    run.take(exec(MS, "socat", "socat - TCP4:localhost:80"));
    run.take(ExecEvent { ret: -2, ..nsenter(MS) });
    // A socat of somebody's own, also in a container.
    run.take(sock(MS, CONNECTING)).take(sock(2 * MS, CONNECTED)).take(sock(3 * MS, CLOSED));
    // Out of somebody's namespace, and to an address of its own without localhost first.
    run.take(to("10.9.9.9", SockEvent { id: 1, ..native(MS, CONNECTING) }));
    assert!(run.told.is_empty() && run.is_empty(), "{:?}", run.told);
}

#[test]
fn counts_come_while_it_is_open() {
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
    let bytes = Bytes { sent: 5, received: 7 };
    run.take(SockEvent { bytes: Some(bytes), ..native(3 * MS, SockState::Open) });
    assert_eq!(run.states(), ["started", "connected"], "no record of it");
    let open: Vec<_> = run.sessions.open().collect();
    assert_eq!((open[0].bytes, open[0].connection), (Some(bytes), Some(0xabc)));
}

#[test]
fn the_number_of_sessions_is_bounded() {
    let mut run = Run::default();
    for n in 0..2 * MAX_OPEN as u64 {
        run.take(SockEvent { id: n, ..native(MS + n, CONNECTING) });
    }
    let Sessions { open, by_connection, deadlines, .. } = &run.sessions;
    assert_eq!((open.len(), by_connection.len(), deadlines.len()), (MAX_OPEN, MAX_OPEN, 0));
    assert_eq!(run.told.len(), 3 * MAX_OPEN, "each that gave way has its end");
}

proptest::proptest! {
    /// Whatever comes in whatever order, every start has one end, and nothing is left.
    #[test]
    fn every_start_has_one_end(steps: Vec<(u8, u8, u8)>) {
        let mut run = Run::default();
        for (n, (what, who, how)) in steps.into_iter().enumerate() {
            let (time, pid) = (MS * n as u64, PID + u32::from(who % 3));
            let state = match how % 6 {
                0 | 1 => CONNECTING,
                2 => CONNECTED,
                3 => failed(libc::ECONNREFUSED),
                4 => SockState::Gone,
                _ => CLOSED,
            };
            let id = u64::from(how / 6 % 3);
            match what % 6 {
                0 => run.take(ExecEvent { pid, ..nsenter(time) }),
                1 => run.take(ExecEvent { pid, ..socat(time) }),
                2 => run.take(ExitEvent { pid, ..exit(time, End::Exited(how)) }),
                3 => run.take(SockEvent { id, pid, ..sock(time, state) }),
                4 => run.take(SockEvent { id, pid, ..native(time, state) }),
                _ => run.take(to("::1", SockEvent { id, pid, ..native(time, state) })),
            };
        }
        for pid in PID..PID + 3 {
            run.take(ExitEvent { pid, ..exit(u64::MAX / 2, End::Exited(0)) });
        }
        run.at(u64::MAX);
        proptest::prop_assert!(run.is_empty(), "{:?}", run.sessions);
        let starts: Vec<_> = run.told.iter().filter(|told| told.state == State::Started).collect();
        let is_end = |told: &&Session| matches!(told.state, State::Closed(_));
        proptest::prop_assert_eq!(starts.len(), run.told.iter().filter(is_end).count());
    }
}
