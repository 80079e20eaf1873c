//! The endpoint: probes, and clients that misbehave.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::{assert_fails, eventually, pfsnoop};
use crate::support::agent::Agent;

#[test]
fn probes_and_wrong_requests() {
    let agent = Agent::start(&[]);
    // The monitor turns for the first time a moment after it has attached.
    eventually("a ready agent", || (agent.get("/readyz", "").status == 200).then_some(()));
    for (method, path, status) in [
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("HEAD", "/metrics", 200),
        ("GET", "/", 200),
        ("GET", "/nothing", 404),
        ("POST", "/metrics", 405),
    ] {
        let answer = agent.request(&format!("{method} {path} HTTP/1.0\r\n\r\n"));
        assert_eq!(answer.status, status, "{method} {path}");
        assert!(method != "HEAD" || answer.body.is_empty());
    }
    let body = "x".repeat(100_000);
    let posted = format!("POST /metrics HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
    assert_eq!(agent.request(&posted).status, 405, "the body is not read");
    // An event loop that is stopped does not turn; its thread for metrics is stopped too, and answers
    // when it goes on, before the loop has turned.
    agent.running.signal(Signal::STOP);
    std::thread::sleep(Duration::from_secs(1));
    agent.running.signal(Signal::CONT);
    eventually("a healthy agent", || (agent.get("/healthz", "").status == 200).then_some(()));
}

#[test]
fn a_port_in_use_is_one_line() {
    let agent = Agent::start(&[]);
    let mut second = pfsnoop(&["agent", "--no-store", "--listen", &agent.address]);
    assert_fails(&mut second, 1, &["cannot serve metrics at", "in use", "--no-listen"]);
    let mut both = pfsnoop(&["agent", "--no-store", "--listen", "127.0.0.1:0", "--no-listen"]);
    assert_fails(&mut both, 2, &["--no-listen"]);
    let mut open = agent_at_every_address();
    open.stderr_line("the note", |line| line.contains("everybody who can reach this node"));
}

fn agent_at_every_address() -> crate::common::running::Running {
    crate::common::running::Running::start(&mut pfsnoop(&[
        "agent",
        "--no-store",
        "--listen",
        "0.0.0.0:0",
    ]))
}

#[test]
fn clients_that_hold_connections_do_not_lock_prometheus_out() {
    let agent = Agent::start(&[]);
    let mut held: Vec<_> = (0..200)
        .map(|_| {
            let mut stream = agent.connect();
            // The agent may have closed it by then.
            let _ = stream.write_all(b"GET /metrics HTTP/1.1\r\nHost:");
            stream
        })
        .collect();
    let start = Instant::now();
    assert_eq!(agent.get("/metrics", "").status, 200);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    let open = agent.value("process_open_fds", &[]);
    assert!(open < 120.0, "{open} open files");
    let mut closed = Vec::new();
    held[0].read_to_end(&mut closed).unwrap_or_default();
    let long = format!("GET /metrics HTTP/1.0\r\nX: {}\r\n\r\n", "x".repeat(60_000));
    let mut stream = agent.connect();
    let _ = stream.write_all(long.as_bytes());
    let mut answer = [0; 12];
    // A reset may come before the answer is read.
    if stream.read_exact(&mut answer).is_ok() {
        assert_eq!(&answer, b"HTTP/1.1 431");
    }
    assert_eq!(agent.get("/healthz", "").status, 200);
}
