//! The kernel programs' counts of records that they could not send.

use aya::Ebpf;
use aya::maps::{MapData, PerCpuArray};
use pfsnoop_common::{names, record::LossCount};

use super::error::{ProbeError, map_failed};
use super::object::take_map;
use crate::model::{LossPlaces, Losses};

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
    pub(super) fn losses(&self) -> Result<Losses, ProbeError> {
        let mut losses = Losses::default();
        for count in 0..LossCount::COUNT {
            let per_cpu = self.counts.get(&count, 0).map_err(map_failed)?;
            let lost = per_cpu.iter().sum::<u64>();
            let is_of_others = count >= LossCount::OF_OTHERS;
            *(if is_of_others { &mut losses.of_others } else { &mut losses.of_host }) += lost;
            let is_of_processes = count % LossCount::OF_OTHERS == LossCount::Processes as u32;
            let LossPlaces { processes, sockets, .. } = &mut losses.places;
            *(if is_of_processes { processes } else { sockets }) += lost;
        }
        Ok(losses)
    }
}
