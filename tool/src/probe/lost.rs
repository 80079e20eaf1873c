//! The kernel programs' counts of records that they could not send.

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use pfsnoop_common::{names, record::LossCount};

use super::error::{ProbeError, map_failed};
use super::object::take_map;

/// Reads the per-CPU counts of records that found their ring buffer full.
pub(super) struct Counter {
    counts: PerCpuArray<MapData, u64>,
}

impl Counter {
    pub(super) fn new(programs: &mut Ebpf) -> Result<Self, ProbeError> {
        let counts = PerCpuArray::try_from(take_map(programs, names::LOST)?);
        Ok(Self { counts: counts.map_err(map_failed)? })
    }

    /// All records lost since the start.
    pub(super) fn total(&self) -> Result<u64, ProbeError> {
        let mut total = 0;
        for count in 0..LossCount::COUNT {
            let per_cpu = self.counts.get(&count, 0).map_err(map_failed)?;
            total += per_cpu.iter().sum::<u64>();
        }
        Ok(total)
    }
}
