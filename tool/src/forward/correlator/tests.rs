use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use super::correlator::{KERNEL_TIMEOUT_NS, UNMATCHED_TIMEOUT_NS};
use super::views::LocalView;
use super::{Correlator, Records, Watched};
use crate::forward::event::{Accepted, ForwardEvent, Report, Restart, Upstream};
use crate::forward::failure::Failure;
use crate::forward::relay_end::{RelayEnd, RelayError};
use crate::model::{
    Client, Closed, Destination, End, Helper, Outcome, PortPair, Program, Reason, RestartWords,
    Session, State, Transport, Trouble, Update, Via,
};

const PID: u32 = 42;
const COOKIE: u64 = 4242;
const PORTS: PortPair = PortPair { local: 8080, remote: 80 };
const ACCEPTED: Accepted = Accepted {
    number: 1,
    via: Via::NsenterSocat,
    port: PORTS.remote,
    local_port: Some(PORTS.local),
    time_ns: 1000,
};
const HELPER: Upstream =
    Upstream { address: None, helper_pid: Some(PID), helper_start_ns: None, cookie: None };

fn target(pid: u32) -> Arc<Destination> {
    Arc::new(Destination { pid: Some(pid), ..Destination::default() })
}

fn correlator(is_watched: bool) -> Correlator {
    let forwarder = Program { pid: 7, comm: b"pfsnoop"[..].into(), uid: Some(0), exe: None };
    let watched = Watched { own_netns: None, has_kernel_pids: true };
    Correlator::new(Records { forwarder, start_ns: 5 }, is_watched.then_some(watched))
}

/// A client of a listener.
fn accepted() -> ForwardEvent {
    ForwardEvent::Accepted(ACCEPTED, target(1), None)
}

fn report(upstream: Upstream, result: Result<RelayEnd, Failure>) -> ForwardEvent {
    ForwardEvent::Closed(Report {
        accepted: ACCEPTED,
        time_ns: 9000,
        upstream,
        bytes_to_pod: 11,
        bytes_from_pod: 22,
        duration: Duration::from_micros(8),
        result,
    })
}

/// A session as the kernel reports it: with an address, and with other byte counts than the
/// forwarder's.
fn seen(upstream: Upstream, time_ns: u64, state: State) -> Session {
    let Upstream { helper_pid, cookie, .. } = upstream;
    let helper = helper_pid.map(|pid| Helper { pid, start_ns: Some(5) });
    let address = (state != State::Started).then(|| "127.0.0.1".parse().unwrap());
    let records = correlator(true).records;
    let local = LocalView::new(ACCEPTED, target(1), None, None);
    let session = records.session(&local, time_ns, state);
    Session { helper, cookie, address, ..session }
}

fn ended(outcome: Outcome, reason: Reason) -> State {
    State::Closed(Closed {
        outcome,
        reason,
        helper_end: Some(End::Exited(1)),
        stderr: None,
        error: None,
        bytes_to_pod: Some(10),
        bytes_from_pod: Some(20),
        connect_ns: Some(30),
        duration_ns: Some(40),
    })
}

/// States, times and addresses of what was reported.
fn states(updates: &[Update]) -> Vec<(&'static str, u64, bool)> {
    let state = |update: &Update| match update {
        Update::Session(session) => {
            (session.state.name(), session.time_ns, session.address.is_some())
        }
        _ => ("trouble", 0, false),
    };
    updates.iter().map(state).collect()
}

fn closed(updates: Vec<Update>) -> Closed {
    let end = updates.into_iter().find_map(|update| match update {
        Update::Session(session) => match session.state {
            State::Closed(closed) => Some(closed),
            _ => None,
        },
        _ => None,
    });
    end.expect("an end")
}

fn helper_failed() -> Failure {
    Failure::HelperFailed { status: ExitStatus::from_raw(1 << 8), stderr: "words\n".to_owned() }
}

#[test]
fn without_a_monitor_only_the_local_view_is_reported() {
    let mut joined = correlator(false);
    assert_eq!(states(&joined.event(accepted())), [("started", 1000, false)]);
    assert_eq!(states(&joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)))), []);
    let updates = joined.event(ForwardEvent::Connected(ACCEPTED, 2000));
    assert_eq!(states(&updates), [("connected", 2000, false)]);
    let closed = closed(joined.event(report(HELPER, Ok(RelayEnd::Ended))));
    let bytes = (closed.bytes_to_pod, closed.bytes_from_pod);
    assert_eq!((closed.outcome, bytes), (Outcome::Ok, (Some(11), Some(22))));
    assert_eq!((closed.reason, closed.helper_end), (Reason::BothEnded, Some(End::Exited(0))));
    assert!(joined.local.is_empty() && joined.numbers.is_empty());
}

