//! A real Prometheus scrapes the agent.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use crate::common::{WaitInTime as _, system};
use crate::support::agent::Agent;
use crate::support::containerd::Containerd;
use crate::support::helper::run_nsenter_socat;
use crate::support::pod::DemoPod;
use crate::support::prometheus::{Prometheus, value};
use crate::support::websocket::PortForward;

/// Serves the agent's metrics in the text format, whatever a Prometheus asks for. Returns its address.
fn text_only(agent: &Agent) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let upstream = agent.endpoint.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            let answer = upstream.get("/metrics", "text/plain");
            assert!(answer.head.contains("content-type: text/plain; version=0.0.4"));
            let _ = write!(stream, "{}\r\n\r\n{}", answer.head, answer.body);
        }
    });
    address
}

#[test]
fn sessions_of_a_pod_are_in_prometheus_by_both_formats() {
    let containerd = Containerd::start("agent-prometheus");
    let pod = containerd.run_pod("shop", "kuard", "in shop", 8080);
    let pid = Containerd::pid_in(&pod);
    let agent = Agent::start(&["--runtime-endpoint", &containerd.endpoint()]);
    let text_only = text_only(&agent);
    let targets = [("openmetrics", agent.address.as_str()), ("text", text_only.as_str())];
    let prometheus = Prometheus::start("agent-prometheus-data", &targets);
    prometheus.eventually("pfsnoop_build_info == 1", |found| found.len() == 2);
    let up = prometheus.eventually("pfsnoop_runtime_up", |found| found.len() == 2);
    assert!(up.iter().all(|one| one["metric"]["runtime"] == "containerd" && value(one) == 1.0));

    let open = |port| PortForward::open(&containerd.cri().port_forward(&pod.sandbox, port), port);
    let mut forward = open(8080);
    forward.send(b"GET / HTTP/1.0\r\n\r\n");
    while forward.receive().is_some_and(|(_, bytes)| !bytes.ends_with(b"in shop\n")) {}
    drop(forward);
    let mut refused = open(9);
    while refused.receive().is_some_and(|(channel, _)| channel != 1) {}
    run_nsenter_socat(pid, 8081);
    let of_pod = "pfsnoop_sessions_total{namespace=\"shop\",pod=\"kuard\"}";
    for (port, via, outcome) in
        [("8080", "native", "ok"), ("9", "native", "refused"), ("8081", "nsenter+socat", "refused")]
    {
        let all = prometheus.eventually(of_pod, |found| found.len() == 6);
        let of_port: Vec<_> = all.iter().filter(|one| one["metric"]["port"] == port).collect();
        assert_eq!(of_port.len(), 2, "by both formats: {all:#?}");
        for one in of_port {
            let metric = &one["metric"];
            assert_eq!([&metric["via"], &metric["outcome"]], [via, outcome], "{metric}");
            assert_eq!(value(one), 1.0);
        }
    }
    for query in [
        "sum by (job) (pfsnoop_session_bytes_total{direction=\"from_pod\"}) > 7",
        "histogram_quantile(0.5, sum by (job, le) (pfsnoop_session_duration_seconds_bucket)) > 0",
        "histogram_quantile(0.5, sum by (job, le) (pfsnoop_session_connect_seconds_bucket)) < 1",
        "pfsnoop_helper_execs_total{comm=\"socat\",result=\"ok\"} >= 1",
        "process_resident_memory_bytes > 1e6",
        "process_start_time_seconds > 1.7e9",
        "pfsnoop_records_lost_total{ring=\"inbox\"} == 0",
    ] {
        prometheus.eventually(query, |found| found.len() == 2);
    }
    // A runtime that does not answer is down. It is asked again within half a minute.
    let frozen = containerd.freeze();
    prometheus.eventually("pfsnoop_runtime_up{runtime=\"containerd\"} == 0", |up| up.len() == 2);
    drop(frozen);
}

#[test]
fn promtool_has_nothing_to_complain_about() {
    let pod = DemoPod::start();
    let agent = Agent::start(&["--otlp", "http://127.0.0.1:9"]);
    let missing = pod.inside(&["/nonexistent/socat", "-", "TCP4:localhost:8080"]).status().unwrap();
    assert_eq!(missing.code(), Some(127));
    agent.reaches("pfsnoop_helper_execs_total", &["socat", "missing"], 1.0);
    let text = agent.get("/metrics", "").body;
    for metric in [
        "pfsnoop_sessions_total{",
        "pfsnoop_session_duration_seconds_bucket{",
        "pfsnoop_otlp_queued{",
        "pfsnoop_otlp_dropped_total{",
        "process_cpu_seconds_total ",
    ] {
        assert!(text.contains(metric), "{metric} in {text}");
    }
    let mut promtool = system("promtool");
    promtool.args(["check", "metrics"]);
    promtool.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap();
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    promtool.wait_in_time();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{}", crate::common::text(&said));
    let open_metrics = agent.get("/metrics", "application/openmetrics-text;version=1.0.0");
    assert!(open_metrics.head.contains("application/openmetrics-text; version=1.0.0"));
    assert!(open_metrics.body.ends_with("\n# EOF\n"), "{}", open_metrics.body);
}
