//! `cargo xtask bench forward`: our roads beside the one that people build from socat, and beside no
//! forwarder at all.

pub(crate) mod client;
mod pod;
mod road;
mod soak;

pub(crate) use pod::serve as run_serve;
pub(crate) use soak::run as run_soak;

use std::time::Duration;

use anyhow::{Result, ensure};

use super::stats::{median, percentile};
use super::table::{column, draw};
use crate::dist;
use crate::setup;
use client::Load;
use pod::Pod;
use road::{Road, all};

/// Size of a download.
const GIB: u64 = 1 << 30;
/// How long requests are made, in each round.
const LOADED: Duration = Duration::from_secs(3);
/// Clients that make them.
const CLIENTS: u32 = 4;
/// Connections that are open when memory is measured.
const HELD: u32 = 300;

/// What was measured of one road.
#[derive(Default)]
struct Measures {
    gib_per_s: Vec<f64>,
    cpu_s_per_gib: Vec<f64>,
    requests_per_s: Vec<f64>,
    latencies_ms: Vec<f64>,
    held_mib: f64,
}

pub(crate) fn run(rounds: usize) -> Result<()> {
    setup::to_test()?;
    dist::build_binary()?;
    let pod = Pod::with_busybox(GIB)?;
    let roads = all(&pod)?;
    let mut measures: Vec<Measures> = roads.iter().map(|_| Measures::default()).collect();
    // Once before anything counts: the file comes from memory from here on.
    roads[0].client(&Load::Download)?;
    for round in 0..rounds {
        for (road, measures) in roads.iter().zip(&mut measures) {
            eprintln!("round {} of {rounds}: {}", round + 1, road.name);
            one_round(road, measures)?;
        }
    }
    for (road, measures) in roads.iter().zip(&mut measures) {
        measures.held_mib = road.memory_with(HELD)?;
    }
    print(&roads, &measures, rounds);
    Ok(())
}

fn one_round(road: &Road, measures: &mut Measures) -> Result<()> {
    let cpu_before = road.cpu_seconds()?;
    let download = road.client(&Load::Download)?;
    ensure!(download.bytes == GIB, "{}: {} bytes came of {GIB}", road.name, download.bytes);
    measures.gib_per_s.push(1.0 / download.seconds);
    // Helpers are counted once they have been reaped.
    std::thread::sleep(Duration::from_millis(700));
    measures.cpu_s_per_gib.push(road.cpu_seconds()? - cpu_before);
    let load = road.client(&Load::Requests { clients: CLIENTS, seconds: LOADED.as_secs() })?;
    measures.requests_per_s.push(load.latencies_ms.len() as f64 / load.seconds);
    let one = road.client(&Load::Requests { clients: 1, seconds: LOADED.as_secs() })?;
    measures.latencies_ms.extend(one.latencies_ms);
    Ok(())
}

fn print(roads: &[Road], measures: &[Measures], rounds: usize) {
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, measures, of);
    let columns = [
        column("GiB/s", 2, |m| median(&m.gib_per_s)),
        column("requests/s", 0, |m| median(&m.requests_per_s)),
        column("request p50 ms", 2, |m| percentile(&m.latencies_ms, 50.0)),
        column("p99 ms", 2, |m| percentile(&m.latencies_ms, 99.0)),
        column("CPU s/GiB", 2, |m| median(&m.cpu_s_per_gib)),
        column("MiB at 300", 1, |m| m.held_mib),
    ];
    let names: Vec<&str> = roads.iter().map(|road| road.name).collect();
    println!("{}", draw(&names, &columns));
    let to_chain = |of: fn(&Measures) -> &Vec<f64>| {
        let by_name = |name| roads.iter().zip(measures).find(|(road, _)| road.name == name);
        let value = |name| by_name(name).map_or(f64::NAN, |(_, m)| median(of(m)));
        value(road::NSENTER) / value(road::CHAIN)
    };
    println!(
        "In brackets: the ratio to the first row. {} to the chain: {:.2} of its bytes, {:.1} times its requests.\n\
         Medians of {rounds} rounds: 1 GiB in one download; short requests of HTTP/1.0 for {} s by {CLIENTS} clients, and by one; \
         CPU time and memory (proportional set size, with {HELD} connections open) of the forwarder and its helpers.",
        road::NSENTER,
        to_chain(|m| &m.gib_per_s),
        to_chain(|m| &m.requests_per_s),
        LOADED.as_secs(),
    );
}
