//! `pfsnoop watch`: records of ends are lost, and no session stays open for it.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::AsFd as _;
use std::process::{Child, ChildStdin, Stdio};

use rustix::process::Signal;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use serde_json::Value;

use crate::native::inside;
use crate::odd_execs::fixture;
use crate::support::pod::DemoPod;
use crate::support::{eventually, running::Running, system};
use crate::watch::{closed, netns_of, records, watch};

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

/// Has the ring for helpers overflow to the last byte, while the reader stands still, and then
/// something more happen.
fn lose(watch: &Running, then: impl FnOnce() -> u32) -> u32 {
    watch.signal(Signal::STOP);
    let long = "x".repeat(2000);
    for _ in 0..400 {
        let mut nsenter = system("nsenter");
        nsenter.args(["--version", &long]).stdout(Stdio::null()).stderr(Stdio::null());
        nsenter.status().unwrap();
    }
    let pid = then();
    watch.signal(Signal::CONT);
    pid
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
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let helper = Helper::connect(&pod, &watch);
    let pid = lose(&watch, || helper.get());
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(end["outcome"], "failed", "{end}");
    assert_eq!(end["reason"], "its end was not seen: records were lost");
    assert!(watch.stdout().iter().any(|line| line.contains("\"lost\"")), "of the loss");
}
