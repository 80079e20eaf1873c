//! `pfsnoop watch`: sessions by nsenter and socat, spawned as a kubelet does, and each way that they
//! end.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::forward::native::inside;
use crate::support::pod::DemoPod;
use crate::support::{eventually, output, pfsnoop, running::Running, stdout_of, system};

/// `pfsnoop watch` with JSON, attached.
pub fn watch(args: &[&str]) -> Running {
    let args = [&["watch", "-o", "json", "-v"], args].concat();
    let mut watch = Running::start(&mut pfsnoop(&args));
    watch.stderr_line("word that it is attached", |line| line.contains("attached"));
    watch
}

/// Every session record so far of which that is true.
pub fn records(watch: &Running, wanted: impl Fn(&Value) -> bool) -> Vec<Value> {
    let parse = |line: &String| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    let all = watch.stdout();
    all.iter().map(parse).filter(|record| record["type"] == "session" && wanted(record)).collect()
}

/// The record of the end of the one session of which that is true.
pub fn closed(watch: &Running, wanted: impl Fn(&Value) -> bool) -> Value {
    let is_it = |record: &Value| record["state"] == "closed" && wanted(record);
    let mut found =
        eventually("the end", || Some(records(watch, is_it)).filter(|found| !found.is_empty()));
    assert_eq!(found.len(), 1, "{found:#?}");
    found.remove(0)
}

pub fn keys(record: &Value) -> BTreeSet<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

pub fn netns_of(pid: u32) -> u64 {
    std::fs::metadata(format!("/proc/{pid}/ns/net")).unwrap().ino()
}

/// What a kubelet spawns.
pub fn nsenter(pid: u32, port: u16) -> Command {
    let mut command = system("nsenter");
    command.args(["-t", &pid.to_string(), "-n", "socat", "-", &format!("TCP4:localhost:{port}")]);
    command
}

pub fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// One request, its answer, and the helper's end.
pub fn get(mut helper: Child) -> (u32, String) {
    // Open until the answer is there: socat gives a server half a second after the client's end.
    let mut stdin = helper.stdin.take().unwrap();
    stdin.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    helper.stdout.take().unwrap().read_to_string(&mut page).unwrap();
    drop(stdin);
    let pid = helper.id();
    helper.wait().unwrap();
    (pid, page)
}

const ALWAYS: [&str; 10] = [
    "type",
    "time",
    "session_id",
    "state",
    "via",
    "forwarder",
    "helper_pid",
    "target",
    "port",
    "address",
];

