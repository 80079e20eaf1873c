//! Events that are lost, out of order, of another process, or of no forward.

use pfsnoop_common::shares;

use super::events::*;
use super::run::Run;
use crate::model::{
    End, ExecEvent, ExitEvent, Losses, Outcome, ProcessId, Reason, Session, SockEvent, SockState,
    State,
};
use crate::sessions::deadlines::EVENT_TIMEOUT_NS;

/// So many records of the host were lost.
fn lost(of_host: u64) -> Losses {
    Losses { of_host, ..Losses::default() }
}

#[test]
fn a_reused_pid_is_another_session() {
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS));
    // The end of this process was lost, and everything of the next one except its end.
    let later = ExitEvent { start_ns: 50, ..exit(60 * MS, End::Exited(1)) };
    run.apply(later);
    assert_eq!(run.states(), ["started"], "the end of another process");
    run.apply(ExecEvent { start_ns: 70, ..nsenter(80 * MS) });
    assert_eq!(run.states(), ["started", "closed", "started"]);
    let State::Closed(closed) = &run.reported[1].state else { panic!("closed") };
    assert_eq!((closed.outcome, closed.reason.clone()), (Outcome::Failed, Reason::NotSeen));
    assert_ne!(run.reported[1].id, run.reported[2].id);
    run.apply(SockEvent { start_ns: 50, ..sock(81 * MS, CONNECTING) });
    assert!(run.sessions.open().all(|open| open.connection.is_none()), "another process's");
}

#[test]
fn lost_events_leave_nothing_behind() {
    // The first state was lost.
    let mut run = Run::default();
    run.apply(native(2 * MS, CONNECTED)).apply(native(3 * MS, CLOSED));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!((run.end().outcome, run.end().connect_ns), (Outcome::Ok, None));
    // The last state was lost: the kernel uses the id again, for the same process or for another.
    for pid in [PID, PID + 1] {
        let mut run = Run::default();
        run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
        run.apply(SockEvent { pid, ..native(3 * MS, CONNECTING) });
        run.apply(SockEvent { pid, ..native(4 * MS, CONNECTED) });
        run.apply(SockEvent { pid, ..native(5 * MS, CLOSED) });
        let closed =
            run.reported.iter().filter(|reported| matches!(reported.state, State::Closed(_)));
        assert_eq!(closed.count(), 2, "{:?}", run.states());
        run.apply(exit(6 * MS, End::Exited(0))).at(7 * MS + EVENT_TIMEOUT_NS);
        assert!(run.is_empty(), "{:?}", run.sessions);
    }
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(SockEvent { pid: 200, ..native(2 * MS, CONNECTING) });
    assert_eq!(run.states(), ["started", "closed", "started"]);
    // The answer was lost.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING));
    run.apply(SockEvent { is_answered: true, ..native(3 * MS, CLOSED) });
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    assert_eq!((run.end().outcome, run.end().connect_ns), (Outcome::Ok, None));
    // The end, until the reconciler checked.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    run.apply(SockEvent { bytes: None, ..native(3 * MS, SockState::Gone) });
    assert_eq!(run.end().reason, Reason::NotSeen);
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING));
    run.apply(SockEvent { bytes: None, ..native(3 * MS, SockState::Gone) })
        .at(4 * MS + EVENT_TIMEOUT_NS);
    assert_eq!(run.end().reason, Reason::NotSeen);
    // Everything except the last state was lost.
    let mut run = Run::default();
    run.apply(native(MS, CLOSED))
        .apply(sock(MS, CLOSED))
        .apply(socat(MS))
        .apply(exit(MS, End::Exited(0)));
    assert!(run.reported.is_empty() && run.is_empty());
}

