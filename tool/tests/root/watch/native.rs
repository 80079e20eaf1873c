//! `pfsnoop watch`: sessions without helpers: threads that dial in another namespace, our own native
//! road, and a real containerd's streaming server.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;

use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::{Value, json};

use crate::forward::basics as forward;
use crate::forward::native::inside;
use crate::support::containerd::{Containerd, UID};
use crate::support::pod::DemoPod;
use crate::support::websocket::PortForward;
use crate::support::{eventually, pfsnoop, running::Running, stdout_of};
use crate::watch::nsenter::{closed, keys, netns_of, nsenter, records, spawn, watch};

/// Runs in a thread of ours that enters the process's network namespace, as runtimes do.
pub fn dial<T: Send>(pid: u32, job: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let netns = File::open(format!("/proc/{pid}/ns/net")).unwrap();
            move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            job()
        });
        thread.join().unwrap()
    })
}

fn into(pid: u32) -> impl Fn(&Value) -> bool {
    let netns = netns_of(pid);
    move |record| record["target"]["netns"] == netns && record["via"] == "native"
}

#[test]
fn a_native_session_has_every_key() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let page = dial(pod.pause, || {
        let mut stream = TcpStream::connect("127.0.0.1:8080").unwrap();
        stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    });
    let end = closed(&watch, into(pod.pause));
    let all = records(&watch, into(pod.pause));
    let states: Vec<_> = all.iter().map(|record| record["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["started", "connected", "closed"]);
    let always =
        ["type", "time", "session_id", "state", "via", "forwarder", "target", "port", "address"];
    let ended =
        ["outcome", "reason", "bytes_to_pod", "bytes_from_pod", "connect_ns", "duration_ns"];
    assert_eq!(keys(&all[0]), always.into());
    assert_eq!(keys(&end), always.into_iter().chain(ended).collect());
    let comm = std::fs::read_to_string(format!("/proc/{}/comm", std::process::id())).unwrap();
    for record in &all {
        assert_eq!(record["forwarder"], json!({"pid": std::process::id(), "comm": comm.trim()}));
        assert_eq!(record["target"], json!({"netns": netns_of(pod.pause)}), "nobody's container");
        assert_eq!(record["port"], 8080);
        assert_eq!(record["session_id"], all[0]["session_id"]);
    }
    assert_eq!([&all[0]["address"], &end["address"]], [&Value::Null, &json!("127.0.0.1")]);
    assert_eq!(end["outcome"], "ok", "{end}");
    assert_eq!(end["bytes_to_pod"], "GET / HTTP/1.0\r\n\r\n".len());
    assert_eq!(end["bytes_from_pod"], page.len());
}

#[test]
fn refused_at_both_localhosts_is_one_session() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    dial(pod.pause, || {
        for address in ["127.0.0.1:9", "[::1]:9"] {
            TcpStream::connect(address).unwrap_err();
        }
    });
    let end = closed(&watch, into(pod.pause));
    assert_eq!(end["outcome"], "refused", "{end}");
    assert_eq!(end["reason"], "nothing listens at 127.0.0.1:9 in there");
    assert_eq!(records(&watch, into(pod.pause)).len(), 2, "a start and an end");
}

#[test]
fn a_native_forward_that_is_not_answered() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7010 -j DROP && \
                sysctl -qw net.ipv4.tcp_syn_retries=1";
    stdout_of(&mut inside(&pod, &["sh", "-c", drop]));
    let watch = watch(&[]);
    dial(pod.pause, || TcpStream::connect("127.0.0.1:7010").unwrap_err());
    assert_eq!(closed(&watch, into(pod.pause))["outcome"], "timeout");
}

/// Our own native road makes the socket inside, and connects it from outside.
#[test]
fn a_forwarder_that_is_killed() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "native", "--no-watch", &target, ":8080"];
    let mut forwarder = Running::start(&mut pfsnoop(&args));
    let line = forwarder.stdout_line("listener", |line| line.contains("127.0.0.1:"));
    let local: u16 = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
    assert!(forward::get("127.0.0.1", local).contains("pfsnoop demo pod"));
    let end = closed(&watch, into(pod.pause));
    assert_eq!(end["outcome"], "ok", "{end}");
    assert_eq!(end["forwarder"], json!({"pid": forwarder.pid(), "comm": "pfsnoop"}));
    let _client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    let of_second =
        |record: &Value| into(pod.pause)(record) && record["session_id"] != end["session_id"];
    eventually("the connection", || {
        let connected = |record: &Value| record["state"] == "connected" && of_second(record);
        (!records(&watch, connected).is_empty()).then_some(())
    });
    forwarder.signal(Signal::KILL);
    forwarder.wait();
    let end = closed(&watch, of_second);
    assert_eq!(end["outcome"], "killed", "{end}");
    assert_eq!(end["reason"], "the forwarder was ended by SIGKILL");
}

#[test]
fn a_real_containerds_port_forward() {
    let containerd = Containerd::start("watch-cri");
    let pod = containerd.run_pod("shop", "kuard", "in shop", 8080);
    let pid = Containerd::pid_in(&pod);
    let watch = watch(&["--pod", "shop/kuard", "--runtime-endpoint", &containerd.endpoint()]);
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
    let expected = json!({"namespace": "shop", "name": "kuard", "uid": UID});
    assert_eq!(end["target"]["pod"], expected);
    assert_eq!(end["target"]["netns"], netns_of(pid));
    assert!(end["target"]["pid"].is_u64(), "a process in there: {end}");
    drop(forward);
    // Nothing listens: one session, though two addresses are asked.
    let mut refused = open(9);
    while refused.receive().is_some_and(|(channel, _)| channel != 1) {}
    let end = closed(&watch, on(9));
    assert_eq!(end["outcome"], "refused", "{end}");
    assert_eq!(records(&watch, on(9)).len(), 2);
    // The kubelet's road into the same pod, for somebody who does not know it yet.
    let watch = self::watch(&["--runtime-endpoint", &containerd.endpoint()]);
    spawn(&mut nsenter(pid, 8081)).wait().unwrap();
    let end = closed(&watch, on(8081));
    assert_eq!([&end["outcome"], &end["via"]], ["refused", "nsenter+socat"], "{end}");
    assert_eq!(end["target"]["pod"], expected);
    assert_eq!(end["target"]["pid"], pid, "the one that was named");
}
