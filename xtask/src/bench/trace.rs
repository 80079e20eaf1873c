//! `cargo xtask bench trace`: `pfsnoop exec` compared with other exec tracers.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use super::bpf::{Before, RunTimes};
use super::stats::{median, percentile};
use super::table::{column, draw};
use super::tracer::{Running, Tracer, all};
use super::{latency, storm};
use crate::dist;
use crate::setup;

/// Execs for the latency in each round.
const SAMPLES: u32 = 300;
/// Execs while the tracer is stopped, and execs of nsenter after them.
const STALLED_EXECS: u32 = 4000;
const STALLED_HELPERS: u32 = 5;
/// How long the tracer is stopped in all.
const STALL: Duration = Duration::from_secs(4);
/// Execs of each process in the storm of many arguments.
const LONG_EXECS: u32 = 500;
/// A tracer that prints nothing for this long has printed everything.
const QUIET: Duration = Duration::from_millis(1500);

/// What was measured of one tracer.
#[derive(Default)]
struct Measures {
    start_ms: Vec<f64>,
    bpf_us: Vec<f64>,
    storm_ratio: Vec<f64>,
    /// From exec to line, one value for each round.
    p50_ms: Vec<f64>,
    p99_ms: Vec<f64>,
    lost: f64,
    helpers_lost: f64,
    rss_mib: f64,
    maps_mib: f64,
    /// The most memory while others exec with many arguments.
    peak_mib: f64,
}

pub(crate) fn run(execs: u32, rounds: usize) -> Result<()> {
    setup::to_bench()?;
    dist::build_binary()?;
    let tracers = all();
    let mut measures: Vec<Measures> = tracers.iter().map(|_| Measures::default()).collect();
    // Each round measures every tracer once, so that noise on the machine meets all of them.
    for round in 0..rounds {
        for (tracer, measures) in tracers.iter().zip(&mut measures) {
            eprintln!("round {} of {rounds}: {}", round + 1, tracer.name);
            storms(tracer, execs, measures)?;
            latencies(tracer, measures)?;
        }
    }
    for (tracer, measures) in tracers.iter().zip(&mut measures) {
        eprintln!("losses of a stopped tracer: {}", tracer.name);
        stalled(tracer, measures)?;
        measures.peak_mib = peak_mib(tracer)?;
    }
    print(&tracers, &measures, execs, rounds);
    Ok(())
}

/// Start, cost of a storm, and memory after it.
fn storms(tracer: &Tracer, execs: u32, measures: &mut Measures) -> Result<()> {
    let untraced = storm::timed(execs, "untraced")?;
    let before = Before::now()?;
    let running = tracer.start()?;
    measures.start_ms.push(running.start.as_secs_f64() * 1000.0);
    let traced = storm::timed(execs, "traced")?;
    measures.storm_ratio.push(traced.as_secs_f64() / untraced.as_secs_f64());
    {
        // The measurement itself costs time, so it gets a storm of its own.
        let _run_times = RunTimes::enable()?;
        let ran = before.run_time_ns()?;
        storm::timed(execs, "measured")?;
        let ran = before.run_time_ns()? - ran;
        measures.bpf_us.push(ran as f64 / f64::from(execs) / 1000.0);
    }
    running.lines_until_quiet(Duration::from_millis(200));
    measures.rss_mib = running.rss_kib()? as f64 / 1024.0;
    measures.maps_mib = before.map_bytes()? as f64 / 1024.0 / 1024.0;
    Ok(())
}

fn latencies(tracer: &Tracer, measures: &mut Measures) -> Result<()> {
    let running = tracer.start()?;
    // pfsnoop wakes its reader at once for nsenter. Without a filter, the latency of other programs counts.
    let program = if is_filtered(tracer) { "/usr/bin/nsenter" } else { "/bin/true" };
    let samples = latency::samples(&running, program, SAMPLES)?;
    measures.p50_ms.push(median(&samples));
    measures.p99_ms.push(percentile(&samples, 99.0));
    Ok(())
}

fn is_filtered(tracer: &Tracer) -> bool {
    tracer.name.contains("-n nsenter")
}

/// Stops the tracer during a storm and counts what it does not show afterwards.
fn stalled(tracer: &Tracer, measures: &mut Measures) -> Result<()> {
    let running = tracer.start()?;
    running.signal("-STOP")?;
    let start = std::time::Instant::now();
    storm::timed(STALLED_EXECS, "stalled-mark")?;
    for _ in 0..STALLED_HELPERS {
        Command::new("/usr/bin/nsenter").args(["--version", "helper-mark"]).output()?;
    }
    std::thread::sleep(STALL.saturating_sub(start.elapsed()));
    running.signal("-CONT")?;
    let lines = lines_of(&running);
    let count = |mark: &str| lines.iter().filter(|line| is_exec_with(line, mark)).count() as f64;
    let happened = f64::from(STALLED_EXECS);
    measures.lost =
        if is_filtered(tracer) { f64::NAN } else { happened - count("true stalled-mark") };
    measures.helpers_lost = f64::from(STALLED_HELPERS) - count("helper-mark");
    Ok(())
}

/// The most resident memory of the tracer while six processes exec with 32,000 arguments each. A peak at
/// the start does not count.
fn peak_mib(tracer: &Tracer) -> Result<f64> {
    let running = tracer.start()?;
    running.forget_peak()?;
    storm::of_arguments(LONG_EXECS)?;
    running.lines_until_quiet(Duration::from_millis(200));
    Ok(running.peak_kib()? as f64 / 1024.0)
}

fn lines_of(running: &Running) -> Vec<String> {
    running.lines_until_quiet(QUIET).iter().map(|line| line.replace("\",\"", " ")).collect()
}

/// The command line of the storm itself holds the marker too, and does not count.
fn is_exec_with(line: &str, mark: &str) -> bool {
    line.contains(mark) && !line.contains(" storm ")
}

fn print(tracers: &[Tracer], measures: &[Measures], execs: u32, rounds: usize) {
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, measures, of);
    let columns = [
        column("BPF us/exec", 2, |m| median(&m.bpf_us)),
        column("storm/untraced", 2, |m| median(&m.storm_ratio)),
        column("start ms", 0, |m| median(&m.start_ms)),
        column("line p50 ms", 2, |m| median(&m.p50_ms)),
        column("line p99 ms", 2, |m| median(&m.p99_ms)),
        column("stalled: lost", 0, |m| m.lost),
        column("helpers lost", 0, |m| m.helpers_lost),
        column("RSS MiB", 1, |m| m.rss_mib),
        column("maps MiB", 1, |m| m.maps_mib),
        column("long args: peak MiB", 1, |m| m.peak_mib),
    ];
    let names: Vec<&str> = tracers.iter().map(|tracer| tracer.name).collect();
    println!("{}", draw(&names, &columns));
    println!(
        "In brackets: the ratio to the first row. Medians of {rounds} rounds of {execs} execs; \
         latency of {SAMPLES} execs in each round, the call of exec included (nsenter with a filter, else \
         true); stalled: lost of {STALLED_EXECS} execs and of {STALLED_HELPERS} of nsenter while the tracer is stopped for {} s; \
         long args: resident memory while 6 processes run {LONG_EXECS} programs each, with 32,000 arguments.",
        STALL.as_secs()
    );
}
