//! The keys that a session record has once the session is closed.

use serde::Serialize;

use super::value::exit_code_or_signal;
use crate::model;
use crate::output::reason::reason;

#[derive(Serialize)]
pub(super) struct Closed {
    outcome: &'static str,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    signal: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stderr: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_to_pod: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes_from_pod: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connect_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ns: Option<u64>,
}

impl From<&model::Closed> for Closed {
    fn from(closed: &model::Closed) -> Self {
        let (exit_code, signal) = closed.helper_end.map_or((None, None), exit_code_or_signal);
        Self {
            outcome: closed.outcome.name(),
            reason: reason(&closed.reason),
            exit_code,
            signal,
            stderr: closed.stderr.clone(),
            bytes_to_pod: closed.bytes_to_pod,
            bytes_from_pod: closed.bytes_from_pod,
            connect_ns: closed.connect_ns,
            duration_ns: closed.duration_ns,
        }
    }
}
