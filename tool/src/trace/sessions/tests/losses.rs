//! Events that are lost, in another order, another process's, or of no forward.

use super::events::*;
use super::*;
use crate::trace::{End, ExecEvent, ExitEvent, Outcome, SockEvent, SockState};

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
fn lost_events_leave_nothing_behind() {
    // The first state.
    let mut run = Run::default();
    run.take(native(2 * MS, CONNECTED)).take(native(3 * MS, CLOSED));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!((run.end().outcome, run.end().connect_ns), (Outcome::Ok, None));
    // The last: the kernel uses the id again, for the same process or for another.
    for pid in [PID, PID + 1] {
        let mut run = Run::default();
        run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
        run.take(SockEvent { pid, ..native(3 * MS, CONNECTING) });
        run.take(SockEvent { pid, ..native(4 * MS, CONNECTED) });
        run.take(SockEvent { pid, ..native(5 * MS, CLOSED) });
        let closed = run.told.iter().filter(|told| matches!(told.state, State::Closed(_)));
        assert_eq!(closed.count(), 2, "{:?}", run.states());
        run.take(exit(6 * MS, End::Exited(0))).at(7 * MS + GRACE_NS);
        assert!(run.is_empty(), "{:?}", run.sessions);
    }
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(SockEvent { pid: 200, ..native(2 * MS, CONNECTING) });
    assert_eq!(run.states(), ["started", "closed", "started"]);
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

/// What did not come is no reason where records were lost.
#[test]
fn nothing_is_concluded_from_what_may_have_been_lost() {
    let refused = failed(libc::ECONNREFUSED);
    // Of nsenter, of socat, and of its attempt; and what the end of the helper alone would tell.
    for (is_socat, attempt, told) in [
        (false, &[][..], Outcome::Failed),
        (true, &[], Outcome::Unreachable),
        (true, &[CONNECTING], Outcome::Failed),
        (false, &[CONNECTING, refused], Outcome::Refused),
        (true, &[CONNECTING, refused], Outcome::Refused),
        (true, &[CONNECTING, CONNECTED, CLOSED], Outcome::Failed),
    ] {
        for lost_ns in [0, 5 * MS] {
            let mut run = Run::default();
            run.take(nsenter(MS));
            run.sessions.lost_in_all((lost_ns > 0).into(), lost_ns);
            if is_socat {
                run.take(socat(2 * MS));
            }
            for &state in attempt {
                run.take(sock(3 * MS, state));
            }
            run.take(exit(4 * MS, End::Exited(1))).at(5 * MS + GRACE_NS);
            let is_known = attempt.len() > 1;
            let expected = if lost_ns == 0 || is_known { told } else { Outcome::Failed };
            let is_not_seen = run.end().reason == Some(Reason::NotSeen);
            let seen = (run.end().outcome, is_not_seen);
            assert_eq!(seen, (expected, lost_ns > 0 && !is_known), "{is_socat} {attempt:?}");
        }
    }
    // The end of a connection, whose process ended after it.
    for (lost_ns, told) in [(0, Outcome::Killed), (3 * MS, Outcome::Failed)] {
        let mut run = Run::default();
        run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
        run.sessions.lost_in_all((lost_ns > 0).into(), lost_ns);
        run.take(exit(4 * MS, End::Exited(0))).at(4 * MS + GRACE_NS);
        assert_eq!(run.end().outcome, told, "{lost_ns}");
    }
    // It began after the last loss.
    let mut run = Run::default();
    run.sessions.lost_in_all(3, MS);
    run.sessions.lost_in_all(3, 3 * MS);
    run.take(nsenter(2 * MS)).take(socat(2 * MS)).take(exit(4 * MS, End::Exited(1)));
    assert_eq!(run.end().reason, Some(Reason::NotTried));
}

/// The records of the end are lost, and a look finds nothing.
#[test]
fn what_is_not_there_any_more_is_given_up() {
    let gone = |_, _| false;
    let end = |run: &mut Run| {
        let open: Vec<_> = run.sessions.open().cloned().collect();
        assert!(!open[0].may_be_open(gone), "{open:?}");
        run.sessions.give_up(open[0].number, 10 * MS);
        // A second look changes nothing.
        run.sessions.give_up(open[0].number, 11 * MS);
        run.at(10 * MS + GRACE_NS - 1);
        assert_eq!(run.sessions.open().len(), 1, "its records may be on their way");
        run.at(10 * MS + GRACE_NS);
        assert_eq!(run.end().reason, Some(Reason::NotSeen));
        assert_eq!(run.end().outcome, Outcome::Failed);
    };
    // A helper: before socat, before its connection, in it, and after it.
    let connection = [CONNECTING, CONNECTED, CLOSED];
    for seen in 0..5 {
        let mut run = Run::default();
        run.take(nsenter(MS));
        if seen > 0 {
            run.take(socat(2 * MS));
        }
        for &state in connection.iter().take(seen.max(1) - 1) {
            run.take(sock(3 * MS, state));
        }
        let open = run.sessions.open().next().unwrap();
        assert!(open.may_be_open(|pid, start| (pid, start) == (PID, START)), "{seen}");
        end(&mut run);
    }
    // A native forward, whose process lives on.
    for seen in [&[CONNECTING][..], &[CONNECTING, CONNECTED]] {
        let mut run = Run::default();
        for &state in seen {
            run.take(native(MS, state));
        }
        assert!(!run.sessions.open().next().unwrap().may_be_open(|_, _| true));
        end(&mut run);
    }
    // Its time between two attempts is bounded as it is.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, failed(libc::ECONNREFUSED)));
    assert!(run.sessions.open().next().unwrap().may_be_open(gone));
    // The records were on their way.
    let mut run = Run::default();
    run.take(native(MS, CONNECTING)).take(native(2 * MS, CONNECTED));
    let number = run.sessions.open().next().unwrap().number;
    run.sessions.give_up(number, 3 * MS);
    run.take(native(3 * MS, CLOSED));
    assert_eq!(run.end().outcome, Outcome::Ok);
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
fn the_number_of_sessions_is_bounded() {
    let mut run = Run::default();
    for n in 0..2 * MAX_OPEN as u64 {
        run.take(SockEvent { id: n, ..native(MS + n, CONNECTING) });
    }
    assert_eq!(run.sessions.followed.sizes(), [MAX_OPEN, 0, MAX_OPEN, 0]);
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
