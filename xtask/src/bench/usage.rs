//! What processes use: CPU time and memory.

use std::time::Duration;

use anyhow::{Result, bail};
use procfs::process::{Process, all_processes};

/// CPU time in seconds of a process and of the children that it has reaped.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let stat = Process::new(pid.cast_signed())?.stat()?;
    let ticks = stat.utime + stat.stime;
    let children = stat.cutime + stat.cstime;
    Ok((ticks + children.unsigned_abs()) as f64 / procfs::ticks_per_second() as f64)
}

/// A process and all of its descendants.
pub(crate) fn family(root: u32) -> Result<Vec<i32>> {
    let mut family = vec![root.cast_signed()];
    let parents: Vec<(i32, i32)> = all_processes()?
        .filter_map(|process| process.ok()?.stat().ok())
        .map(|stat| (stat.pid, stat.ppid))
        .collect();
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        family.extend(parents.iter().filter(|(_, ppid)| *ppid == parent).map(|(pid, _)| pid));
        next += 1;
    }
    Ok(family)
}

/// Proportional set size of a process and all of its descendants.
pub(crate) fn pss_mib(root: u32) -> Result<f64> {
    let pss_kib = |pid: &i32| -> Option<u64> {
        let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.split_whitespace().next()?.parse().ok()
    };
    Ok(family(root)?.iter().filter_map(pss_kib).sum::<u64>() as f64 / 1024.0)
}

/// Resident memory of a process, and the most that it has had.
pub(crate) fn rss_and_peak_mib(pid: u32) -> Result<(f64, f64)> {
    let status = Process::new(pid.cast_signed())?.status()?;
    let mib = |kib: Option<u64>| kib.unwrap_or(0) as f64 / 1024.0;
    Ok((mib(status.vmrss), mib(status.vmhwm)))
}

/// The value once it has not changed for a second, since helpers take time to start.
pub(crate) fn settled(value: impl Fn() -> Result<f64>) -> Result<f64> {
    let mut last = value()?;
    for _ in 0..30 {
        std::thread::sleep(Duration::from_secs(1));
        let now = value()?;
        if (now - last).abs() < 0.1 {
            return Ok(now);
        }
        last = now;
    }
    bail!("the memory still changes after 30 s")
}
