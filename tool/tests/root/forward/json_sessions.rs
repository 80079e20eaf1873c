//! `pfsnoop forward -o json`: each connection as records.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::forward::basics::get;
use crate::support::pod::DemoPod;
use crate::support::running::Running;
use crate::support::{eventually, pfsnoop, stdout_of, system};

/// A forward that tells records; its local ports.
fn start(command: &mut Command, ports: usize) -> (Running, Vec<u16>) {
    let mut running = Running::start(command);
    let mut locals = Vec::new();
    eventually("the listeners, on stderr", || {
        let lines = running.stderr();
        let v4 = lines.iter().filter_map(|line| line.strip_prefix("Forwarding from 127.0.0.1:"));
        locals = v4.map(|rest| rest.split(' ').next().unwrap().parse().unwrap()).collect();
        (locals.len() == ports || running.ended()).then_some(())
    });
    assert_eq!(locals.len(), ports, "{:?}", running.stderr());
    (running, locals)
}

fn forward(dialer: &str, target: u32, ports: &[&str]) -> (Running, Vec<u16>) {
    let target = format!("pid/{target}");
    let args = [&["forward", "--dialer", dialer, "-o", "json", &target][..], ports].concat();
    start(&mut pfsnoop(&args), ports.len())
}

/// Everything on stdout is a record.
fn records(running: &Running) -> Vec<Value> {
    let parse = |line: &String| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"))
    };
    running.stdout().iter().map(parse).collect()
}

fn sessions(running: &Running, state: &str) -> Vec<Value> {
    let mut all = records(running);
    all.retain(|record| record["type"] == "session" && record["state"] == state);
    all
}

/// The record of the one connection's end.
fn closed(running: &Running) -> Value {
    eventually("the record of the end", || sessions(running, "closed").pop())
}

fn keys(record: &Value) -> BTreeSet<&str> {
    record.as_object().unwrap().keys().map(String::as_str).collect()
}

const ALWAYS: [&str; 9] =
    ["type", "time", "session_id", "state", "via", "forwarder", "target", "port", "address"];

