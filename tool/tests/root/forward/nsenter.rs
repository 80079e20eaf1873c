//! The nsenter dialer: a response ends at once, and never before all of it has arrived.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::common::temp::TempDir;
use crate::common::{TEST_TIMEOUT, pfsnoop};
use crate::support::forward::{forward, get, start_json};
use crate::support::pod::DemoPod;
use crate::support::processes::signal;
use crate::support::records::closed;

#[test]
fn a_finished_response_does_not_wait_for_half_a_second_of_socat() {
    const REQUESTS: u32 = 20;
    let pod = DemoPod::start();
    let (_forward, locals) = forward(pod.pause, &[":8080"]);
    let start = Instant::now();
    for _ in 0..REQUESTS {
        assert!(get("127.0.0.1", locals[0]).contains("pfsnoop demo pod"));
    }
    let with_half_seconds = REQUESTS * Duration::from_millis(500);
    assert!(start.elapsed() < with_half_seconds / 2, "{:?}", start.elapsed());
}

/// Data that is in flight when the server closes must not be cut off. How much is in flight depends
/// on buffers, so this test uses answers of many lengths.
#[test]
fn a_client_that_pauses_gets_the_whole_response() {
    const STEP: usize = 128 * 1024;
    let pod = DemoPod::start();
    let (_forward, locals) = forward(pod.pause, &[":7011"]);
    let _server = pod.serve_fixture(7011, "serve-zeros");
    let lens = (16..56).map(|n| n * STEP);
    let answers: Vec<_> = lens.map(|len| (len, ask(locals[0], len))).collect();
    // Longer than socat waits after one side's end (half a second), while all buffers are full.
    std::thread::sleep(Duration::from_secs(2));
    for (len, mut answer) in answers {
        let mut received = Vec::new();
        answer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), len);
    }
}

fn ask(port: u16, len: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    writeln!(stream, "{len}").unwrap();
    stream
}

/// The forwarder does not run from before the server's end until socat has closed the connection. It
/// then sees a connection that is over, as it would after a reset.
#[test]
fn an_end_that_is_noticed_late_is_no_reset() {
    let pod = DemoPod::start();
    let server = ["socat", "TCP4-LISTEN:7012,bind=127.0.0.1,fork", "SYSTEM:sleep 1; echo late"];
    let _server = pod.serve(7012, &server);
    let target = pod.target();
    for more in [&[][..], &["--no-watch"]] {
        let args = [&["forward", "--dialer", "nsenter", "-o", "json", &target, ":7012"], more];
        let (forward, locals) = start_json(&mut pfsnoop(&args.concat()), 1);
        let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        // Long enough to find socat's connection.
        std::thread::sleep(Duration::from_millis(500));
        signal(forward.pid(), Signal::STOP);
        // The server answers, and socat waits for half a second.
        std::thread::sleep(Duration::from_secs(2));
        signal(forward.pid(), Signal::CONT);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "late\n");
        let closed = closed(&forward, |_| true);
        assert_eq!(closed["outcome"], "ok", "{closed}");
        assert_eq!(closed["bytes_from_pod"], 5, "{closed}");
    }
}

/// Simulates an nsenter that starts late, when another process has the target's pid.
#[test]
fn no_byte_reaches_a_namespace_other_than_the_targets() {
    let (pod, other) = (DemoPod::start(), DemoPod::start());
    let bin = TempDir::new("late");
    bin.script(
        "nsenter",
        &format!(
            "shift 2
exec /usr/bin/nsenter -t {} \"$@\"",
            other.pause
        ),
    );
    let target = pod.target();
    let mut command = pfsnoop(&["forward", &target, ":8080", "--dialer", "nsenter", "-o", "json"]);
    let (mut forward, locals) = start_json(command.env("PATH", bin.before_system_path()), 1);
    assert_eq!(get("127.0.0.1", locals[0]), "");
    forward.stderr_line("the reason", |line| line.contains("the target is gone"));
    let closed = forward.stdout_line("record", |line| line.contains("\"closed\""));
    assert!(
        closed.contains("\"target-gone\"") && closed.contains("\"bytes_to_pod\":0"),
        "{closed}"
    );
}
