//! Collectors that are down, busy or picky.

use std::net::TcpStream;
use std::sync::atomic::Ordering;

use rustix::process::Signal;

use crate::common::{assert_fails, eventually, pfsnoop};
use crate::support::agent::{Agent, agent_command};
use crate::support::collector::Collector;
use crate::support::helper::run_nsenter_socat;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::prometheus::free_address;

/// Refused connections inside the pod: one session for each.
fn refused(pod: &DemoPod, count: u32) {
    in_netns_of(pod.pause, || {
        for _ in 0..count {
            TcpStream::connect("127.0.0.1:9").unwrap_err();
        }
    });
}

/// How many spans of the pod the collector has.
fn spans_of(collector: &Collector, pod: &DemoPod) -> usize {
    let netns = i64::try_from(pod.netns()).unwrap();
    let spans = collector.spans.lock().unwrap();
    let of_pod = spans.iter().filter(|span| {
        span.attributes.iter().any(|one| {
            one.key == "pfsnoop.target.netns"
                && format!("{:?}", one.value).contains(&format!("({netns})"))
        })
    });
    of_pod.count()
}

#[test]
fn nothing_is_lost_while_a_collector_is_down_or_busy() {
    for is_grpc in [true, false] {
        let (pod, collector, address) = (DemoPod::start(), Collector::default(), free_address());
        let mut command = agent_command(&["--otlp", &format!("http://{address}")]);
        let protocol = if is_grpc { "grpc" } else { "http/protobuf" };
        let mut agent = Agent::run(command.env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol));
        for _ in 0..3 {
            run_nsenter_socat(pod.pause, 9);
        }
        agent.reaches("pfsnoop_otlp_failures_total", &["traces"], 1.0);
        agent.running.stderr_line("the failure", |line| line.contains("they wait in a queue"));
        collector.is_overloaded.store(true, Ordering::SeqCst);
        collector.listen(&address, is_grpc, None);
        let failures = agent.value("pfsnoop_otlp_failures_total", &["traces"]);
        agent.reaches("pfsnoop_otlp_failures_total", &["traces"], failures + 1.0);
        assert_eq!(spans_of(&collector, &pod), 0);
        collector.is_overloaded.store(false, Ordering::SeqCst);
        let all = || (spans_of(&collector, &pod) == 3).then_some(());
        eventually("all spans", all);
        agent.running.stderr_line("the end of it", |line| line.contains("exported to http://"));
        assert_eq!(agent.value("pfsnoop_otlp_dropped_total", &[]), 0.0);
        // A record that is rejected counts as dropped, and the words of the collector are escaped.
        collector.rejects_one.store(true, Ordering::SeqCst);
        run_nsenter_socat(pod.pause, 9);
        agent.reaches("pfsnoop_otlp_dropped_total", &["traces", "rejected"], 1.0);
        let line = agent.running.stderr_line("the reason", |line| line.contains("rejects 1 of"));
        assert!(line.contains(r"one is \x1b[31mtoo old"), "{line}");
    }
}

#[test]
fn a_full_queue_is_counted_and_the_end_comes_in_time() {
    let pod = DemoPod::start();
    let agent = Agent::start(&["--otlp", &format!("http://{}", free_address())]);
    // 4096 wait, and a batch of 512 is on its way.
    refused(&pod, 5000);
    agent.reaches("pfsnoop_sessions_total", &["refused"], 5000.0);
    agent.reaches("pfsnoop_otlp_dropped_total", &["traces", "queue_full"], 1.0);
    assert_eq!(agent.value("pfsnoop_otlp_queued", &["traces"]), 4096.0);
    let Agent { running, .. } = agent;
    running.signal(Signal::TERM);
    let begin = std::time::Instant::now();
    let (status, _, stderr) = running.end();
    assert!(status.success() && begin.elapsed().as_secs() < 10, "{:?}", begin.elapsed());
    assert!(stderr.iter().any(|line| line.contains("were not exported to")), "{stderr:#?}");
}

#[test]
fn what_waits_is_exported_at_the_end() {
    let (pod, collector) = (DemoPod::start(), Collector::default());
    let port = collector.listen("127.0.0.1:0", false, None);
    let agent = Agent::start(&["--otlp", &format!("http://127.0.0.1:{port}")]);
    refused(&pod, 5);
    let (status, _, stderr) = agent.running.interrupt();
    assert!(status.success(), "{stderr:#?}");
    assert_eq!(spans_of(&collector, &pod), 5, "{stderr:#?}");
}

#[test]
fn wrong_variables_are_one_line() {
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/nonexistent.pem"),
    ] {
        let mut command = pfsnoop(&["agent", "--no-store", "--no-listen"]);
        command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector").env(name, value);
        assert_fails(&mut command, 1, &[name]);
    }
}
