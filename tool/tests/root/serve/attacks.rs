//! Attacks on the endpoint, while a client forwards through it.

use std::time::{Duration, Instant};

use super::attacker::{Attacker, CHANNELS, Frames, SPDY, bomb, data, ping, syn_stream};
use super::endpoint::{Endpoint, PODS, Pods, page, wait_for_servers};
use crate::common::eventually;
use crate::common::running::Running;
use crate::support::memory::Memory;

/// How much the endpoint may grow, KiB. The shipped binary takes less than 16 MiB without clients, so it
/// stays below 64 MiB.
const MAX_GROWTH: u64 = 48 * 1024;

/// A pod of Docker.
const POD: (&str, &str) = PODS[1];

/// An endpoint, a client that goes on, and the memory before the attack.
struct Attacked {
    endpoint: Endpoint,
    kubectl: Running,
    port: u16,
    _pods: Pods,
}

impl Attacked {
    fn start(name: &str) -> Self {
        let pods = Pods::start(name);
        std::fs::write(format!("/proc/{}/root/www/big", pods.plain), vec![b'x'; BIG]).unwrap();
        let endpoint = pods.serve(&["--dialer", "native"]);
        wait_for_servers(&endpoint);
        let (kubectl, ports) = endpoint.forward("forky", POD, &[8080]);
        assert_eq!(page(ports[0], ""), b"plain\n");
        Self { endpoint, kubectl, port: ports[0], _pods: pods }
    }

    /// Runs an attack. The client goes on during and after it, and the endpoint hardly grows.
    fn survives(&mut self, what: &str, attack: impl FnOnce(&Endpoint) -> Vec<Attacker>) {
        eprintln!("attack: {what}");
        let pid = self.endpoint.running.pid();
        // The peak counts from here (proc(5), clear_refs).
        std::fs::write(format!("/proc/{pid}/clear_refs"), "5").unwrap();
        let before = Memory::of(pid).peak;
        let attackers = attack(&self.endpoint);
        assert_eq!(page(self.port, ""), b"plain\n", "{what}: the client, meanwhile");
        drop(attackers);
        assert_eq!(page(self.port, ""), b"plain\n", "{what}: the client, afterwards");
        // What it gave back meanwhile may be more.
        let growth = Memory::of(pid).peak.saturating_sub(before);
        assert!(growth < MAX_GROWTH, "{what}: it grew by {growth} KiB");
        eprintln!("attack: {what}: it grew by {growth} KiB");
        assert!(!self.kubectl.has_exited(), "{what}: kubectl has ended");
    }
}

/// What a server sends to a client that reads nothing.
const BIG: usize = 24 * 1024 * 1024;

#[test]
fn heads_and_frames_without_end_are_turned_away() {
    let mut attacked = Attacked::start("serve-attacks-heads");
    attacked.survives("a head of 100 MB, without the token", |endpoint| {
        let mut attacker = Attacker::connect(endpoint);
        attacker.send(b"GET /version HTTP/1.1\r\nHost: x\r\nX: ");
        assert!(!send_in_pieces(&mut attacker, 100_000_000), "all of it was taken");
        attacker.is_turned_away();
        vec![attacker]
    });
    attacked.survives("a header block of 16 MB", |endpoint| {
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, SPDY);
        attacker.send(&syn_stream(1, &vec![0; 0x00ff_ff00]));
        attacker.is_turned_away();
        vec![attacker]
    });
    attacked.survives("a zlib bomb", |endpoint| {
        let block = bomb(10 << 20);
        assert!(block.len() < 16 * 1024, "{} bytes: a long block is refused anyway", block.len());
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, SPDY);
        attacker.send(&syn_stream(1, &block));
        attacker.is_turned_away();
        vec![attacker]
    });
    attacked.survives("garbage after the upgrade", |endpoint| {
        let upgrades = [SPDY, CHANNELS].map(|headers| {
            let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, headers);
            attacker.send(&[0xff; 16 * 1024]);
            attacker.is_turned_away();
            attacker
        });
        upgrades.into()
    });
    attacked.survives("a message of an exabyte", |endpoint| {
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, CHANNELS);
        // A masked binary message with a length of 2^60 (RFC 6455, 5.2).
        attacker.send(&[0x82, 0xff, 0x10, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]);
        send_in_pieces(&mut attacker, 4_000_000);
        attacker.is_turned_away();
        vec![attacker]
    });
}

#[test]
fn streams_without_number_are_bounded() {
    let mut attacked = Attacked::start("serve-attacks-streams");
    attacked.survives("100,000 streams", |endpoint| {
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, SPDY);
        let mut frames = Frames::new();
        for number in 0..100_000 {
            if !attacker.send(&frames.stream(2 * number + 1, "data", 8080, number)) {
                break;
            }
        }
        vec![attacker]
    });
    attacked.survives("a million pings", |endpoint| {
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, SPDY);
        let all: Vec<u8> = (0..1_000_000).flat_map(|number| ping(2 * number + 1)).collect();
        attacker.send(&all);
        vec![attacker]
    });
    attacked.survives("100 downloads that nobody reads", |endpoint| {
        let mut attacker = Attacker::connect_and_read_nothing(endpoint);
        attacker = attacker.upgrade(endpoint, POD, SPDY);
        let mut frames = Frames::new();
        for number in 0..100 {
            let id = 4 * number + 1;
            attacker.send(&frames.stream(id, "error", 8080, number));
            attacker.send(&frames.stream(id + 2, "data", 8080, number));
            attacker.send(&data(id + 2, b"GET /big HTTP/1.0\r\n\r\n"));
        }
        eventually("their connections", || {
            let lines = endpoint.running.stdout();
            let is_it = |line: &&String| line.starts_with("Handling connection for port 8080");
            (lines.iter().filter(is_it).count() > 100).then_some(())
        });
        // The servers fill what there is.
        std::thread::sleep(Duration::from_secs(3));
        vec![attacker]
    });
    attacked.survives("an upload that no server takes", |endpoint| {
        let mut attacker = Attacker::connect(endpoint).upgrade(endpoint, POD, SPDY);
        let mut frames = Frames::new();
        // Only one stream of the pair.
        attacker.send(&frames.stream(1, "data", 8080, 0));
        for _ in 0..4000 {
            if !attacker.send(&data(1, &[0; 16 * 1024])) {
                break;
            }
        }
        vec![attacker]
    });
}

#[test]
fn a_connection_without_a_request_ends_after_15_seconds() {
    let mut attacked = Attacked::start("serve-attacks-silence");
    attacked.survives("TLS without a request", |endpoint| {
        let start = Instant::now();
        let mut attackers: Vec<_> = (0..20).map(|_| Attacker::connect(endpoint)).collect();
        // One that begins a request, and adds a byte now and then, has no more time.
        assert!(attackers[0].send(b"GET /version HTTP/1.1\r\nX: "));
        while start.elapsed() < Duration::from_secs(14) {
            assert!(attackers[0].send(b"x"), "after {:?}", start.elapsed());
            std::thread::sleep(Duration::from_millis(500));
        }
        attackers.iter_mut().for_each(Attacker::is_turned_away);
        assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
        attackers
    });
}

/// Whether the endpoint took all of it.
fn send_in_pieces(attacker: &mut Attacker, length: usize) -> bool {
    let piece = vec![b'x'; 64 * 1024];
    (0..length / piece.len()).all(|_| attacker.send(&piece))
}
