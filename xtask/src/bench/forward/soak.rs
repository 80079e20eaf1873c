//! `cargo xtask bench soak`: what thousands of connections leave behind in the forwarder, which is
//! to be nothing.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use procfs::process::Process;

use super::client::Load;
use super::pod::Pod;
use super::road::{Road, all, family};
use crate::bench::table::{column, draw};
use crate::dist;
use crate::setup;

/// How long the last connections may take to be cleaned up.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a forwarder holds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Held {
    fds: usize,
    threads: i64,
    children: usize,
}

/// Of one dialer.
struct Soaked {
    in_a_row_s: f64,
    at_once_s: f64,
    before: Held,
    after: Held,
    rss_before_mib: f64,
    rss_after_mib: f64,
}

pub(crate) fn run(in_a_row: u32, at_once: u32) -> Result<()> {
    setup::to_test()?;
    dist::build_binary()?;
    let pod = Pod::with_crowds()?;
    let roads: Vec<Road> =
        all(&pod)?.into_iter().filter(|road| road.name.starts_with("pfsnoop")).collect();
    let soaked: Result<Vec<Soaked>> =
        roads.iter().map(|road| soak(road, in_a_row, at_once)).collect();
    let soaked = soaked?;
    print(&roads, &soaked, in_a_row, at_once);
    for (road, soaked) in roads.iter().zip(&soaked) {
        ensure!(soaked.after == soaked.before, "{}: something remains", road.name);
    }
    Ok(())
}

fn soak(road: &Road, in_a_row: u32, at_once: u32) -> Result<Soaked> {
    let forwarder = road.forwarder_pid()?;
    // What the first connections make, such as memory that is kept for the next, is no leak.
    road.client(&Load::Count { clients: at_once, each: 1 })?;
    let idle = |expected: Option<Held>| settled(forwarder, expected);
    let (before, rss_before_mib) = (idle(None)?, rss_mib(forwarder)?);
    eprintln!("{}: {in_a_row} connections one after another", road.name);
    let in_a_row_s = road.client(&Load::Count { clients: 1, each: in_a_row })?.seconds;
    eprintln!("{}: {at_once} at once", road.name);
    let at_once_s = road.client(&Load::Count { clients: at_once, each: 1 })?.seconds;
    let after = idle(Some(before))?;
    let rss_after_mib = rss_mib(forwarder)?;
    Ok(Soaked { in_a_row_s, at_once_s, before, after, rss_before_mib, rss_after_mib })
}

/// What it holds once that is as expected, or no longer changes.
fn settled(pid: u32, expected: Option<Held>) -> Result<Held> {
    let deadline = Instant::now() + PATIENCE;
    let mut last = held(pid)?;
    loop {
        std::thread::sleep(Duration::from_secs(1));
        let now = held(pid)?;
        let is_settled = expected.map_or(now == last, |expected| now == expected);
        if is_settled || Instant::now() > deadline {
            return Ok(now);
        }
        last = now;
    }
}

fn held(pid: u32) -> Result<Held> {
    let process = Process::new(pid.cast_signed())?;
    let children = family(pid)?.len() - 1;
    Ok(Held { fds: process.fd_count()?, threads: process.stat()?.num_threads, children })
}

fn rss_mib(pid: u32) -> Result<f64> {
    let kib = Process::new(pid.cast_signed())?.status()?.vmrss.unwrap_or(0);
    Ok(kib as f64 / 1024.0)
}

fn print(roads: &[Road], soaked: &[Soaked], in_a_row: u32, at_once: u32) {
    let column = |title, decimals, of: fn(&Soaked) -> f64| column(title, decimals, soaked, of);
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
    let names: Vec<&str> = roads.iter().map(|road| road.name).collect();
    println!("{}", draw(&names, &columns));
    println!(
        "{in_a_row} connections one after another, then {at_once} at once, each with a request and \
         its whole answer. In brackets: the ratio to the first row."
    );
}