fn with(more: &[&'static str]) -> BTreeSet<&'static str> {
    ALWAYS.iter().chain(more).copied().collect()
}

#[test]
fn a_helpers_session_has_every_key() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let begin = jiff::Timestamp::now();
    let (pid, page) = get(spawn(&mut nsenter(pod.pause, 8080)));
    let took = begin.duration_until(jiff::Timestamp::now());
    assert!(page.contains("pfsnoop demo pod"), "{page}");
    let of_it = |record: &Value| record["helper_pid"] == pid;
    let end = closed(&watch, of_it);
    let all = records(&watch, of_it);
    let states: Vec<_> = all.iter().map(|record| record["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["started", "connected", "closed"]);
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
    for record in &all {
        assert_eq!(record["via"], "nsenter+socat");
        // The thread that spawned it is ours.
        assert_eq!(record["forwarder"], json!({"pid": std::process::id(), "comm": comm.trim()}));
        let target = json!({"pid": pod.pause, "netns": netns_of(pod.pause)});
        assert_eq!(record["target"], target);
        assert_eq!(record["port"], 8080);
        assert_eq!(record["session_id"], all[0]["session_id"]);
        let time = record["time"].as_str().unwrap();
        assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
        let since = begin.duration_until(time.parse().unwrap());
        // The wall clock may be set a little while the test runs.
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

#[test]
fn refused_gone_missing_and_unreachable() {
    let pod = DemoPod::start();
    let mut bare = Running::start(system("unshare").args(["--net", "sleep", "60"]));
    eventually("its namespace", || {
        (netns_of(bare.pid()) != netns_of(std::process::id())).then_some(())
    });
    let mut dead = Command::new("sleep").arg("60").spawn().unwrap();
    dead.kill().unwrap();
    dead.wait().unwrap();
    let watch = watch(&[]);
    let mut missing = system("nsenter");
    let pause = pod.pause.to_string();
    missing.args(["-t", &pause, "-n", "/nonexistent/socat", "-", "TCP4:localhost:8080"]);
    let cases = [
        (nsenter(pod.pause, 9), "refused", 1, "nothing listens at 127.0.0.1:9 in there"),
        (nsenter(dead.id(), 80), "target-gone", 1, "which was to be entered, has ended"),
        (missing, "helper-missing", 127, "install the package socat"),
        (nsenter(bare.pid(), 80), "unreachable", 1, "is the loopback in there up"),
    ];
    for (mut command, outcome, exit_code, reason) in cases {
        let (pid, _) = {
            let mut helper = spawn(&mut command);
            drop(helper.stdin.take());
            (helper.id(), helper.wait().unwrap())
        };
        let end = closed(&watch, |record| record["helper_pid"] == pid);
        assert_eq!(end["outcome"], outcome, "{end}");
        assert_eq!(end["exit_code"], exit_code, "{end}");
        assert!(end["reason"].as_str().unwrap().contains(reason), "{end}");
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [0, 0], "{end}");
        let netns = &end["target"]["netns"];
        assert_eq!(netns.is_null(), outcome == "target-gone", "{end}");
        let states = records(&watch, |record| record["helper_pid"] == pid);
        assert_eq!(states.len(), 2, "never connected: {states:?}");
    }
    assert!(!bare.ended());
}

/// nsenter can also be told the file of a namespace: then nobody's pid is named.
#[test]
fn a_target_that_is_named_by_its_file() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    let file = format!("--net=/proc/{}/ns/net", pod.pause);
    let mut helper = spawn(system("nsenter").args([&file, "socat", "-", "TCP4:localhost:9"]));
    helper.wait().unwrap();
    let end = closed(&watch, |record| record["helper_pid"] == helper.id());
    assert_eq!(end["outcome"], "refused", "{end}");
    assert_eq!(end["target"], json!({"netns": netns_of(pod.pause)}), "learnt from socat");
}

/// A target that was known keeps its network namespace.
#[test]
fn a_target_that_was_known_is_remembered() {
    let mut target = Running::start(system("unshare").args(["--net", "sleep", "60"]));
    let own = netns_of(std::process::id());
    eventually("its namespace", || (netns_of(target.pid()) != own).then_some(()));
    let (pid, netns) = (target.pid(), netns_of(target.pid()));
    let watch = watch(&[]);
    let run = || {
        let mut helper = spawn(&mut nsenter(pid, 80));
        helper.wait().unwrap();
        closed(&watch, |record| record["helper_pid"] == helper.id())
    };
    assert_eq!(run()["target"], json!({"pid": pid, "netns": netns}));
    target.signal(Signal::KILL);
    target.wait();
    let end = run();
    assert_eq!(end["outcome"], "target-gone");
    assert_eq!(end["target"], json!({"pid": pid, "netns": netns}));
}

#[test]
fn killed_by_what_cannot_be_caught_and_by_what_socat_catches() {
    let pod = DemoPod::start();
    let watch = watch(&[]);
    for (signal, key, value, name) in
        [(Signal::KILL, "signal", 9, "SIGKILL"), (Signal::TERM, "exit_code", 143, "SIGTERM")]
    {
        let mut helper = spawn(&mut nsenter(pod.pause, 8080));
        let pid = helper.id();
        let stdin = helper.stdin.take();
        eventually("the connection", || {
            let connected = records(&watch, |record| {
                record["helper_pid"] == pid && record["state"] == "connected"
            });
            (!connected.is_empty()).then_some(())
        });
        kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
        helper.wait().unwrap();
        drop(stdin);
        let end = closed(&watch, |record| record["helper_pid"] == pid);
        assert_eq!([&end["outcome"], &end[key]], [&json!("killed"), &json!(value)], "{end}");
        assert_eq!(end["reason"], format!("socat was ended by {name}"));
        assert_eq!(end["bytes_to_pod"], 0, "its socket's end was waited for: {end}");
    }
}

#[test]
fn a_target_that_does_not_answer() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7010 -j DROP && \
                sysctl -qw net.ipv4.tcp_syn_retries=1";
    stdout_of(&mut inside(&pod, &["sh", "-c", drop]));
    let watch = watch(&["--port", "7010"]);
    let mut helper = spawn(&mut nsenter(pod.pause, 7010));
    helper.wait().unwrap();
    let end = closed(&watch, |record| record["helper_pid"] == helper.id());
    assert_eq!(end["outcome"], "timeout", "{end}");
    assert!(end["reason"].as_str().unwrap().starts_with("no answer in "), "{end}");
}

/// The kernel's counts hold more than payload, and differ by who ends first.
#[test]
fn bytes_are_those_of_the_payload_exactly() {
    let pod = DemoPod::start();
    // One server takes everything and then ends, the other one sends first and then ends.
    let take = ["socat", "-u", "TCP4-LISTEN:7030,fork,reuseaddr", "OPEN:/dev/null"];
    let give =
        ["socat", "-U", "TCP4-LISTEN:7031,fork,reuseaddr", "SYSTEM:head -c 1234567 /dev/zero"];
    let _servers =
        [Running::start(&mut inside(&pod, &take)), Running::start(&mut inside(&pod, &give))];
    for port in ["7030", "7031"] {
        let listens = format!("ss -Htln sport = :{port} | grep -q .");
        eventually("the server", || {
            output(&mut inside(&pod, &["sh", "-c", &listens])).status.success().then_some(())
        });
    }
    let watch = watch(&[]);
    for (port, to, from) in [(7030, 0, 0), (7030, 1, 0), (7030, 700_001, 0), (7031, 0, 1_234_567)] {
        let mut helper = spawn(&mut nsenter(pod.pause, port));
        let mut stdin = helper.stdin.take();
        stdin.as_mut().unwrap().write_all(&vec![7; to]).unwrap();
        // Where the server sends, it ends: after our end, socat would give it half a second.
        let _stdin = stdin.filter(|_| from > 0);
        let mut received = Vec::new();
        helper.stdout.take().unwrap().read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), from);
        helper.wait().unwrap();
        let end = closed(&watch, |record| record["helper_pid"] == helper.id());
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [to, from], "{end}");
        assert_eq!(end["outcome"], "ok", "{end}");
    }
}

#[test]
fn what_happens_while_a_runtime_stands_still_is_told() {
    let socket = std::env::temp_dir().join(format!("pfsnoop-still-watch-{}", std::process::id()));
    // It accepts, by the kernel's doing, and says nothing.
    let _still = UnixListener::bind(&socket).unwrap();
    let begin = Instant::now();
    let mut command = pfsnoop(&["watch", "-o", "json", "-v"]);
    let mut watch = Running::start(command.env("CONTAINER_RUNTIME_ENDPOINT", &socket));
    watch.stderr_line("word that it is attached", |line| line.contains("attached"));
    let mut helper = spawn(&mut nsenter(4_194_304, 80));
    let pid = helper.id();
    helper.wait().unwrap();
    assert!(begin.elapsed() < Duration::from_secs(5), "that long it is waited for");
    let record = closed(&watch, |record| record["helper_pid"] == pid);
    assert_eq!(record["outcome"], "target-gone", "{record}");
    std::fs::remove_file(&socket).unwrap();
}
