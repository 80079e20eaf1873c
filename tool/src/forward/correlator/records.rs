//! The connections of a forwarder as sessions.

use crate::forward::event::{Accepted, Report, Upstream};
use crate::forward::failure::{Failure, end_of};
use crate::model::{
    Closed, Destination, End, Helper, Outcome, ProcessId, Program, Reason, Session, State, Via,
};

/// What all connections of a forwarder have in common.
#[derive(Debug)]
pub struct Records {
    /// This process.
    pub forwarder: Program,
    /// When the forward started: `CLOCK_BOOTTIME`, ns. With the pid, it names the forward for good.
    pub start_ns: u64,
    /// How it gets into the target.
    pub via: Via,
    /// Where it leads.
    pub target: Destination,
}

impl Records {
    /// A connection in a state that it entered at `time_ns` of `CLOCK_BOOTTIME`.
    pub(super) fn session(
        &self,
        accepted: &Accepted,
        time_ns: u64,
        upstream: Upstream,
        state: State,
    ) -> Session {
        let forward = ProcessId { pid: self.forwarder.pid, start_ns: self.start_ns };
        let helper = |pid| Helper { pid, start_ns: upstream.helper_start_ns };
        Session {
            id: format!("{forward}-{}", accepted.number),
            time_ns,
            via: self.via,
            forwarder: self.forwarder.clone(),
            helper: upstream.helper_pid.map(helper),
            cookie: upstream.cookie,
            target: self.target.clone(),
            port: accepted.ports.remote,
            ports: Some(accepted.ports),
            address: upstream.address,
            state,
        }
    }
}

/// The end of a connection: the kernel's view of what happened inside the pod, where there is one,
/// and the forwarder's of what the client saw.
pub(super) fn closed(report: &Report, kernel: Option<Closed>) -> Closed {
    let local = of_report(report);
    // A helper's stderr is more than a guess.
    let is_known = |kernel: &Closed| match kernel.reason {
        Reason::NotSeen => false,
        Reason::NotTried => local.outcome == kernel.outcome,
        _ => true,
    };
    let Some(kernel) = kernel.filter(is_known) else { return local };
    let bytes_to_pod = kernel.bytes_to_pod.or(local.bytes_to_pod);
    let connect_ns = kernel.connect_ns;
    let is_our_doing = match &report.result {
        Ok(()) => false,
        Err(failure) => !failure.is_of_target() || kernel.outcome == Outcome::Ok,
    };
    if is_our_doing {
        return Closed { bytes_to_pod, connect_ns, ..local };
    }
    let Closed { stderr, error, bytes_from_pod, duration_ns, .. } = local;
    Closed { stderr, error, bytes_to_pod, bytes_from_pod, duration_ns, ..kernel }
}

/// What the forwarder knows by itself.
fn of_report(report: &Report) -> Closed {
    let (helper_end, stderr) = match &report.result {
        Ok(()) => (report.upstream.helper_pid.map(|_| End::Exited(0)), None),
        Err(Failure::HelperFailed { status, stderr }) => {
            (Some(end_of(*status)), Some(stderr.trim_end().to_owned()))
        }
        // The forwarder ended the helper itself, so its end says nothing.
        Err(_) => (None, None),
    };
    let (outcome, reason) = match &report.result {
        Ok(()) => (Outcome::Ok, Reason::BothEnded),
        Err(failure) => (failure.outcome(), Reason::InWords(failure.in_words())),
    };
    let error = match &report.result {
        // Whoever stops the forward need not be told.
        Ok(()) | Err(Failure::Stopped) => None,
        Err(failure) => Some(failure.in_words()),
    };
    Closed {
        outcome,
        reason,
        helper_end,
        stderr,
        error,
        bytes_to_pod: Some(report.bytes_to_pod),
        bytes_from_pod: Some(report.bytes_from_pod),
        connect_ns: None,
        duration_ns: Some(u64::try_from(report.duration.as_nanos()).unwrap_or(u64::MAX)),
    }
}
