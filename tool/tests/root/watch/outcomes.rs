//! The outcome of each way in which a session of nsenter and socat ends.

use rustix::process::Signal;
use serde_json::json;
use std::process::Command;

use crate::common::WaitInTime as _;
use crate::common::eventually;
use crate::support::helper::{nsenter_socat, run_nsenter_socat, spawn_piped};
use crate::support::netns::process_in_new_netns;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

#[test]
fn refused_target_gone_helper_missing_and_unreachable() {
    let pod = DemoPod::start();
    let mut bare = process_in_new_netns();
    let mut dead = Command::new("sleep").arg("60").spawn().unwrap();
    dead.kill().unwrap();
    dead.wait_in_time();
    let watch = watch_json(&[]);
    let missing = pod.inside(&["/nonexistent/socat", "-", "TCP4:localhost:8080"]);
    let cases = [
        (
            nsenter_socat(pod.pause, 9),
            "refused",
            1,
            "nothing listens at 127.0.0.1:9 inside the target",
        ),
        (nsenter_socat(dead.id(), 80), "target-gone", 1, "the target of nsenter, has ended"),
        (missing, "helper-missing", 127, "install the package socat"),
        (nsenter_socat(bare.pid(), 80), "unreachable", 1, "is the target's loopback up"),
    ];
    for (mut command, outcome, exit_code, reason) in cases {
        let (pid, _) = {
            let mut helper = spawn_piped(&mut command);
            drop(helper.stdin.take());
            (helper.id(), helper.wait_in_time())
        };
        let end = closed(&watch, |record| record["helper_pid"] == pid);
        assert_eq!(end["outcome"], outcome, "{end}");
        assert_eq!(end["exit_code"], exit_code, "{end}");
        assert!(end["reason"].as_str().unwrap().contains(reason), "{end}");
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [0, 0], "{end}");
        let netns = &end["target"]["netns"];
        assert_eq!(netns.is_null(), outcome == "target-gone", "{end}");
        let states = sessions(&watch, |record| record["helper_pid"] == pid);
        assert_eq!(states.len(), 2, "never connected: {states:?}");
    }
    assert!(!bare.has_exited());
}

#[test]
fn killed_by_sigkill_and_by_sigterm_which_socat_catches() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    for (signal, key, value, name) in
        [(Signal::KILL, "signal", 9, "SIGKILL"), (Signal::TERM, "exit_code", 143, "SIGTERM")]
    {
        let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 8080));
        let pid = helper.id();
        let stdin = helper.stdin.take();
        eventually("the connection", || {
            let connected = sessions(&watch, |record| {
                record["helper_pid"] == pid && record["state"] == "connected"
            });
            (!connected.is_empty()).then_some(())
        });
        crate::support::processes::signal(pid, signal);
        helper.wait_in_time();
        drop(stdin);
        let end = closed(&watch, |record| record["helper_pid"] == pid);
        assert_eq!([&end["outcome"], &end[key]], [&json!("killed"), &json!(value)], "{end}");
        assert_eq!(end["reason"], format!("{name} ended socat"));
        assert_eq!(
            end["bytes_to_pod"], 0,
            "the byte counts come with the end of the socket: {end}"
        );
    }
}

#[test]
fn a_connection_that_times_out() {
    let pod = DemoPod::start();
    pod.drop_packets_to(7010);
    let watch = watch_json(&["--port", "7010"]);
    let helper = run_nsenter_socat(pod.pause, 7010);
    let end = closed(&watch, |record| record["helper_pid"] == helper);
    assert_eq!(end["outcome"], "timeout", "{end}");
    assert!(end["reason"].as_str().unwrap().starts_with("no answer in "), "{end}");
}
