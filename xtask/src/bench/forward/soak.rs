//! `cargo xtask bench soak`: checks that thousands of connections leave nothing behind in the
//! forwarder.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use procfs::process::Process;

use super::client::Load;
use super::pod::Pod;
use super::route::{Route, all};
use crate::bench::table::{column, draw};
use crate::bench::usage::{family, rss_and_peak_mib};
use crate::dist;
use crate::setup;

/// Bounds how long the forwarder takes to clean up after the last connections.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a forwarder uses.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Resources {
    fds: usize,
    threads: i64,
    children: usize,
}

/// The measurements of one dialer.
struct Measures {
    in_a_row_s: f64,
    at_once_s: f64,
    before: Resources,
    after: Resources,
    rss_before_mib: f64,
    rss_after_mib: f64,
}

pub(crate) fn run(in_a_row: u32, at_once: u32) -> Result<()> {
    setup::to_bench()?;
    dist::build_binary()?;
    let pod = Pod::with_own_server()?;
    let routes: Vec<Route> =
        all(&pod)?.into_iter().filter(|route| route.name.starts_with("pfsnoop")).collect();
    let soaked: Result<Vec<Measures>> =
        routes.iter().map(|route| soak(route, in_a_row, at_once)).collect();
    let soaked = soaked?;
    print(&routes, &soaked, in_a_row, at_once);
    for (route, soaked) in routes.iter().zip(&soaked) {
        ensure!(
            soaked.after == soaked.before,
            "{}: the forwarder does not use what it used before",
            route.name
        );
    }
    Ok(())
}

fn soak(route: &Route, in_a_row: u32, at_once: u32) -> Result<Measures> {
    let forwarder = route.forwarder_pid()?;
    // What the first connections leave behind for later ones, such as memory, is no leak.
    route.client(&Load::Count { clients: at_once, each: 1 })?;
    let idle = |expected: Option<Resources>| settled(forwarder, expected);
    let (before, rss_before_mib) = (idle(None)?, rss_mib(forwarder)?);
    eprintln!("{}: {in_a_row} connections one after another", route.name);
    let in_a_row_s = route.client(&Load::Count { clients: 1, each: in_a_row })?.seconds;
    eprintln!("{}: {at_once} connections at once", route.name);
    let at_once_s = route.client(&Load::Count { clients: at_once, each: 1 })?.seconds;
    let after = idle(Some(before))?;
    let rss_after_mib = rss_mib(forwarder)?;
    Ok(Measures { in_a_row_s, at_once_s, before, after, rss_before_mib, rss_after_mib })
}

/// What the forwarder uses once that is as expected, or no longer changes.
fn settled(pid: u32, expected: Option<Resources>) -> Result<Resources> {
    let deadline = Instant::now() + SETTLE_TIMEOUT;
    let mut last = resources(pid)?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = resources(pid)?;
        let is_settled = expected.map_or(now == last, |expected| now == expected);
        if is_settled || Instant::now() > deadline {
            return Ok(now);
        }
        last = now;
    }
}

fn resources(pid: u32) -> Result<Resources> {
    let process = Process::new(pid.cast_signed())?;
    let children = family(pid)?.len() - 1;
    Ok(Resources { fds: process.fd_count()?, threads: process.stat()?.num_threads, children })
}

fn rss_mib(pid: u32) -> Result<f64> {
    Ok(rss_and_peak_mib(pid)?.0)
}

fn print(routes: &[Route], soaked: &[Measures], in_a_row: u32, at_once: u32) {
    let column = |title, decimals, of: fn(&Measures) -> f64| column(title, decimals, soaked, of);
    let columns = [
        column("in a row s", 1, |s| s.in_a_row_s),
        column("at once s", 2, |s| s.at_once_s),
        column("fds before", 0, |s| s.before.fds as f64),
        column("after", 0, |s| s.after.fds as f64),
        column("threads before", 0, |s| s.before.threads as f64),
        column("after", 0, |s| s.after.threads as f64),
        column("children before", 0, |s| s.before.children as f64),
        column("after", 0, |s| s.after.children as f64),
        column("RSS MiB before", 1, |s| s.rss_before_mib),
        column("after", 1, |s| s.rss_after_mib),
    ];
    let names: Vec<&str> = routes.iter().map(|route| route.name).collect();
    println!("{}", draw(&names, &columns));
    println!(
        "{in_a_row} connections one after another, then {at_once} at once; each makes a request and \
         reads the whole answer. In brackets: the ratio to the first row."
    );
}
