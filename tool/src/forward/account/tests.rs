use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;
use std::time::Duration;

use super::*;
use crate::forward::relay::Broken;
use crate::trace::{Closed, Destination, End, Outcome, Program, Reason, Via};

const PID: u32 = 42;
const COOKIE: u64 = 4242;
const PAIR: PortPair = PortPair { local: 8080, remote: 80 };
const BEGUN: Begun = Begun { number: 1, pair: PAIR, time_ns: 1000 };
const HELPER: FarEnd = FarEnd { address: None, helper_pid: Some(PID), cookie: None };

fn account(is_watched: bool) -> Account {
    let forwarder = Program { pid: 7, comm: b"pfsnoop"[..].into() };
    let (via, target) = (Via::NsenterSocat, Destination::default());
    Account::new(Records { forwarder, start_ns: 5, via, target }, is_watched)
}

fn report(far_end: FarEnd, end: Result<(), Failure>) -> Notice {
    Notice::Closed(Report {
        begun: BEGUN,
        time_ns: 9000,
        far_end,
        bytes_to_pod: 11,
        bytes_from_pod: 22,
        duration: Duration::from_micros(8),
        end,
    })
}

/// As the kernel has it: with an address, and other bytes than ours.
fn seen(far_end: FarEnd, time_ns: u64, state: State) -> Session {
    let FarEnd { helper_pid, cookie, .. } = far_end;
    let address = (state != State::Started).then(|| "127.0.0.1".parse().unwrap());
    let records = account(true).records;
    let session = records.session(&BEGUN, time_ns, FarEnd::default(), state);
    Session { helper_pid, cookie, address, ..session }
}

fn ended(outcome: Outcome, reason: Reason) -> State {
    State::Closed(Closed {
        outcome,
        reason: Some(reason),
        helper: Some(End::Exited(1)),
        stderr: None,
        bytes_to_pod: Some(10),
        bytes_from_pod: Some(20),
        connect_ns: Some(30),
        duration_ns: Some(40),
    })
}

/// States, times and addresses of what was told.
fn states(told: &[Told]) -> Vec<(&'static str, u64, bool)> {
    let session = |told: &Told| match told {
        Told::Session(_, session, _) => {
            let state = match session.state {
                State::Started => "started",
                State::Connected => "connected",
                State::Closed(_) => "closed",
            };
            (state, session.time_ns, session.address.is_some())
        }
        Told::Notice(_) => ("notice", 0, false),
    };
    told.iter().map(session).collect()
}

fn closed(told: Vec<Told>) -> Closed {
    let end = told.into_iter().find_map(|told| match told {
        Told::Session(_, session, _) => match session.state {
            State::Closed(closed) => Some(closed),
            _ => None,
        },
        Told::Notice(_) => None,
    });
    end.expect("an end")
}

fn helper_failed() -> Failure {
    Failure::HelperFailed { status: ExitStatus::from_raw(1 << 8), stderr: "words\n".to_owned() }
}

#[test]
fn without_a_watch_our_word_is_all_there_is() {
    let mut account = account(false);
    assert_eq!(states(&account.notice(Notice::Handling(BEGUN))), [("started", 1000, false)]);
    assert_eq!(states(&account.notice(Notice::Dialed(BEGUN, HELPER))), []);
    let told = account.notice(Notice::Connected(BEGUN, 2000));
    assert_eq!(states(&told), [("connected", 2000, false)]);
    let closed = closed(account.notice(report(HELPER, Ok(()))));
    let bytes = (closed.bytes_to_pod, closed.bytes_from_pod);
    assert_eq!((closed.outcome, bytes), (Outcome::Ok, (Some(11), Some(22))));
    assert_eq!((closed.reason, closed.helper), (Some(Reason::BothEnded), Some(End::Exited(0))));
    assert!(account.ours.is_empty() && account.numbers.is_empty());
}

/// Whichever of the two comes first.
#[test]
fn the_kernels_word_is_joined_by_helper_and_by_socket() {
    let socket = FarEnd { cookie: Some(COOKIE), ..FarEnd::default() };
    let refused = Reason::NothingListens { address: "127.0.0.1".parse().unwrap(), port: 80 };
    for far_end in [HELPER, socket] {
        for kernel_is_first in [true, false] {
            let mut account = account(true);
            account.notice(Notice::Handling(BEGUN));
            account.seen(seen(far_end, 1500, State::Started));
            let connected = seen(far_end, 1600, State::Connected);
            let told = if kernel_is_first {
                assert_eq!(states(&account.seen(connected)), [], "nobody's yet");
                account.notice(Notice::Dialed(BEGUN, far_end))
            } else {
                assert_eq!(states(&account.notice(Notice::Dialed(BEGUN, far_end))), []);
                account.seen(connected)
            };
            assert_eq!(states(&told), [("connected", 1600, true)], "{far_end:?}");
            assert_eq!(states(&account.notice(Notice::Connected(BEGUN, 1700))), [], "once");
            let last = seen(far_end, 3000, ended(Outcome::Refused, refused.clone()));
            let report = report(far_end, Err(helper_failed()));
            let told = if kernel_is_first {
                assert_eq!(states(&account.seen(last)), []);
                account.notice(report)
            } else {
                assert_eq!(states(&account.notice(report)), [], "the kernel's word is to come");
                account.seen(last)
            };
            assert_eq!(states(&told), [("closed", 9000, true)]);
            let closed = closed(told);
            assert_eq!((closed.outcome, closed.reason), (Outcome::Refused, Some(refused.clone())));
            assert_eq!(closed.stderr.as_deref(), Some("words"), "ours to know");
            let bytes = (closed.bytes_to_pod, closed.bytes_from_pod);
            assert_eq!(bytes, (Some(10), Some(22)), "into the pod, and to the client");
            assert_eq!((closed.connect_ns, closed.duration_ns), (Some(30), Some(8000)));
            assert!(account.ours.is_empty() && account.seen.is_empty(), "{account:?}");
            assert!(account.numbers.is_empty(), "{account:?}");
        }
    }
}

