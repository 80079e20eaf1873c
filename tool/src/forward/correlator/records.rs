//! The connections of a forwarder as sessions.

use super::views::LocalView;
use crate::forward::event::Report;
use crate::forward::failure::{Failure, end_of};
use crate::forward::relay_end::RelayEnd;
use crate::model::{Closed, End, Helper, Outcome, ProcessId, Program, Reason, Session, State};

/// What all connections of a forwarder have in common.
#[derive(Debug)]
pub struct Records {
    /// This process.
    pub forwarder: Program,
    /// When the forward started: `CLOCK_BOOTTIME`, ns. With the pid, it names the forward for good.
    pub start_ns: u64,
}

impl Records {
    /// A connection in a state that it entered at `time_ns` of `CLOCK_BOOTTIME`.
    pub(super) fn session(&self, local: &LocalView, time_ns: u64, state: State) -> Session {
        let LocalView { accepted, upstream, target, client, .. } = local;
        let forward = ProcessId { pid: self.forwarder.pid, start_ns: self.start_ns };
        let helper = |pid| Helper { pid, start_ns: upstream.helper_start_ns };
        Session {
            id: format!("{forward}-{}", accepted.number),
            time_ns,
            via: accepted.via,
            forwarder: self.forwarder.clone(),
            helper: upstream.helper_pid.map(helper),
            cookie: upstream.cookie,
            client: client.clone(),
            target: (**target).clone(),
            port: accepted.port,
            ports: accepted.ports(),
            address: upstream.address,
            state,
        }
    }
}

/// The end of a connection: the kernel's view of what happened inside the pod, where there is one,
/// and the forwarder's of what the client saw.
pub(super) fn closed(report: &Report, kernel: Option<Closed>) -> Closed {
    let local = of_report(report);
    // `NotTried` is a guess. The helper's stderr, which decides the local outcome, counts more.
    let is_known = |kernel: &Closed| match kernel.reason {
        Reason::NotSeen => false,
        Reason::NotTried => local.outcome == kernel.outcome,
        _ => true,
    };
    let Some(kernel) = kernel.filter(is_known) else { return local };
    let bytes_to_pod = kernel.bytes_to_pod.or(local.bytes_to_pod);
    let connect_ns = kernel.connect_ns;
    let is_local = match &report.result {
        // The client's end had come, and had not reached the pod.
        Ok(RelayEnd::ResetAfterEnd) => matches!(kernel.reason, Reason::Errno(_)),
        Ok(_) => false,
        Err(failure) => {
            // The forwarder gave up, and closed a connection that the kernel would have kept.
            let has_given_up = failure.outcome() == Outcome::Timeout;
            !failure.is_of_target()
                || kernel.reason == Reason::BothEnded
                || has_given_up
                    && !matches!(kernel.reason, Reason::Errno(_) | Reason::NoAnswer { .. })
        }
    };
    // The forwarder cannot see that the target has gone, only what follows from it.
    let is_local = is_local && kernel.outcome != Outcome::TargetGone;
    if is_local {
        return Closed { bytes_to_pod, connect_ns, ..local };
    }
    let Closed { stderr, error, bytes_from_pod, duration_ns, .. } = local;
    Closed { stderr, error, bytes_to_pod, bytes_from_pod, duration_ns, ..kernel }
}

/// The end as the forwarder alone saw it.
fn of_report(report: &Report) -> Closed {
    let (helper_end, stderr) = match &report.result {
        Ok(_) => (report.upstream.helper_pid.map(|_| End::Exited(0)), None),
        Err(Failure::HelperFailed { status, stderr }) => {
            (Some(end_of(*status)), Some(stderr.trim_end().to_owned()))
        }
        // The forwarder ended the helper itself, so the helper's end has no meaning.
        Err(_) => (None, None),
    };
    let (outcome, reason) = match &report.result {
        Ok(RelayEnd::ResetAfterEnd) => (Outcome::Ok, Reason::ResetAfterEnd),
        Ok(RelayEnd::GivenUp) => (Outcome::Ok, Reason::ClientEnded),
        Ok(_) => (Outcome::Ok, Reason::BothEnded),
        Err(failure) => (failure.outcome(), failure.reason()),
    };
    let error = match &report.result {
        // The user stopped the forward: that is no error.
        Ok(_) | Err(Failure::Stopped) => None,
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