/// Either view may come first.
#[test]
fn the_views_are_joined_by_helper_and_by_socket() {
    let socket = Upstream { cookie: Some(COOKIE), ..Upstream::default() };
    let refused = Reason::NothingListens { address: "127.0.0.1".parse().unwrap(), port: 80 };
    for upstream in [HELPER, socket] {
        for kernel_is_first in [true, false] {
            let mut joined = correlator(true);
            joined.event(accepted());
            joined.session(seen(upstream, 1500, State::Started));
            let connected = seen(upstream, 1600, State::Connected);
            let updates = if kernel_is_first {
                assert_eq!(states(&joined.session(connected)), [], "no connection matches it yet");
                joined.event(ForwardEvent::Dialed(ACCEPTED, upstream, target(1)))
            } else {
                assert_eq!(
                    states(&joined.event(ForwardEvent::Dialed(ACCEPTED, upstream, target(1)))),
                    []
                );
                joined.session(connected)
            };
            assert_eq!(states(&updates), [("connected", 1600, true)], "{upstream:?}");
            assert_eq!(states(&joined.event(ForwardEvent::Connected(ACCEPTED, 1700))), [], "once");
            let last = seen(upstream, 3000, ended(Outcome::Refused, refused.clone()));
            let report = report(upstream, Err(helper_failed()));
            let updates = if kernel_is_first {
                assert_eq!(states(&joined.session(last)), []);
                joined.event(report)
            } else {
                assert_eq!(states(&joined.event(report)), [], "the kernel's view is to come");
                joined.session(last)
            };
            assert_eq!(states(&updates), [("closed", 9000, true)]);
            let closed = closed(updates);
            assert_eq!((closed.outcome, closed.reason), (Outcome::Refused, refused.clone()));
            assert_eq!(closed.stderr.as_deref(), Some("words"), "only the forwarder knows it");
            let bytes = (closed.bytes_to_pod, closed.bytes_from_pod);
            assert_eq!(bytes, (Some(10), Some(22)), "into the pod, and to the client");
            assert_eq!((closed.connect_ns, closed.duration_ns), (Some(30), Some(8000)));
            assert!(joined.local.is_empty() && joined.kernel.is_empty(), "{joined:?}");
            assert!(joined.numbers.is_empty(), "{joined:?}");
        }
    }
}

/// When pfsnoop ends a helper, the helper's end is not the reason for the connection's end.
#[test]
fn a_connection_that_pfsnoop_ended_is_reported_so() {
    let killed = || ended(Outcome::Killed, Reason::HelperKilled { signal: 9, is_socat: true });
    let reset = || ErrorKind::ConnectionReset.into();
    for (failure, outcome, words) in [
        (Failure::Stopped, Outcome::Killed, "the forward was stopped"),
        (
            Failure::Relay(RelayError::Client(reset())),
            Outcome::Reset,
            "the client closed the connection early: ",
        ),
    ] {
        let mut joined = correlator(true);
        joined.event(accepted());
        joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)));
        joined.session(seen(HELPER, 3000, killed()));
        let closed = closed(joined.event(report(HELPER, Err(failure))));
        assert_eq!((closed.outcome, closed.helper_end), (outcome, None));
        let Reason::InWords(ref said) = closed.reason else { panic!("{closed:?}") };
        assert!(said.starts_with(words), "{said}");
        assert_eq!(closed.bytes_to_pod, Some(10), "that much arrived");
    }
    // A reset by the target: the kernel knows its errno, unless it saw a good end.
    for (seen_as, reason, reported) in [
        (Outcome::Reset, Reason::Errno(104), Reason::Errno(104)),
        (Outcome::Ok, Reason::BothEnded, Reason::InWords(String::new())),
    ] {
        let mut joined = correlator(true);
        joined.event(accepted());
        joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)));
        joined.session(seen(HELPER, 3000, ended(seen_as, reason)));
        let failure = Failure::Relay(RelayError::Target(reset()));
        let closed = closed(joined.event(report(HELPER, Err(failure))));
        assert_eq!(closed.outcome, Outcome::Reset);
        let kind = |reason: &Reason| std::mem::discriminant(reason);
        assert_eq!(kind(&closed.reason), kind(&reported));
    }
}

#[test]
fn an_end_waits_for_the_kernel_only_for_a_while() {
    let mut joined = correlator(true);
    joined.event(accepted());
    joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)));
    joined.event(ForwardEvent::Connected(ACCEPTED, 2000));
    assert_eq!(states(&joined.event(report(HELPER, Ok(RelayEnd::Ended)))), []);
    assert_eq!(states(&joined.expire(9000 + KERNEL_TIMEOUT_NS - 1)), []);
    let updates = joined.expire(9000 + KERNEL_TIMEOUT_NS);
    assert_eq!(states(&updates), [("connected", 2000, false), ("closed", 9000, false)]);
    assert_eq!(closed(updates).outcome, Outcome::Ok);
    // Too late: the end was reported. The kernel's session is dropped after a while.
    assert_eq!(states(&joined.session(seen(HELPER, 9500, State::Connected))), []);
    joined.expire(9500 + UNMATCHED_TIMEOUT_NS);
    assert!(joined.kernel.is_empty(), "{joined:?}");
}

