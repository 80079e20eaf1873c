//! Sessions.

use serde::Serialize;

use super::value::{Container, Pod, rfc3339, text};
use crate::model::{self, End, ProcessId, State, Via};
use crate::output::reason::reason;

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
    /// The `exec_id` of the helper's records.
    #[serde(skip_serializing_if = "Option::is_none")]
    helper_exec_id: Option<String>,
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
    /// `null` when the kernel does not report it.
    uid: Option<u32>,
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

pub(super) fn session(session: &model::Session) -> Session {
    let closed = match &session.state {
        State::Closed(closed) => Some(closed.into()),
        State::Started | State::Connected | State::Lost => None,
    };
    let address = session.address.map(|address| address.to_string());
    let address = match session.via {
        // What socat is told to connect to; only the kernel knows which address that led to.
        Via::NsenterSocat => Some(address.unwrap_or("localhost".to_owned())),
        Via::Native => address,
    };
    let model::Program { pid, comm, uid } = &session.forwarder;
    Session {
        r#type: "session",
        time: rfc3339(session.time_ns),
        session_id: session.id.clone(),
        state: session.state.name(),
        via: session.via.name(),
        forwarder: Program { pid: *pid, comm: text(comm), uid: *uid },
        helper_pid: session.helper.map(|helper| helper.pid),
        helper_exec_id: session.helper.and_then(exec_id),
        target: (&session.target).into(),
        port: session.port,
        address,
        closed,
    }
}

fn exec_id(model::Helper { pid, start_ns }: model::Helper) -> Option<String> {
    start_ns.map(|start_ns| ProcessId { pid, start_ns }.to_string())
}

impl From<&model::Destination> for Target {
    fn from(model::Destination { pid, netns, owner, .. }: &model::Destination) -> Self {
        let pod = owner.pod.clone().map(Into::into);
        let container = owner.container.clone().map(Into::into);
        Self { pid: *pid, netns: *netns, pod, container }
    }
}

impl From<&model::Closed> for Closed {
    fn from(closed: &model::Closed) -> Self {
        let (exit_code, signal) = match closed.helper_end {
            Some(End::Exited(code)) => (Some(code), None),
            Some(End::Killed(signal)) => (None, Some(signal)),
            None => (None, None),
        };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Outcome, Reason};

    #[test]
    fn every_key_has_its_place() {
        let target = model::Destination {
            pid: Some(7),
            netns: Some(4026),
            placement: model::Placement::default(),
            owner: model::Owner {
                container: Some(model::Container {
                    id: "0123".into(),
                    runtime: "docker",
                    name: Some("web".into()),
                    is_confirmed: true,
                }),
                pod: Some(model::Pod {
                    namespace: "shop".into(),
                    name: "kuard".into(),
                    uid: "u".into(),
                }),
            },
        };
        let closed = model::Closed {
            outcome: Outcome::Killed,
            reason: Reason::HelperKilled { signal: 9, is_socat: true },
            helper_end: Some(End::Killed(9)),
            stderr: Some("said".into()),
            error: None,
            bytes_to_pod: Some(1),
            bytes_from_pod: Some(2),
            connect_ns: Some(3),
            duration_ns: Some(4),
        };
        let session = model::Session {
            id: "100-5".into(),
            time_ns: 0,
            via: Via::NsenterSocat,
            forwarder: model::Program { pid: 1, comm: b"kubelet"[..].into(), uid: Some(0) },
            helper: Some(model::Helper { pid: 100, start_ns: Some(5) }),
            cookie: None,
            target,
            port: 80,
            ports: None,
            address: Some("::1".parse().unwrap()),
            state: State::Closed(closed),
        };
        let mut record = serde_json::to_value(super::session(&session)).unwrap();
        record.as_object_mut().unwrap().remove("time").expect("a time");
        let expected = serde_json::json!({
            "type": "session", "session_id": "100-5", "state": "closed", "via": "nsenter+socat",
            "forwarder": {"pid": 1, "comm": "kubelet", "uid": 0},
            "helper_pid": 100, "helper_exec_id": "100-5",
            "target": {
                "pid": 7, "netns": 4026,
                "pod": {"namespace": "shop", "name": "kuard", "uid": "u"},
                "container": {"id": "0123", "runtime": "docker", "name": "web", "confirmed": true},
            },
            "port": 80, "address": "::1", "outcome": "killed",
            "reason": "SIGKILL ended socat", "signal": 9, "stderr": "said",
            "bytes_to_pod": 1, "bytes_from_pod": 2, "connect_ns": 3, "duration_ns": 4,
        });
        assert_eq!(record, expected);
    }
}
