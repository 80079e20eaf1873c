//! Programs named nsenter and socat that are not what they claim to be.

use super::events::*;
use super::run::Run;
use crate::model::{End, ExecEvent, ExitEvent, Outcome, Reason, SockEvent, Via};

/// The network namespace in which nsenter starts.
const HOME: u32 = 1;

fn claims(run: &Run) -> Vec<bool> {
    run.reported.iter().map(|session| session.target.is_claimed).collect()
}

#[test]
fn a_target_is_claimed_until_the_kernel_sees_the_helper_inside() {
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, CONNECTED)).apply(sock(5 * MS, CLOSED));
    run.apply(exit(6 * MS, End::Exited(0)));
    assert_eq!(claims(&run), [true, false, false]);
    assert_eq!(run.reported[0].target.pid, Some(7));
    assert_eq!(run.reported[2].target.pid, Some(7));
    assert_eq!(run.reported[2].forwarder.exe.as_deref(), Some(&b"/exe/1"[..]));
    // Its exec was lost, and the connection is inside.
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(sock(3 * MS, CONNECTING)).apply(sock(4 * MS, CONNECTED));
    assert_eq!(claims(&run), [true, false]);
    // nsenter finds no socat.
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(exit(2 * MS, End::Exited(127)));
    assert_eq!((claims(&run), run.end().outcome), (vec![true, false], Outcome::HelperMissing));
}

#[test]
fn a_helper_that_never_enters_has_no_connection() {
    for code in [0, 1, 127] {
        let mut run = Run::default();
        run.apply(nsenter(MS)).apply(ExecEvent { netns: Some(HOME), ..socat(2 * MS) });
        for state in [CONNECTING, CONNECTED, CLOSED] {
            run.apply(SockEvent { netns: Some(HOME), ..sock(3 * MS, state) });
        }
        run.apply(ExitEvent { netns: Some(HOME), ..exit(4 * MS, End::Exited(code)) });
        assert_eq!(run.states(), ["started", "closed"]);
        let end = run.end();
        assert_eq!(
            (end.outcome, end.reason),
            (Outcome::Failed, Reason::Outside { target: Some(7) })
        );
        assert_eq!(claims(&run), [true, true]);
    }
    for code in [0, 1, 127] {
        let mut run = Run::default();
        run.apply(nsenter(MS));
        run.apply(ExitEvent { netns: Some(HOME), ..exit(4 * MS, End::Exited(code)) });
        let reason = Reason::NotEntered { target: Some(7), exit_code: code };
        assert_eq!((run.end().outcome, run.end().reason), (Outcome::Failed, reason));
        assert_eq!(claims(&run), [true, true]);
    }
}

#[test]
fn another_namespace_than_the_claimed_one_is_the_target() {
    const OTHER: u32 = 77;
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(ExecEvent { netns: Some(OTHER), ..socat(2 * MS) });
    for state in [CONNECTING, CONNECTED, CLOSED] {
        run.apply(SockEvent { netns: Some(OTHER), ..sock(3 * MS, state) });
    }
    run.apply(ExitEvent { netns: Some(OTHER), ..exit(4 * MS, End::Exited(0)) });
    assert_eq!((claims(&run), run.end().outcome), (vec![true, false, false], Outcome::Ok));
    let target = &run.reported[2].target;
    assert_eq!((target.netns, target.pid), (Some(OTHER.into()), None), "not the claimed process");
}

#[test]
fn a_connection_elsewhere_is_not_the_sessions() {
    let elsewhere = |sock: SockEvent| {
        let mut destination = sock.destination;
        destination.set_port(81);
        SockEvent { destination, ..sock }
    };
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS));
    for state in [CONNECTING, CONNECTED, CLOSED] {
        run.apply(elsewhere(sock(3 * MS, state)));
    }
    run.apply(exit(4 * MS, End::Exited(0)));
    let reason = Reason::NotConnected { exit_code: 0 };
    assert_eq!((run.end().outcome, run.end().reason), (Outcome::Failed, reason));
}

/// nsenter to a process in its own network namespace, as that of a pod on the node's network.
#[test]
fn a_target_in_the_namespace_of_nsenter_itself_stays_a_claim() {
    let mut run = Run::default();
    run.apply(ExecEvent { netns: Some(NETNS), ..nsenter(MS) }).apply(socat(2 * MS));
    for state in [CONNECTING, CONNECTED, CLOSED] {
        run.apply(sock(3 * MS, state));
    }
    run.apply(exit(4 * MS, End::Exited(0)));
    assert_eq!((claims(&run), run.end().outcome), (vec![true; 3], Outcome::Ok));
}

/// A program named nsenter that enters a namespace and connects there by itself.
#[test]
fn a_helper_that_connects_without_an_exec_of_socat() {
    let mut run = Run::default();
    run.apply(nsenter(MS));
    for state in [CONNECTING, CONNECTED, CLOSED] {
        run.apply(SockEvent { is_foreign: true, ..sock(3 * MS, state) });
    }
    run.apply(exit(4 * MS, End::Exited(0)));
    assert_eq!((claims(&run), run.end().outcome), (vec![true, false, false], Outcome::Ok));
    assert_eq!(run.reported[2].via, Via::NsenterSocat);
}
