//! `cargo xtask bench watch`: how much `pfsnoop watch` slows down connections and execs that do not
//! belong to a port-forward, and how much memory and time it takes with many sessions.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::bpf::Before;
use super::clock::monotonic_ns;
use super::cost::{CONNECTIONS, Cost, EXECS, connect_often};
use super::netns::inside;
use super::stats::percentile;
use super::table::{Column, draw};
use super::tracer::{Running, Tracer};
use crate::dist;
use crate::setup;

/// Sessions whose end is timed.
const SAMPLES: u32 = 300;
/// Sessions after which memory should not grow any more.
const WARM: u32 = 5000;
/// Bounds how long a row takes to appear.
const ROW_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) fn run(sessions: u32) -> Result<()> {
    setup::to_bench()?;
    dist::build_binary()?;
    let untraced = connect_often()?;
    let before = Before::now()?;
    let watch = Tracer::pfsnoop("pfsnoop watch", &["watch"]).start()?;
    let watched = connect_often()?;
    let cost = Cost::of_what_came_since(&before)?;
    eprintln!("{SAMPLES} sessions for their latency, then {sessions} for the memory");
    let maps_mib = before.map_bytes()? as f64 / 1024.0 / 1024.0;
    // A connection to a server in there is, to the kernel programs, a native forward by this process.
    let (latencies, warm, full) = inside(move || many_sessions(&watch, sessions))?;
    let one = |title, decimals, values: [Option<f64>; 2]| Column {
        title,
        decimals,
        values: values.into(),
    };
    let columns = [
        one("connections/s", 0, [Some(untraced), Some(watched)]),
        one("BPF ns/connection", 0, [None, Some(cost.ns_a_connection)]),
        one("BPF ns/exec", 0, [None, Some(cost.ns_an_exec)]),
        one("end to row p50 ms", 2, [None, Some(percentile(&latencies, 50.0))]),
        one("p99 ms", 2, [None, Some(percentile(&latencies, 99.0))]),
        one("RSS MiB, warm", 1, [None, Some(warm)]),
        one("RSS MiB, full", 1, [None, Some(full)]),
        one("maps MiB", 1, [None, Some(maps_mib)]),
    ];
    println!("{}", draw(&["untraced", "pfsnoop watch"], &columns));
    println!(
        "{CONNECTIONS} ordinary connections with both ends on this node; {EXECS} execs of a \
         program that is neither nsenter nor socat; {SAMPLES} native sessions, from the close of the \
         socket to the row; memory after {WARM} and after {sessions} sessions."
    );
    Ok(())
}

/// Returns the latencies in ms, and the MiB of memory when warm and at the end.
fn many_sessions(watch: &Running, sessions: u32) -> Result<(Vec<f64>, f64, f64)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut latencies = Vec::new();
    for n in 0..SAMPLES {
        latencies.push(one_session(watch, &listener)?);
        // An uneven pause, so that the sessions do not fall into step with a timer.
        std::thread::sleep(Duration::from_micros(7300 + u64::from(n % 7) * 1100));
    }
    let mut warm = 0.0;
    for n in 1..=sessions {
        let client = TcpStream::connect(listener.local_addr()?)?;
        drop(listener.accept()?);
        drop(client);
        if n % 100 == 0 {
            watch.lines_until_quiet(Duration::ZERO);
        }
        if n == WARM.min(sessions) {
            warm = settled_rss(watch)?;
        }
    }
    Ok((latencies, warm, settled_rss(watch)?))
}

fn settled_rss(watch: &Running) -> Result<f64> {
    watch.lines_until_quiet(Duration::from_millis(500));
    Ok(watch.rss_kib()? as f64 / 1024.0)
}

/// Milliseconds from the close of a session's socket until its row is read.
fn one_session(watch: &Running, listener: &TcpListener) -> Result<f64> {
    let client = TcpStream::connect(listener.local_addr()?)?;
    let (server, _) = listener.accept()?;
    watch.lines_until_quiet(Duration::from_millis(5));
    let closed_at = monotonic_ns();
    drop(client);
    let deadline = Instant::now() + ROW_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = watch.next_line(left).context("the session's end was not shown")?;
        if line.text.contains(" ok ") {
            drop(server);
            return Ok(line.at_ns.saturating_sub(closed_at) as f64 / 1e6);
        }
        if line.text.contains(" failed ") {
            bail!("the session failed: {}", line.text);
        }
    }
}
