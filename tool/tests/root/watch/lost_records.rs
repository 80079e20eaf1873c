//! `pfsnoop watch`: records of ends are lost, and no session stays open for it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::exec::unusual_execs::fixture;
use crate::forward::native::inside;
use crate::support::pod::DemoPod;
use crate::support::{eventually, rings_to_ourselves, running::Running, system};
use crate::watch::nsenter::{closed, netns_of, records, watch};

/// A helper of the pod, connected and open.
struct Helper {
    child: Child,
    stdin: ChildStdin,
}

impl Helper {
    fn connect(pod: &DemoPod, watch: &Running) -> Self {
        let mut command = inside(pod, &["socat", "-", "TCP4:localhost:8080"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdin = child.stdin.take().unwrap();
        let helper = Self { child, stdin };
        eventually("the connection", || {
            let connected = |record: &Value| record["state"] == "connected" && helper.is_of(record);
            (!records(watch, connected).is_empty()).then_some(())
        });
        helper
    }

    fn is_of(&self, record: &Value) -> bool {
        record["helper_pid"] == self.child.id()
    }

    /// One request, its answer, and the end.
    fn get(mut self) -> u32 {
        self.stdin.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut page).unwrap();
        assert!(page.contains("pfsnoop demo pod"), "{page}");
        self.child.wait().unwrap();
        self.child.id()
    }
}

/// Has the ring for helpers overflow to the last few bytes, while the reader stands still, and then
/// something more happen.
fn lose(watch: &Running, then: impl FnOnce() -> u32) -> u32 {
    watch.signal(Signal::STOP);
    fill(60_000, 36);
    fill(2000, 60);
    let pid = then();
    watch.signal(Signal::CONT);
    pid
}

/// So many records of that size and little more.
fn fill(bytes: usize, count: u32) {
    let long = "x".repeat(bytes);
    for _ in 0..count {
        let mut nsenter = system("nsenter");
        nsenter.args(["--version", &long]).stdout(Stdio::null()).stderr(Stdio::null());
        nsenter.status().unwrap();
    }
}

/// A thread of ours connects in there, as runtimes do.
fn dial(pod: &DemoPod) -> TcpStream {
    let netns = File::open(format!("/proc/{}/ns/net", pod.pause)).unwrap();
    let thread = std::thread::spawn(move || {
        move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        TcpStream::connect("127.0.0.1:8080").unwrap()
    });
    thread.join().unwrap()
}

/// More than are followed at once, by a program of that name in a network of its own.
#[test]
fn connections_of_any_socat_push_no_native_forward_out() {
    let _rings = rings_to_ourselves();
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let mut stream = dial(&pod);
    let script = format!("ip link set lo up; exec {} hold-as-socat 18000", fixture().display());
    let mut crowd = Running::start(system("unshare").args(["--net", "sh", "-c", &script]));
    crowd.stdout_line("the crowd", |line| line == "holds 18000");
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    drop(stream);
    let netns = netns_of(pod.pause);
    let end =
        closed(&watch, |record| record["target"]["netns"] == netns && record["via"] == "native");
    assert_eq!((&end["outcome"], &end["bytes_to_pod"]), (&"ok".into(), &18.into()), "{end}");
}

#[test]
fn a_helper_whose_end_was_lost_has_one() {
    let _rings = rings_to_ourselves();
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let helper = Helper::connect(&pod, &watch);
    let pid = lose(&watch, || helper.get());
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(end["outcome"], "failed", "{end}");
    assert_eq!(end["reason"], "how it ended was not seen: records were lost");
    assert!(watch.stdout().iter().any(|line| line.contains("\"lost\"")), "of the loss");
}

/// A helper of the pod that is refused.
fn refused(pod: &DemoPod) -> u32 {
    let mut helper = inside(pod, &["socat", "-", "TCP4:localhost:9"]);
    helper.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut helper = helper.spawn().unwrap();
    helper.wait().unwrap();
    helper.id()
}

/// The reader stands still until there is room for some of a session's records, and not for others:
/// none of these sessions is told as something that it was not.
#[test]
fn what_lacks_records_is_told_as_nothing_else() {
    let _rings = rings_to_ourselves();
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let end_of = |pid: u32| {
        let ends = records(&watch, |one| one["helper_pid"] == pid && one["state"] == "closed");
        ends.into_iter().next()
    };
    let mut lacking = 0;
    for bytes in (0..600).step_by(60) {
        watch.signal(Signal::STOP);
        fill(60_000, 34);
        fill(2000, 26);
        fill(bytes, 1);
        let pids: Vec<_> = (0..25).map(|_| refused(&pod)).collect();
        watch.signal(Signal::CONT);
        eventually("a session that is whole", || {
            let whole = refused(&pod);
            std::thread::sleep(Duration::from_millis(300));
            end_of(whole)
        });
        let is_open = |pid: &u32| {
            let told = records(&watch, |one| one["helper_pid"] == *pid);
            told.last().is_some_and(|last| last["state"] != "closed")
        };
        eventually("the end of each", || (!pids.iter().any(is_open)).then_some(()));
        for end in pids.into_iter().filter_map(end_of) {
            let words = "how it ended was not seen: records were lost";
            let lacks = end["outcome"] == "failed" && end["reason"] == words;
            assert!(lacks || end["outcome"] == "refused", "{end:#}");
            lacking += u32::from(lacks);
        }
    }
    assert!(lacking > 0, "none lacked anything");
}

#[test]
fn fifteen_hundred_sessions_fit_while_the_reader_stands_still() {
    const COUNT: usize = 1500;
    let _rings = rings_to_ourselves();
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let netns = File::open(format!("/proc/{}/ns/net", pod.pause)).unwrap();
    watch.signal(Signal::STOP);
    let thread = std::thread::spawn(move || {
        move_into_link_name_space(netns.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        (0..COUNT).for_each(|_| drop(TcpStream::connect("127.0.0.1:8080")));
    });
    thread.join().unwrap();
    watch.signal(Signal::CONT);
    let netns = netns_of(pod.pause);
    let told = |state: &'static str| {
        records(&watch, move |one| one["target"]["netns"] == netns && one["state"] == state)
    };
    eventually("the end of each", || (told("closed").len() >= COUNT).then_some(()));
    assert_eq!(told("started").len(), COUNT);
    assert!(told("closed").iter().all(|end| end["outcome"] == "ok"));
    assert!(!watch.stdout().iter().any(|line| line.contains("\"lost\"")));
}
