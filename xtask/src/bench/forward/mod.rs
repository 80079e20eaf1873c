//! `cargo xtask bench forward`: both dialers beside a forwarder that is built from socat, and beside
//! no forwarder at all.

pub(crate) mod client;
mod pod;
mod route;
mod soak;

pub(crate) use pod::{Pod, serve as run_serve};
pub(crate) use soak::run as run_soak;

use std::time::Duration;

use anyhow::{Result, ensure};

use super::stats::{median, percentile};
use super::table::{column, draw};
use crate::dist;
use crate::setup;
use client::Load;
use route::{Route, all};

/// Size of a download.
pub(super) const GIB: u64 = 1 << 30;
/// How long clients make requests in each round.
const LOAD_TIME: Duration = Duration::from_secs(3);
/// Clients that make requests at the same time.
const CLIENTS: u32 = 4;
/// Open connections while the memory is measured.
const HELD: u32 = 300;

/// The measurements of one route.
#[derive(Default)]
struct Measures {
    gib_per_s: Vec<f64>,
    cpu_s_per_gib: Vec<f64>,
    requests_per_s: Vec<f64>,
    latencies_ms: Vec<f64>,
    held_mib: f64,
}

pub(crate) fn run(rounds: usize) -> Result<()> {
    setup::to_bench()?;
    dist::build_binary()?;
    let pod = Pod::with_busybox(GIB)?;
    let routes = all(&pod)?;
    let mut measures: Vec<Measures> = routes.iter().map(|_| Measures::default()).collect();
    // The first download does not count: it brings the file into memory.
    routes[0].client(&Load::Download { first: false })?;
    for round in 0..rounds {
        for (route, measures) in routes.iter().zip(&mut measures) {
            eprintln!("round {} of {rounds}: {}", round + 1, route.name);
            one_round(route, measures)?;
        }
    }
    for (route, measures) in routes.iter().zip(&mut measures) {
        measures.held_mib = route.memory_with(HELD)?;
    }
    print(&routes, &measures, rounds);
    Ok(())
}

fn one_round(route: &Route, measures: &mut Measures) -> Result<()> {
    let requests = |clients| Load::Requests { clients, seconds: LOAD_TIME.as_secs(), first: false };
    let cpu_before = route.cpu_seconds()?;
    let download = route.client(&Load::Download { first: false })?;
    ensure!(download.bytes == GIB, "{}: {} bytes arrived of {GIB}", route.name, download.bytes);
    measures.gib_per_s.push(1.0 / download.seconds);
    // A helper's CPU time counts for its parent once the parent has reaped it.
    std::thread::sleep(Duration::from_millis(700));
    measures.cpu_s_per_gib.push(route.cpu_seconds()? - cpu_before);
    let load = route.client(&requests(CLIENTS))?;
    measures.requests_per_s.push(load.latencies_ms.len() as f64 / load.seconds);
    let one = route.client(&requests(1))?;
    measures.latencies_ms.extend(one.latencies_ms);
    Ok(())
}

fn print(routes: &[Route], measures: &[Measures], rounds: usize) {
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, measures, of);
    let columns = [
        column("GiB/s", 2, |m| median(&m.gib_per_s)),
        column("requests/s", 0, |m| median(&m.requests_per_s)),
        column("request p50 ms", 2, |m| percentile(&m.latencies_ms, 50.0)),
        column("p99 ms", 2, |m| percentile(&m.latencies_ms, 99.0)),
        column("CPU s/GiB", 2, |m| median(&m.cpu_s_per_gib)),
        column("MiB at 300", 1, |m| m.held_mib),
    ];
    let names: Vec<&str> = routes.iter().map(|route| route.name).collect();
    println!("{}", draw(&names, &columns));
    let to_chain = |of: fn(&Measures) -> &Vec<f64>| {
        let by_name = |name| routes.iter().zip(measures).find(|(route, _)| route.name == name);
        let value = |name| by_name(name).map_or(f64::NAN, |(_, m)| median(of(m)));
        value(route::NSENTER) / value(route::CHAIN)
    };
    println!(
        "In brackets: the ratio to the first row. {} moves {:.2} times the bytes and {:.1} times the requests of the chain.\n\
         Medians of {rounds} rounds: 1 GiB in one download; short HTTP/1.0 requests for {} s by {CLIENTS} clients, and by one; \
         CPU time and memory (proportional set size, with {HELD} connections open) of the forwarder and its helpers.",
        route::NSENTER,
        to_chain(|m| &m.gib_per_s),
        to_chain(|m| &m.requests_per_s),
        LOAD_TIME.as_secs(),
    );
}
