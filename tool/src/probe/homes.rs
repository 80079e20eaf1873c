//! Tells the kernel programs the homes of the processes that already run.

use aya::Ebpf;
use aya::maps::{Array, HashMap, Map, MapError};
use pfsnoop_common::names;

use super::error::{ProbeError, map_failed, missing};
use crate::host::netns;
use crate::host::process::{self, Home};

/// `BPF_NOEXIST` (include/uapi/linux/bpf.h): what a kernel program has noted since counts more.
const NO_EXIST: u64 = 1;

/// The value of [`names::HOMES_INCOMPLETE`] from the start on.
const INCOMPLETE: u32 = 1;

/// The namespace that is home to most processes: the host's. 0 if it is not known.
pub(super) fn host_netns() -> u32 {
    netns::host_inode().and_then(|inode| u32::try_from(inode).ok()).unwrap_or(0)
}

/// Says that processes may be missing from the map. Called before the programs are attached.
pub(super) fn begin(programs: &mut Ebpf) -> Result<(), ProbeError> {
    set_incomplete(programs, INCOMPLETE)
}

/// Adds the processes that run. The programs must be attached: from then on they note each process
/// that begins.
pub(super) fn enter_running(programs: &mut Ebpf) -> Result<(), ProbeError> {
    // The pids of another pid namespace say nothing.
    if !process::proc_has_kernel_pids() {
        return Ok(());
    }
    let map = map_mut(programs, names::HOMES)?;
    let mut homes: HashMap<_, u32, u32> = HashMap::try_from(map).map_err(map_failed)?;
    for Home { pid, start, netns } in process::homes(host_netns()) {
        match homes.insert(pid, netns, NO_EXIST) {
            // The process may have ended in the meantime, and the program that notes ends may have
            // run before the entry was there, or after it.
            Ok(()) if process::start_of(pid) != Some(start) => drop(homes.remove(&pid)),
            Ok(()) => {}
            Err(error) if is_entered(&error) => {}
            Err(error) => {
                log::warn!("cannot note where {pid} and later processes are at home: {error}");
                return Ok(());
            }
        }
    }
    set_incomplete(programs, 0)
}

/// Whether a kernel program has added the process already.
fn is_entered(error: &MapError) -> bool {
    let MapError::SyscallError(error) = error else { return false };
    error.io_error.kind() == std::io::ErrorKind::AlreadyExists
}

fn set_incomplete(programs: &mut Ebpf, value: u32) -> Result<(), ProbeError> {
    let map = map_mut(programs, names::HOMES_INCOMPLETE)?;
    let mut incomplete: Array<_, u32> = Array::try_from(map).map_err(map_failed)?;
    incomplete.set(0, value, 0).map_err(map_failed)
}

fn map_mut<'a>(programs: &'a mut Ebpf, name: &'static str) -> Result<&'a mut Map, ProbeError> {
    programs.map_mut(name).ok_or_else(|| missing("find a map", name))
}
