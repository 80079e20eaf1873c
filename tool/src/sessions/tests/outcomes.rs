//! The table of `docs/outcomes.md` for connections that were established: the same rules for both ways
//! into a pod.

use super::events::*;
use super::run::Run;
use crate::model::{Bytes, End, Ending, Outcome, OwnReset, Reason, SockEvent, SockState};
use crate::sessions::deadlines::{EVENT_TIMEOUT_NS, LINGER_TIMEOUT_NS};

const ENDED: Ending = Ending { is_ended_there: true, is_ended_here: true, ..NOTHING };
const RELEASED: Ending = Ending { is_released: true, ..NOTHING };

/// The outcome of a connection with this end, natively and by socat.
fn outcomes(ending: Ending, socat_exits_with: u8) -> [(Outcome, Reason); 2] {
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    run.apply(native(3 * MS, SockState::Closed(ending))).at(4 * MS + LINGER_TIMEOUT_NS);
    let native = run.end();
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS));
    run.apply(sock(3 * MS, CONNECTING)).apply(sock(4 * MS, CONNECTED));
    run.apply(sock(5 * MS, SockState::Closed(ending)));
    run.apply(exit(6 * MS, End::Exited(socat_exits_with)));
    let helped = run.end();
    [(native.outcome, native.reason), (helped.outcome, helped.reason)]
}

#[test]
fn what_the_kernel_saw_decides_the_same_way_for_both() {
    let reset = Some(libc::ECONNRESET);
    let unread = Some(OwnReset::UnreadData);
    let killed = Some(End::Killed(9));
    for (ending, outcome, reason) in [
        (ENDED, Outcome::Ok, Reason::BothEnded),
        (Ending { error: reset, ..NOTHING }, Outcome::Reset, Reason::Errno(libc::ECONNRESET)),
        (
            Ending { error: reset, is_ended_here: true, ..NOTHING },
            Outcome::Ok,
            Reason::ResetAfterEnd,
        ),
        (
            Ending { error: Some(libc::EPIPE), is_ended_there: true, ..NOTHING },
            Outcome::Reset,
            Reason::Errno(libc::EPIPE),
        ),
        (
            Ending { error: Some(libc::ETIMEDOUT), ..NOTHING },
            Outcome::Timeout,
            Reason::Errno(libc::ETIMEDOUT),
        ),
        (
            Ending { error: Some(libc::EHOSTUNREACH), ..NOTHING },
            Outcome::Failed,
            Reason::Errno(libc::EHOSTUNREACH),
        ),
        (Ending { reset: unread, ..NOTHING }, Outcome::Reset, Reason::UnreadData),
        (
            Ending { reset: unread, error: reset, is_ended_here: true, ..RELEASED },
            Outcome::Reset,
            Reason::UnreadData,
        ),
        (
            Ending { reset: Some(OwnReset::OnPurpose), ..NOTHING },
            Outcome::Reset,
            Reason::ResetOnPurpose,
        ),
        (Ending { unsent: 7, ..RELEASED }, Outcome::Failed, Reason::Unsent { bytes: 7 }),
        (Ending { is_loopback_down: true, ..RELEASED }, Outcome::TargetGone, Reason::LoopbackDown),
        (Ending { is_loopback_down: true, ..ENDED }, Outcome::Ok, Reason::BothEnded),
        (
            Ending { server_end: killed, ..ENDED },
            Outcome::TargetGone,
            Reason::ServerEnded(End::Killed(9)),
        ),
        (
            Ending { server_end: killed, error: reset, ..NOTHING },
            Outcome::TargetGone,
            Reason::ServerEnded(End::Killed(9)),
        ),
        (Ending { server_end: Some(End::Exited(0)), ..ENDED }, Outcome::Ok, Reason::BothEnded),
    ] {
        // Old versions of socat exit with 0 after a reset, new ones with 1.
        let codes: &[u8] = if ending.error.is_some() { &[0, 1] } else { &[0] };
        for &code in codes {
            let expected = (outcome, reason.clone());
            assert_eq!(outcomes(ending, code), [expected.clone(), expected], "{ending:?} {code}");
        }
    }
}

#[test]
fn only_socat_can_tell_that_it_could_not_pass_data_on() {
    let [native, helped] = outcomes(ENDED, 1);
    assert_eq!(native, (Outcome::Ok, Reason::BothEnded));
    assert_eq!(helped, (Outcome::Reset, Reason::NotPassedOn { exit_code: 1 }));
}