/// When records were lost, nothing is concluded from a record that did not come.
#[test]
fn nothing_is_concluded_from_what_may_have_been_lost() {
    let refused = failed(libc::ECONNREFUSED);
    // Which records come, and the outcome when none was lost.
    for (is_socat, attempt, reported) in [
        (false, &[][..], Outcome::Failed),
        (true, &[], Outcome::Unreachable),
        (true, &[CONNECTING], Outcome::Failed),
        (false, &[CONNECTING, refused], Outcome::Refused),
        (true, &[CONNECTING, refused], Outcome::Refused),
        (true, &[CONNECTING, CONNECTED, CLOSED], Outcome::Reset),
    ] {
        for lost_ns in [0, 5 * MS] {
            let mut run = Run::default();
            run.apply(nsenter(MS));
            run.sessions.note_lost(lost((lost_ns > 0).into()), lost_ns);
            if is_socat {
                run.apply(socat(2 * MS));
            }
            for &state in attempt {
                run.apply(sock(3 * MS, state));
            }
            run.apply(exit(4 * MS, End::Exited(1))).at(5 * MS + EVENT_TIMEOUT_NS);
            let is_known = attempt.len() > 1;
            let expected = if lost_ns == 0 || is_known { reported } else { Outcome::Failed };
            let is_not_seen = run.end().reason == Reason::NotSeen;
            let seen = (run.end().outcome, is_not_seen);
            // An attempt without an end shows by itself that a record is missing.
            let is_missing = attempt.len() == 1 || lost_ns > 0 && !is_known;
            assert_eq!(seen, (expected, is_missing), "{is_socat} {attempt:?}");
        }
    }
    // The process ends, and no record of its connection's end comes.
    for (lost_ns, reported) in [(0, Outcome::Killed), (3 * MS, Outcome::Failed)] {
        let mut run = Run::default();
        run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
        run.sessions.note_lost(lost((lost_ns > 0).into()), lost_ns);
        run.apply(exit(4 * MS, End::Exited(0))).at(4 * MS + EVENT_TIMEOUT_NS);
        assert_eq!(run.end().outcome, reported, "{lost_ns}");
    }
    // The session began after the last loss.
    let mut run = Run::default();
    run.sessions.note_lost(lost(3), MS);
    run.sessions.note_lost(lost(3), 3 * MS);
    run.apply(nsenter(2 * MS)).apply(socat(2 * MS)).apply(exit(4 * MS, End::Exited(1)));
    assert_eq!(run.end().reason, Reason::NotTried);
}

/// nsenter enters a container's mount namespace too, and so leaves the host's share.
#[test]
fn a_helper_that_has_left_the_hosts_share_may_lose_what_others_lose() {
    let others = Losses { of_others: 1, ..Losses::default() };
    for (share, is_concerned) in [(shares::HOST, false), (shares::FIRST, true)] {
        let mut run = Run::default();
        run.apply(nsenter(MS)).apply(ExecEvent { share, ..socat(2 * MS) });
        run.sessions.note_lost(others, 3 * MS);
        run.apply(exit(4 * MS, End::Exited(0)));
        assert_eq!(run.end().reason == Reason::NotSeen, is_concerned, "{share}");
    }
}

/// The records of the end are lost, and a check finds nothing.
#[test]
fn a_session_of_which_nothing_is_left_is_given_up() {
    let gone = |_| false;
    let end = |run: &mut Run| {
        let open: Vec<_> = run.sessions.open().cloned().collect();
        assert!(!open[0].may_be_open(gone), "{open:?}");
        run.sessions.give_up(open[0].number, 10 * MS);
        // A second check changes nothing.
        run.sessions.give_up(open[0].number, 11 * MS);
        run.at(10 * MS + EVENT_TIMEOUT_NS - 1);
        assert_eq!(run.sessions.open().len(), 1, "its records may be on their way");
        run.at(10 * MS + EVENT_TIMEOUT_NS);
        assert_eq!(run.end().reason, Reason::NotSeen);
        assert_eq!(run.end().outcome, Outcome::Failed);
    };
    // A helper: before socat, before its connection, during it, and after it.
    let connection = [CONNECTING, CONNECTED, CLOSED];
    for seen in 0..5 {
        let mut run = Run::default();
        run.apply(nsenter(MS));
        if seen > 0 {
            run.apply(socat(2 * MS));
        }
        for &state in connection.iter().take(seen.max(1) - 1) {
            run.apply(sock(3 * MS, state));
        }
        let open = run.sessions.open().next().unwrap();
        assert!(
            open.may_be_open(|process| process == ProcessId { pid: PID, start_ns: START }),
            "{seen}"
        );
        end(&mut run);
    }
    // A native forward. Its process still runs.
    for seen in [&[CONNECTING][..], &[CONNECTING, CONNECTED]] {
        let mut run = Run::default();
        for &state in seen {
            run.apply(native(MS, state));
        }
        assert!(!run.sessions.open().next().unwrap().may_be_open(|_| true));
        end(&mut run);
    }
    // Between two attempts, the session has a deadline anyway.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, failed(libc::ECONNREFUSED)));
    assert!(run.sessions.open().next().unwrap().may_be_open(gone));
    // The records were on their way.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    let number = run.sessions.open().next().unwrap().number;
    run.sessions.give_up(number, 3 * MS);
    run.apply(native(3 * MS, CLOSED));
    assert_eq!(run.end().outcome, Outcome::Ok);
}

