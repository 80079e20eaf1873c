//! Counting what was lost, so that it can be told.

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use pfsnoop_common::{names, record::LossCount};

use super::{ProbeError, map_failed, reader};
use crate::trace::Lost;

/// Reads the kernel's per-CPU counts of records that found their ring buffer full.
pub(super) struct Counter {
    counts: PerCpuArray<MapData, u64>,
    reported: u64,
}

impl Counter {
    pub(super) fn new(programs: &mut Ebpf) -> Result<Self, ProbeError> {
        let counts = PerCpuArray::try_from(reader::take(programs, names::LOST)?);
        Ok(Self { counts: counts.map_err(map_failed)?, reported: 0 })
    }

    /// Everything that was told of so far.
    pub(super) fn reported(&self) -> u64 {
        self.reported
    }

    /// What was lost until now; `undecodable` are records that arrived but made no sense.
    pub(super) fn total(&self, undecodable: u64) -> Result<u64, ProbeError> {
        let mut total = undecodable;
        for count in 0..LossCount::COUNT {
            let per_cpu = self.counts.get(&count, 0).map_err(map_failed)?;
            total += per_cpu.iter().sum::<u64>();
        }
        Ok(total)
    }

    /// What was lost since the last call.
    pub(super) fn grown(&mut self, undecodable: u64) -> Result<Option<Lost>, ProbeError> {
        let total = self.total(undecodable)?;
        let events = total.saturating_sub(self.reported);
        self.reported = total;
        Ok((events > 0).then_some(Lost { events, total }))
    }
}
