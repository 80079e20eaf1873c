//! Costs of loaded programs and maps, as bpftool reports them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::run::stdout_of;

const STATS: &str = "/proc/sys/kernel/bpf_stats_enabled";

/// Makes the kernel measure the run time of every BPF program until this is dropped.
pub(crate) struct RunTimes(String);

impl RunTimes {
    pub(crate) fn enable() -> Result<Self> {
        let before = fs::read_to_string(STATS).context("cannot read kernel.bpf_stats_enabled")?;
        fs::write(STATS, "1").context("cannot set kernel.bpf_stats_enabled")?;
        Ok(Self(before))
    }
}

impl Drop for RunTimes {
    fn drop(&mut self) {
        // Restores the earlier value. If that fails, the kernel goes on measuring, which does no harm.
        let _ = fs::write(STATS, &self.0);
    }
}

/// Ids of all programs and maps that were loaded before a tracer started.
pub(crate) struct Before {
    programs: BTreeSet<u64>,
    maps: BTreeSet<u64>,
}

impl Before {
    pub(crate) fn now() -> Result<Self> {
        let ids = |kind| Ok::<_, anyhow::Error>(list(kind)?.iter().filter_map(id).collect());
        Ok(Self { programs: ids("prog")?, maps: ids("map")? })
    }

    /// Total run time in nanoseconds of all programs that were loaded since.
    pub(crate) fn run_time_ns(&self) -> Result<u64> {
        let new = |program: &&Value| id(program).is_some_and(|id| !self.programs.contains(&id));
        let programs = list("prog")?;
        let times =
            programs.iter().filter(new).filter_map(|program| program["run_time_ns"].as_u64());
        Ok(times.sum())
    }

    /// Total size in bytes, by the kernel's accounting, of all maps that were made since.
    pub(crate) fn map_bytes(&self) -> Result<u64> {
        let new = |map: &&Value| id(map).is_some_and(|id| !self.maps.contains(&id));
        let maps = list("map")?;
        let bytes = maps.iter().filter(new).filter_map(|map| map["bytes_memlock"].as_u64());
        Ok(bytes.sum())
    }
}

fn id(object: &Value) -> Option<u64> {
    object["id"].as_u64()
}

fn list(kind: &str) -> Result<Vec<Value>> {
    let json = stdout_of(Command::new("/usr/sbin/bpftool").args([kind, "show", "--json"]))?;
    serde_json::from_str(&json).with_context(|| format!("bpftool {kind} show"))
}
