//! Sessions that try to connect very often. Their memory is bounded.

use super::events::*;
use super::run::Run;
use crate::model::{End, Outcome, SockEvent, SockState};
use crate::sessions::state::SessionState;

/// Attempts, one every millisecond.
const ATTEMPTS: u64 = 100_000;

/// The most attempts that any open session keeps.
fn kept(run: &Run) -> usize {
    let numbers = run.sessions.open().map(|open| open.number);
    let states = numbers.filter_map(|number| run.sessions.index.get(number));
    states.map(SessionState::attempts_kept).max().unwrap_or(0)
}

/// `socat - TCP4:localhost:80,forever,interval=0.001`: each attempt has a socket of its own.
fn retrying_helper(run: &mut Run) {
    run.apply(nsenter(MS)).apply(socat(2 * MS));
    for n in 0..ATTEMPTS {
        let attempt = |state| SockEvent { id: 0xabc + n, ..sock((3 + n) * MS, state) };
        run.apply(attempt(CONNECTING)).apply(attempt(failed(libc::ECONNREFUSED)));
    }
    assert_eq!(kept(run), 0);
    assert_eq!(run.states(), ["started"]);
}

#[test]
fn a_helper_that_tries_without_end_keeps_no_attempts() {
    let end_ns = (3 + ATTEMPTS) * MS;
    let last = |time_ns, state| SockEvent { id: 1, ..sock(time_ns, state) };
    for (is_answered, end, outcome) in [
        (true, End::Exited(0), Outcome::Ok),
        (false, End::Exited(1), Outcome::Refused),
        (false, End::Killed(9), Outcome::Killed),
    ] {
        let mut run = Run::default();
        retrying_helper(&mut run);
        if is_answered {
            run.apply(last(end_ns, CONNECTING)).apply(last(end_ns + MS, CONNECTED));
            run.apply(last(end_ns + 2 * MS, CLOSED));
        }
        run.apply(exit(end_ns + 3 * MS, end));
        let closed = run.end();
        assert_eq!(closed.outcome, outcome, "{closed:?}");
        assert_eq!(closed.duration_ns, Some(end_ns + 2 * MS));
    }
}

#[test]
fn a_native_forwarder_that_tries_many_addresses_has_several_sessions() {
    let mut run = Run::default();
    let mut most = 0;
    for n in 0..1000_u64 {
        let address = format!("127.0.{}.{}", n / 250, n % 250 + 1);
        let attempt = |state: SockState| {
            to(&address, SockEvent { id: 0xabc + n, ..native((1 + n) * MS, state) })
        };
        run.apply(attempt(CONNECTING)).apply(attempt(failed(libc::ECONNREFUSED)));
        most = most.max(kept(&run));
    }
    assert!((1..=16).contains(&most), "{most}");
    run.at(10_000 * MS);
    assert!(run.is_empty());
    let closed = run.reported.iter().filter(|session| session.state.name() == "closed").count();
    assert_eq!(closed, 1000_usize.div_ceil(16));
}
