//! The pod ends the connection, or is gone.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use rustix::process::Signal;

use super::case::{Case, assert_end, ways};
use super::reasons::assert_same_reason;
use crate::support::pod::DemoPod;
use crate::support::processes::stop;

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

/// Resets the connection a second after its answer.
const RESETS_LATER: &str = "import socket, struct, time\n\
     client, _ = socket.create_server(('127.0.0.1', 7104)).accept()\n\
     client.recv(5)\n\
     client.sendall(b'answer')\n\
     time.sleep(1)\n\
     client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\n\
     client.close()\n\
     print('reset', flush=True)\n\
     time.sleep(60)\n";

/// The client has ended, and a forwarder that has no time has not passed that on yet. Only the
/// forwarder knows it.
#[test]
fn the_pods_reset_overtakes_the_clients_end() {
    for way in ways() {
        let pod = DemoPod::start();
        let mut server = pod.serve(7104, &["python3", "-c", RESETS_LATER]);
        let mut case = Case::connect(&way, pod, 7104);
        case.client.write_all(b"hello").unwrap();
        case.read("answer".len());
        stop(case.forward.pid());
        case.client.shutdown(Shutdown::Write).unwrap();
        server.stdout_line("the reset", |line| line == "reset");
        case.forward.signal(Signal::CONT);
        let _ = case.client.read_to_end(&mut Vec::new());
        let [own, seen] = case.ends();
        assert_end(&own, "ok", "after the client's side had ended");
        assert_end(&seen, "reset", "Connection reset by peer");
        assert_same_reason(&own, &seen);
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

#[test]
fn the_server_is_killed_in_the_middle_of_a_transfer() {
    for way in ways() {
        let mut case = Case::start(&way, "serve-trickle", 7074);
        case.read(2048);
        case.server.as_ref().unwrap().signal(Signal::KILL);
        let _ = case.client.read_to_end(&mut Vec::new());
        case.client.shutdown(Shutdown::Both).unwrap();
        assert_end(&case.end(), "target-gone", "SIGKILL ended the server's process");
    }
}

/// Sends a word and exits with a code: by itself, or in a process of its own for the connection, as sshd
/// does. sshd's processes exit with 255 when the client has left.
const EXITS: &str = "import os, socket, sys\n\
     port, code, is_own = (int(arg) for arg in sys.argv[1:])\n\
     listener = socket.create_server(('127.0.0.1', port))\n\
     while True:\n\
     \x20   client, _ = listener.accept()\n\
     \x20   if not is_own or os.fork() == 0:\n\
     \x20       client.sendall(b'hello')\n\
     \x20       client.recv(1)\n\
     \x20       os._exit(code)\n\
     \x20   client.close()\n";

#[test]
fn the_server_exits_with_an_error() {
    for way in ways() {
        for (is_own, outcome, reason) in [
            ("0", "target-gone", "the server's process in the target ended (exit code 3)"),
            ("1", "ok", "both sides ended by themselves"),
        ] {
            let pod = DemoPod::start();
            let server = pod.serve(7103, &["python3", "-c", EXITS, "7103", "3", is_own]);
            let mut case = Case { server: Some(server), ..Case::connect(&way, pod, 7103) };
            case.read("hello".len());
            case.client.write_all(b"!").unwrap();
            let _ = case.client.read_to_end(&mut Vec::new());
            case.client.shutdown(Shutdown::Write).unwrap();
            assert_end(&case.end(), outcome, reason);
        }
    }
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
        case.reset();
        assert_end(&case.end(), "target-gone", "loopback went down");
        for end in case.ends() {
            assert_eq!(end["bytes_from_pod"], received, "{way:?}: {end:#}");
        }
    }
}
