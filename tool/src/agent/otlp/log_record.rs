//! The log record of a session that failed.

use super::attributes::attributes;
use super::messages::{AnyValue, KeyValue, LogRecord, Value};
use super::span::{SpanIds, unix_ns};
use crate::host::clock;
use crate::model::{Outcome, Session, State};
use crate::output::reason;

/// The log record of a session that failed; `None` for any other. `ended_ns` is `CLOCK_BOOTTIME`.
pub(super) fn log_record(session: &Session, ended_ns: u64, ids: SpanIds) -> Option<LogRecord> {
    let State::Closed(closed) = &session.state else { return None };
    let (severity_number, severity_text) = severity(closed.outcome)?;
    let mut attributes = attributes(session);
    let stderr = closed.stderr.clone().map(|stderr| KeyValue::text("pfsnoop.stderr", stderr));
    attributes.extend(stderr);
    Some(LogRecord {
        time_unix_nano: unix_ns(ended_ns),
        severity_number,
        severity_text: severity_text.to_owned(),
        body: Some(AnyValue { value: Some(Value::Text(reason(&closed.reason))) }),
        attributes,
        trace_id: ids.trace.to_vec(),
        span_id: ids.span.to_vec(),
        observed_time_unix_nano: unix_ns(clock::boottime_ns()),
    })
}

/// `SEVERITY_NUMBER_ERROR` where the node is at fault, `SEVERITY_NUMBER_WARN` where the pod, the client
/// or the network may be.
fn severity(outcome: Outcome) -> Option<(i32, &'static str)> {
    match outcome {
        Outcome::Ok => None,
        Outcome::HelperMissing | Outcome::Failed => Some((17, "ERROR")),
        Outcome::Refused
        | Outcome::Timeout
        | Outcome::Unreachable
        | Outcome::TargetGone
        | Outcome::Killed
        | Outcome::Reset => Some((13, "WARN")),
    }
}
