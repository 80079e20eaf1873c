//! Which processes visit a network namespace: decided by where they are at home, and not by where
//! one of their threads is at the moment.

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::common::running::Running;
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::fixture::visitor;
use crate::support::pod::DemoPod;
use crate::support::records::{records, sessions};
use crate::support::watch::watch_json;

/// `visitor WAY NAMESPACE ADDRESS COUNT`, to localhost of a pod.
fn visit(pod: &DemoPod, way: &str, port: u16, count: usize) -> Command {
    let mut command = Command::new(visitor());
    command.args([way, &format!("/proc/{}/ns/net", pod.pause), &format!("127.0.0.1:{port}")]);
    command.arg(count.to_string());
    command
}

/// Waits until that many sessions to a port have closed, all of them well.
fn assert_sessions(watch: &Running, port: u16, count: usize) {
    let of_port = |record: &Value| record["port"] == port;
    let closed = |record: &Value| record["state"] == "closed" && of_port(record);
    // To parse so many records takes longer than to make them.
    let port_key = format!("\"port\":{port},");
    let is_end = |line: &&String| line.contains(r#""state":"closed""#) && line.contains(&port_key);
    eventually("the ends of all sessions", || {
        (watch.stdout().iter().filter(is_end).count() >= count).then_some(())
    });
    let ends = sessions(watch, closed);
    assert_eq!(ends.len(), count);
    assert_eq!(sessions(watch, of_port).len(), 3 * count, "a start, an answer and an end each");
    for end in &ends {
        assert_eq!(end["outcome"], "ok", "{end}");
    }
    let lost: Vec<_> =
        records(watch).into_iter().filter(|record| record["type"] == "lost").collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn ten_thousand_connections_of_first_and_other_threads() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7061, "serve-echo");
    let watch = watch_json(&[]);
    // One after the other: four at once would leave the reader no processor.
    for way in ["first-thread", "beside-first-thread", "only-thread", "child"] {
        let mut job = visit(&pod, way, 7061, 2500).spawn().unwrap();
        assert!(job.wait_in_time().success());
    }
    // One more is open all the time.
    assert_sessions(&watch, 7061, 10_001);
}

#[test]
fn a_visitor_that_was_inside_when_pfsnoop_started() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7062, "serve-echo");
    let mut visitor = visit(&pod, "first-thread", 7062, usize::MAX).spawn().unwrap();
    let watch = watch_json(&[]);
    let closed = |record: &Value| record["port"] == 7062 && record["state"] == "closed";
    eventually("a hundred sessions", || (sessions(&watch, closed).len() > 100).then_some(()));
    visitor.kill().unwrap();
    visitor.wait_in_time();
}

#[test]
fn a_process_whose_whole_life_is_in_the_namespace_makes_no_session() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7063, "serve-echo");
    let inside = |count: usize| {
        let count = count.to_string();
        let visitor = visitor().to_str().unwrap();
        pod.inside(&[visitor, "resident", "/proc/self/ns/net", "127.0.0.1:7063", &count])
    };
    // One that pfsnoop finds, and one that it sees start.
    let mut before = inside(5000).spawn().unwrap();
    let watch = watch_json(&[]);
    assert!(inside(100).status().unwrap().success());
    before.kill().unwrap();
    before.wait_in_time();
    // What comes later is a session.
    assert!(visit(&pod, "first-thread", 7063, 1).status().unwrap().success());
    assert_sessions(&watch, 7063, 1);
    watch.signal(Signal::INT);
}
