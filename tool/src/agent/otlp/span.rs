//! The span of a session.

use super::attributes::attributes;
use super::messages::{Event, Span, Status};
use super::open_sessions::Times;
use crate::host::clock;
use crate::model::{Outcome, Session, State};
use crate::output::reason;

/// The name of each span: one kind of operation has one name, and what differs is in the attributes.
const NAME: &str = "port-forward";

/// `SPAN_KIND_SERVER`
const SERVER: i32 = 2;

/// `STATUS_CODE_OK`
const OK: i32 = 1;

/// `STATUS_CODE_ERROR`
const ERROR: i32 = 2;

/// The ids of a trace of one span.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SpanIds {
    pub(super) trace: [u8; 16],
    pub(super) span: [u8; 8],
}

/// The span of a session that has ended, or that is no longer followed.
pub(super) fn span(session: &Session, times: Times, ids: SpanIds) -> Span {
    let connected = times.connected_ns.map(|connected_ns| Event {
        time_unix_nano: unix_ns(connected_ns),
        name: "connected".to_owned(),
    });
    Span {
        trace_id: ids.trace.to_vec(),
        span_id: ids.span.to_vec(),
        name: NAME.to_owned(),
        kind: SERVER,
        start_time_unix_nano: unix_ns(times.started_ns),
        end_time_unix_nano: unix_ns(times.ended_ns),
        attributes: attributes(session),
        events: connected.into_iter().collect(),
        status: status(&session.state),
    }
}

/// A session whose end was not seen has none.
fn status(state: &State) -> Option<Status> {
    let State::Closed(closed) = state else { return None };
    Some(match closed.outcome {
        Outcome::Ok => Status { message: String::new(), code: OK },
        _ => Status { message: reason(&closed.reason), code: ERROR },
    })
}

/// A time of `CLOCK_BOOTTIME` since 1970, ns.
pub(super) fn unix_ns(boottime_ns: u64) -> u64 {
    u64::try_from(clock::wall_time(boottime_ns).as_nanosecond()).unwrap_or(0)
}
