//! When a reason speaks of data from the pod that was not read.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::case::{Case, assert_end, is_at, reset, ways};
use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::common::running::Running;
use crate::support::helper::{nsenter_socat, spawn_piped};
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::processes::signal;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

const WORDS: &str = "data from the pod";

/// The record of a session to a server that has sent nothing.
fn assert_nothing_unread(end: &Value, what: &str) {
    assert_eq!(end["bytes_from_pod"], 0, "{what}: {end:#}");
    assert!(!end["reason"].as_str().unwrap().contains(WORDS), "{what}: {end:#}");
}

/// A forwarder of another program that dials natively, does its job and drops the connection. Returns
/// the end that `watch` reports.
fn dial(watch: &Running, pod: &DemoPod, port: u16, job: fn(&TcpStream)) -> Value {
    let netns = pod.netns();
    let is_end = |record: &Value| record["state"] == "closed" && is_at(record, port, netns);
    let before = sessions(watch, is_end).len();
    in_netns_of(pod.pause, || job(&TcpStream::connect(("127.0.0.1", port)).unwrap()));
    eventually("the end", || sessions(watch, is_end).into_iter().nth(before))
}

/// What a forwarder does with its connection before it closes it.
type Job = fn(&TcpStream);

#[test]
fn a_forwarder_that_leaves_a_silent_server_has_read_everything() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7097, "serve-deaf");
    let watch = watch_json(&[]);
    let jobs: [(&str, Job); 6] = [
        ("closes", |_| ()),
        ("sends and closes", |mut stream| stream.write_all(b"hello").unwrap()),
        ("ends its side and closes", |stream| stream.shutdown(Shutdown::Write).unwrap()),
        ("ends both sides", |stream| stream.shutdown(Shutdown::Both).unwrap()),
        ("ends its side, waits and closes", |stream| {
            stream.shutdown(Shutdown::Write).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }),
        ("resets", reset),
    ];
    for (what, job) in jobs {
        assert_nothing_unread(&dial(&watch, &pod, 7097, job), what);
    }
}

#[test]
fn a_bare_helper_that_leaves_a_silent_server_has_read_everything() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7098, "serve-deaf");
    let watch = watch_json(&[]);
    for how in ["the client ends", "the client is gone", "SIGTERM", "SIGKILL"] {
        let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7098));
        let pid = helper.id();
        let of_it = |record: &Value| record["helper_pid"] == pid;
        eventually("the connection", || {
            let is_connected = |record: &Value| record["state"] == "connected" && of_it(record);
            sessions(&watch, is_connected).pop()
        });
        match how {
            "the client ends" => drop(helper.stdin.take()),
            "the client is gone" => drop((helper.stdin.take(), helper.stdout.take())),
            "SIGTERM" => signal(pid, Signal::TERM),
            _ => signal(pid, Signal::KILL),
        }
        helper.wait_in_time();
        assert_nothing_unread(&closed(&watch, of_it), how);
    }
}

/// Through `pfsnoop forward`, as both observers see it.
#[test]
fn a_client_that_leaves_a_silent_server_has_read_everything() {
    for way in ways() {
        // The native dialer goes on waiting for an answer after the client's end.
        let hows = if way.dialer == "native" { &["resets"][..] } else { &["ends", "resets"] };
        for how in hows {
            let case = Case::start(&way, "serve-deaf", 7099);
            case.connected();
            match *how {
                "resets" => case.reset(),
                _ => case.client.shutdown(Shutdown::Write).unwrap(),
            }
            case.end();
            for end in case.ends() {
                assert_nothing_unread(&end, how);
            }
        }
    }
}

#[test]
fn a_forwarder_that_leaves_data_unread_is_reported_so() {
    let pod = DemoPod::start();
    let _trickle = pod.serve_fixture(7100, "serve-trickle");
    let watch = watch_json(&[]);
    let wait: fn(&TcpStream) = |stream| _ = stream.peek(&mut [0]).unwrap();
    let end_and_wait: fn(&TcpStream) = |stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        stream.peek(&mut [0]).unwrap();
    };
    for job in [wait, end_and_wait] {
        let end = dial(&watch, &pod, 7100, job);
        assert_end(&end, "reset", WORDS);
        assert_ne!(end["bytes_from_pod"], 0, "{end:#}");
    }
}
