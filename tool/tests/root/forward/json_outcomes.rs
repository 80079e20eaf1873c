//! `pfsnoop forward -o json`: the outcome of each way in which a connection fails.

use rustix::process::Signal;
use serde_json::{Value, json};
use std::net::TcpStream;

use crate::common::temp::TempDir;
use crate::common::{eventually, pfsnoop};
use crate::support::forward::{forward_json, get, start_json};
use crate::support::netns::process_in_new_netns;
use crate::support::pod::DemoPod;
use crate::support::processes::signal;
use crate::support::records::{closed, in_state, records};

/// The kernel says how a connection ended. The helper's stderr does not matter.
#[test]
fn a_refused_helper_that_prints_nothing_is_reported_as_refused() {
    let pod = DemoPod::start();
    let dir = TempDir::new("silent");
    dir.script("socat", "exec /usr/bin/socat \"$@\" 2> /dev/null");
    dir.link("nsenter");
    let target = pod.target();
    for (more, outcome) in [(&[][..], "refused"), (&["--no-watch"], "failed")] {
        let args = [&["forward", "--dialer", "nsenter", "-o", "json", &target, ":9"], more];
        let (forward, locals) = start_json(pfsnoop(&args.concat()).env("PATH", dir.path()), 1);
        get("127.0.0.1", locals[0]);
        let closed = closed(&forward, |_| true);
        assert_eq!([&closed["outcome"], &closed["stderr"]], [outcome, ""], "{closed}");
        let reason = closed["reason"].as_str().unwrap();
        assert_eq!(reason.contains("nothing listens at 127.0.0.1:9"), outcome == "refused");
    }
}

#[test]
fn refused_with_both_dialers() {
    let pod = DemoPod::start();
    for dialer in ["native", "nsenter"] {
        let (mut forward, locals) = forward_json(dialer, pod.pause, &[":9"]);
        get("127.0.0.1", locals[0]);
        let closed = closed(&forward, |_| true);
        assert_eq!(closed["outcome"], "refused", "{closed}");
        assert_eq!(closed["bytes_to_pod"], 0, "what socat took has not arrived: {closed}");
        assert_eq!(in_state(&forward, "connected"), [] as [Value; 0], "it never was");
        if dialer == "nsenter" {
            assert_eq!(closed["exit_code"], 1);
            let stderr = closed["stderr"].as_str().unwrap();
            assert!(stderr.ends_with(": Connection refused"), "{stderr}");
        }
        forward.stderr_line("the reason", |line| line.contains("an error occurred forwarding"));
    }
}

#[test]
fn unreachable_and_timeout_with_both_dialers() {
    let mut bare = process_in_new_netns();
    let pod = DemoPod::start();
    pod.drop_packets_to(7010);
    for dialer in ["native", "nsenter"] {
        for (target, port, outcome) in
            [(bare.pid(), ":80", "unreachable"), (pod.pause, ":7010", "timeout")]
        {
            let (forward, locals) = forward_json(dialer, target, &[port]);
            get("127.0.0.1", locals[0]);
            let closed = closed(&forward, |_| true);
            assert_eq!(closed["outcome"], outcome, "{dialer}: {closed}");
        }
    }
    assert!(!bare.has_exited());
}

#[test]
fn a_helper_that_is_killed() {
    let pod = DemoPod::start();
    let (forward, locals) = forward_json("nsenter", pod.pause, &[":8080"]);
    let _client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let helper = eventually("socat", || {
        let mut all = records(&forward);
        all.retain(|record| record["type"] == "exec" && record["comm"] == "socat");
        all.pop().map(|record| u32::try_from(record["pid"].as_u64().unwrap()).unwrap())
    });
    signal(helper, Signal::KILL);
    let closed = closed(&forward, |_| true);
    assert_eq!([&closed["outcome"], &closed["signal"]], [&json!("killed"), &json!(9)], "{closed}");
    assert_eq!(closed["helper_pid"], helper);
    assert!(closed.get("exit_code").is_none(), "{closed}");
}

#[test]
fn helpers_that_are_removed_while_it_runs() {
    let pod = DemoPod::start();
    let dir = TempDir::new("helpers");
    dir.link("nsenter");
    dir.link("socat");
    let target = pod.target();
    let args = ["forward", "--dialer", "nsenter", "-o", "json", &target, ":8080"];
    let (forward, locals) = start_json(pfsnoop(&args).env("PATH", dir.path()), 1);
    for (n, (missing, exit_code)) in
        [("socat", json!(127)), ("nsenter", Value::Null)].iter().enumerate()
    {
        std::fs::remove_file(dir.join(missing)).unwrap();
        get("127.0.0.1", locals[0]);
        let closed = eventually("the end", || in_state(&forward, "closed").get(n).cloned());
        assert_eq!(closed["outcome"], "helper-missing", "{closed}");
        assert_eq!(closed["exit_code"], *exit_code, "{closed}");
    }
}
