//! Records of sessions.

use serde::Serialize;

use super::closed::Closed;
use super::text::text;
use super::value::{Container, Pod, rfc3339, wall_rfc3339};
use crate::model::{self, ProcessId, State, Via};

/// Keys that are unknown in the session's state are left out.
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
    /// The `exec_id` in the helper's exec and exit records.
    #[serde(skip_serializing_if = "Option::is_none")]
    helper_exec_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<Client>,
    target: Target,
    port: u16,
    /// `null` until one of the target's addresses has answered.
    address: Option<String>,
    #[serde(flatten)]
    closed: Option<Closed>,
}

#[derive(Serialize)]
struct Program {
    pid: u32,
    comm: String,
    /// `null` if the kernel does not report it.
    uid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exe: Option<String>,
}

#[derive(Serialize)]
struct Client {
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
    transport: &'static str,
}

#[derive(Serialize)]
struct Target {
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    /// `null` if it is unknown.
    netns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pod: Option<Pod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    container: Option<Container>,
    /// Only if it is true.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    claimed: bool,
}

/// The record of a session from the store.
pub(super) fn past_session(past: &model::PastSession) -> Session {
    Session { time: wall_rfc3339(past.time), ..session(&past.session) }
}

pub(super) fn session(session: &model::Session) -> Session {
    let closed = match &session.state {
        State::Closed(closed) => Some(closed.into()),
        State::Started | State::Connected | State::Lost => None,
    };
    let address = session.address.map(|address| address.to_string());
    let address = match session.via {
        // socat connects to the name `localhost`. Only the kernel reports the address behind it.
        Via::NsenterSocat => Some(address.unwrap_or("localhost".to_owned())),
        Via::Native => address,
    };
    let model::Program { pid, comm, uid, exe } = &session.forwarder;
    Session {
        r#type: "session",
        time: rfc3339(session.time_ns),
        session_id: session.id.clone(),
        state: session.state.name(),
        via: session.via.name(),
        forwarder: Program {
            pid: *pid,
            comm: text(comm),
            uid: *uid,
            exe: exe.as_deref().map(text),
        },
        helper_pid: session.helper.map(|helper| helper.pid),
        helper_exec_id: session.helper.and_then(exec_id),
        client: session.client.as_deref().map(Into::into),
        target: (&session.target).into(),
        port: session.port,
        address,
        closed,
    }
}

fn exec_id(model::Helper { pid, start_ns }: model::Helper) -> Option<String> {
    start_ns.map(|start_ns| ProcessId { pid, start_ns }.to_string())
}

impl From<&model::Client> for Client {
    fn from(client: &model::Client) -> Self {
        let model::Client { address, user_agent, transport } = client;
        let user_agent = (!user_agent.is_empty()).then(|| user_agent.clone());
        Self { address: address.to_string(), user_agent, transport: transport.name() }
    }
}

impl From<&model::Destination> for Target {
    fn from(destination: &model::Destination) -> Self {
        let model::Destination { pid, netns, owner, is_claimed, .. } = destination;
        let pod = owner.pod.clone().map(Into::into);
        let container = owner.container.clone().map(Into::into);
        Self { pid: *pid, netns: *netns, pod, container, claimed: *is_claimed }
    }
}
