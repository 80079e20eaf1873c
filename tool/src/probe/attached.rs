//! Tells the kernel programs when all of them are attached, so that they begin and end at one moment.

use aya::Ebpf;
use aya::maps::{Array, MapData};
use pfsnoop_common::names;

use super::error::{ProbeError, map_failed};
use super::object::take_map;

/// Begins and ends the trace.
pub(super) struct Attached {
    all: Array<MapData, u32>,
}

impl Attached {
    pub(super) fn new(programs: &mut Ebpf) -> Result<Self, ProbeError> {
        let map = take_map(programs, names::ALL_ATTACHED)?;
        Ok(Self { all: Array::try_from(map).map_err(map_failed)? })
    }

    /// The last program is attached: what happens from now on is traced.
    pub(super) fn begin(&mut self) -> Result<(), ProbeError> {
        self.all.set(0, 1, 0).map_err(map_failed)
    }

    /// Nothing more is traced. The programs can then be detached one after another.
    pub(super) fn end(&mut self) -> Result<(), ProbeError> {
        self.all.set(0, 0, 0).map_err(map_failed)
    }
}
