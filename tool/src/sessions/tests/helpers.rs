//! Sessions by nsenter and socat.

use super::events::*;
use super::run::Run;
use crate::model::{
    End, ExecEvent, ExitEvent, Outcome, ProcessId, Reason, SockEvent, SockState, Via,
};
use crate::sessions::deadlines::EVENT_TIMEOUT_NS;

#[test]
fn a_helper_from_start_to_end() {
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, CONNECTED))
        .apply(sock(8 * MS, CLOSED))
        .apply(exit(9 * MS, End::Exited(0)));
    assert_eq!(run.states(), ["started", "connected", "closed"]);
    let end = run.end();
    assert_eq!((end.outcome, end.helper_end), (Outcome::Ok, Some(End::Exited(0))));
    assert_eq!((end.bytes_to_pod, end.bytes_from_pod), (Some(18), Some(1000)));
    assert_eq!((end.connect_ns, end.duration_ns), (Some(MS), Some(8 * MS)));
    let last = run.reported.last().unwrap();
    assert_eq!(last.id, format!("{PID}-{START}"), "the helper's exec_id");
    assert_eq!(
        (last.helper.map(|helper| helper.pid), last.port, last.via),
        (Some(PID), 80, Via::NsenterSocat)
    );
    assert_eq!((last.forwarder.pid, &*last.forwarder.comm), (1, &b"kubelet"[..]));
    assert_eq!((last.target.pid, last.target.netns), (Some(7), Some(NETNS.into())));
    assert_eq!(last.address, Some("127.0.0.1".parse().unwrap()));
}

/// The end of nsenter or socat decides, together with what was seen of the connection.
#[test]
fn every_end_of_a_helper_has_its_outcome() {
    let cases: [(&str, bool, Option<SockState>, End, Outcome); 15] = [
        ("socat's exec was lost", false, None, End::Exited(0), Outcome::Failed),
        ("no socat", false, None, End::Exited(127), Outcome::HelperMissing),
        ("socat is a folder", false, None, End::Exited(126), Outcome::Failed),
        ("not permitted", false, None, End::Exited(1), Outcome::Failed),
        ("nsenter killed", false, None, End::Killed(9), Outcome::Killed),
        ("killed", true, Some(CONNECTED), End::Killed(9), Outcome::Killed),
        ("socat caught SIGTERM", true, Some(CONNECTED), End::Exited(143), Outcome::Killed),
        ("the client has left", true, Some(CONNECTED), End::Exited(1), Outcome::Reset),
        ("not a signal", true, Some(CONNECTED), End::Exited(255), Outcome::Reset),
        ("refused", true, Some(failed(libc::ECONNREFUSED)), End::Exited(1), Outcome::Refused),
        ("no answer", true, Some(failed(libc::ETIMEDOUT)), End::Exited(1), Outcome::Timeout),
        ("socat gave up", true, Some(CLOSED), End::Exited(1), Outcome::Timeout),
        ("no route", true, Some(failed(libc::EHOSTUNREACH)), End::Exited(1), Outcome::Unreachable),
        ("other errno", true, Some(failed(libc::EPERM)), End::Exited(1), Outcome::Failed),
        ("loopback down", true, None, End::Exited(1), Outcome::Unreachable),
    ];
    for (what, becomes_socat, connection, end, outcome) in cases {
        let mut run = Run::default();
        run.apply(nsenter(MS));
        if becomes_socat {
            run.apply(socat(2 * MS));
        }
        if let Some(state) = connection {
            run.apply(sock(3 * MS, CONNECTING)).apply(sock(4 * MS, state));
            if state == CONNECTED {
                run.apply(sock(5 * MS, CLOSED));
            }
        }
        run.apply(exit(6 * MS, end));
        assert_eq!(run.end().outcome, outcome, "{what}: {:?}", run.end());
        let connected = connection == Some(CONNECTED);
        assert_eq!(run.states().contains(&"connected"), connected, "{what}");
    }
}

