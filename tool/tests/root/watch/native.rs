//! Sessions without helpers: threads that connect in another namespace, the native dialer of
//! `pfsnoop forward`, and the streaming server of a real containerd.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::{eventually, pfsnoop};
use crate::support::containerd::{self, Containerd};
use crate::support::forward::{get, start_listening};
use crate::support::helper::run_nsenter_socat;
use crate::support::netns::{in_netns_of, netns_of};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, keys, sessions, states};
use crate::support::watch::watch_json;
use crate::support::websocket::PortForward;

/// Whether a record is of a native session into a process's network namespace.
fn into(pid: u32) -> impl Fn(&Value) -> bool {
    let netns = netns_of(pid);
    move |record| record["target"]["netns"] == netns && record["via"] == "native"
}

#[test]
fn native_session_records_have_the_documented_keys() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let page = in_netns_of(pod.pause, || {
        let mut stream = TcpStream::connect("127.0.0.1:8080").unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    });
    let end = closed(&watch, into(pod.pause));
    let all = sessions(&watch, into(pod.pause));
    assert_eq!(states(&all), ["started", "connected", "closed"]);
    let always =
        ["type", "time", "session_id", "state", "via", "forwarder", "target", "port", "address"];
    let ended =
        ["outcome", "reason", "bytes_to_pod", "bytes_from_pod", "connect_ns", "duration_ns"];
    assert_eq!(keys(&all[0]), always.into());
    assert_eq!(keys(&end), always.into_iter().chain(ended).collect());
    let comm = std::fs::read_to_string(format!("/proc/{}/comm", std::process::id())).unwrap();
    let exe = std::env::current_exe().unwrap();
    for record in &all {
        assert_eq!(
            record["forwarder"],
            json!({"pid": std::process::id(), "comm": comm.trim(), "uid": 0, "exe": exe})
        );
        let target = json!({"pid": pod.pause, "netns": pod.netns()});
        assert_eq!(record["target"], target, "nobody's container");
        assert_eq!(record["port"], 8080);
        assert_eq!(record["session_id"], all[0]["session_id"]);
    }
    assert_eq!([&all[0]["address"], &end["address"]], [&Value::Null, &json!("127.0.0.1")]);
    assert_eq!(end["outcome"], "ok", "{end}");
    assert_eq!(end["bytes_to_pod"], "GET / HTTP/1.0\r\n\r\n".len());
    assert_eq!(end["bytes_from_pod"], page.len());
}

#[test]
fn a_client_refused_on_ipv4_and_ipv6_localhost_is_one_session() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    in_netns_of(pod.pause, || {
        for address in ["127.0.0.1:9", "[::1]:9"] {
            TcpStream::connect(address).unwrap_err();
        }
    });
    let end = closed(&watch, into(pod.pause));
    assert_eq!(end["outcome"], "refused", "{end}");
    assert_eq!(end["reason"], "nothing listens at 127.0.0.1:9 inside the target");
    assert_eq!(sessions(&watch, into(pod.pause)).len(), 2, "a start and an end");
}

#[test]
fn a_native_connection_that_times_out() {
    let pod = DemoPod::start();
    pod.drop_packets_to(7010);
    let watch = watch_json(&[]);
    in_netns_of(pod.pause, || TcpStream::connect("127.0.0.1:7010").unwrap_err());
    assert_eq!(closed(&watch, into(pod.pause))["outcome"], "timeout");
}

/// The native dialer makes the socket inside the namespace and connects it from outside.
#[test]
fn a_forwarder_that_is_killed() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let target = pod.target();
    let args = ["forward", "--dialer", "native", "--no-watch", &target, ":8080"];
    let (mut forwarder, local) = start_listening(&mut pfsnoop(&args));
    assert!(get("127.0.0.1", local).contains("pfsnoop demo pod"));
    let end = closed(&watch, into(pod.pause));
    assert_eq!(end["outcome"], "ok", "{end}");
    let exe = env!("CARGO_BIN_EXE_pfsnoop");
    let expected = json!({"pid": forwarder.pid(), "comm": "pfsnoop", "uid": 0, "exe": exe});
    assert_eq!(end["forwarder"], expected);
    let _client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    let of_second =
        |record: &Value| into(pod.pause)(record) && record["session_id"] != end["session_id"];
    eventually("the connection", || {
        let connected = |record: &Value| record["state"] == "connected" && of_second(record);
        (!sessions(&watch, connected).is_empty()).then_some(())
    });
    forwarder.signal(Signal::KILL);
    forwarder.wait();
    let end = closed(&watch, of_second);
    assert_eq!(end["outcome"], "killed", "{end}");
    assert_eq!(end["reason"], "SIGKILL ended the forwarder");
}

#[test]
fn port_forwards_of_a_real_containerd() {
    let containerd = Containerd::start("watch-cri");
    let pod = containerd.run_pod("shop", "kuard", "in shop", 8080);
    let pid = Containerd::pid_in(&pod);
    let watch = watch_json(&["--pod", "shop/kuard", "--runtime-endpoint", &containerd.endpoint()]);
    let open = |port| PortForward::open(&containerd.cri().port_forward(&pod.sandbox, port), port);
    let mut forward = open(8080);
    forward.send(b"GET / HTTP/1.0\r\n\r\n");
    let mut answer = Vec::new();
    while !answer.ends_with(b"in shop\n") {
        let (channel, bytes) = forward.receive().expect("more of the page");
        assert_eq!(channel, 0, "{}", String::from_utf8_lossy(&bytes));
        answer.extend(bytes);
    }
    let on = |port: u16| move |record: &Value| record["port"] == port;
    let end = closed(&watch, on(8080));
    assert_eq!([&end["outcome"], &end["via"]], ["ok", "native"], "{end}");
    assert_eq!(end["forwarder"]["comm"], "containerd");
    assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [18, answer.len()], "{end}");
    let expected = json!({"namespace": "shop", "name": "kuard", "uid": containerd::UID});
    assert_eq!(end["target"]["pod"], expected);
    assert_eq!(end["target"]["netns"], netns_of(pid));
    assert!(end["target"]["pid"].is_u64(), "a process in there: {end}");
    drop(forward);
    // Nothing listens: containerd tries two addresses, which make one session.
    let mut refused = open(9);
    while refused.receive().is_some_and(|(channel, _)| channel != 1) {}
    let end = closed(&watch, on(9));
    assert_eq!(end["outcome"], "refused", "{end}");
    assert_eq!(sessions(&watch, on(9)).len(), 2);
    // nsenter and socat into the same pod, for a watch that has not seen the pod yet.
    let watch = watch_json(&["--runtime-endpoint", &containerd.endpoint()]);
    run_nsenter_socat(pid, 8081);
    let end = closed(&watch, on(8081));
    assert_eq!([&end["outcome"], &end["via"]], ["refused", "nsenter+socat"], "{end}");
    assert_eq!(end["target"]["pod"], expected);
    assert_eq!(end["target"]["pid"], pid, "the one that was named");
}
