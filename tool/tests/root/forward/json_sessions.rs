//! `pfsnoop forward -o json`: session and exec records.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop};
use crate::support::forward::{forward_json, get, start_json};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, in_state, keys, parse, records, sessions, states};

/// Waits until the only session is connected. Returns the `connected` record.
fn connected(running: &Running) -> Value {
    eventually("a connected session", || in_state(running, "connected").pop())
}

/// Keys of every session record of `forward`.
const ALWAYS: [&str; 9] =
    ["type", "time", "session_id", "state", "via", "forwarder", "target", "port", "address"];

fn with(more: &[&'static str]) -> BTreeSet<&'static str> {
    ALWAYS.iter().chain(more).copied().collect()
}

#[test]
fn a_native_connection_has_a_record_for_each_of_three_states() {
    let pod = DemoPod::start();
    let (forward, locals) = forward_json("native", pod.pause, &[":8080"]);
    let page = get("127.0.0.1", locals[0]);
    closed(&forward, |_| true);
    get("::1", locals[0]);
    let all = eventually("six records", || {
        Some(sessions(&forward, |_| true)).filter(|all| all.len() >= 6)
    });
    assert_eq!(states(&all), ["started", "connected", "closed", "started", "connected", "closed"]);
    assert_eq!(keys(&all[0]), with(&[]));
    assert_eq!(keys(&all[1]), with(&[]));
    let ended =
        ["outcome", "reason", "bytes_to_pod", "bytes_from_pod", "connect_ns", "duration_ns"];
    assert_eq!(keys(&all[2]), with(&ended));
    let netns = pod.netns();
    for record in &all {
        assert_eq!(record["type"], "session");
        assert_eq!(record["via"], "native");
        let exe = env!("CARGO_BIN_EXE_pfsnoop");
        let expected = json!({"pid": forward.pid(), "comm": "pfsnoop", "uid": 0, "exe": exe});
        assert_eq!(record["forwarder"], expected);
        assert_eq!(record["target"], json!({"pid": pod.pause, "netns": netns}));
        assert_eq!(record["port"], 8080, "the target's port");
        let time = record["time"].as_str().unwrap();
        assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
    }
    let addresses: Vec<_> = all.iter().map(|record| &record["address"]).collect();
    assert_eq!(addresses[..3], [&Value::Null, &json!("127.0.0.1"), &json!("127.0.0.1")]);
    let ids: Vec<_> = all.iter().map(|record| record["session_id"].as_str().unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "one connection, one id: {ids:?}");
    assert!(ids[3] == ids[5] && ids[3] != ids[0], "another connection, another id: {ids:?}");
    assert_eq!(all[2]["outcome"], "ok");
    assert_eq!(all[2]["reason"], "both sides ended by themselves");
    assert!(all[2]["connect_ns"].as_u64() < all[2]["duration_ns"].as_u64(), "{}", all[2]);
    assert_eq!(all[2]["bytes_to_pod"], "GET / HTTP/1.0\r\n\r\n".len());
    assert_eq!(all[2]["bytes_from_pod"], page.len());
    let (status, stdout, stderr) = forward.interrupt();
    assert!(status.success());
    assert_eq!(stdout.len(), 9, "two listeners, ready, six of sessions, and no table: {stdout:?}");
    assert!(stderr.iter().all(|line| line.starts_with("Forwarding from")), "{stderr:?}");
}

#[test]
fn session_and_exec_records_share_the_helpers_pid() {
    let pod = DemoPod::start();
    let (forward, locals) = forward_json("nsenter", pod.pause, &[":8080"]);
    get("127.0.0.1", locals[0]);
    let closed = closed(&forward, |_| true);
    let execs = eventually("both execs", || {
        let mut all = records(&forward);
        all.retain(|record| record["type"] == "exec");
        (all.len() == 2).then_some(all)
    });
    assert_eq!([&execs[0]["comm"], &execs[1]["comm"]], ["nsenter", "socat"]);
    assert_eq!(execs[1]["args"][2], "TCP4:localhost:8080");
    let connected = in_state(&forward, "connected").pop().unwrap();
    for record in [&connected, &closed] {
        assert_eq!(record["helper_pid"], execs[0]["pid"]);
        assert_eq!(record["via"], "nsenter+socat");
        assert_eq!(record["address"], "127.0.0.1", "as the kernel saw it");
    }
    assert!(closed["connect_ns"].as_u64() < closed["duration_ns"].as_u64(), "{closed}");
    assert_eq!([&closed["outcome"], &closed["exit_code"]], [&json!("ok"), &json!(0)]);
    let all = records(&forward);
    let position = |kind: &str| all.iter().position(|record| record["type"] == kind);
    assert!(position("session") < position("exec"), "a session starts before its helper: {all:#?}");
}

#[test]
fn with_no_watch_there_are_only_session_records() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "-o", "json", "--no-watch", &target, ":8080"];
    let (forward, locals) = start_json(&mut pfsnoop(&args), 1);
    get("127.0.0.1", locals[0]);
    let closed = closed(&forward, |_| true);
    assert_eq!([&closed["outcome"], &closed["address"]], [&json!("ok"), &json!("localhost")]);
    assert!(closed.get("connect_ns").is_none(), "only the kernel knows: {closed}");
    let (_, stdout, _) = forward.interrupt();
    let types: BTreeSet<_> =
        parse(&stdout).iter().map(|record| record["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(types, ["listening", "ready", "session"].map(str::to_owned).into(), "{stdout:?}");
}

/// The kernel programs do not report sockets inside the forwarder's own network namespace.
#[test]
fn a_native_connection_within_the_nodes_network() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!(":{}", server.local_addr().unwrap().port());
    let (forward, locals) = forward_json("native", std::process::id(), &[&remote]);
    let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let (accepted, _) = server.accept().unwrap();
    let connected = connected(&forward);
    assert_eq!(connected["address"], "127.0.0.1");
    drop((client, accepted));
    assert_eq!(closed(&forward, |_| true)["outcome"], "ok");
}

/// The kernel reports the connection before the first byte. Without the kernel programs, the first
/// byte is the first sign of it.
#[test]
fn connected_comes_before_the_first_byte_from_the_pod() {
    let pod = DemoPod::start();
    let (forward, locals) = forward_json("nsenter", pod.pause, &[":7021"]);
    let listen = "TCP4-LISTEN:7021,reuseaddr";
    let _server = pod.serve(7021, &["socat", "-u", listen, "OPEN:/dev/null"]);
    let _client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let connected = connected(&forward);
    assert_eq!(connected["address"], "127.0.0.1");
}

#[test]
fn with_no_watch_connected_comes_with_the_first_byte_from_the_pod() {
    let pod = DemoPod::start();
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "-o", "json", "--no-watch", &target, ":7020"];
    let (forward, locals) = start_json(&mut pfsnoop(&args), 1);
    let answer = "SYSTEM:read question; echo answer; cat > /dev/null";
    let _server = pod.serve(7020, &["socat", "TCP4-LISTEN:7020,fork,reuseaddr", answer]);
    let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    client.write_all(b"question\n").unwrap();
    client.read_exact(&mut [0; 7]).unwrap();
    let connected = connected(&forward);
    let of_it = |record: &Value| record["session_id"] == connected["session_id"];
    assert!(!in_state(&forward, "closed").iter().any(of_it), "it is still open");
    client.write_all(b"more").unwrap();
}
