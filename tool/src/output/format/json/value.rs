//! Values that several kinds of records share.

use jiff::Timestamp;
use serde::Serialize;

use crate::host::clock;
use crate::model::{self, End};

#[derive(Serialize)]
pub(super) struct Container {
    id: String,
    runtime: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    confirmed: bool,
}

#[derive(Serialize)]
pub(super) struct Pod {
    namespace: String,
    name: String,
    uid: String,
}

impl From<model::Container> for Container {
    fn from(container: model::Container) -> Self {
        let model::Container { id, runtime, name, is_confirmed, .. } = container;
        Self { id, runtime, name, confirmed: is_confirmed }
    }
}

impl From<model::Pod> for Pod {
    fn from(model::Pod { namespace, name, uid }: model::Pod) -> Self {
        Self { namespace, name, uid }
    }
}

/// The exit code, or the signal that ended the process.
pub(super) fn exit_code_or_signal(end: End) -> (Option<u8>, Option<u8>) {
    match end {
        End::Exited(code) => (Some(code), None),
        End::Killed(signal) => (None, Some(signal)),
    }
}

/// A time in UTC, always with nine digits of nanoseconds.
pub(super) fn rfc3339(boottime_ns: u64) -> String {
    wall_rfc3339(clock::wall_time(boottime_ns))
}

/// The same of a wall-clock time.
pub(super) fn wall_rfc3339(time: Timestamp) -> String {
    format!("{time:.9}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_nanoseconds_and_a_time_zone() {
        let time = rfc3339(clock::boottime_ns());
        assert_eq!(time.len(), "2026-11-22T12:38:59.123456789Z".len(), "{time}");
        assert!(time.ends_with('Z'));
    }
}
