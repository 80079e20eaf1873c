//! A session record with every key.

use std::sync::Arc;

use super::session;
use crate::model::{self, End, Outcome, Reason, State, Transport, Via};

#[test]
fn a_closed_session_has_every_key() {
    let target = model::Destination {
        comm: None,
        pid: Some(7),
        netns: Some(4026),
        placement: model::Placement::default(),
        owner: model::Owner {
            container: Some(model::Container {
                id: "0123".into(),
                runtime: "docker",
                name: Some("web".into()),
                is_confirmed: true,
                is_disputed: false,
            }),
            pod: Some(model::Pod {
                namespace: "shop".into(),
                name: "kuard".into(),
                uid: "u".into(),
            }),
            is_claimed: false,
        },
        is_claimed: false,
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
    let client = model::Client {
        address: "[::1]:51234".parse().unwrap(),
        user_agent: "kubectl/v1.32.3 (linux/amd64)".to_owned(),
        transport: Transport::SpdyOverWebSocket,
    };
    let session = model::Session {
        id: "100-5".into(),
        time_ns: 0,
        via: Via::NsenterSocat,
        forwarder: model::Program { pid: 1, comm: b"kubelet"[..].into(), uid: Some(0), exe: None },
        helper: Some(model::Helper { pid: 100, start_ns: Some(5) }),
        cookie: None,
        client: Some(Arc::new(client)),
        target,
        port: 80,
        ports: None,
        address: Some("::1".parse().unwrap()),
        state: State::Closed(closed),
    };
    let mut record = serde_json::to_value(session::session(&session)).unwrap();
    record.as_object_mut().unwrap().remove("time").expect("a time");
    let expected = serde_json::json!({
        "type": "session", "session_id": "100-5", "state": "closed", "via": "nsenter+socat",
        "forwarder": {"pid": 1, "comm": "kubelet", "uid": 0},
        "helper_pid": 100, "helper_exec_id": "100-5",
        "client": {
            "address": "[::1]:51234", "user_agent": "kubectl/v1.32.3 (linux/amd64)",
            "transport": "spdy+websocket",
        },
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

#[test]
fn a_session_record_is_as_the_schema_says() {
    let schema = include_str!("../../../../../docs/records.schema.json");
    let schema = jsonschema::draft202012::new(&serde_json::from_str(schema).unwrap()).unwrap();
    let client = |user_agent: &str, transport| model::Client {
        address: "127.0.0.1:51234".parse().unwrap(),
        user_agent: user_agent.to_owned(),
        transport,
    };
    for client in [
        None,
        Some(client("kubectl/v1.20.2", Transport::Spdy)),
        Some(client("kubectl/v1.32.3", Transport::SpdyOverWebSocket)),
        Some(client("", Transport::WebSocket)),
    ] {
        let session = model::Session {
            id: "100-5".into(),
            client: client.map(Arc::new),
            ..model::Session::example(model::Closed::example(Outcome::Ok))
        };
        let record = serde_json::to_value(session::session(&session)).unwrap();
        let errors: Vec<_> = schema.iter_errors(&record).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{record}: {errors:#?}");
        let has_name = session.client.is_some_and(|client| !client.user_agent.is_empty());
        assert_eq!(record["client"]["user_agent"].is_string(), has_name, "{record}");
    }
}
