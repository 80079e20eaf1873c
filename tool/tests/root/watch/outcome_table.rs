//! The table of `docs/outcomes.md`: each way in which an established connection ends, by both
//! dialers, as `pfsnoop forward` and an independent `pfsnoop watch` report it.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use crate::common::running::Running;
use crate::common::{eventually, pfsnoop};
use crate::support::forward::start_json;
use crate::support::helper::{nsenter_socat, spawn_piped};
use crate::support::netns::{enter_netns_of, netns_of};
use crate::support::parts::helpers;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

/// A way into the pod: a dialer, and where it finds nsenter and socat.
#[derive(Debug)]
struct Way {
    dialer: &'static str,
    helpers: PathBuf,
}

/// The native dialer, and the other one with each version of nsenter and socat.
fn ways() -> Vec<Way> {
    let native = Way { dialer: "native", helpers: PathBuf::new() };
    let helped = |helpers| Way { dialer: "nsenter", helpers };
    [native].into_iter().chain(helpers().into_iter().map(helped)).collect()
}

/// A forwarded connection with a server, and both observers.
struct Case {
    pod: DemoPod,
    server: Running,
    watch: Running,
    forward: Running,
    client: TcpStream,
    port: u16,
}

impl Case {
    fn start(way: &Way, server: &str, port: u16) -> Self {
        let pod = DemoPod::start();
        let running = pod.serve_fixture(port, server);
        let watch = watch_json(&[]);
        let (target, ports) = (pod.target(), format!(":{port}"));
        let args = ["forward", "--dialer", way.dialer, "-o", "json", &target, &ports];
        let (forward, locals) = start_json(pfsnoop(&args).env("PATH", &way.helpers), 1);
        let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        Self { pod, server: running, watch, forward, client, port }
    }

    fn read(&mut self, bytes: usize) {
        self.client.read_exact(&mut vec![0; bytes]).unwrap();
    }

    /// The two `closed` records: of the forwarder, and of `watch`. They must agree.
    fn end(&self) -> Value {
        let netns = netns_of(self.pod.pause);
        let [own, seen] = [&self.forward, &self.watch]
            .map(|observer| closed(observer, |record| is_at(record, self.port, netns)));
        for key in ["outcome", "via", "port", "bytes_to_pod"] {
            assert_eq!(own[key], seen[key], "{key} of {own:#}\n{seen:#}");
        }
        seen
    }
}

/// Whether a record is about a port in a namespace. Others may use the same port elsewhere.
fn is_at(record: &Value, port: u16, netns: u64) -> bool {
    record["port"] == port && record["target"]["netns"] == netns
}

fn assert_end(end: &Value, outcome: &str, reason: &str) {
    assert_eq!(end["outcome"], outcome, "{end:#}");
    assert!(end["reason"].as_str().unwrap().contains(reason), "{end:#}");
}

/// Has the connection reset when it is dropped.
fn reset(client: &TcpStream) {
    rustix::net::sockopt::set_socket_linger(client, Some(std::time::Duration::ZERO)).unwrap();
}

#[test]
fn both_sides_end() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-echo", 7070);
        case.client.write_all(b"hello").unwrap();
        case.read(5);
        case.client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(case.client.read(&mut [0; 9]).unwrap(), 0);
        let end = case.end();
        assert_end(&end, "ok", "both sides ended by themselves");
        assert_eq!([&end["bytes_to_pod"], &end["bytes_from_pod"]], [5, 5]);
    }
}

#[test]
fn the_pod_resets_the_connection() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-reset", 7071);
        case.client.write_all(b"hello").unwrap();
        let _ = case.client.read_to_end(&mut Vec::new());
        assert_end(&case.end(), "reset", "Connection reset by peer");
    }
}

#[test]
fn the_pod_resets_the_connection_after_the_client_has_ended() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-rude", 7072);
        case.client.write_all(b"not read").unwrap();
        case.read("all there is".len());
        case.client.shutdown(Shutdown::Write).unwrap();
        let _ = case.client.read_to_end(&mut Vec::new());
        assert_end(&case.end(), "ok", "after the client's side had ended");
    }
}

