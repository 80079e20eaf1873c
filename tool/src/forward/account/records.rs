//! What a forwarder tells of one connection, as session records.

use crate::forward::Failure;
use crate::forward::notice::{Begun, FarEnd, Report, end_of};
use crate::trace::{Closed, Destination, End, Outcome, Program, Reason, Session, State, Via};

/// What all connections of a forwarder have in common.
#[derive(Debug)]
pub struct Records {
    /// Who forwards.
    pub forwarder: Program,
    /// When the forwarder began: `CLOCK_BOOTTIME`, ns. With its pid it names the forwarder for good.
    pub start_ns: u64,
    /// The road that it takes.
    pub via: Via,
    /// Where it leads.
    pub target: Destination,
}

impl Records {
    /// The record of a connection in a state that it came into at `time_ns` of `CLOCK_BOOTTIME`.
    pub(super) fn session(
        &self,
        begun: &Begun,
        time_ns: u64,
        far_end: FarEnd,
        state: State,
    ) -> Session {
        Session {
            id: format!("{}-{}-{}", self.forwarder.pid, self.start_ns, begun.number),
            time_ns,
            via: self.via,
            forwarder: self.forwarder.clone(),
            helper_pid: far_end.helper_pid,
            cookie: far_end.cookie,
            target: self.target.clone(),
            port: begun.pair.remote,
            address: far_end.address,
            state,
        }
    }
}

/// The end of a connection: the kernel's word on how it ended in the pod, where there is one, and
/// ours on what the client had of it.
pub(super) fn closed(report: &Report, seen: Option<Closed>) -> Closed {
    let ours = of_ours(report);
    // What a helper says is more than a guess.
    let is_known = |seen: &Closed| match seen.reason {
        Some(Reason::NotSeen) => false,
        Some(Reason::NotTried) => ours.outcome == seen.outcome,
        _ => true,
    };
    let Some(seen) = seen.filter(is_known) else { return ours };
    let bytes_to_pod = seen.bytes_to_pod.or(ours.bytes_to_pod);
    let connect_ns = seen.connect_ns;
    let is_our_doing = match &report.end {
        Ok(()) => false,
        Err(failure) => !failure.is_of_the_target() || seen.outcome == Outcome::Ok,
    };
    if is_our_doing {
        return Closed { bytes_to_pod, connect_ns, ..ours };
    }
    let Closed { stderr, bytes_from_pod, duration_ns, .. } = ours;
    Closed { stderr, bytes_to_pod, bytes_from_pod, duration_ns, ..seen }
}

/// What we know of it by ourselves.
fn of_ours(report: &Report) -> Closed {
    let (helper, stderr) = match &report.end {
        Ok(()) => (report.far_end.helper_pid.map(|_| End::Exited(0)), None),
        Err(Failure::HelperFailed { status, stderr }) => {
            (Some(end_of(*status)), Some(stderr.trim_end().to_owned()))
        }
        // Where we ended the helper, its end says nothing.
        Err(_) => (None, None),
    };
    let (outcome, reason) = match &report.end {
        Ok(()) => (Outcome::Ok, Reason::BothEnded),
        Err(failure) => (failure.outcome(), Reason::InWords(failure.in_words())),
    };
    Closed {
        outcome,
        reason: Some(reason),
        helper,
        stderr,
        bytes_to_pod: Some(report.bytes_to_pod),
        bytes_from_pod: Some(report.bytes_from_pod),
        connect_ns: None,
        duration_ns: Some(u64::try_from(report.duration.as_nanos()).unwrap_or(u64::MAX)),
    }
}
