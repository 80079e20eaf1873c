//! What a forwarder tells, as session records.

use super::Failure;
use super::notice::{Begun, FarEnd, Notice, Report, end_of};
use crate::trace::{Closed, Destination, End, Program, Session, State, Via};

/// What all sessions of a forwarder have in common.
#[derive(Debug)]
pub struct Sessions {
    forwarder: Program,
    /// When the forwarder began: `CLOCK_BOOTTIME`, ns. With its pid it names the forwarder for good.
    start_ns: u64,
    via: Via,
    target: Destination,
}

impl Sessions {
    /// Of a forwarder that begins now, at `start_ns` of `CLOCK_BOOTTIME`.
    #[must_use]
    pub fn new(forwarder: Program, start_ns: u64, via: Via, target: Destination) -> Self {
        Self { forwarder, start_ns, via, target }
    }

    /// The record of a notice, if it is about a connection.
    #[must_use]
    pub fn record(&self, notice: &Notice) -> Option<Session> {
        match notice {
            Notice::Handling(begun) => {
                Some(self.session(begun, begun.time_ns, FarEnd::default(), State::Started))
            }
            Notice::Connected(connected) => {
                let far_end = connected.far_end;
                Some(self.session(&connected.begun, connected.time_ns, far_end, State::Connected))
            }
            Notice::Closed(report) => {
                let state = State::Closed(closed(report));
                Some(self.session(&report.begun, report.time_ns, report.far_end, state))
            }
            Notice::TooMany(..) | Notice::NotAccepted(..) => None,
        }
    }

    fn session(&self, begun: &Begun, time_ns: u64, far_end: FarEnd, state: State) -> Session {
        Session {
            id: format!("{}-{}-{}", self.forwarder.pid, self.start_ns, begun.number),
            time_ns,
            via: self.via,
            forwarder: self.forwarder.clone(),
            helper_pid: far_end.helper_pid,
            target: self.target.clone(),
            port: begun.pair.remote,
            address: far_end.address,
            state,
        }
    }
}

fn closed(report: &Report) -> Closed {
    let (helper, stderr) = match &report.end {
        Ok(()) => (report.far_end.helper_pid.map(|_| End::Exited(0)), None),
        Err(Failure::HelperFailed { status, stderr }) => {
            (Some(end_of(*status)), Some(stderr.trim_end().to_owned()))
        }
        // Where we ended the helper, its end says nothing.
        Err(_) => (None, None),
    };
    Closed {
        outcome: report.outcome(),
        reason: None,
        helper,
        stderr,
        bytes_to_pod: Some(report.bytes_to_pod),
        bytes_from_pod: Some(report.bytes_from_pod),
        connect_ns: None,
        duration_ns: Some(u64::try_from(report.duration.as_nanos()).unwrap_or(u64::MAX)),
    }
}
