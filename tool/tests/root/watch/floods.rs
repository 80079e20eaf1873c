//! Users and containers with more connections than pfsnoop follows: they lose records of their own, which
//! are counted, and nobody else does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::temp::TempDir;
use crate::common::{WaitInTime as _, eventually, system};
use crate::support::attackers::{CONTAINER, NOBODY, script_in_container};
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::fixture::{odd_exec, visitor};
use crate::support::helper::{nsenter_socat, request_page, spawn_piped};
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::processes::signal;
use crate::support::records::{closed, records, sessions};
use crate::support::watch::watch_json;

/// As many connections as one process may have.
const FLOOD: &str = "18000";

/// Runs a program with the loopback up.
const WITH_LOOPBACK: &str = "ip link set lo up; exec \"$0\" \"$@\"";

/// A copy of the fixture that everybody may execute.
struct Fixture(TempDir);

impl Fixture {
    fn new(test: &str) -> Self {
        let dir = TempDir::new(test);
        std::fs::copy(odd_exec(), dir.join("odd-exec")).unwrap();
        Self(dir)
    }

    fn path(&self) -> PathBuf {
        self.0.join("odd-exec")
    }

    /// Runs the fixture as that attacker, and waits until it holds its connections.
    fn flood(&self, attacker: &[&str], what: &str) -> Running {
        let mut command = system(attacker[0]);
        command.args(&attacker[1..]).arg(self.path()).args([what, FLOOD]);
        let mut flood = Running::start(&mut command);
        flood.stdout_line("the flood", |line| line.starts_with("holds "));
        flood
    }
}

/// A native session of root's, connected.
fn native(pod: &DemoPod, port: u16) -> TcpStream {
    in_netns_of(pod.pause, || TcpStream::connect(("127.0.0.1", port)).unwrap())
}

fn page_through(mut stream: TcpStream) -> usize {
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = Vec::new();
    stream.read_to_end(&mut page).unwrap();
    page.len()
}

/// How many records `watch` has counted as lost.
fn lost(watch: &Running) -> u64 {
    let lost = records(watch).into_iter().filter(|one| one["type"] == "lost");
    lost.filter_map(|one| one["total"].as_u64()).max().unwrap_or(0)
}

/// Sessions of root's that begin before a flood, and some that begin during the flood.
fn assert_that_nobody_is_pushed_out(attacker: &[&str], what: &str, test: &str) {
    let _exclusive = exclusive_ring_buffers();
    let (pod, fixture) = (DemoPod::start(), Fixture::new(test));
    let netns = pod.netns();
    let watch = watch_json(&[]);
    let before = native(&pod, 8080);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 8080));
    let pid = helper.id();
    let of_helper = move |record: &Value| record["helper_pid"] == pid;
    let is_native =
        move |record: &Value| record["target"]["netns"] == netns && record["via"] == "native";
    eventually("both connections", || {
        let connected = |record: &Value| {
            record["state"] == "connected" && (of_helper(record) || is_native(record))
        };
        (sessions(&watch, connected).len() == 2).then_some(())
    });
    let _flood = fixture.flood(attacker, what);
    // Longer than the checks of open sessions take.
    std::thread::sleep(std::time::Duration::from_secs(2));
    let is_end = |record: &Value| record["state"] == "closed" || record["state"] == "lost";
    let early =
        sessions(&watch, |record| is_end(record) && (of_helper(record) || is_native(record)));
    assert!(early.is_empty(), "they are open: {early:#?}");
    let total = eventually("the loss", || Some(lost(&watch)).filter(|&lost| lost > 0));
    println!("{total} records were lost");
    let len = page_through(before);
    let end = closed(&watch, is_native);
    assert_eq!(
        [&end["outcome"], &end["bytes_from_pod"]],
        [&"ok".into(), &Value::from(len)],
        "{end:#}"
    );
    helper.stdin.as_mut().unwrap().write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = Vec::new();
    helper.stdout.take().unwrap().read_to_end(&mut page).unwrap();
    helper.wait_in_time();
    let end = closed(&watch, of_helper);
    assert_eq!(
        [&end["outcome"], &end["bytes_from_pod"]],
        [&"ok".into(), &Value::from(len)],
        "{end:#}"
    );
    // New ones have room.
    let (pid, _) = request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    assert_eq!(closed(&watch, |record| record["helper_pid"] == pid)["outcome"], "ok");
    let refused = in_netns_of(pod.pause, || TcpStream::connect("127.0.0.1:9").map(drop));
    assert!(refused.is_err());
    let end = closed(&watch, |record| is_native(record) && record["port"] == 9);
    assert_eq!(end["outcome"], "refused", "{end:#}");
    // The flooder's own sessions are not called closed either.
    let foreign = sessions(&watch, |record| record["forwarder"]["comm"] == "odd-exec");
    assert!(!foreign.iter().any(|record| record["state"] == "closed"), "its connections are open");
    // What others lose says nothing about root's sessions.
    let gone = crate::support::helper::run_nsenter_socat(4_194_304, 9);
    let end = closed(&watch, |record| record["helper_pid"] == gone);
    assert_eq!(end["outcome"], "target-gone", "{end:#}");
}

