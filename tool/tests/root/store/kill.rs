//! The agent is killed in the middle of its work, again and again.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rustix::process::Signal;
use serde_json::Value;

use crate::common::eventually;
use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::support::helper::run_nsenter_socat;
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::sessions;
use crate::support::store::{agent, connect_often, is_end, stored, wait_for_stored};
use crate::support::watch::watch_json;

/// How often the agent is killed, and how many sessions there are each time.
const ROUNDS: usize = 20;
const SESSIONS: usize = 50;

/// A session that ended so long before the kill must be in the store.
const DURABLE: Duration = Duration::from_secs(1);

fn time(record: &Value) -> Timestamp {
    record["time"].as_str().unwrap().parse().unwrap()
}

#[test]
fn no_session_that_ended_a_second_before_is_missing_and_none_is_twice() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-kill"));
    let store = folder.join("sessions.db");
    let watch = watch_json(&["--port", "7093"]);
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        times.push(one_round(&pod, &store, round));
    }
    let ends = ends_of_watch(&watch, pod.netns());
    // The next agent closes what was open at the last kill.
    let mut last = agent(&store, &[]);
    last.stderr_line("the start", |line| line.contains("is watched"));
    assert!(last.interrupt().0.success());
    let mut counts = BTreeMap::new();
    let all = stored(&store, &["--port", "7093"]);
    for record in all.iter().filter(|record| record["target"]["netns"] == pod.netns()) {
        *counts.entry(record["session_id"].as_str().unwrap().to_owned()).or_insert(0) += 1;
        let is_closed = record["state"] == "closed" || record["state"] == "lost";
        assert!(is_closed, "of an agent that is dead: {record}");
    }
    assert!(counts.values().all(|&count| count == 1), "twice: {counts:#?}");
    let must_be_there = |record: &&Value| {
        let end = time(record);
        times.iter().any(|&(attached, killed)| end > attached && end + DURABLE < killed)
    };
    let durable: Vec<_> = ends.iter().filter(must_be_there).collect();
    assert!(durable.len() > ROUNDS * SESSIONS / 4, "{} of {}", durable.len(), ends.len());
    let missing: Vec<_> = durable
        .iter()
        .filter(|record| !counts.contains_key(record["session_id"].as_str().unwrap()))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Returns when the agent was attached, and when it was killed.
fn one_round(pod: &DemoPod, store: &Path, round: usize) -> (Timestamp, Timestamp) {
    let mut agent = agent(store, &[]);
    agent.stderr_line("the start", |line| line.contains("is watched"));
    let attached = Timestamp::now();
    // Uneven, so that the kill falls into every part of the writer's work.
    let pause = Duration::from_millis(21 + 3 * (round as u64 % 7));
    for _ in 0..SESSIONS {
        // The id of such a session is the same in every program that sees it.
        run_nsenter_socat(pod.pause, 7093);
        std::thread::sleep(pause);
    }
    let killed = Timestamp::now();
    agent.signal(Signal::KILL);
    agent.wait();
    (attached, killed)
}

fn ends_of_watch(watch: &Running, netns: u64) -> Vec<Value> {
    eventually("the ends in watch", || {
        let ends = sessions(watch, |record| is_end(record, netns));
        (ends.len() >= ROUNDS * SESSIONS).then_some(ends)
    })
}

#[test]
fn a_session_that_is_open_when_the_agent_is_killed_is_lost_then() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-open"));
    let store = folder.join("sessions.db");
    let of_pod = |record: &Value| record["target"]["netns"] == pod.netns();
    let mut first = agent(&store, &[]);
    let _open = in_netns_of(pod.pause, || TcpStream::connect("127.0.0.1:8080").unwrap());
    eventually("the open session", || {
        let all = if store.exists() { stored(&store, &[]) } else { Vec::new() };
        all.iter().any(|record| of_pod(record) && record["state"] == "connected").then_some(())
    });
    first.signal(Signal::KILL);
    first.wait();
    let killed = Timestamp::now();
    let second = agent(&store, &[]);
    let lost = eventually("the lost session", || {
        stored(&store, &[]).into_iter().find(|record| of_pod(record) && record["state"] == "lost")
    });
    assert!(time(&lost) <= killed, "{lost}");
    connect_often(pod.pause, 8080, 1);
    wait_for_stored(&store, pod.netns(), 1);
    let (status, ..) = second.interrupt();
    assert!(status.success());
    assert_eq!(stored(&store, &[]).iter().filter(|record| of_pod(record)).count(), 2);
}

#[test]
fn a_session_that_is_open_when_the_agent_ends_is_lost_then() {
    let (pod, folder) = (DemoPod::start(), TempDir::new("store-end"));
    let store = folder.join("sessions.db");
    let mut agent = agent(&store, &[]);
    agent.stderr_line("the start", |line| line.contains("is watched"));
    let _open = in_netns_of(pod.pause, || TcpStream::connect("127.0.0.1:8080").unwrap());
    let (status, ..) = {
        std::thread::sleep(Duration::from_millis(500));
        agent.interrupt()
    };
    assert!(status.success());
    let beside = std::fs::read_dir(folder.path()).unwrap();
    let names: Vec<_> = beside.map(|entry| entry.unwrap().file_name()).collect();
    assert!(!names.iter().any(|name| name == "sessions.db-wal"), "complete by itself: {names:?}");
    let all = stored(&store, &[]);
    let own: Vec<_> =
        all.iter().filter(|record| record["target"]["netns"] == pod.netns()).collect();
    assert_eq!((own.len(), &own[0]["state"]), (1, &Value::from("lost")), "{own:#?}");
}