#[test]
fn the_client_leaves_while_the_pod_is_sending() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7073);
        case.read(2048);
        reset(&case.client);
        let Case { pod, forward, watch, client, .. } = case;
        let netns = netns_of(pod.pause);
        drop(client);
        for observer in [&forward, &watch] {
            let end = closed(observer, |record| is_at(record, 7073, netns));
            assert_eq!(end["outcome"], "reset", "{way:?}: {end:#}");
        }
    }
}

#[test]
fn the_server_is_killed_in_the_middle_of_a_transfer() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7074);
        case.read(2048);
        case.server.signal(Signal::KILL);
        let _ = case.client.read_to_end(&mut Vec::new());
        case.client.shutdown(Shutdown::Both).unwrap();
        assert_end(&case.end(), "target-gone", "SIGKILL ended the server's process");
    }
}

/// The reset of a connection of which the pod has ended its side: the client's next write fails.
#[test]
fn the_pod_resets_the_connection_after_its_own_end() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-half", 7080);
        case.read("half an answer".len());
        case.client.write_all(b"not read").unwrap();
        let _ = case.client.read_to_end(&mut Vec::new());
        assert_end(&case.end(), "reset", "Broken pipe");
    }
}

/// A server that does not read, and does not end.
#[test]
fn the_client_ends_and_socat_gives_up() {
    for way in ways().split_off(1) {
        let case = Case::start(&way, "serve-deaf", 7081);
        case.client.shutdown(Shutdown::Write).unwrap();
        assert_end(&case.end(), "ok", "the client's side ended first");
    }
}

#[test]
fn the_pod_does_not_answer_any_more() {
    for (reject, outcome, reason) in [
        ("DROP", "timeout", "Connection timed out"),
        ("REJECT --reject-with icmp-host-prohibited", "failed", "No route to host"),
    ] {
        // The kernel's part is the same with each version of socat.
        for way in ways().drain(..2) {
            let mut case = Case::start(&way, "serve-echo", 7082);
            case.client.write_all(b"hello").unwrap();
            case.read(5);
            let block = format!(
                "echo 3 > /proc/sys/net/ipv4/tcp_retries2; \
                 iptables -A INPUT -p tcp --dport 7082 -j {reject}"
            );
            assert!(case.pod.inside(&["sh", "-c", &block]).status().unwrap().success());
            case.client.write_all(b"hello?").unwrap();
            let _ = case.client.read_to_end(&mut Vec::new());
            assert_end(&case.end(), outcome, reason);
        }
    }
}

/// Ctrl-C in the middle of a download: no client takes the part for all of it.
#[test]
fn the_forward_is_stopped_in_the_middle_of_a_transfer() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7083);
        case.read(2048);
        case.forward.signal(Signal::TERM);
        let end = case.client.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        assert_eq!(end, Err(std::io::ErrorKind::ConnectionReset), "{way:?}");
        let end = case.end();
        assert_eq!(end["outcome"], "killed", "{end:#}");
    }
}

/// The helper of another forwarder, with the system's socat, which exits with 0 after a reset.
#[test]
fn a_bare_helper_whose_pod_resets_the_connection() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7084, "serve-reset");
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7084));
    let mut stdin = helper.stdin.take().unwrap();
    stdin.write_all(b"hello").unwrap();
    helper.wait().unwrap();
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_end(&end, "reset", "Connection reset by peer");
}

/// What a CNI plugin does when a pod is deleted.
#[test]
fn the_loopback_goes_down_in_the_middle_of_a_transfer() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7075);
        case.read(15 * 1024);
        let down = case.pod.inside(&["ip", "link", "set", "lo", "down"]).status().unwrap();
        assert!(down.success());
        // Everything that had arrived.
        case.client.set_read_timeout(Some(std::time::Duration::from_millis(300))).unwrap();
        let mut received = 15 * 1024;
        while let Ok(bytes @ 1..) = case.client.read(&mut [0; 4096]) {
            received += bytes;
        }
        reset(&case.client);
        let Case { pod, forward, watch, client, .. } = case;
        let netns = netns_of(pod.pause);
        drop(client);
        for observer in [&forward, &watch] {
            let end = closed(observer, |record| is_at(record, 7075, netns));
            assert_end(&end, "target-gone", "loopback went down");
            assert_eq!(end["bytes_from_pod"], received, "{way:?}: {end:#}");
        }
    }
}

