//! Ends of forwards by others, which only `watch` sees.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Stdio;

use serde_json::Value;

use super::case::{assert_end, reset};
use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::support::helper::{nsenter_socat, spawn_piped};
use crate::support::netns::enter_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

/// A helper whose stdout nobody reads any more.
#[test]
fn a_bare_helper_cannot_pass_data_on() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7087, "serve-echo");
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7087));
    drop(helper.stdout.take());
    let mut stdin = helper.stdin.take().unwrap();
    // A child of another test that has not called execve(2) yet holds the other end of stdout for a
    // moment. So one write may not be enough.
    eventually("the end of socat", || {
        let _ = stdin.write_all(b"hello");
        helper.try_wait().unwrap()
    });
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_end(&end, "reset", "socat could not pass data on");
}

/// The helper of another forwarder, with the system's socat, which exits with 0 after a reset.
#[test]
fn a_bare_helper_whose_pod_resets_the_connection() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7084, "serve-reset");
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7084));
    let mut stdin = helper.stdin.take().unwrap();
    stdin.write_all(b"hello").unwrap();
    helper.wait_in_time();
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_end(&end, "reset", "Connection reset by peer");
}

/// The issue of the bare command: nobody but the kernel sees the bytes.
#[test]
fn a_bare_helper_whose_loopback_goes_down_keeps_its_bytes() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7076, "serve-trickle");
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7076));
    let mut stdout = helper.stdout.take().unwrap();
    stdout.read_exact(&mut vec![0; 15 * 1024]).unwrap();
    assert!(pod.inside(&["ip", "link", "set", "lo", "down"]).status().unwrap().success());
    drop(helper.stdin.take());
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    helper.wait_in_time();
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_end(&end, "target-gone", "loopback went down");
    assert_eq!(end["bytes_from_pod"], 15 * 1024 + rest.len());
}

#[test]
fn the_forwarder_of_a_helper_is_killed() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7077, "serve-echo");
    let watch = watch_json(&[]);
    // The parent holds the helper's pipes, as a kubelet does.
    let script = format!(
        "import subprocess as s, time\n\
         p = s.Popen(['nsenter', '-t', '{}', '-n', 'socat', '-', 'TCP4:localhost:7077'], \
         stdin=s.PIPE, stdout=s.PIPE)\n\
         time.sleep(60)",
        pod.pause
    );
    let mut parent = std::process::Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let of_it = |record: &Value| record["port"] == 7077;
    eventually("the connection", || {
        let connected = |record: &Value| record["state"] == "connected" && of_it(record);
        (!sessions(&watch, connected).is_empty()).then_some(())
    });
    parent.kill().unwrap();
    parent.wait_in_time();
    assert_end(&closed(&watch, of_it), "killed", "SIGKILL ended the forwarder");
}

/// Ends that only a forwarder of our own making has: a thread inside the namespace.
#[test]
fn the_ways_in_which_a_forwarder_closes_its_socket() {
    let pod = DemoPod::start();
    let _deaf = pod.serve_fixture(7078, "serve-deaf");
    let _trickle = pod.serve_fixture(7079, "serve-trickle");
    let watch = watch_json(&[]);
    let next = |port: u16, job: fn(TcpStream)| {
        let is_end = |record: &Value| record["port"] == port && record["state"] == "closed";
        let before = sessions(&watch, is_end).len();
        let pause = pod.pause;
        let forwarder = std::thread::spawn(move || {
            enter_netns_of(pause);
            job(TcpStream::connect(("127.0.0.1", port)).unwrap());
        });
        forwarder.join().unwrap();
        eventually("the end", || sessions(&watch, is_end).into_iter().nth(before))
    };
    assert_end(&next(7078, drop), "ok", "the client's side ended first");
    let unsent = |stream: TcpStream| {
        stream.set_nonblocking(true).unwrap();
        while (&stream).write(&[0; 8192]).is_ok() {}
    };
    assert_end(&next(7078, unsent), "failed", "has not taken the last");
    let unread = |stream: TcpStream| {
        stream.peek(&mut [0]).unwrap();
    };
    assert_end(&next(7079, unread), "reset", "before it had read all data");
    let early = |mut stream: TcpStream| {
        stream.read_exact(&mut [0; 1024]).unwrap();
    };
    assert_end(&next(7079, early), "reset", "before it had read all data");
    let on_purpose = |stream: TcpStream| reset(&stream);
    assert_end(&next(7078, on_purpose), "reset", "the forwarder reset the connection");
}