/// When nsenter enters a pid namespace, it forks, waits for socat, and exits as socat did.
#[test]
fn socat_may_be_a_child_of_nsenter() {
    let child =
        |exec: ExecEvent| ExecEvent { pid: PID + 1, start_ns: START + 1, ppid: PID, ..exec };
    let of_child = |sock: SockEvent| SockEvent { pid: PID + 1, start_ns: START + 1, ..sock };
    let end_of_child = |exit: ExitEvent| ExitEvent { pid: PID + 1, start_ns: START + 1, ..exit };
    for (end, outcome) in [(End::Exited(0), Outcome::Ok), (End::Killed(9), Outcome::Killed)] {
        let mut run = Run::default();
        run.apply(nsenter(MS))
            .apply(child(socat(2 * MS)))
            .apply(of_child(sock(3 * MS, CONNECTING)));
        let open = run.sessions.open().next().unwrap();
        assert!(
            open.may_be_open(|process| process == ProcessId { pid: PID + 1, start_ns: START + 1 })
        );
        run.apply(of_child(sock(4 * MS, CONNECTED))).apply(of_child(sock(8 * MS, CLOSED)));
        run.apply(end_of_child(exit(9 * MS, end))).apply(exit(10 * MS, end));
        assert_eq!(run.states(), ["started", "connected", "closed"]);
        let closed = run.end();
        assert_eq!((closed.outcome, closed.helper_end), (outcome, Some(end)));
        assert_eq!((closed.bytes_to_pod, closed.bytes_from_pod), (Some(18), Some(1000)));
        let last = run.reported.last().unwrap();
        assert_eq!(
            (last.helper.map(|helper| helper.pid), last.target.netns),
            (Some(PID), Some(NETNS.into()))
        );
    }
    // A socat for another port and a socat with another parent belong to other forwards.
    let mut run = Run::default();
    let other = exec(2 * MS, "socat", "socat - TCP4:localhost:81");
    run.apply(nsenter(MS)).apply(child(other)).apply(ExecEvent { ppid: 9, ..child(socat(2 * MS)) });
    run.apply(end_of_child(exit(3 * MS, End::Exited(0))));
    assert_eq!(run.states(), ["started"]);
    // nsenter found no socat.
    run.apply(exit(4 * MS, End::Exited(127)));
    assert_eq!(run.end().outcome, Outcome::HelperMissing);
}

#[test]
fn a_target_that_has_ended_differs_from_one_that_cannot_be_entered() {
    let mut run = Run { gone: vec![7], ..Run::default() };
    let at_home = ExitEvent { netns: Some(1), ..exit(2 * MS, End::Exited(1)) };
    run.apply(nsenter(MS)).apply(at_home);
    assert_eq!(run.end().outcome, Outcome::TargetGone);
    assert_eq!(run.end().reason, Reason::TargetEnded(7));
    // The target may end before socat does. The connection still decides.
    let mut run = Run { gone: vec![7], ..Run::default() };
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, failed(libc::ECONNREFUSED))).apply(exit(5 * MS, End::Exited(1)));
    assert_eq!(run.end().outcome, Outcome::Refused);
}

#[test]
fn a_killed_helper_waits_for_the_end_of_its_connection() {
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(sock(4 * MS, CONNECTED)).apply(exit(5 * MS, End::Killed(9)));
    assert_eq!(run.states(), ["started", "connected"], "its bytes are not known yet");
    run.apply(sock(6 * MS, CLOSED));
    assert_eq!((run.end().outcome, run.end().bytes_to_pod), (Outcome::Killed, Some(18)));
    assert_eq!(run.end().duration_ns, Some(4 * MS), "until the helper's end");
    // That end may never come.
    let mut run = Run::default();
    run.apply(nsenter(MS)).apply(socat(2 * MS)).apply(sock(3 * MS, CONNECTING));
    run.apply(exit(5 * MS, End::Killed(9))).at(5 * MS + EVENT_TIMEOUT_NS - 1);
    assert_eq!(run.states(), ["started"]);
    run.at(5 * MS + EVENT_TIMEOUT_NS);
    assert_eq!(run.end().outcome, Outcome::Killed);
}
