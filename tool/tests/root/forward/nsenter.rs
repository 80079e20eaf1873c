//! The end of a response on the kubelet's road: at once, and never before all of it has come.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::forward::basics::{forward, get};
use crate::forward::native::inside;
use crate::support::{PATIENCE, eventually, pfsnoop, pod::DemoPod, running::Running};

#[test]
fn a_finished_response_is_not_held_back_by_socats_half_second() {
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

/// What is still on its way when the server has ended must not be cut off, and how much that is
/// depends on the buffers between: so there are answers of many lengths.
#[test]
fn a_client_that_pauses_gets_everything() {
    const STEP: usize = 128 * 1024;
    let pod = DemoPod::start();
    let (_forward, locals) = forward(pod.pause, &[":7011"]);
    let fixture = crate::exec::unusual_execs::fixture();
    let server = &mut inside(&pod, &[fixture.to_str().unwrap(), "serve-zeros", "7011"]);
    let _server = Running::start(server);
    eventually("the server", || (ask(locals[0], 1).read(&mut [0]).ok()? == 1).then_some(()));
    let lens = (16..56).map(|n| n * STEP);
    let answers: Vec<_> = lens.map(|len| (len, ask(locals[0], len))).collect();
    // Longer than socat's half second, while all buffers are full.
    std::thread::sleep(Duration::from_secs(2));
    for (len, mut answer) in answers {
        let mut received = Vec::new();
        answer.read_to_end(&mut received).unwrap();
        assert_eq!(received.len(), len);
    }
}

fn ask(port: u16, len: usize) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    writeln!(stream, "{len}").unwrap();
    stream
}

/// Stands for an nsenter that was late: the pid that it was given is another process's by then.
#[test]
fn nobody_but_the_target_gets_a_byte() {
    let (pod, other) = (DemoPod::start(), DemoPod::start());
    let bin = std::env::temp_dir().join(format!("pfsnoop-late-{}", std::process::id()));
    std::fs::create_dir_all(&bin).unwrap();
    let late = format!("#!/bin/sh\nshift 2\nexec /usr/bin/nsenter -t {} \"$@\"\n", other.pause);
    std::fs::write(bin.join("nsenter"), late).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(bin.join("nsenter"), executable).unwrap();
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let target = format!("pid/{}", pod.pause);
    let mut command = pfsnoop(&["forward", &target, ":8080", "--dialer", "nsenter", "-o", "json"]);
    let mut forward = Running::start(command.env("PATH", path));
    let line = forward.stderr_line("listener", |line| line.contains("127.0.0.1:"));
    let local = line.split([':', ' ']).nth(3).unwrap().parse().unwrap();
    assert_eq!(get("127.0.0.1", local), "");
    forward.stderr_line("the reason", |line| line.contains("the target is gone"));
    let closed = forward.stdout_line("record", |line| line.contains("\"closed\""));
    assert!(
        closed.contains("\"target-gone\"") && closed.contains("\"bytes_to_pod\":0"),
        "{closed}"
    );
    std::fs::remove_dir_all(bin).unwrap();
}
