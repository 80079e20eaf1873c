//! `pfsnoop forward`, and clients of it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;

use procfs::net::{TcpNetEntry, TcpState};

use super::pod::DemoPod;
use crate::common::running::Running;
use crate::common::{eventually, pfsnoop};

/// `pfsnoop forward pid/PID ARGS...`, ready. Returns its local ports too.
pub fn forward(pid: u32, args: &[&str]) -> (Running, Vec<u16>) {
    start(&mut pfsnoop(&[&["forward", &format!("pid/{pid}")], args].concat()))
}

/// The same with `--dialer native`, into the demo pod.
pub fn forward_native(pod: &DemoPod, args: &[&str]) -> (Running, Vec<u16>) {
    forward(pod.pause, &[&["--dialer", "native"], args].concat())
}

/// `pfsnoop forward --dialer DIALER -o json pid/PID PORTS...`, listening. Returns its local ports too.
pub fn forward_json(dialer: &str, target: u32, ports: &[&str]) -> (Running, Vec<u16>) {
    let target = format!("pid/{target}");
    let args = [&["forward", "--dialer", dialer, "-o", "json", &target][..], ports].concat();
    start_json(&mut pfsnoop(&args), ports.len())
}

/// Starts a forward with text output. Waits for the header, which follows the listeners.
pub fn start(command: &mut Command) -> (Running, Vec<u16>) {
    let mut running = Running::start(command);
    running.stdout_line("header", |line| line.starts_with("PCOMM"));
    let ports = ipv4_ports(&running.stdout());
    (running, ports)
}

/// Starts a forward with `-o json` of so many ports. Waits for its listeners.
pub fn start_json(command: &mut Command, count: usize) -> (Running, Vec<u16>) {
    let mut running = Running::start(command);
    let mut ports = Vec::new();
    eventually("the listeners, on stderr", || {
        ports = ipv4_ports(&running.stderr());
        (ports.len() == count || running.has_exited()).then_some(())
    });
    assert_eq!(ports.len(), count, "{:?}", running.stderr());
    (running, ports)
}

/// Starts a forward with text output of one port. Does not wait for the kernel programs.
pub fn start_listening(command: &mut Command) -> (Running, u16) {
    let mut running = Running::start(command);
    let is_listener = |line: &str| line.starts_with("Forwarding from 127.0.0.1:");
    let port = local_port(&running.stdout_line("the listener", is_listener));
    (running, port)
}

/// Whether a process of the node listens on this port of IPv4.
pub fn is_listening(port: u16) -> bool {
    let sockets = procfs::net::tcp().unwrap();
    let of_port = |socket: &TcpNetEntry| socket.local_address.port() == port;
    sockets.iter().any(|socket| of_port(socket) && socket.state == TcpState::Listen)
}

/// The local port in a line `Forwarding from ADDRESS:PORT -> REMOTE`, with an IPv4 address.
pub fn local_port(line: &str) -> u16 {
    line.split([':', ' ']).nth(3).unwrap().parse().unwrap()
}

fn ipv4_ports(lines: &[String]) -> Vec<u16> {
    let listeners = lines.iter().filter(|line| line.starts_with("Forwarding from 127.0.0.1:"));
    listeners.map(|line| local_port(line)).collect()
}

/// Sends one HTTP/1.0 request. Returns everything until the end, or until a reset.
pub fn get(address: &str, port: u16) -> String {
    let mut stream = TcpStream::connect((address, port)).unwrap();
    let mut page = String::new();
    let asked = stream.write_all(b"GET / HTTP/1.0\r\n\r\n");
    match asked.and_then(|()| stream.read_to_string(&mut page)) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => panic!("{error}"),
        _ => page,
    }
}
