//! The native dialer: long transfers, aborts and resets.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};

use crate::common::{TEST_TIMEOUT, eventually};
use crate::support::forward::{forward, forward_native, get};
use crate::support::pod::DemoPod;
use crate::support::processes::children_of;

/// Pseudo-random bytes.
fn pattern(len: usize, mut seed: u64) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend(seed.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn a_gibibyte_arrives_in_both_directions_at_the_same_time() {
    // Not a multiple of any buffer's size, so that a buffer that is lost or comes twice shows.
    const PIECE: usize = 8 * 1024 * 1024 + 4099;
    const PIECES: usize = 128;
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &[":7004"]);
    let _server = pod.serve_fixture(7004, "serve-echo");
    let mut stream = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    stream.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    stream.set_write_timeout(Some(TEST_TIMEOUT)).unwrap();
    let piece = pattern(PIECE, 1);
    let mut writer = stream.try_clone().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..PIECES {
                writer.write_all(&piece).unwrap();
            }
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = vec![0; PIECE];
        for n in 0..PIECES {
            stream.read_exact(&mut received).unwrap();
            assert!(received == piece, "piece {n} of {PIECES}");
        }
        assert_eq!(stream.read(&mut received).unwrap(), 0, "and no more");
    });
    let len = PIECE * PIECES;
    let bytes = format!(": {len} bytes to the pod, {len} from it, ");
    forward.stdout_line("report", |line| line.contains(&bytes) && line.ends_with("ok"));
}

#[test]
fn an_aborted_download_does_not_disturb_other_connections() {
    let pod = DemoPod::start();
    for dialer in ["native", "nsenter"] {
        let (mut forward, locals) = forward(pod.pause, &["--dialer", dialer, ":7005", ":8080"]);
        let _server =
            pod.serve(7005, &["socat", "TCP4-LISTEN:7005,fork,reuseaddr", "OPEN:/dev/zero"]);
        let mut download = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        download.read_exact(&mut [0; 8192]).unwrap();
        // Closed with data unread: the forwarder sees a reset.
        drop(download);
        forward.stderr_line("what the client did", |line| {
            line.contains("the client closed the connection early")
        });
        assert!(get("127.0.0.1", locals[1]).contains("pfsnoop demo pod"), "{dialer}: others go on");
        eventually("no helper", || children_of(forward.pid()).is_empty().then_some(()));
    }
}

#[test]
fn no_files_and_no_threads_leak() {
    let pod = DemoPod::start();
    for (dialer, in_a_row) in [("native", 300), ("nsenter", 100)] {
        let (mut forward, locals) = forward(pod.pause, &["--dialer", dialer, ":8080"]);
        let pid = forward.pid();
        let count =
            |folder: &str| std::fs::read_dir(format!("/proc/{pid}/{folder}")).unwrap().count();
        get("127.0.0.1", locals[0]);
        eventually("no helper", || children_of(forward.pid()).is_empty().then_some(()));
        // This line comes when both sides of the connection are closed.
        forward.stdout_line("its report", |line| line.starts_with("Closed connection"));
        let before = (count("fd"), count("task"));
        for _ in 0..in_a_row {
            get("127.0.0.1", locals[0]);
        }
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| get("127.0.0.1", locals[0]));
            }
        });
        eventually(&format!("{dialer}: no more fds, threads and children than before"), || {
            let none_more = count("fd") <= before.0 && count("task") <= before.1;
            (none_more && children_of(forward.pid()).is_empty()).then_some(())
        });
    }
}

#[test]
fn a_reset_while_the_client_sends_is_a_reset_for_the_client() {
    let pod = DemoPod::start();
    let (mut forward, locals) = forward_native(&pod, &[":7006", ":8080"]);
    let _server = pod.serve_fixture(7006, "serve-reset");
    for _ in 0..20 {
        let mut stream = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        let mut sender = stream.try_clone().unwrap();
        let sender = std::thread::spawn(move || {
            loop {
                if let Err(error) = sender.write_all(&[0; 8192]) {
                    return error.kind();
                }
            }
        });
        let end = stream.read_to_end(&mut Vec::new()).map_err(|error| error.kind());
        let sent = sender.join().unwrap();
        // The kernel reports a socket's error once, to the first call that asks. After an end of data it would be a
        // broken pipe (`tcp_reset`, net/ipv4/tcp_input.c).
        let reset = std::io::ErrorKind::ConnectionReset;
        assert!(end == Err(reset) || sent == reset, "read {end:?}, sent {sent:?}");
    }
    forward.stderr_line("what happened", |line| line.contains("the target reset the connection"));
}