#[test]
fn other_execs_and_connections_make_no_session() {
    let mut run = Run::default();
    run.apply(exec(MS, "nsenter", "nsenter -t 7 -n ip addr"));
    run.apply(exec(MS, "socat", "socat - FILE:/etc/hosts"));
    run.apply(exec(MS, "socat", "socat - TCP4:localhost:80"));
    run.apply(ExecEvent { ret: -2, ..nsenter(MS) });
    // A socat that nsenter did not start, on the node or in a container.
    run.apply(sock(MS, CONNECTING)).apply(sock(2 * MS, CONNECTED)).apply(sock(3 * MS, CLOSED));
    // A connection to an address of the namespace, without an attempt at localhost before.
    run.apply(to("10.9.9.9", SockEvent { id: 1, ..native(MS, CONNECTING) }));
    assert!(run.reported.is_empty() && run.is_empty(), "{:?}", run.reported);
}

/// A connection of another share.
fn of(share: u32, n: u64) -> SockEvent {
    SockEvent { share, id: n, ..native(MS + n, CONNECTING) }
}

#[test]
fn the_number_of_sessions_is_bounded() {
    const MAX_OPEN: usize = shares::SESSIONS.all as usize;
    let mut run = Run::default();
    for n in 0..2 * MAX_OPEN as u64 {
        run.apply(of(shares::HOST, n));
    }
    assert_eq!(run.sessions.index.sizes(), [MAX_OPEN, 0, MAX_OPEN, 0]);
    assert_eq!(run.reported.len(), 3 * MAX_OPEN, "each dropped session has a last record");
}

#[test]
fn a_user_pushes_out_sessions_of_no_one_else() {
    let (user, other) = (shares::of_user(65_534), shares::of_user(1000));
    let shares::Limits { others, each, .. } = shares::SESSIONS;
    let mut run = Run::default();
    run.apply(of(shares::HOST, 1)).apply(of(other, 2));
    for n in 3..10 + 2 * u64::from(each) {
        run.apply(of(user, n));
    }
    let lost = |run: &Run| {
        let lost = run.reported.iter().filter(|session| session.state == State::Lost);
        lost.map(|session| session.time_ns).collect::<Vec<_>>()
    };
    let open = |run: &Run, n: u64| run.sessions.open().any(|open| open.started_ns == MS + n);
    assert_eq!(lost(&run).len(), 7 + each as usize);
    assert!(open(&run, 1) && open(&run, 2) && !open(&run, 3), "the oldest of its own makes room");
    // Many users together.
    for (n, share) in (100_000..).zip((shares::FIRST..shares::COUNT).cycle()).take(20_000) {
        run.apply(of(share, n));
    }
    assert_eq!(run.sessions.open().len(), others as usize + 1);
    assert!(open(&run, 1), "there is room for the host's");
}

#[test]
fn what_others_lose_leaves_the_sessions_of_the_host_as_they_are() {
    for (share, reason) in [(shares::HOST, Reason::NotTried), (7, Reason::NotSeen)] {
        let mut run = Run::default();
        run.apply(ExecEvent { share, ..nsenter(MS) }).apply(ExecEvent { share, ..socat(2 * MS) });
        run.sessions.note_lost(Losses { of_others: 5, ..Losses::default() }, 3 * MS);
        run.apply(exit(4 * MS, End::Exited(1)));
        assert_eq!(run.end().reason, reason, "{share}");
    }
}

proptest::proptest! {
    /// For any events in any order, every start has one end, and nothing is left.
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
                0 => run.apply(ExecEvent { pid, ..nsenter(time) }),
                1 => run.apply(ExecEvent { pid, ..socat(time) }),
                2 => run.apply(ExitEvent { pid, ..exit(time, End::Exited(how)) }),
                3 => run.apply(SockEvent { id, pid, ..sock(time, state) }),
                4 => run.apply(SockEvent { id, pid, ..native(time, state) }),
                _ => run.apply(to("::1", SockEvent { id, pid, ..native(time, state) })),
            };
        }
        for pid in PID..PID + 3 {
            run.apply(ExitEvent { pid, ..exit(u64::MAX / 2, End::Exited(0)) });
        }
        run.at(u64::MAX);
        proptest::prop_assert!(run.is_empty(), "{:?}", run.sessions);
        let starts: Vec<_> = run.reported.iter().filter(|reported| reported.state == State::Started).collect();
        let is_end = |reported: &&Session| matches!(reported.state, State::Closed(_));
        proptest::prop_assert_eq!(starts.len(), run.reported.iter().filter(is_end).count());
    }
}
