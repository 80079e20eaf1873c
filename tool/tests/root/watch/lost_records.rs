//! Lost records: sessions still end, and none is reported as something that it was not.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{WaitInTime as _, eventually, system};
use crate::support::exclusive::exclusive_ring_buffers;
use crate::support::fixture::odd_exec;
use crate::support::helper::{request_page, spawn_piped};
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

/// A socat in the pod, connected.
struct Helper {
    child: Child,
    stdin: ChildStdin,
}

impl Helper {
    fn connect(pod: &DemoPod, watch: &Running) -> Self {
        let mut command = pod.inside(&["socat", "-", "TCP4:localhost:8080"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let helper = Self { child, stdin };
        eventually("the connection", || {
            let connected = |record: &Value| record["state"] == "connected" && helper.is_of(record);
            (!sessions(watch, connected).is_empty()).then_some(())
        });
        helper
    }

    fn is_of(&self, record: &Value) -> bool {
        record["helper_pid"] == self.child.id()
    }

    /// Sends one request, reads the answer, waits for the exit. Returns the pid.
    fn request_page(mut self) -> u32 {
        self.stdin.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut page).unwrap();
        assert!(page.contains("pfsnoop demo pod"), "{page}");
        self.child.wait_in_time();
        self.child.id()
    }
}

/// Stops the reader, fills the ring buffer for nsenter and socat, and then calls `then`, so that the
/// records of `then` are lost.
fn lose_records_of(watch: &Running, then: impl FnOnce() -> u32) -> u32 {
    watch.signal(Signal::STOP);
    fill(60_000, 18);
    fill(2000, 60);
    let pid = then();
    watch.signal(Signal::CONT);
    pid
}

/// Makes so many records of about that size.
fn fill(bytes: usize, count: u32) {
    let long = "x".repeat(bytes);
    for _ in 0..count {
        let mut nsenter = system("nsenter");
        nsenter.args(["--version", &long]).stdout(Stdio::null()).stderr(Stdio::null());
        nsenter.status().unwrap();
    }
}

/// A program named socat, in network and mount namespaces of its own as in a container, that holds so
/// many connections.
fn crowd(count: u32) -> Running {
    let script = format!("ip link set lo up; exec {} hold-as-socat {count}", odd_exec().display());
    let mut crowd = system("unshare");
    let mut crowd = Running::start(crowd.args(["--net", "--mount", "sh", "-c", &script]));
    crowd.stdout_line("the crowd", |line| line == format!("holds {count}"));
    crowd
}

/// The kernel programs follow a limited number of connections.
#[test]
fn connections_of_another_socat_do_not_displace_a_native_session() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let mut stream = in_netns_of(pod.pause, || TcpStream::connect("127.0.0.1:8080").unwrap());
    let _crowd = crowd(18_000);
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    drop(stream);
    let netns = pod.netns();
    let end =
        closed(&watch, |record| record["target"]["netns"] == netns && record["via"] == "native");
    assert_eq!((&end["outcome"], &end["bytes_to_pod"]), (&"ok".into(), &18.into()), "{end}");
}

/// The share of such processes has no room. An nsenter that starts as the host's root is not one of them,
/// but its socat is, since it does not see the host's files.
#[test]
fn a_connection_that_was_not_followed_is_not_reported_as_missing() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let crowd = crowd(1000);
    let end = || {
        let mut helper = system("unshare");
        helper.args(["--mount", "nsenter", "-t", &pod.pause.to_string(), "-n", "socat", "-"]);
        let helper = spawn_piped(helper.arg("TCP4:localhost:8080"));
        let pid = helper.id();
        request_page(helper);
        closed(&watch, |record| record["helper_pid"] == pid)
    };
    let without_room = end();
    assert_eq!(without_room["reason"], "its end was not seen: records were lost", "{without_room}");
    drop(crowd);
    let with_room = end();
    assert_eq!(with_room["outcome"], "ok", "{with_room}");
}

#[test]
fn a_session_whose_exit_record_was_lost_is_closed() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let helper = Helper::connect(&pod, &watch);
    let pid = lose_records_of(&watch, || helper.request_page());
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(end["outcome"], "failed", "{end}");
    assert_eq!(end["reason"], "its end was not seen: records were lost");
    assert!(watch.stdout().iter().any(|line| line.contains("\"lost\"")), "the loss is reported");
}

/// Runs a socat in the pod that is refused. Returns its pid.
fn refused(pod: &DemoPod) -> u32 {
    let mut helper = pod.inside(&["socat", "-", "TCP4:localhost:9"]);
    helper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut helper = helper.spawn().unwrap();
    helper.wait_in_time();
    helper.id()
}

/// While the reader is stopped, the ring buffer has room for some records of a session but not for
/// all of them.
#[test]
fn sessions_with_lost_records_are_not_reported_with_a_wrong_outcome() {
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let end_of = |pid: u32| {
        let ends = sessions(&watch, |one| one["helper_pid"] == pid && one["state"] == "closed");
        ends.into_iter().next()
    };
    let mut incomplete = 0;
    for bytes in (0..600).step_by(60) {
        watch.signal(Signal::STOP);
        fill(60_000, 17);
        // What these leave free is another number of bytes each time.
        fill(2000 + bytes, 26);
        let pids: Vec<_> = (0..25).map(|_| refused(&pod)).collect();
        watch.signal(Signal::CONT);
        eventually("a session with all of its records", || {
            let whole = refused(&pod);
            std::thread::sleep(Duration::from_millis(300));
            end_of(whole)
        });
        let is_open = |pid: &u32| {
            let all = sessions(&watch, |one| one["helper_pid"] == *pid);
            all.last().is_some_and(|last| last["state"] != "closed")
        };
        eventually("the end of each", || (!pids.iter().any(is_open)).then_some(()));
        for end in pids.into_iter().filter_map(end_of) {
            let words = "its end was not seen: records were lost";
            let lacks = end["outcome"] == "failed" && end["reason"] == words;
            assert!(lacks || end["outcome"] == "refused", "{end:#}");
            incomplete += u32::from(lacks);
        }
    }
    assert!(incomplete > 0, "no session lost a record");
}

#[test]
fn the_ring_buffer_holds_1500_sessions_while_the_reader_is_stopped() {
    const COUNT: usize = 1500;
    let _exclusive = exclusive_ring_buffers();
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    watch.signal(Signal::STOP);
    in_netns_of(pod.pause, || {
        (0..COUNT).for_each(|_| drop(TcpStream::connect("127.0.0.1:8080")));
    });
    watch.signal(Signal::CONT);
    let netns = pod.netns();
    let in_state = |state: &'static str| {
        sessions(&watch, move |one| one["target"]["netns"] == netns && one["state"] == state)
    };
    eventually("the end of each", || (in_state("closed").len() >= COUNT).then_some(()));
    assert_eq!(in_state("started").len(), COUNT);
    assert!(in_state("closed").iter().all(|end| end["outcome"] == "ok"));
    assert!(!watch.stdout().iter().any(|line| line.contains("\"lost\"")));
}
