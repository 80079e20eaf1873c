//! Sessions of processes that dial natively.

use super::events::*;
use super::run::Run;
use crate::model::{Bytes, End, Outcome, Reason, SockEvent, SockState, Via};
use crate::sessions::deadlines::EVENT_TIMEOUT_NS;

#[test]
fn a_native_forward_from_start_to_end() {
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING))
        .apply(native(2 * MS, CONNECTED))
        .apply(native(9 * MS, CLOSED));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    let end = run.end();
    assert_eq!((end.outcome, end.helper_end), (Outcome::Ok, None));
    assert_eq!((end.bytes_to_pod, end.bytes_from_pod), (Some(18), Some(1000)));
    let last = run.reported.last().unwrap();
    assert_eq!((last.forwarder.pid, &*last.forwarder.comm), (PID, &b"containerd"[..]));
    assert_eq!((last.target.netns, last.via), (Some(NETNS.into()), Via::Native));
}

#[test]
fn ipv4_then_ipv6_is_one_session() {
    let refused = failed(libc::ECONNREFUSED);
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, refused));
    run.apply(to("::1", native(3 * MS, CONNECTING)));
    run.at(10_000 * MS);
    run.apply(to("::1", native(10_001 * MS, CONNECTED)));
    run.apply(to("::1", native(10_002 * MS, CLOSED)));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!(run.end().outcome, Outcome::Ok);
    assert_eq!(run.reported.last().unwrap().address, Some("::1".parse().unwrap()));

    // Both refuse, and then an address of the pod refuses too. The first answer counts.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, refused));
    run.apply(to("::1", native(3 * MS, CONNECTING)));
    run.apply(to("::1", native(4 * MS, failed(libc::EADDRNOTAVAIL))));
    run.apply(to("10.1.2.3", native(5 * MS, CONNECTING)))
        .apply(to("10.1.2.3", native(6 * MS, refused)));
    assert_eq!(run.states(), ["started"]);
    run.at(6 * MS + EVENT_TIMEOUT_NS);
    assert_eq!(run.end().outcome, Outcome::Refused);
    let address = "127.0.0.1".parse().unwrap();
    assert_eq!(run.end().reason, Reason::NothingListens { address, port: 80 });
    assert_eq!(run.end().duration_ns, Some(5 * MS), "without the wait");
}

#[test]
fn the_same_address_again_is_another_session() {
    let refused = failed(libc::ECONNREFUSED);
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, refused));
    run.apply(native(3 * MS, CONNECTING)).apply(native(4 * MS, refused));
    run.at(MS + 2 * EVENT_TIMEOUT_NS);
    assert_eq!(run.states(), ["started", "started", "closed", "closed"]);
    assert!(run.is_empty());
}

#[test]
fn an_attempt_that_failed_decides_the_outcome() {
    for (state, outcome) in [
        (failed(libc::ETIMEDOUT), Outcome::Timeout),
        (failed(libc::EHOSTUNREACH), Outcome::Unreachable),
        (SockState::Closed(NOTHING), Outcome::Timeout),
    ] {
        let mut run = Run::default();
        run.apply(native(MS, CONNECTING)).apply(native(3 * MS, state));
        run.at(4 * MS + EVENT_TIMEOUT_NS);
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
        run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED)).apply(exit(3 * MS, end));
        assert_eq!(run.states(), ["started", "connected"]);
        run.apply(native(4 * MS, CLOSED));
        assert_eq!((run.end().outcome, run.end().bytes_to_pod), (outcome, Some(18)), "{end:?}");
        assert_eq!(run.end().helper_end, None, "it is the forwarder's end");
    }
    // The forwarder was refused and then ended: it tries nothing more.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, failed(libc::ECONNREFUSED)));
    run.apply(exit(3 * MS, End::Exited(1)));
    assert_eq!(run.end().outcome, Outcome::Refused);
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING))
        .apply(exit(3 * MS, End::Killed(9)))
        .at(4 * MS + EVENT_TIMEOUT_NS);
    assert_eq!(run.end().outcome, Outcome::Killed, "its connection's end was lost");
}

#[test]
fn byte_counts_of_open_sessions_are_updated() {
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    let bytes = Bytes { sent: 5, received: 7 };
    run.apply(SockEvent { bytes: Some(bytes), ..native(3 * MS, SockState::Open) });
    assert_eq!(run.states(), ["started", "connected"], "no record of it");
    let open: Vec<_> = run.sessions.open().collect();
    assert_eq!((open[0].bytes, open[0].connection), (Some(bytes), Some(0xabc)));
}
