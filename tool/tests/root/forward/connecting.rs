//! How both dialers connect: servers that are slow to accept, that never answer, or that reset the
//! connection at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::net::sockopt::set_socket_linger;
use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

use crate::common::{TEST_TIMEOUT, eventually, pfsnoop, stdout_of};
use crate::support::forward::{forward, forward_json, get, start_listening};
use crate::support::netns::in_netns_of;
use crate::support::pod::DemoPod;
use crate::support::records::{closed, sessions};
use crate::support::watch::watch_json;

/// A listener inside the pod whose accept queue is full: it takes one connection, which is there
/// already.
fn full_listener(pod: &DemoPod, port: u16) -> (TcpListener, TcpStream) {
    in_netns_of(pod.pause, || {
        let at = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&listener, &at).unwrap();
        listen(&listener, 0).unwrap();
        let first = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let listener = TcpListener::from(listener);
        listener.set_nonblocking(true).unwrap();
        (listener, first)
    })
}

/// While the queue is full, the kernel drops SYNs. A client sends them again after 1, 3 and 7 s.
#[test]
fn a_full_accept_queue_is_waited_for() {
    let pod = DemoPod::start();
    for (dialer, port) in [("native", 7070), ("nsenter", 7071)] {
        let (listener, first) = full_listener(&pod, port);
        let remote = format!(":{port}");
        let (_forward, locals) = forward(pod.pause, &["--dialer", dialer, &remote]);
        let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
        client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        client.write_all(b"question").unwrap();
        // Longer than a dialer may give up early, and before the third time.
        std::thread::sleep(Duration::from_millis(6200));
        let accept = |what: &str| eventually(what, || listener.accept().ok()).0;
        drop((accept("the first connection"), first));
        let mut server = accept("the forwarded connection");
        server.set_nonblocking(false).unwrap();
        server.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
        let mut question = [0; 8];
        server.read_exact(&mut question).unwrap();
        assert_eq!(&question, b"question");
        server.write_all(b"answer").unwrap();
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "answer", "{dialer}");
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "one connection");
    }
}

/// RFC 8305: the next address is tried beside one that does not answer.
#[test]
fn an_address_that_does_not_answer_delays_the_next_one_a_quarter_of_a_second() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7072 -j DROP";
    stdout_of(&mut pod.inside(&["sh", "-c", drop]));
    let listen = "TCP6-LISTEN:7072,bind=[::1],fork";
    let _server = pod.serve(7072, &["socat", listen, "SYSTEM:cat > /dev/null; echo by six"]);
    let (mut forward, locals) = forward(pod.pause, &["--dialer", "native", ":7072"]);
    let start = Instant::now();
    let mut client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    let took = start.elapsed();
    assert_eq!(answer, "by six\n");
    assert!(took >= Duration::from_millis(250), "{took:?}");
    forward.stdout_line("the address", |line| line.contains(" at ::1: ") && line.ends_with("ok"));
}

#[test]
fn the_connect_timeout_ends_an_attempt_with_both_dialers() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7073 -j DROP";
    stdout_of(&mut pod.inside(&["sh", "-c", drop]));
    for dialer in ["native", "nsenter"] {
        let args = [":7073", ":8080", "--connect-timeout", "1.5"];
        let (mut forward, locals) =
            forward(pod.pause, &[&["--dialer", dialer], &args[..]].concat());
        let start = Instant::now();
        assert_eq!(get("127.0.0.1", locals[0]), "", "{dialer}");
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(1500) && took < Duration::from_secs(20), "{took:?}");
        forward.stderr_line("the reason", |line| {
            line.contains("cannot connect to port 7073 inside the target: no answer in 1.5 s")
                && line.contains("--connect-timeout")
        });
        forward.stdout_line("the outcome", |line| {
            line.starts_with(&format!("Closed connection for {}", locals[0]))
                && line.ends_with("timeout")
        });
        // It limits connecting, and not the connection.
        let mut slow = TcpStream::connect(("127.0.0.1", locals[1])).unwrap();
        std::thread::sleep(Duration::from_millis(2500));
        slow.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
        let mut page = String::new();
        slow.read_to_string(&mut page).unwrap();
        assert!(page.contains("pfsnoop demo pod"), "{dialer}: {page}");
    }
}

/// A client that has given up must not hold its connection for as long as TCP tries.
#[test]
fn a_client_that_resets_while_it_is_dialed_for_ends_the_attempt() {
    let pod = DemoPod::start();
    let drop = "iptables -A INPUT -p tcp --dport 7074 -j DROP";
    stdout_of(&mut pod.inside(&["sh", "-c", drop]));
    let (forward, locals) = forward_json("native", pod.pause, &[":7074"]);
    let client = TcpStream::connect(("127.0.0.1", locals[0])).unwrap();
    eventually("its session", || (!sessions(&forward, |_| true).is_empty()).then_some(()));
    set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    std::mem::drop(client);
    let closed = closed(&forward, |_| true);
    assert_eq!(closed["outcome"], "reset", "{closed}");
}

/// Its reset is the answer of the server at the first address. Another address would lead to
/// another server.
#[test]
fn a_server_that_resets_at_accept_is_the_only_one_that_is_asked() {
    const CLIENTS: usize = 100;
    let pod = DemoPod::start();
    let watch = watch_json(&["--port", "7075"]);
    let listener = in_netns_of(pod.pause, || TcpListener::bind("127.0.0.1:7075").unwrap());
    let other = in_netns_of(pod.pause, || TcpListener::bind("[::1]:7075").unwrap());
    other.set_nonblocking(true).unwrap();
    listener.set_nonblocking(true).unwrap();
    let is_over = AtomicBool::new(false);
    let args = ["forward", "--dialer", "native", "--no-watch", &pod.target(), ":7075"];
    let (_forward, local) = start_listening(&mut pfsnoop(&args));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // Does not sleep, so that the reset often comes before connect(2) has returned.
            let start = Instant::now();
            while !is_over.load(Ordering::Relaxed) && start.elapsed() < TEST_TIMEOUT {
                if let Ok((stream, _)) = listener.accept() {
                    set_socket_linger(&stream, Some(Duration::ZERO)).unwrap();
                }
            }
        });
        for n in 0..CLIENTS {
            let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
            client.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
            let end = client.read(&mut [0]).map_err(|error| error.kind());
            assert_eq!(end, Err(ErrorKind::ConnectionReset), "client {n}");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert_eq!(other.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "nobody came here");
    let is_end = |record: &serde_json::Value| record["state"] == "closed";
    let ends = eventually("every session", || {
        let ends = sessions(&watch, is_end);
        (ends.len() >= CLIENTS).then_some(ends)
    });
    assert_eq!(ends.len(), CLIENTS);
    assert!(ends.iter().all(|end| end["address"] == "127.0.0.1"), "{ends:#?}");
}