#[test]
fn a_kernel_view_that_was_lost_or_guessed_does_not_count() {
    for (seen_as, reason, end, outcome) in [
        (Outcome::Failed, Reason::NotSeen, Ok(RelayEnd::Ended), Outcome::Ok),
        (Outcome::Unreachable, Reason::NotTried, Err(helper_failed()), Outcome::Failed),
    ] {
        let mut joined = correlator(true);
        joined.event(accepted());
        joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)));
        joined.session(seen(HELPER, 3000, ended(seen_as, reason)));
        assert_eq!(closed(joined.event(report(HELPER, end))).outcome, outcome);
    }
}

/// The kernel's view of a helper does not apply to a later helper with the same pid.
#[test]
fn a_reused_pid_starts_without_a_kernel_view() {
    let mut joined = correlator(true);
    joined.session(seen(HELPER, 500, ended(Outcome::Killed, Reason::BothEnded)));
    joined.session(seen(HELPER, 1500, State::Started));
    joined.event(accepted());
    joined.event(ForwardEvent::Dialed(ACCEPTED, HELPER, target(1)));
    assert_eq!(
        states(&joined.event(report(HELPER, Ok(RelayEnd::Ended)))),
        [],
        "the kernel's view of the end is still to come"
    );
}

/// A connection that failed before it was dialed.
#[test]
fn a_connection_that_was_never_dialed_does_not_wait() {
    let mut joined = correlator(true);
    joined.event(accepted());
    let updates = joined.event(report(Upstream::default(), Err(Failure::NoProcess)));
    assert_eq!(states(&updates), [("closed", 9000, false)]);
    let full = ForwardEvent::Trouble(Trouble::TooManyConnections { ports: PORTS, max: 1 });
    assert_eq!(states(&joined.event(full)), [("trouble", 0, false)]);
}

#[test]
fn each_connection_keeps_its_target_when_the_target_restarts() {
    let pids = |updates: Vec<Update>| -> Vec<Option<u32>> {
        let pid = |update| match update {
            Update::Session(session) => Some(session.target.pid),
            _ => None,
        };
        updates.into_iter().filter_map(pid).collect()
    };
    let mut joined = correlator(false);
    let number = |number| Accepted { number, ..ACCEPTED };
    for n in [1, 2] {
        assert_eq!(
            pids(joined.event(ForwardEvent::Accepted(number(n), target(1), None))),
            [Some(1)]
        );
    }
    joined.event(ForwardEvent::Dialed(number(1), HELPER, target(1)));
    let words = RestartWords {
        ended: "process 1 has ended".to_owned(),
        target: "pod shop/kuard".to_owned(),
        pid: Some(2),
        netns: 4,
        pod_uid: None,
        new_id: None,
    };
    joined.event(ForwardEvent::Restarted(Restart { words, destination: target(2) }));
    // The second one waited for the restart, and the third came after it.
    joined.event(ForwardEvent::Dialed(number(2), Upstream::default(), target(2)));
    assert_eq!(pids(joined.event(ForwardEvent::Accepted(number(3), target(2), None))), [Some(2)]);
    for (n, pid) in [(1, 1), (2, 2), (3, 2)] {
        let ForwardEvent::Closed(report) = report(Upstream::default(), Err(Failure::Stopped))
        else {
            unreachable!()
        };
        let ended = ForwardEvent::Closed(Report { accepted: number(n), ..report });
        assert_eq!(pids(joined.event(ended)), [Some(pid)], "connection {n}");
    }
}

/// Streams name their targets, and each has a client.
#[test]
fn the_sessions_of_a_stream_name_its_client_and_its_target() {
    let client = Arc::new(Client {
        address: "127.0.0.1:51234".parse().unwrap(),
        user_agent: "kubectl/v1.32.3".to_owned(),
        transport: Transport::Spdy,
    });
    let mut joined = correlator(false);
    for number in [1, 2] {
        let accepted = Accepted { number, local_port: None, ..ACCEPTED };
        let to = target(u32::try_from(number).unwrap());
        let mut updates =
            joined.event(ForwardEvent::Accepted(accepted, to, Some(Arc::clone(&client))));
        let ForwardEvent::Closed(report) = report(Upstream::default(), Ok(RelayEnd::Ended)) else {
            unreachable!()
        };
        updates.extend(joined.event(ForwardEvent::Connected(accepted, 2000)));
        updates.extend(joined.event(ForwardEvent::Closed(Report { accepted, ..report })));
        assert_eq!(states(&updates).len(), 3, "{updates:?}");
        for update in updates {
            let Update::Session(session) = update else { panic!("{update:?}") };
            assert_eq!(session.client.as_ref(), Some(&client));
            assert_eq!((session.port, session.ports), (PORTS.remote, None));
            assert_eq!(session.target.pid.map(u64::from), Some(number));
        }
    }
}
