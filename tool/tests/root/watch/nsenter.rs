//! Sessions of nsenter and socat, spawned as a kubelet spawns them: every outcome.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::common::running::Running;
use crate::common::temp::temp_path;
use crate::common::{WaitInTime as _, pfsnoop, system};
use crate::support::helper::{nsenter_socat, request_page, run_nsenter_socat, spawn_piped};
use crate::support::netns::{netns_of, process_in_new_netns};
use crate::support::pod::DemoPod;
use crate::support::records::{closed, keys, sessions, states};
use crate::support::watch::watch_json;

/// Keys of every session record of nsenter and socat.
const ALWAYS: [&str; 11] = [
    "type",
    "time",
    "session_id",
    "state",
    "via",
    "forwarder",
    "helper_pid",
    "helper_exec_id",
    "target",
    "port",
    "address",
];

fn with(more: &[&'static str]) -> BTreeSet<&'static str> {
    ALWAYS.iter().chain(more).copied().collect()
}

#[test]
fn session_records_have_the_documented_keys() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let begin = jiff::Timestamp::now();
    let (pid, page) = request_page(spawn_piped(&mut nsenter_socat(pod.pause, 8080)));
    let took = begin.duration_until(jiff::Timestamp::now());
    assert!(page.contains("pfsnoop demo pod"), "{page}");
    let of_it = |record: &Value| record["helper_pid"] == pid;
    let end = closed(&watch, of_it);
    let all = sessions(&watch, of_it);
    assert_eq!(states(&all), ["started", "connected", "closed"]);
    assert_eq!(keys(&all[0]), with(&[]));
    assert_eq!(keys(&all[1]), with(&[]));
    let ended = [
        "outcome",
        "reason",
        "exit_code",
        "bytes_to_pod",
        "bytes_from_pod",
        "connect_ns",
        "duration_ns",
    ];
    assert_eq!(keys(&end), with(&ended));
    let comm = std::fs::read_to_string(format!("/proc/{}/comm", std::process::id())).unwrap();
    let exe = std::env::current_exe().unwrap();
    for record in &all {
        assert_eq!(record["via"], "nsenter+socat");
        // This test spawned it.
        assert_eq!(
            record["forwarder"],
            json!({"pid": std::process::id(), "comm": comm.trim(), "uid": 0, "exe": exe})
        );
        let mut target = json!({"pid": pod.pause, "netns": pod.netns()});
        if record["state"] == "started" {
            // nsenter has not entered yet.
            target["claimed"] = true.into();
        }
        assert_eq!(record["target"], target);
        assert_eq!(record["port"], 8080);
        assert_eq!(record["session_id"], all[0]["session_id"]);
        let time = record["time"].as_str().unwrap();
        assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
        let since = begin.duration_until(time.parse().unwrap());
        // The wall clock may be adjusted a little while the test runs.
        let slack = jiff::SignedDuration::from_millis(50);
        assert!(-slack <= since && since <= took + slack, "{since:?} of {took:?}: {record}");
    }
    assert_eq!(all[0]["address"], "localhost", "it is not known yet");
    assert_eq!([&all[1]["address"], &end["address"]], ["127.0.0.1", "127.0.0.1"]);
    assert_eq!([&end["outcome"], &end["exit_code"]], [&json!("ok"), &json!(0)]);
    assert_eq!(end["bytes_to_pod"], "GET / HTTP/1.0\r\n\r\n".len());
    assert_eq!(end["bytes_from_pod"], page.len());
    let ns = |key: &str| end[key].as_u64().unwrap();
    assert!(0 < ns("connect_ns") && ns("connect_ns") < ns("duration_ns"), "{end}");
    assert!(u128::from(ns("duration_ns")) <= took.unsigned_abs().as_nanos(), "{took:?}: {end}");
    assert!(ns("connect_ns") > 1000, "in nanoseconds: {end}");
}

/// nsenter also accepts the file of a namespace. Its arguments then name no pid.
#[test]
fn a_namespace_that_is_named_by_a_file() {
    let pod = DemoPod::start();
    let watch = watch_json(&[]);
    let file = format!("--net=/proc/{}/ns/net", pod.pause);
    let mut helper = spawn_piped(system("nsenter").args([&file, "socat", "-", "TCP4:localhost:9"]));
    helper.wait_in_time();
    let end = closed(&watch, |record| record["helper_pid"] == helper.id());
    assert_eq!(end["outcome"], "refused", "{end}");
    let target = json!({"pid": pod.pause, "netns": pod.netns()});
    assert_eq!(end["target"], target, "as the kernel saw it in socat");
}

#[test]
fn a_known_target_keeps_its_netns_after_its_process_has_ended() {
    let mut target = process_in_new_netns();
    let (pid, netns) = (target.pid(), netns_of(target.pid()));
    let watch = watch_json(&[]);
    let run = || {
        let helper = run_nsenter_socat(pid, 80);
        closed(&watch, |record| record["helper_pid"] == helper)
    };
    assert_eq!(run()["target"], json!({"pid": pid, "netns": netns}));
    let claim = json!({"pid": pid, "netns": netns, "claimed": true});
    target.signal(Signal::KILL);
    target.wait();
    let end = run();
    assert_eq!(end["outcome"], "target-gone");
    assert_eq!(end["target"], claim, "nothing is left to enter");
}

/// The kernel's counters include more than the payload, and depend on which side ends first.
#[test]
fn byte_counts_are_exactly_the_payload() {
    let pod = DemoPod::start();
    // One server reads everything and then closes, the other sends and then closes.
    let take = ["socat", "-u", "TCP4-LISTEN:7030,fork,reuseaddr", "OPEN:/dev/null"];
    let give =
        ["socat", "-U", "TCP4-LISTEN:7031,fork,reuseaddr", "SYSTEM:head -c 1234567 /dev/zero"];
    let _servers = [pod.serve(7030, &take), pod.serve(7031, &give)];
    let watch = watch_json(&[]);
    for (port, to, from) in [(7030, 0, 0), (7030, 1, 0), (7030, 700_001, 0), (7031, 0, 1_234_567)] {
        let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, port));
        let mut stdin = helper.stdin.take();
        stdin.as_mut().unwrap().write_all(&vec![7; to]).unwrap();
        // Where the server sends, it also closes first: after the client's end, socat waits for half
        // a second only.
        let _stdin = stdin.filter(|_| from > 0);
        let mut received = Vec::new();
        helper.stdout.take().unwrap().read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), from);
        helper.wait_in_time();
        let end = closed(&watch, |record| record["helper_pid"] == helper.id());
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [to, from], "{end}");
        assert_eq!(end["outcome"], "ok", "{end}");
    }
}

#[test]
fn sessions_are_reported_while_a_runtime_does_not_answer() {
    let socket = temp_path("still-watch");
    // The kernel accepts connections, and nobody answers.
    let _still = UnixListener::bind(&socket).unwrap();
    let begin = Instant::now();
    let mut command = pfsnoop(&["watch", "-o", "json", "-v"]);
    let watch = Running::start_attached(command.env("CONTAINER_RUNTIME_ENDPOINT", &socket));
    let pid = run_nsenter_socat(4_194_304, 80);
    assert!(begin.elapsed() < Duration::from_secs(5), "the runtime has not timed out yet");
    let record = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(record["outcome"], "target-gone", "{record}");
    std::fs::remove_file(&socket).unwrap();
}
