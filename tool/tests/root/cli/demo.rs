//! `pfsnoop demo`: what it shows, and that it leaves nothing behind.

use rustix::process::Signal;

use crate::common::{eventually, output, pfsnoop, text};
use crate::support::pod::DemoPod;
use crate::support::processes::{assert_no_netns, assert_no_process_with, children_of};

#[test]
fn it_shows_a_page_and_rows_and_checks_them() {
    let demo = output(&mut pfsnoop(&["demo"]));
    let shown = text(&demo.stdout);
    assert!(demo.status.success(), "{demo:?}");
    assert_eq!(text(&demo.stderr), "");
    let pause = shown.split_whitespace().nth(4).unwrap();
    for part in [
        "host name: pfsnoop-demo",
        "PCOMM            PID    PPID   RET ARGS",
        &format!(" -t {pause} -n /usr/bin/socat - TCP4:localhost:8080"),
        "0 /usr/bin/socat - TCP4:localhost:8080",
        "demo: ok: process ",
    ] {
        assert!(shown.contains(part), "{part:?} in {shown}");
    }
    assert_no_process_with(&format!("demo-web {pause}"));
}

#[test]
fn it_leaves_nothing_behind_however_it_ends() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        let pod = DemoPod::start();
        let netns = pod.netns();
        let (pid, pause) = (pod.pid(), pod.pause);
        let children = |count| move || (children_of(pid).len() == count).then_some(());
        eventually("pause and web page, and the first request's helper gone", children(2));
        // A client that stays connected keeps an nsenter+socat open.
        let client = std::net::TcpStream::connect(("127.0.0.1", pod.local_port)).unwrap();
        eventually("its helper", children(3));

        let status = pod.end(signal);
        assert_eq!(status.success(), signal != Signal::KILL, "{signal:?}: {status:?}");
        assert_no_process_with(&format!("-t {pause} -n"));
        assert_no_process_with(&format!("demo-web {pause}"));
        assert_no_netns(netns);
        drop(client);
    }
}