/// The issue of the bare command: nobody but the kernel sees the bytes.
#[test]
fn a_bare_helper_whose_loopback_goes_down_keeps_its_bytes() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7076, "serve-trickle");
    let watch = watch_json(&[]);
    let mut helper = spawn_piped(&mut nsenter_socat(pod.pause, 7076));
    let mut stdout = helper.stdout.take().unwrap();
    stdout.read_exact(&mut vec![0; 15 * 1024]).unwrap();
    assert!(pod.inside(&["ip", "link", "set", "lo", "down"]).status().unwrap().success());
    drop(helper.stdin.take());
    let mut rest = Vec::new();
    stdout.read_to_end(&mut rest).unwrap();
    helper.wait().unwrap();
    let pid = helper.id();
    let end = closed(&watch, |record| record["helper_pid"] == pid);
    assert_end(&end, "target-gone", "loopback went down");
    assert_eq!(end["bytes_from_pod"], 15 * 1024 + rest.len());
}

#[test]
fn the_forwarder_of_a_helper_is_killed() {
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7077, "serve-echo");
    let watch = watch_json(&[]);
    // The parent holds the helper's pipes, as a kubelet does.
    let script = format!(
        "import subprocess as s, time\n\
         p = s.Popen(['nsenter', '-t', '{}', '-n', 'socat', '-', 'TCP4:localhost:7077'], \
         stdin=s.PIPE, stdout=s.PIPE)\n\
         time.sleep(60)",
        pod.pause
    );
    let mut parent = std::process::Command::new("python3")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let of_it = |record: &Value| record["port"] == 7077;
    eventually("the connection", || {
        let connected = |record: &Value| record["state"] == "connected" && of_it(record);
        (!sessions(&watch, connected).is_empty()).then_some(())
    });
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert_end(&closed(&watch, of_it), "killed", "SIGKILL ended the forwarder");
}

/// Ends that only a forwarder of our own making has: a thread inside the namespace.
#[test]
fn the_ways_in_which_a_forwarder_closes_its_socket() {
    let pod = DemoPod::start();
    let _deaf = pod.serve_fixture(7078, "serve-deaf");
    let _trickle = pod.serve_fixture(7079, "serve-trickle");
    let watch = watch_json(&[]);
    let next = |port: u16, job: fn(TcpStream)| {
        let is_end = |record: &Value| record["port"] == port && record["state"] == "closed";
        let before = sessions(&watch, is_end).len();
        let pause = pod.pause;
        let forwarder = std::thread::spawn(move || {
            enter_netns_of(pause);
            job(TcpStream::connect(("127.0.0.1", port)).unwrap());
        });
        forwarder.join().unwrap();
        eventually("the end", || sessions(&watch, is_end).into_iter().nth(before))
    };
    assert_end(&next(7078, drop), "ok", "the client's side ended first");
    let unsent = |stream: TcpStream| {
        stream.set_nonblocking(true).unwrap();
        while (&stream).write(&[0; 8192]).is_ok() {}
    };
    assert_end(&next(7078, unsent), "failed", "has not taken the last");
    let unread = |stream: TcpStream| {
        stream.peek(&mut [0]).unwrap();
    };
    assert_end(&next(7079, unread), "reset", "before it had read all data");
    let early = |mut stream: TcpStream| {
        stream.read_exact(&mut [0; 1024]).unwrap();
    };
    assert_end(&next(7079, early), "reset", "before it had read all data");
    let on_purpose = |stream: TcpStream| reset(&stream);
    assert_end(&next(7078, on_purpose), "reset", "the forwarder reset the connection");
}
