//! Session records as JSON.

use serde::Serialize;

use super::json::{Container, Pod, rfc3339, text};
use super::reason::reason;
use crate::trace::{self, End, Outcome, State, Via};

/// The keys that a state does not have yet are left out.
#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the fields are the contract's keys")]
pub(super) struct Session {
    r#type: &'static str,
    time: String,
    session_id: String,
    state: &'static str,
    via: &'static str,
    forwarder: Program,
    #[serde(skip_serializing_if = "Option::is_none")]
    helper_pid: Option<u32>,
    target: Target,
    port: u16,
    /// `null` until one of the target's addresses answered.
    address: Option<String>,
    #[serde(flatten)]
    closed: Option<Closed>,
}

#[derive(Serialize)]
struct Program {
    pid: u32,
    comm: String,
}

#[derive(Serialize)]
struct Target {
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// `null` when it is not known.
    netns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
}

#[derive(Serialize)]
struct Closed {
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
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

pub(super) fn json(session: &trace::Session) -> Session {
    let (state, closed) = match &session.state {
        State::Started => ("started", None),
        State::Connected => ("connected", None),
        State::Closed(closed) => ("closed", Some(closed.into())),
    };
    let address = session.address.map(|address| address.to_string());
    let address = match session.via {
        // What socat is told to connect to, where only the kernel would know what that led to.
        Via::NsenterSocat => Some(address.unwrap_or("localhost".to_owned())),
        Via::Native => address,
    };
    let trace::Program { pid, comm } = &session.forwarder;
    Session {
        r#type: "session",
        time: rfc3339(session.time_ns),
        session_id: session.id.clone(),
        state,
        via: session.via.name(),
        forwarder: Program { pid: *pid, comm: text(comm) },
        helper_pid: session.helper_pid,
        target: (&session.target).into(),
        port: session.port,
        address,
        closed,
    }
}

impl From<&trace::Destination> for Target {
    fn from(trace::Destination { pid, netns, owner }: &trace::Destination) -> Self {
        let pod = owner.pod.clone().map(Into::into);
        let container = owner.container.clone().map(Into::into);
        Self { pid: *pid, netns: *netns, pod, container }
    }
}

impl From<&trace::Closed> for Closed {
    fn from(closed: &trace::Closed) -> Self {
        let (exit_code, signal) = match closed.helper {
            Some(End::Exited(code)) => (Some(code), None),
            Some(End::Killed(signal)) => (None, Some(signal)),
            None => (None, None),
        };
        Self {
            outcome: outcome(closed.outcome),
            reason: closed.reason.as_ref().map(reason),
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

/// The outcome of a connection, in text as in JSON.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Ok => "ok",
        Outcome::Refused => "refused",
        Outcome::Timeout => "timeout",
        Outcome::Unreachable => "unreachable",
        Outcome::TargetGone => "target-gone",
        Outcome::HelperMissing => "helper-missing",
        Outcome::Killed => "killed",
        Outcome::Failed => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::Reason;

    #[test]
    fn every_key_has_its_place() {
        let target = trace::Destination {
            pid: Some(7),
            netns: Some(4026),
            owner: trace::Owner {
                container: Some(trace::Container {
                    id: "0123".into(),
                    runtime: "docker",
                    name: Some("web".into()),
                }),
                pod: Some(trace::Pod {
                    namespace: "shop".into(),
                    name: "kuard".into(),
                    uid: "u".into(),
                }),
            },
        };
        let closed = trace::Closed {
            outcome: Outcome::Killed,
            reason: Some(Reason::HelperKilled { signal: 9, is_socat: true }),
            helper: Some(End::Killed(9)),
            stderr: Some("said".into()),
            bytes_to_pod: Some(1),
            bytes_from_pod: Some(2),
            connect_ns: Some(3),
            duration_ns: Some(4),
        };
        let session = trace::Session {
            id: "100-5".into(),
            time_ns: 0,
            via: Via::NsenterSocat,
            forwarder: trace::Program { pid: 1, comm: b"kubelet"[..].into() },
            helper_pid: Some(100),
            cookie: None,
            target,
            port: 80,
            address: Some("::1".parse().unwrap()),
            state: State::Closed(closed),
        };
        let mut record = serde_json::to_value(json(&session)).unwrap();
        record.as_object_mut().unwrap().remove("time").expect("a time");
        let expected = serde_json::json!({
            "type": "session", "session_id": "100-5", "state": "closed", "via": "nsenter+socat",
            "forwarder": {"pid": 1, "comm": "kubelet"}, "helper_pid": 100,
            "target": {
                "pid": 7, "netns": 4026,
                "pod": {"namespace": "shop", "name": "kuard", "uid": "u"},
                "container": {"id": "0123", "runtime": "docker", "name": "web"},
            },
            "port": 80, "address": "::1", "outcome": "killed",
            "reason": "socat was ended by SIGKILL", "signal": 9, "stderr": "said",
            "bytes_to_pod": 1, "bytes_from_pod": 2, "connect_ns": 3, "duration_ns": 4,
        });
        assert_eq!(record, expected);
    }
}