/// The kernel keeps the connection for minutes after its process has closed the socket.
#[test]
fn a_session_ends_a_moment_after_its_process_lets_go() {
    let released = SockState::Released(RELEASED);
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    run.apply(native(3 * MS, released));
    assert!(run.sessions.open().all(|open| open.is_released));
    // What was on its way arrives.
    let bytes = Bytes { sent: 20, received: 1000 };
    run.apply(SockEvent { bytes: Some(bytes), ..native(100 * MS, released) });
    run.at(3 * MS + LINGER_TIMEOUT_NS - 1);
    assert_eq!(run.states(), ["started", "connected"]);
    run.at(3 * MS + LINGER_TIMEOUT_NS);
    let end = run.end();
    assert_eq!((end.outcome, end.reason), (Outcome::Ok, Reason::ClientEnded));
    assert_eq!((end.bytes_to_pod, end.duration_ns), (Some(20), Some(2 * MS)));

    // The server closes its end too, or sends more.
    let left = SockState::Closed(Ending { is_ended_here: true, ..RELEASED });
    for (is_reset, outcome, reason) in
        [(false, Outcome::Ok, Reason::BothEnded), (true, Outcome::Reset, Reason::UnreadData)]
    {
        let mut run = Run::default();
        run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
        run.apply(native(3 * MS, released)).apply(native(3 * MS, left));
        assert_eq!(run.states(), ["started", "connected"]);
        let server = SockState::ServerClosed { is_reset };
        run.apply(SockEvent { bytes: None, ..native(30 * MS, server) });
        let end = run.end();
        assert_eq!((end.outcome, end.reason), (outcome, reason));
        assert_eq!((end.bytes_from_pod, end.duration_ns), (Some(1000), Some(2 * MS)));
    }

    // The end may come before that, and then it counts.
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    run.apply(native(3 * MS, released)).apply(native(9 * MS, CLOSED));
    assert_eq!((run.end().outcome, run.end().duration_ns), (Outcome::Ok, Some(2 * MS)));

    // socat ends first, and the kernel then closes its socket.
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, CONNECTED)).apply(exit(5 * MS, End::Exited(0)));
    run.apply(sock(6 * MS, released)).at(6 * MS + LINGER_TIMEOUT_NS);
    assert_eq!((run.end().outcome, run.end().duration_ns), (Outcome::Ok, Some(4 * MS)));
    assert_eq!(run.end().bytes_from_pod, Some(1000));
}

#[test]
fn bytes_that_were_not_counted_at_the_end_are_unknown() {
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, CONNECTED)).apply(exit(5 * MS, End::Exited(0)));
    run.at(5 * MS + EVENT_TIMEOUT_NS);
    assert_eq!((run.end().reason, run.end().bytes_to_pod), (Reason::NotSeen, None));
}

#[test]
fn what_happens_to_the_namespace_after_the_release_does_not_count() {
    let mut run = Run::default();
    run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED));
    let later = Ending { is_loopback_down: true, ..RELEASED };
    run.apply(native(3 * MS, SockState::Released(RELEASED)));
    run.apply(native(4 * MS, SockState::Released(later))).at(3 * MS + LINGER_TIMEOUT_NS);
    assert_eq!(run.end().outcome, Outcome::Ok);
}

/// The runtime is stopped under an open forward.
#[test]
fn a_forwarder_that_ends_is_the_reason() {
    for end in [End::Killed(9), End::Exited(0)] {
        let mut run = Run::default();
        run.apply(native(MS, CONNECTING)).apply(native(2 * MS, CONNECTED)).apply(exit(3 * MS, end));
        run.apply(native(4 * MS, SockState::Released(RELEASED))).at(5 * MS + LINGER_TIMEOUT_NS);
        let closed = run.end();
        assert_eq!((closed.outcome, closed.reason), (Outcome::Killed, Reason::ForwarderEnded(end)));

        // The parent of the helper, which then notices that its pipes are closed.
        let parent = crate::model::ExitEvent { pid: 1, start_ns: 0, ..exit(5 * MS, end) };
        for (helper_end_ns, outcome) in [(600 * MS, Outcome::Killed), (60_000 * MS, Outcome::Ok)] {
            let mut run = Run::default();
            run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
            run.apply(sock(4 * MS, CONNECTED)).apply(parent.clone());
            assert_eq!(run.states(), ["started", "connected"], "the helper goes on");
            run.apply(exit(helper_end_ns, End::Exited(0)));
            run.apply(sock(helper_end_ns + MS, CLOSED));
            assert_eq!(run.end().outcome, outcome, "{helper_end_ns}");
        }
    }
}

/// The exit code counts here, unlike elsewhere: it is how a stopped forward ends socat.
#[test]
fn a_helper_that_is_reset_by_sigterm_is_killed_and_by_another_signal_reset() {
    let ending = Ending { reset: Some(OwnReset::OnPurpose), ..NOTHING };
    let end_by = |end: End| {
        let mut run = Run::default();
        run.apply(nsenter(MS)).apply(socat(2 * MS));
        run.apply(sock(3 * MS, CONNECTING)).apply(sock(4 * MS, CONNECTED));
        run.apply(sock(5 * MS, SockState::Closed(ending)));
        run.apply(exit(6 * MS, end));
        run.end().outcome
    };
    assert_eq!(end_by(End::Exited(128 + 15)), Outcome::Killed);
    assert_eq!(end_by(End::Killed(15)), Outcome::Killed);
    assert_eq!(end_by(End::Killed(9)), Outcome::Reset);
}
