//! The two halves of the benchmark: outside and inside of the node.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::containerd::Containerd;
use super::figures::{Measures, print};
use super::node;
use super::route::{ROUTES, Route, RunningRoute};
use crate::bench::forward::GIB;
use crate::bench::forward::client::{Held, Load, Outcome};
use crate::bench::usage::{pss_mib, rss_and_peak_mib, settled};
use crate::cgroups::Cgroups;
use crate::dist;
use crate::guard;
use crate::run::stdout_of;
use crate::setup;

/// How long clients make requests in each round.
pub(super) const LOAD_TIME: Duration = Duration::from_secs(3);
/// Clients that make requests at the same time.
pub(super) const CLIENTS: u32 = 4;
/// Open streams while the memory is measured.
pub(super) const HELD: u32 = 100;

/// A helper's CPU time counts for its parent once the parent has reaped it.
const REAP_TIME: Duration = Duration::from_millis(700);

/// Outside: gets the programs, and runs the other half in a node of its own.
pub(crate) fn run(rounds: usize) -> Result<()> {
    let uid = stdout_of(Command::new("id").arg("-u"))?;
    ensure!(uid.trim() == "0", "the benchmark needs containers and namespaces; run this as root");
    setup::to_bench()?;
    dist::build_binary()?;
    let cgroups = Cgroups::make("bench")?;
    let inside = node::command(cgroups.name(), rounds);
    let ran = inside.and_then(|mut inside| guard::run(inside.stdin(Stdio::null())));
    // Only now: a cgroup with processes cannot be removed.
    cgroups.remove()?;
    ran
}

/// Inside: starts everything, measures, and prints the tables.
pub(crate) fn run_inside(cgroup: &str, rounds: usize) -> Result<()> {
    let containerd = Containerd::start(cgroup)?;
    let mut measures: Vec<Measures> = ROUTES.iter().map(|_| Measures::default()).collect();
    for round in 0..rounds {
        for (route, measures) in ROUTES.iter().zip(&mut measures) {
            eprintln!("round {} of {rounds}: {}", round + 1, route.name);
            one_round(*route, &containerd, measures).context(route.name)?;
        }
    }
    print(&measures, rounds);
    Ok(())
}

/// No other server runs meanwhile: each pfsnoop also watches what the others do.
fn one_round(route: Route, containerd: &Containerd, measures: &mut Measures) -> Result<()> {
    let route = route.start(containerd)?;
    speed(&route, measures)?;
    memory(&route, measures)
}

fn speed(route: &RunningRoute, measures: &mut Measures) -> Result<()> {
    // The first request of a pause does not count.
    load(route, &Load::Count { clients: 1, each: 3 })?;
    let before = route.cpu()?;
    let download = load(route, &Load::Download { first: true })?;
    ensure!(download.bytes == GIB, "{} bytes arrived of {GIB}", download.bytes);
    std::thread::sleep(REAP_TIME);
    measures.mib_per_s.push(1024.0 / download.seconds);
    measures.cpu_ms_per_gib.push(route.cpu()?.since(before, 1e3));
    let requests = |clients, first| Load::Requests { clients, seconds: LOAD_TIME.as_secs(), first };
    let before = route.cpu()?;
    let many = load(route, &requests(CLIENTS, true))?;
    std::thread::sleep(REAP_TIME);
    let count = many.latencies_ms.len() as f64;
    measures.requests_per_s.push(count / many.seconds);
    measures.cpu_us_per_request.push(route.cpu()?.since(before, 1e6 / count));
    measures.latencies_ms.extend(load(route, &requests(1, true))?.latencies_ms);
    let closed = load(route, &requests(CLIENTS, false))?;
    measures.server_closes_per_s.push(closed.latencies_ms.len() as f64 / closed.seconds);
    Ok(())
}

fn load(route: &RunningRoute, load: &Load) -> Result<Outcome> {
    let outcome = load.run(&mut load.command(route.kubectl.port)?);
    outcome.with_context(|| format!("kubectl:{}", route.kubectl.complaints()))
}

fn memory(route: &RunningRoute, measures: &mut Measures) -> Result<()> {
    let mut client = Load::Hold { connections: HELD }.command(route.kubectl.port)?;
    let held = Held::open(&mut client)?;
    measures.family_mib.push(settled(|| pss_mib(route.server))?);
    let (rss, peak) = rss_and_peak_mib(route.server)?;
    measures.rss_mib.push(rss);
    measures.peak_mib.push(peak);
    held.close()
}