#[test]
fn connections_of_nobody_push_no_session_out() {
    assert_that_nobody_is_pushed_out(NOBODY, "hold-elsewhere", "flood-nobody");
}

#[test]
fn connections_of_a_container_push_no_session_out() {
    assert_that_nobody_is_pushed_out(CONTAINER, "hold-elsewhere", "flood-container");
}

/// Any container may run a program of that name.
#[test]
fn connections_of_a_socat_in_a_container_push_no_session_out() {
    let attacker = script_in_container(WITH_LOOPBACK);
    assert_that_nobody_is_pushed_out(&attacker, "hold-as-socat", "flood-socat");
}

/// A forwarder in a container, as on a node in a container (kind), beside a flood in another container.
#[test]
fn connections_of_one_container_leave_room_for_those_of_another() {
    let _exclusive = exclusive_ring_buffers();
    let (pod, fixture) = (DemoPod::start(), Fixture::new("flood-neighbour"));
    let _server = pod.serve_fixture(7161, "serve-echo");
    let watch = watch_json(&[]);
    let _flood = fixture.flood(CONTAINER, "hold-elsewhere");
    let _more = fixture.flood(NOBODY, "hold-elsewhere");
    eventually("the loss", || (lost(&watch) > 0).then_some(()));
    // The visitor enters the pod's namespace, from a pid namespace of its own.
    let mut node = system("unshare");
    node.args(["--pid", "--fork", "--kill-child", "--net", "--"]).arg(visitor()).arg("only-thread");
    node.args([&format!("/proc/{}/ns/net", pod.pause), "127.0.0.1:7161", "20"]);
    assert!(node.status().unwrap().success());
    let ends = |record: &Value| record["port"] == 7161 && record["state"] == "closed";
    eventually("all sessions", || (sessions(&watch, ends).len() == 20).then_some(()));
    for end in sessions(&watch, ends) {
        assert_eq!(end["outcome"], "ok", "{end:#}");
    }
}

/// How the server of a connection ends is noted in a map that connections fill which their process has
/// left.
#[test]
fn connections_that_nobody_has_left_hide_no_end_of_a_server() {
    let _exclusive = exclusive_ring_buffers();
    let (pod, fixture) = (DemoPod::start(), Fixture::new("flood-left"));
    let server = pod.serve_fixture(7162, "serve-trickle");
    let watch = watch_json(&[]);
    let mut stream = native(&pod, 7162);
    stream.read_exact(&mut [0]).unwrap();
    let _flood = fixture.flood(NOBODY, "leave-elsewhere");
    signal(server.pid(), Signal::KILL);
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    drop(stream);
    let end = closed(&watch, |record| record["port"] == 7162);
    assert_eq!(end["outcome"], "target-gone", "{end:#}");
}
