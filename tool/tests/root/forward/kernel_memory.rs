//! The kernel memory of clients that do not read.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::common::running::Running;
use crate::common::{assert_fails, eventually, pfsnoop, stdout_of, system};
use crate::support::forward::forward;
use crate::support::pod::DemoPod;
use crate::support::processes::pipe_sizes;

/// How many clients there are.
const CLIENTS: usize = 20;

/// The largest piece of data on a loopback, and what the kernel needs for it: a socket takes one more
/// than its limit.
const PIECE: usize = 80 * 1024;

/// The data that waits in sockets, as `ss -m` lists them: received, and not sent or not acknowledged yet.
fn waiting(listed: &str) -> usize {
    let sockets = listed.split("skmem:(").skip(1);
    let field = |socket: &str, name: char| {
        let fields = socket.split([',', ')']);
        let mut values = fields.filter_map(|field| field.strip_prefix(name)?.parse::<usize>().ok());
        values.next().unwrap()
    };
    sockets.map(|socket| field(socket, 'r') + field(socket, 'w')).sum()
}

/// What waits in the sockets of a forward: on the side of the clients, and inside the pod.
fn in_sockets(pod: &DemoPod, local: u16, port: u16) -> usize {
    let on_node = stdout_of(system("ss").args(["-Htnm", "sport", "=", &format!(":{local}")]));
    let args = ["ss", "-Htnm", "dport", "=", &format!(":{port}")];
    let in_pod = stdout_of(&mut pod.inside(&args));
    waiting(&on_node) + waiting(&in_pod)
}

/// Waits until no more data comes into the sockets. Returns how much is there.
fn full(pod: &DemoPod, local: u16, port: u16) -> usize {
    let mut before = 0;
    eventually("full buffers", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = in_sockets(pod, local, port);
        (std::mem::replace(&mut before, now) == now && now > 0).then_some(now)
    })
}

/// Asks for a lot.
fn ask(local: u16) -> TcpStream {
    let mut client = TcpStream::connect(("127.0.0.1", local)).unwrap();
    client.write_all(b"400000000\n").unwrap();
    client
}

fn start(pod: &DemoPod, port: &str, dialer: &str, limits: &[&str]) -> (Running, u16) {
    let (forward, locals) = forward(pod.pause, &[&["--dialer", dialer, port][..], limits].concat());
    (forward, locals[0])
}

#[test]
fn clients_that_never_read_hold_what_a_connection_starts_with() {
    let pod = DemoPod::start();
    for (dialer, port) in [("native", 7051), ("nsenter", 7052)] {
        let _server = pod.serve_fixture(port, "serve-zeros");
        let (_forward, local) = start(&pod, &format!(":{port}"), dialer, &[]);
        let _clients: Vec<TcpStream> = (0..CLIENTS).map(|_| ask(local)).collect();
        let each = full(&pod, local, port) / CLIENTS;
        // A receive buffer of 128 KiB inside the pod, and a send buffer of 32 KiB to the client.
        let most = (128 + 32) * 1024 + 2 * PIECE;
        assert!(each <= most, "{dialer}: {each} bytes for each client, not {most}");
    }
}

/// Clients that read a lot before they stop: by then, their connections have large buffers.
#[test]
fn the_memory_of_streams_that_stall_stays_within_the_limit() {
    const LIMIT: usize = 24 * 1024 * 1024;
    let pod = DemoPod::start();
    let _server = pod.serve_fixture(7053, "serve-zeros");
    let limits = ["--max-connections", "20", "--max-buffer", "24M"];
    let (forward, local) = start(&pod, ":7053", "native", &limits);
    let own: usize = pipe_sizes(forward.pid()).iter().sum();
    let mut clients: Vec<TcpStream> = (0..CLIENTS).map(|_| ask(local)).collect();
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| client.read_exact(&mut vec![0; 30_000_000]).unwrap());
        }
    });
    let sockets = full(&pod, local, 7053);
    let pipes = pipe_sizes(forward.pid());
    assert!(pipes.iter().any(|&size| size > 256 * 1024), "a stream has grown: {pipes:?}");
    let pipes = pipes.iter().sum::<usize>() - own;
    let most = LIMIT + CLIENTS * 2 * PIECE;
    assert!(sockets + pipes <= most, "{sockets} in sockets, pipes of {pipes}, not {most}");
    // They still get everything.
    let mut received = 30_000_000;
    let mut bytes = vec![0; 1024 * 1024];
    while let Ok(count @ 1..) = clients[CLIENTS - 1].read(&mut bytes) {
        received += count;
    }
    assert_eq!(received, 400_000_000);
}

/// A client that sends to a server that does not read.
#[test]
fn a_server_that_does_not_read_holds_little_of_what_clients_send() {
    let pod = DemoPod::start();
    let listen = "TCP4-LISTEN:7055,fork,reuseaddr";
    let _server = pod.serve(7055, &["socat", listen, "SYSTEM:sleep 60 >&2"]);
    let (_forward, local) = start(&pod, ":7055", "native", &[]);
    let clients: Vec<TcpStream> =
        (0..CLIENTS).map(|_| TcpStream::connect(("127.0.0.1", local)).unwrap()).collect();
    for mut client in &clients {
        client.set_nonblocking(true).unwrap();
        let mut idle = 0;
        while idle < 5 {
            idle = if client.write(&[0; 8192]).is_ok() { 0 } else { idle + 1 };
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    let each = full(&pod, local, 7055) / CLIENTS;
    let most = (128 + 32) * 1024 + 2 * PIECE;
    assert!(each <= most, "{each} bytes for each client, not {most}");
}

#[test]
fn a_limit_that_does_not_suffice_is_an_error() {
    for (limits, words) in [
        (&["--max-buffer", "256K"][..], "--max-buffer 256K is too small: 1 connection needs 384K;"),
        (
            &["--max-buffer", "1M", "--max-connections", "20"],
            "--max-buffer 1024K is too small: 20 connections need 7680K;",
        ),
    ] {
        for command in [&["forward", "pid/1", "80"][..], &["serve"]] {
            let mut command = pfsnoop(&[command, limits].concat());
            assert_fails(&mut command, 2, &[words, "raise it, or lower --max-connections"]);
        }
    }
}
