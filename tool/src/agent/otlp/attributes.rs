//! A session's attributes, by the semantic conventions of OpenTelemetry where they have a name for it.

use super::messages::KeyValue;
use crate::model::{Client, Closed, Container, End, Outcome, Owner, Program, Session, State, Via};
use crate::output::{reason, record_text};

/// The attributes of the session's span and of its log record. What is not known is absent.
pub(super) fn attributes(session: &Session) -> Vec<KeyValue> {
    let mut all = vec![
        KeyValue::text("network.transport", "tcp"),
        KeyValue::int("server.port", session.port.into()),
        KeyValue::text("pfsnoop.session_id", session.id.clone()),
        KeyValue::text("pfsnoop.via", session.via.name()),
        KeyValue::text("pfsnoop.outcome", outcome(session)),
    ];
    all.extend(server_address(session).map(|address| KeyValue::text("server.address", address)));
    push_owner(&mut all, &session.target.owner);
    push_target(&mut all, session);
    push_forwarder(&mut all, &session.forwarder);
    if let Some(client) = session.client.as_deref() {
        push_client(&mut all, client);
    }
    if let State::Closed(closed) = &session.state {
        push_closed(&mut all, closed);
    }
    all
}

/// The outcome, or the state of a session whose end was not seen.
fn outcome(session: &Session) -> &'static str {
    match &session.state {
        State::Closed(closed) => closed.outcome.name(),
        state => state.name(),
    }
}

/// As in JSON records: socat connects to the name, and the kernel reports the address behind it.
fn server_address(session: &Session) -> Option<String> {
    let address = session.address.map(|address| address.to_string());
    match session.via {
        Via::NsenterSocat => Some(address.unwrap_or_else(|| "localhost".to_owned())),
        Via::Native => address,
    }
}

fn push_owner(all: &mut Vec<KeyValue>, owner: &Owner) {
    if let Some(pod) = &owner.pod {
        all.extend([
            KeyValue::text("k8s.namespace.name", pod.namespace.clone()),
            KeyValue::text("k8s.pod.name", pod.name.clone()),
            KeyValue::text("k8s.pod.uid", pod.uid.clone()),
        ]);
    }
    if let Some(Container { id, runtime, name, is_confirmed, .. }) = &owner.container {
        all.extend([
            KeyValue::text("container.id", id.clone()),
            KeyValue::text("container.runtime", *runtime),
            KeyValue::bool("pfsnoop.container.confirmed", *is_confirmed),
        ]);
        all.extend(name.clone().map(|name| KeyValue::text("container.name", name)));
    }
}

fn push_target(all: &mut Vec<KeyValue>, session: &Session) {
    let target = &session.target;
    let numbers = [
        ("pfsnoop.target.pid", target.pid.map(u64::from)),
        ("pfsnoop.target.netns", target.netns),
        ("pfsnoop.helper.pid", session.helper.map(|helper| helper.pid.into())),
    ];
    all.extend(numbers.into_iter().filter_map(|(key, value)| Some(KeyValue::int(key, value?))));
    if target.is_claimed {
        all.push(KeyValue::bool("pfsnoop.target.claimed", true));
    }
}

fn push_forwarder(all: &mut Vec<KeyValue>, forwarder: &Program) {
    let Program { pid, comm, uid, exe } = forwarder;
    all.extend([
        KeyValue::int("process.pid", (*pid).into()),
        KeyValue::text("process.executable.name", record_text(comm)),
    ]);
    let path = exe.as_deref().map(record_text);
    all.extend(path.map(|path| KeyValue::text("process.executable.path", path)));
    all.extend(uid.map(|uid| KeyValue::int("process.real_user.id", uid.into())));
}

fn push_client(all: &mut Vec<KeyValue>, client: &Client) {
    all.extend([
        KeyValue::text("client.address", client.address.ip().to_string()),
        KeyValue::int("client.port", client.address.port().into()),
    ]);
    if !client.user_agent.is_empty() {
        all.push(KeyValue::text("user_agent.original", client.user_agent.clone()));
    }
}

fn push_closed(all: &mut Vec<KeyValue>, closed: &Closed) {
    all.push(KeyValue::text("pfsnoop.reason", reason(&closed.reason)));
    if closed.outcome != Outcome::Ok {
        all.push(KeyValue::text("error.type", closed.outcome.name()));
    }
    let (exit_code, signal) = match closed.helper_end {
        Some(End::Exited(code)) => (Some(code), None),
        Some(End::Killed(signal)) => (None, Some(signal)),
        None => (None, None),
    };
    let numbers = [
        ("pfsnoop.bytes_to_pod", closed.bytes_to_pod),
        ("pfsnoop.bytes_from_pod", closed.bytes_from_pod),
        ("pfsnoop.connect_ns", closed.connect_ns),
        ("pfsnoop.duration_ns", closed.duration_ns),
        ("pfsnoop.helper.exit_code", exit_code.map(u64::from)),
        ("pfsnoop.helper.signal", signal.map(u64::from)),
    ];
    all.extend(numbers.into_iter().filter_map(|(key, value)| Some(KeyValue::int(key, value?))));
}
