//! How many series the agent makes.

use std::net::TcpStream;

use crate::support::agent::Agent;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::closed;
use crate::support::watch::watch_json;

#[test]
fn beyond_max_series_sessions_are_counted_as_other() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let agent = Agent::start(&["--max-series", "3"]);
    let ports: Vec<u16> = (1..=8).collect();
    in_netns_of(pod.pause, || {
        for port in &ports {
            TcpStream::connect(("127.0.0.1", *port)).unwrap_err();
        }
    });
    let netns = pod.netns();
    for port in &ports {
        closed(&watch, |record| record["target"]["netns"] == netns && record["port"] == *port);
    }
    agent.reaches("pfsnoop_sessions_total", &[], 8.0);
    let series = agent.samples("pfsnoop_sessions_total");
    let (other, own): (Vec<_>, Vec<_>) = series
        .iter()
        .partition(|line| line.contains("namespace=\"other\",pod=\"other\",port=\"other\""));
    assert_eq!(own.len(), 3, "{series:#?}");
    assert!(!other.is_empty(), "{series:#?}");
    let without = agent.value("pfsnoop_sessions_without_series_total", &[]);
    assert!(agent.value("pfsnoop_session_series", &[]) == 3.0 && without >= 5.0, "{without}");
    let all = agent.value("pfsnoop_sessions_total", &["outcome=\"refused\""]);
    assert!(all >= 8.0, "none is missing: {all}");
    // Sessions that the machine's other tests make are counted too.
    agent.reaches("pfsnoop_sessions_total", &["pod=\"other\""], without);
}
