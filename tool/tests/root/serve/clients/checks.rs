//! What every client is asked for. The list stands here once.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::thread;

use super::super::endpoint::{Endpoint, page};
use super::client::Client;
use super::site::{NOBODY, SECOND, SITE, pages_at_once};
use crate::common::TEST_TIMEOUT;
use crate::common::running::Running;

/// A client that forwards to a pod.
pub struct Case<'a> {
    pub client: &'a Client,
    pub endpoint: &'a Endpoint,
    pub pod: (&'a str, &'a str),
    forward: Running,
    /// The local ports of [`SITE`], [`SECOND`] and [`NOBODY`].
    pub ports: [u16; 3],
}

/// What is checked, and the check.
type Check = (&'static str, fn(&mut Case));

/// The checks, in this order: kubectl ends after the last one.
pub const CHECKS: &[Check] = &[
    ("a request", request),
    ("20 connections at once", at_once),
    ("two ports in one command", two_ports),
    ("two ports in one WebSocket", two_ports_together),
    ("a half-closed client", half_close),
    ("an aborted download", aborted_download),
    ("a refused port", refused),
];

impl<'a> Case<'a> {
    pub fn start(client: &'a Client, endpoint: &'a Endpoint, pod: (&'a str, &'a str)) -> Self {
        let (forward, ports) = client.forward(endpoint, pod, None, &[SITE, SECOND, NOBODY]);
        Self { client, endpoint, pod, forward, ports: ports.try_into().unwrap() }
    }

    fn page(&self) -> String {
        format!("{}\n", self.pod.1)
    }

    fn both_pages(&self) -> [Vec<u8>; 2] {
        [self.page().into(), b"second\n".to_vec()]
    }
}

fn request(case: &mut Case) {
    assert_eq!(page(case.ports[0], ""), case.page().as_bytes());
}

fn at_once(case: &mut Case) {
    for answer in pages_at_once(case.ports[0], 20) {
        assert_eq!(answer, case.page().as_bytes());
    }
}

fn two_ports(case: &mut Case) {
    assert_eq!(pages_of_both([case.ports[0], case.ports[1]]), case.both_pages());
}

/// The channels of one port have no end of their own, as at the kubelet: a local program learns the end
/// when both ports have ended.
fn two_ports_together(case: &mut Case) {
    let Some(option) = case.client.together else { return };
    let Case { client, endpoint, pod, .. } = *case;
    let (_forward, ports) = client.forward(endpoint, pod, Some(option), &[SITE, SECOND]);
    assert_eq!(pages_of_both([ports[0], ports[1]]), case.both_pages());
}

fn pages_of_both(ports: [u16; 2]) -> [Vec<u8>; 2] {
    thread::scope(|scope| {
        let pages = ports.map(|port| scope.spawn(move || page(port, "")));
        pages.map(|page| page.join().unwrap())
    })
}

fn half_close(case: &mut Case) {
    if !case.client.half_closes {
        return;
    }
    let mut half = TcpStream::connect(("127.0.0.1", case.ports[0])).unwrap();
    half.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    half.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    half.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(&case.page()), "{answer}");
}

fn aborted_download(case: &mut Case) {
    if !case.client.survives_abort {
        return;
    }
    let mut early = TcpStream::connect(("127.0.0.1", case.ports[0])).unwrap();
    early.set_read_timeout(Some(TEST_TIMEOUT)).unwrap();
    early.write_all(b"GET /big HTTP/1.0\r\n\r\n").unwrap();
    early.read_exact(&mut [0; 1000]).unwrap();
    drop(early);
    assert_eq!(page(case.ports[0], ""), case.page().as_bytes());
}

/// The words are a kubelet's. kubectl ends its session after them.
fn refused(case: &mut Case) {
    assert_eq!(page(case.ports[2], ""), b"");
    let words = format!("error forwarding port {NOBODY} to pod ");
    let line = case.forward.stderr_line("the error", |line| line.contains(&words));
    assert!(line.contains("efused"), "{line}");
}
