//! `cargo xtask bench sockmap`: a relay by a BPF sockmap beside ours by splice(2), and beside none:
//! why pfsnoop has no sockmap.

mod overlap;
mod relay;

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use procfs::{Current as _, Meminfo};

use super::netns::inside;
use super::stats::{median, percentile};
use super::table::{column, draw};
use crate::dist;
use crate::run::{cargo, shown};
use crate::setup;
use relay::Relay;

/// Size of a download, and the most that a client that does not read is sent.
const GIB: usize = 1 << 30;
const MIB: f64 = 1024.0 * 1024.0;
/// Bytes that are written at once.
const CHUNK: usize = 256 * 1024;
/// After so long without room for another byte, there will be none.
const STALLED: Duration = Duration::from_secs(1);

/// What was measured of one relay.
#[derive(Default)]
struct Measures {
    gib_per_s: Vec<f64>,
    taken_mib: Vec<f64>,
    held_mib: Vec<f64>,
    received: Vec<f64>,
}

pub(crate) fn run(rounds: usize) -> Result<()> {
    setup::everything()?;
    dist::build_binary()?;
    shown(&mut cargo(&["build", "--release", "--package", "pfsnoop", "--example", "sockmap"]))?;
    inside(|| {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let relays = relay::all(&server)?;
        let mut measures: Vec<Measures> = relays.iter().map(|_| Measures::default()).collect();
        for round in 0..rounds {
            for (relay, measures) in relays.iter().zip(&mut measures) {
                eprintln!("round {} of {rounds}: {}", round + 1, relay.name);
                one_round(relay, &server, measures)?;
            }
        }
        print(&relays, &measures, rounds);
        Ok(())
    })
}

fn one_round(relay: &Relay, server: &TcpListener, measures: &mut Measures) -> Result<()> {
    let (near, far) = relay.connect(server)?;
    measures.gib_per_s.push(1.0 / download(near, far)?);
    let (near, far) = relay.connect(server)?;
    measures.received.push(overlap::received(near, far)? as f64);
    let (near, far) = relay.connect(server)?;
    let (taken, held) = stall(near, far)?;
    measures.taken_mib.push(taken / MIB);
    measures.held_mib.push(held / MIB);
    Ok(())
}

/// Seconds that the download takes.
fn download(mut client: TcpStream, mut server: TcpStream) -> Result<f64> {
    let start = Instant::now();
    std::thread::scope(|scope| {
        let sender = scope.spawn(move || -> Result<TcpStream> {
            let chunk = vec![0; CHUNK];
            for _ in 0..GIB / CHUNK {
                server.write_all(&chunk)?;
            }
            Ok(server)
        });
        receive(&mut client, GIB)?;
        let seconds = start.elapsed().as_secs_f64();
        sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(seconds)
    })
}

/// Bytes that the server gets rid of while the client reads none, and the memory that they take.
fn stall(mut client: TcpStream, mut server: TcpStream) -> Result<(f64, f64)> {
    let (before, chunk) = (available()?, vec![0; CHUNK]);
    server.set_write_timeout(Some(STALLED))?;
    let mut taken = 0;
    while taken < GIB {
        match server.write(&chunk) {
            Ok(bytes) => taken += bytes,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error.into()),
        }
    }
    let held = before.saturating_sub(available()?);
    // None was thrown away.
    receive(&mut client, taken)?;
    Ok((taken as f64, held as f64))
}

fn receive(client: &mut TcpStream, bytes: usize) -> Result<()> {
    let (mut buffer, mut received) = (vec![0; CHUNK], 0);
    while received < bytes {
        let read = client.read(&mut buffer)?;
        ensure!(read > 0, "{received} bytes came of {bytes}");
        received += read;
    }
    Ok(())
}

/// Bytes of memory that this node has left, with those on the CPUs' own lists of free pages, which
/// the kernel does not count and which may be hundreds of MiB.
fn available() -> Result<u64> {
    let left = Meminfo::current()?.mem_available.context("an old kernel")?;
    let zones = std::fs::read_to_string("/proc/zoneinfo")?;
    let listed = zones.lines().filter_map(|line| line.trim().strip_prefix("count:"));
    let pages: u64 = listed.filter_map(|count| count.trim().parse::<u64>().ok()).sum();
    Ok(left + pages * procfs::page_size())
}

fn print(relays: &[Relay], measures: &[Measures], rounds: usize) {
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, measures, of);
    let columns = [
        column("GiB/s", 2, |m| median(&m.gib_per_s)),
        column("slowest", 2, |m| percentile(&m.gib_per_s, 0.0)),
        column("fastest", 2, |m| percentile(&m.gib_per_s, 100.0)),
        column("stalled: MiB taken", 1, |m| median(&m.taken_mib)),
        column("MiB of memory", 0, |m| median(&m.held_mib)),
        column("overlap: bytes received", 0, |m| median(&m.received)),
    ];
    let names: Vec<&str> = relays.iter().map(|relay| relay.name).collect();
    println!("{}", draw(&names, &columns));
    println!(
        "In brackets: the ratio to the first row. Medians of {rounds} rounds: 1 GiB in one download; \
         of 1 GiB for a client that reads nothing, what the server is rid of, and what the node has \
         less of memory then; of {} bytes with a segment that overlaps, what the client receives.",
        overlap::ALL,
    );
}