fn with(more: &[&'static str]) -> BTreeSet<&'static str> {
    ALWAYS.iter().chain(more).copied().collect()
}

#[test]
fn a_native_connection_in_its_three_states() {
    let pod = DemoPod::start();
    let (forward, locals) = forward("native", pod.pause, &[":8080"]);
    let page = get("127.0.0.1", locals[0]);
    closed(&forward);
    get("::1", locals[0]);
    let all = eventually("six records", || Some(records(&forward)).filter(|all| all.len() >= 6));
    let states: Vec<_> = all.iter().map(|record| record["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["started", "connected", "closed", "started", "connected", "closed"]);
    assert_eq!(keys(&all[0]), with(&[]));
    assert_eq!(keys(&all[1]), with(&[]));
    let ended =
        ["outcome", "reason", "bytes_to_pod", "bytes_from_pod", "connect_ns", "duration_ns"];
    assert_eq!(keys(&all[2]), with(&ended));
    let netns = std::fs::metadata(format!("/proc/{}/ns/net", pod.pause)).unwrap();
    let netns = std::os::unix::fs::MetadataExt::ino(&netns);
    for record in &all {
        assert_eq!(record["type"], "session");
        assert_eq!(record["via"], "native");
        assert_eq!(record["forwarder"], json!({"pid": forward.pid(), "comm": "pfsnoop"}));
        assert_eq!(record["target"], json!({"pid": pod.pause, "netns": netns}));
        assert_eq!(record["port"], 8080, "the target's port");
        let time = record["time"].as_str().unwrap();
        assert!(time.len() == 30 && time.ends_with('Z'), "{time}");
    }
    let addresses: Vec<_> = all.iter().map(|record| &record["address"]).collect();
    assert_eq!(addresses[..3], [&Value::Null, &json!("127.0.0.1"), &json!("127.0.0.1")]);
    let ids: Vec<_> = all.iter().map(|record| record["session_id"].as_str().unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[1] == ids[2], "one connection, one id: {ids:?}");
    assert!(ids[3] == ids[5] && ids[3] != ids[0], "another connection, another id: {ids:?}");
    assert_eq!(all[2]["outcome"], "ok");
    assert_eq!(all[2]["reason"], "both sides ended by themselves");
    assert!(all[2]["connect_ns"].as_u64() < all[2]["duration_ns"].as_u64(), "{}", all[2]);
    assert_eq!(all[2]["bytes_to_pod"], "GET / HTTP/1.0\r\n\r\n".len());
    assert_eq!(all[2]["bytes_from_pod"], page.len());
    let (status, stdout, stderr) = forward.interrupt();
    assert!(status.success());
    assert_eq!(stdout.len(), 6, "no table: {stdout:?}");
    assert!(stderr.iter().all(|line| line.starts_with("Forwarding from")), "{stderr:?}");
}

#[test]
fn a_helpers_records_are_joined_by_its_pid() {
    let pod = DemoPod::start();
    let (forward, locals) = forward("nsenter", pod.pause, &[":8080"]);
    get("127.0.0.1", locals[0]);
    let closed = closed(&forward);
    let execs = eventually("both execs", || {
        let mut all = records(&forward);
        all.retain(|record| record["type"] == "exec");
        (all.len() == 2).then_some(all)
    });
    assert_eq!([&execs[0]["comm"], &execs[1]["comm"]], ["nsenter", "socat"]);
    assert_eq!(execs[1]["args"][2], "TCP4:localhost:8080");
    let connected = sessions(&forward, "connected").pop().unwrap();
    for record in [&connected, &closed] {
        assert_eq!(record["helper_pid"], execs[0]["pid"]);
        assert_eq!(record["via"], "nsenter+socat");
        assert_eq!(record["address"], "127.0.0.1", "as the kernel saw it");
    }
    assert!(closed["connect_ns"].as_u64() < closed["duration_ns"].as_u64(), "{closed}");
    assert_eq!([&closed["outcome"], &closed["exit_code"]], [&json!("ok"), &json!(0)]);
    assert_eq!(records(&forward)[0]["state"], "started", "before what was spawned for it");
}

#[test]
fn without_a_watch_there_are_only_sessions() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "nsenter", "-o", "json", "--no-watch", &target, ":8080"];
    let (forward, locals) = start(&mut pfsnoop(&args), 1);
    get("127.0.0.1", locals[0]);
    let closed = closed(&forward);
    assert_eq!([&closed["outcome"], &closed["address"]], [&json!("ok"), &json!("localhost")]);
    assert!(closed.get("connect_ns").is_none(), "only the kernel knows: {closed}");
    let (_, stdout, _) = forward.interrupt();
    assert!(stdout.iter().all(|line| line.starts_with("{\"type\":\"session\",")), "{stdout:?}");
}

/// How a connection ended is told by the kernel, and not by what a helper says.
#[test]
fn a_helper_that_says_nothing_was_refused_all_the_same() {
    let pod = DemoPod::start();
    let dir = std::env::temp_dir().join(format!("pfsnoop-silent-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let silent = "#!/bin/sh\nexec /usr/bin/socat \"$@\" 2> /dev/null\n";
    std::fs::write(dir.join("socat"), silent).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(dir.join("socat"), executable).unwrap();
    std::os::unix::fs::symlink("/usr/bin/nsenter", dir.join("nsenter")).unwrap();
    let target = format!("pid/{}", pod.pause);
    for (more, outcome) in [(&[][..], "refused"), (&["--no-watch"], "failed")] {
        let args = [&["forward", "--dialer", "nsenter", "-o", "json", &target, ":9"], more];
        let (forward, locals) = start(pfsnoop(&args.concat()).env("PATH", &dir), 1);
        get("127.0.0.1", locals[0]);
        let closed = closed(&forward);
        assert_eq!([&closed["outcome"], &closed["stderr"]], [outcome, ""], "{closed}");
        let reason = closed["reason"].as_str().unwrap();
        assert_eq!(reason.contains("nothing listens at 127.0.0.1:9"), outcome == "refused");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

/// The node's own network, where the kernel side has nothing to tell of our sockets.
#[test]
fn a_native_connection_within_the_nodes_network() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let remote = format!(":{}", server.local_addr().unwrap().port());
    let (forward, locals) = forward("native", std::process::id(), &[&remote]);
    let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let (accepted, _) = server.accept().unwrap();
    let connected = eventually("the record", || sessions(&forward, "connected").pop());
    assert_eq!(connected["address"], "127.0.0.1");
    drop((client, accepted));
    assert_eq!(closed(&forward)["outcome"], "ok");
}

/// The target's answer is known when it comes, and not only at the end: to the kernel before a byte
/// has come, and to us with the first.
#[test]
fn connected_comes_before_the_first_byte_from_the_pod() {
    let pod = DemoPod::start();
    let (forward, locals) = forward("nsenter", pod.pause, &[":7021"]);
    let _server = Running::start(
        system("nsenter")
            .args(["-t", &pod.pause.to_string(), "-n", "sh", "-c"])
            .arg("exec socat -u TCP4-LISTEN:7021,reuseaddr OPEN:/dev/null"),
    );
    let mut clients = Vec::new();
    let connected = eventually("the record", || {
        clients.push(TcpStream::connect(("127.0.0.1", locals[0])).unwrap());
        sessions(&forward, "connected").pop()
    });
    assert_eq!(connected["address"], "127.0.0.1");
}

#[test]
fn without_a_watch_connected_comes_with_the_first_byte_from_the_pod() {
    let pod = DemoPod::start();
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "nsenter", "-o", "json", "--no-watch", &target, ":7020"];
    let (forward, locals) = start(&mut pfsnoop(&args), 1);
    let mut server = system("nsenter");
    server.args(["-t", &pod.pause.to_string(), "-n", "socat", "TCP4-LISTEN:7020,fork,reuseaddr"]);
    let _server = Running::start(server.arg("SYSTEM:read question; echo answer; cat > /dev/null"));
    let mut client = eventually("the server", || {
        let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        let answered =
            client.write_all(b"question\n").and_then(|()| client.read_exact(&mut [0; 7]));
        answered.ok().map(|()| client)
    });
    let connected = eventually("the record", || sessions(&forward, "connected").pop());
    let of_it = |record: &Value| record["session_id"] == connected["session_id"];
    assert!(!sessions(&forward, "closed").iter().any(of_it), "it is still open");
    client.write_all(b"more").unwrap();
}

#[test]
fn refused_by_both_roads() {
    let pod = DemoPod::start();
    for dialer in ["native", "nsenter"] {
        let (mut forward, locals) = forward(dialer, pod.pause, &[":9"]);
        get("127.0.0.1", locals[0]);
        let closed = closed(&forward);
        assert_eq!(closed["outcome"], "refused", "{closed}");
        assert_eq!(closed["bytes_to_pod"], 0, "what socat took has not arrived: {closed}");
        assert_eq!(sessions(&forward, "connected"), [] as [Value; 0], "it never was");
        if dialer == "nsenter" {
            assert_eq!(closed["exit_code"], 1);
            let stderr = closed["stderr"].as_str().unwrap();
            assert!(stderr.ends_with(": Connection refused"), "{stderr}");
        }
        forward.stderr_line("the reason", |line| line.contains("an error occurred forwarding"));
    }
}

#[test]
fn unreachable_and_timeout_by_both_roads() {
    // In a new network namespace the loopback is down.
    let mut bare = Running::start(system("unshare").args(["--net", "sleep", "60"]));
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7010 -j DROP && \
                sysctl -qw net.ipv4.tcp_syn_retries=1";
    let pause = pod.pause.to_string();
    stdout_of(system("nsenter").args(["-t", &pause, "-n", "sh", "-c", drop]));
    eventually("its namespace", || {
        let of = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/net")).unwrap();
        (of(bare.pid()) != of(std::process::id())).then_some(())
    });
    for dialer in ["native", "nsenter"] {
        for (target, port, outcome) in
            [(bare.pid(), ":80", "unreachable"), (pod.pause, ":7010", "timeout")]
        {
            let (forward, locals) = forward(dialer, target, &[port]);
            get("127.0.0.1", locals[0]);
            let closed = closed(&forward);
            assert_eq!(closed["outcome"], outcome, "{dialer}: {closed}");
        }
    }
    assert!(!bare.ended());
}

#[test]
fn a_target_that_is_gone() {
    for dialer in ["native", "nsenter"] {
        let mut target = Command::new("sleep").arg("60").spawn().unwrap();
        let (forward, locals) = forward(dialer, target.id(), &[":80"]);
        target.kill().unwrap();
        target.wait().unwrap();
        get("127.0.0.1", locals[0]);
        let closed = closed(&forward);
        assert_eq!(closed["outcome"], "target-gone", "{closed}");
        assert!(closed.get("helper_pid").is_none(), "nothing was spawned: {closed}");
    }
}

#[test]
fn a_helper_that_is_killed() {
    let pod = DemoPod::start();
    let (forward, locals) = forward("nsenter", pod.pause, &[":8080"]);
    let _client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    let helper = eventually("socat", || {
        let mut all = records(&forward);
        all.retain(|record| record["type"] == "exec" && record["comm"] == "socat");
        all.pop().map(|record| i32::try_from(record["pid"].as_i64().unwrap()).unwrap())
    });
    kill_process(Pid::from_raw(helper).unwrap(), Signal::KILL).unwrap();
    let closed = closed(&forward);
    assert_eq!([&closed["outcome"], &closed["signal"]], [&json!("killed"), &json!(9)], "{closed}");
    assert_eq!(closed["helper_pid"], helper);
    assert!(closed.get("exit_code").is_none(), "{closed}");
}

#[test]
fn helpers_that_go_missing() {
    let pod = DemoPod::start();
    let dir = std::env::temp_dir().join(format!("pfsnoop-helpers-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for helper in ["nsenter", "socat"] {
        std::os::unix::fs::symlink(format!("/usr/bin/{helper}"), dir.join(helper)).unwrap();
    }
    let target = format!("pid/{}", pod.pause);
    let args = ["forward", "--dialer", "nsenter", "-o", "json", &target, ":8080"];
    let (forward, locals) = start(pfsnoop(&args).env("PATH", &dir), 1);
    for (n, (missing, exit_code)) in
        [("socat", json!(127)), ("nsenter", Value::Null)].iter().enumerate()
    {
        std::fs::remove_file(dir.join(missing)).unwrap();
        get("127.0.0.1", locals[0]);
        let closed = eventually("the end", || sessions(&forward, "closed").get(n).cloned());
        assert_eq!(closed["outcome"], "helper-missing", "{closed}");
        assert_eq!(closed["exit_code"], *exit_code, "{closed}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}