/// What we did to a helper is not why the connection ended.
#[test]
fn what_we_did_ourselves_is_for_us_to_tell() {
    let killed = || ended(Outcome::Killed, Reason::HelperKilled { signal: 9, is_socat: true });
    let reset = || ErrorKind::ConnectionReset.into();
    for (failure, outcome, words) in [
        (Failure::Stopped, Outcome::Killed, "the forward was ended"),
        (Failure::Broken(Broken::Client(reset())), Outcome::Failed, "the client went away: "),
    ] {
        let mut account = account(true);
        account.notice(Notice::Handling(BEGUN));
        account.notice(Notice::Dialed(BEGUN, HELPER));
        account.seen(seen(HELPER, 3000, killed()));
        let closed = closed(account.notice(report(HELPER, Err(failure))));
        assert_eq!((closed.outcome, closed.helper), (outcome, None));
        let Some(Reason::InWords(told)) = closed.reason else { panic!("{closed:?}") };
        assert!(told.starts_with(words), "{told}");
        assert_eq!(closed.bytes_to_pod, Some(10), "that much arrived");
    }
    // A reset by the target: the kernel knows its errno, unless it saw a good end.
    for (seen_as, reason, told) in [
        (Outcome::Failed, Reason::Errno(104), Reason::Errno(104)),
        (Outcome::Ok, Reason::BothEnded, Reason::InWords(String::new())),
    ] {
        let mut account = account(true);
        account.notice(Notice::Handling(BEGUN));
        account.notice(Notice::Dialed(BEGUN, HELPER));
        account.seen(seen(HELPER, 3000, ended(seen_as, reason)));
        let failure = Failure::Broken(Broken::Target(reset()));
        let closed = closed(account.notice(report(HELPER, Err(failure))));
        assert_eq!(closed.outcome, Outcome::Failed);
        let kind = |reason: &Reason| std::mem::discriminant(reason);
        assert_eq!(closed.reason.as_ref().map(kind), Some(kind(&told)));
    }
}

#[test]
fn an_end_does_not_wait_for_ever() {
    let mut account = account(true);
    account.notice(Notice::Handling(BEGUN));
    account.notice(Notice::Dialed(BEGUN, HELPER));
    account.notice(Notice::Connected(BEGUN, 2000));
    assert_eq!(states(&account.notice(report(HELPER, Ok(())))), []);
    assert_eq!(states(&account.expire(9000 + PATIENCE_NS - 1)), []);
    let told = account.expire(9000 + PATIENCE_NS);
    assert_eq!(states(&told), [("connected", 2000, false), ("closed", 9000, false)]);
    assert_eq!(closed(told).outcome, Outcome::Ok);
    // Too late: told already, and forgotten after a while.
    assert_eq!(states(&account.seen(seen(HELPER, 9500, State::Connected))), []);
    account.expire(9500 + UNCLAIMED_NS);
    assert!(account.seen.is_empty(), "{account:?}");
}

#[test]
fn what_the_kernel_lost_or_guesses_is_ours_to_tell() {
    for (seen_as, reason, end, outcome) in [
        (Outcome::Failed, Reason::NotSeen, Ok(()), Outcome::Ok),
        (Outcome::Unreachable, Reason::NotTried, Err(helper_failed()), Outcome::Failed),
    ] {
        let mut account = account(true);
        account.notice(Notice::Handling(BEGUN));
        account.notice(Notice::Dialed(BEGUN, HELPER));
        account.seen(seen(HELPER, 3000, ended(seen_as, reason)));
        assert_eq!(closed(account.notice(report(HELPER, end))).outcome, outcome);
    }
}

/// A helper's pid comes to mean another's: what was seen of the first is not the second's.
#[test]
fn a_pid_that_begins_anew_has_no_past() {
    let mut account = account(true);
    account.seen(seen(HELPER, 500, ended(Outcome::Killed, Reason::BothEnded)));
    account.seen(seen(HELPER, 1500, State::Started));
    account.notice(Notice::Handling(BEGUN));
    account.notice(Notice::Dialed(BEGUN, HELPER));
    assert_eq!(states(&account.notice(report(HELPER, Ok(())))), [], "its end is to come");
}

/// One that failed before there was a road.
#[test]
fn what_never_had_a_road_waits_for_nobody() {
    let mut account = account(true);
    account.notice(Notice::Handling(BEGUN));
    let told = account.notice(report(FarEnd::default(), Err(Failure::NoProcess)));
    assert_eq!(states(&told), [("closed", 9000, false)]);
    let full = Notice::TooMany(PAIR, 1);
    assert_eq!(states(&account.notice(full)), [("notice", 0, false)]);
}
