//! Spans and log records, compared with what `watch` reports of the same sessions.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use serde_json::{Value, json};

use crate::common::eventually;
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::support::agent::{Agent, agent_command};
use crate::support::collector::{Collector, Identity};
use crate::support::helper::{nsenter_socat, request_page, run_nsenter_socat, spawn_piped};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

fn text(value: Option<AnyValue>) -> Value {
    match value.unwrap().value.unwrap() {
        Any::StringValue(text) => text.into(),
        Any::IntValue(number) => number.into(),
        Any::BoolValue(is) => is.into(),
        other => panic!("{other:?}"),
    }
}

fn attributes(all: &[KeyValue]) -> BTreeMap<String, Value> {
    all.iter().map(|one| (one.key.clone(), text(one.value.clone()))).collect()
}

fn time_ns(record: &Value) -> i128 {
    record["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_nanosecond()
}

/// Both clocks may be adjusted a little between two computations of one time.
#[track_caller]
fn assert_same_time(unix_nano: u64, record: &Value) {
    let off = i128::from(unix_nano) - time_ns(record);
    assert!(off.abs() < 50_000_000, "{off} ns: {record}");
}

/// Compares a span with the records of the same session.
fn assert_same(span: &Span, records: &[Value]) {
    let (first, end) = (records.first().unwrap(), records.last().unwrap());
    assert_eq!((span.name.as_str(), span.kind, span.flags), ("port-forward", 2, 0));
    assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
    assert_same_time(span.start_time_unix_nano, first);
    assert_same_time(span.end_time_unix_nano, end);
    let connected: Vec<_> = records.iter().filter(|one| one["state"] == "connected").collect();
    assert_eq!(span.events.len(), connected.len());
    for (event, record) in span.events.iter().zip(connected) {
        assert_eq!(event.name, "connected");
        assert_same_time(event.time_unix_nano, record);
    }
    let status = span.status.clone().unwrap();
    let (code, message) = match end["outcome"].as_str().unwrap() {
        "ok" => (1, ""),
        _ => (2, end["reason"].as_str().unwrap()),
    };
    assert_eq!((status.code, status.message.as_str()), (code, message));
    assert_attributes(&attributes(&span.attributes), end);
}

/// Each key of the record has its attribute, and there is none beside them.
fn assert_attributes(found: &BTreeMap<String, Value>, end: &Value) {
    let mut found = found.clone();
    for key in ["connect_ns", "duration_ns"] {
        // Each process has kernel programs of its own, and the programs run one after the other.
        let attribute = found.remove(&format!("pfsnoop.{key}")).unwrap_or_default();
        let off = attribute.as_i64().unwrap_or(-1) - end[key].as_i64().unwrap_or(-1);
        assert!(off.abs() < 20_000_000, "{key}: {off} ns: {end}");
    }
    let mut expected = BTreeMap::new();
    for (attribute, value) in [
        ("pfsnoop.session_id", &end["session_id"]),
        ("pfsnoop.via", &end["via"]),
        ("pfsnoop.outcome", &end["outcome"]),
        ("pfsnoop.reason", &end["reason"]),
        ("server.port", &end["port"]),
        ("server.address", &end["address"]),
        ("process.pid", &end["forwarder"]["pid"]),
        ("process.executable.name", &end["forwarder"]["comm"]),
        ("process.executable.path", &end["forwarder"]["exe"]),
        ("process.real_user.id", &end["forwarder"]["uid"]),
        ("pfsnoop.helper.pid", &end["helper_pid"]),
        ("pfsnoop.helper.exit_code", &end["exit_code"]),
        ("pfsnoop.target.pid", &end["target"]["pid"]),
        ("pfsnoop.target.netns", &end["target"]["netns"]),
        ("pfsnoop.target.claimed", &end["target"]["claimed"]),
        ("pfsnoop.bytes_to_pod", &end["bytes_to_pod"]),
        ("pfsnoop.bytes_from_pod", &end["bytes_from_pod"]),
    ] {
        if !value.is_null() {
            expected.insert(attribute.to_owned(), value.clone());
        }
    }
    expected.insert("network.transport".to_owned(), json!("tcp"));
    if end["outcome"] != "ok" {
        expected.insert("error.type".to_owned(), end["outcome"].clone());
    }
    assert_eq!(found, expected);
}

/// Three sessions: one that is ok, one that is refused, and one without a target.
fn make_sessions(pod: &DemoPod) -> Vec<u32> {
    let (ok, page) = request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    assert!(page.contains("pfsnoop demo pod"), "{page}");
    vec![ok, run_nsenter_socat(pod.pause, 9), run_nsenter_socat(4_194_304, 80)]
}

/// The records of the session of a helper, in order.
fn records_of(watch: &Running, helper: u32) -> Vec<Value> {
    closed(watch, |record| record["helper_pid"] == helper);
    sessions(watch, |record| record["helper_pid"] == helper)
}

fn span_of(collector: &Collector, helper: u32) -> Span {
    eventually("the span", || {
        let spans = collector.spans.lock().unwrap();
        let is_of_it = |span: &&Span| {
            attributes(&span.attributes).get("pfsnoop.helper.pid") == Some(&json!(helper))
        };
        let found: Vec<_> = spans.iter().filter(is_of_it).cloned().collect();
        assert!(found.len() < 2, "twice: {found:#?}");
        found.into_iter().next()
    })
}

/// Makes sessions and compares what the collector has with what `watch` reports.
fn compare(collector: &Collector, agent: &Agent, pod: &DemoPod, watch: &Running) {
    for helper in make_sessions(pod) {
        let records = records_of(watch, helper);
        let span = span_of(collector, helper);
        assert_same(&span, &records);
        let end = records.last().unwrap();
        if end["outcome"] == "ok" {
            continue;
        }
        let log = eventually("the log record", || {
            let logs = collector.logs.lock().unwrap();
            logs.iter().find(|log| log.span_id == span.span_id).cloned()
        });
        assert_eq!(log.trace_id, span.trace_id);
        assert_eq!((log.severity_number, log.severity_text.as_str()), (13, "WARN"));
        assert_eq!(text(log.body.clone()), end["reason"]);
        assert_same_time(log.time_unix_nano, end);
        assert_attributes(&attributes(&log.attributes), end);
    }
    let ok_logs = collector
        .logs
        .lock()
        .unwrap()
        .iter()
        .any(|log| attributes(&log.attributes)["pfsnoop.outcome"] == "ok");
    assert!(!ok_logs, "only what failed is logged");
    agent.reaches("pfsnoop_otlp_exported_total", &["traces"], 3.0);
    agent.reaches("pfsnoop_otlp_exported_total", &["logs"], 2.0);
    assert_eq!(agent.value("pfsnoop_otlp_dropped_total", &[]), 0.0);
    let resource = attributes(&collector.resources.lock().unwrap()[0].attributes);
    assert_eq!([&resource["service.name"], &resource["k8s.node.name"]], ["pfsnoop", "node-7"]);
    assert_eq!(resource["service.version"], env!("CARGO_PKG_VERSION"));
    assert!(resource.contains_key("host.name"), "{resource:?}");
}

#[test]
fn records_by_grpc_are_those_of_watch() {
    let collector = Collector::default();
    let port = collector.listen("127.0.0.1:0", true, None);
    let (pod, watch) = (DemoPod::start(), watch_json(&[]));
    let mut command = agent_command(&["--node-name", "node-7"]);
    command.args(["--otlp", &format!("http://127.0.0.1:{port}")]);
    command.env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=se%20cret");
    let agent = Agent::run(&mut command);
    compare(&collector, &agent, &pod, &watch);
    assert_eq!(collector.heads.lock().unwrap()[0]["api-key"], "se cret");
}

#[test]
fn records_by_http_are_those_of_watch() {
    let collector = Collector::default();
    let port = collector.listen("127.0.0.1:0", false, None);
    let (pod, watch) = (DemoPod::start(), watch_json(&[]));
    let mut command = agent_command(&[]);
    command.env("NODE_NAME", "node-7");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}/"));
    command.env("OTEL_EXPORTER_OTLP_HEADERS", "api-key=se%20cret");
    let agent = Agent::run(&mut command);
    compare(&collector, &agent, &pod, &watch);
    let head = collector.heads.lock().unwrap()[0].clone();
    assert_eq!(head["api-key"], "se cret");
    assert!(head["user-agent"].to_str().unwrap().starts_with("pfsnoop/"), "{head:?}");
}

/// With TLS and compression, by both protocols.
#[test]
fn encrypted_and_compressed() {
    let (identity, dir, pod) = (Identity::new(), TempDir::new("otlp-tls"), DemoPod::start());
    std::fs::write(dir.join("ca.pem"), &identity.pem).unwrap();
    for (is_grpc, protocol) in [(true, "grpc"), (false, "http/protobuf")] {
        let collector = Collector::default();
        let port = collector.listen("127.0.0.1:0", is_grpc, Some(&identity));
        let mut command = agent_command(&["--otlp", &format!("https://localhost:{port}")]);
        command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        command.env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip");
        let start = |command: &mut std::process::Command| {
            let agent = Agent::run(command);
            (run_nsenter_socat(pod.pause, 9), agent)
        };
        let (_, mut stranger) = start(&mut command);
        stranger
            .running
            .stderr_line("the failure", |line| line.contains("traces are not exported"));
        assert!(collector.spans.lock().unwrap().is_empty(), "the certificate is not trusted");
        drop(stranger);
        let (helper, _agent) =
            start(command.env("OTEL_EXPORTER_OTLP_CERTIFICATE", dir.join("ca.pem")));
        assert_eq!(span_of(&collector, helper).name, "port-forward", "{protocol}");
    }
}
