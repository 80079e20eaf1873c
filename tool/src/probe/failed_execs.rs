//! The maps and programs for failed execs.

use aya::maps::{ProgramArray, Stack};
use aya::programs::TracePoint;
use aya::{Ebpf, EbpfLoader};
use pfsnoop_common::names;

use super::error::{ProbeError, map_failed, missing, program_failed};
use super::object::program;
use crate::host::private_mount::TRACEFS;

/// Program and tracepoint for each system call. Entries first, so that the return of every call that
/// begins from now on finds its entry.
const TRACEPOINTS: [(&str, &str); 4] = [
    ("sys_enter_execve", "sys_enter_execve"),
    ("sys_enter_execveat", "sys_enter_execveat"),
    ("sys_exit_exec", "sys_exit_execve"),
    ("sys_exit_exec", "sys_exit_execveat"),
];

/// The programs that the programs above continue with, by their index in the map.
const CONTINUATIONS: [&str; 2] = ["failed_exec_args", "failed_exec_send"];

/// Slots for calls under way, in addition to twice the number of CPUs. A slot takes 170 KiB.
const MORE_SLOTS: u32 = 8;

/// Sets the sizes of the maps.
pub(super) fn size_maps(loader: &mut EbpfLoader<'_>) -> Result<(), ProbeError> {
    let cpus = cpus()?;
    let free = free_slots(cpus);
    loader
        .map_max_entries(names::FAILED_EXEC_SLOTS, cpus.saturating_add(free))
        .map_max_entries(names::FREE_SLOTS, free);
    Ok(())
}

/// Loads the programs, and attaches them.
pub(super) fn attach(programs: &mut Ebpf) -> Result<(), ProbeError> {
    fill_free_slots(programs)?;
    for (index, name) in (0..).zip(CONTINUATIONS) {
        load_continuation(programs, index, name)?;
    }
    TRACEFS.with(|| attach_to_tracefs(programs)).map_err(ProbeError::NoTracefs)?
}

/// How many calls may have a slot at the same time: as many as the CPUs run, and as many again that
/// wait, for a disk or for a CPU.
fn free_slots(cpus: u32) -> u32 {
    cpus.saturating_add(MORE_SLOTS)
}

/// The first slots belong to the CPUs.
fn fill_free_slots(programs: &mut Ebpf) -> Result<(), ProbeError> {
    let map = programs.map_mut(names::FREE_SLOTS);
    let map = map.ok_or_else(|| missing("find a map", names::FREE_SLOTS))?;
    let mut free: Stack<_, u32> = Stack::try_from(map).map_err(map_failed)?;
    let cpus = cpus()?;
    for number in cpus..cpus.saturating_add(free_slots(cpus)) {
        free.push(number, 0).map_err(map_failed)?;
    }
    Ok(())
}

/// How many CPUs this machine may ever have.
fn cpus() -> Result<u32, ProbeError> {
    let (doing, source) = match aya::util::nr_cpus() {
        Ok(cpus) => return Ok(u32::try_from(cpus).unwrap_or(u32::MAX)),
        Err((_, source)) => ("count the CPUs", Box::new(source)),
    };
    Err(ProbeError::Aya { doing, source })
}

/// Puts a program into the map through which it is called.
fn load_continuation(
    programs: &mut Ebpf,
    index: u32,
    name: &'static str,
) -> Result<(), ProbeError> {
    let continuation: &mut TracePoint = program(programs, name)?;
    continuation.load().map_err(program_failed("load a program for failed execs"))?;
    let fd = continuation.fd().and_then(|fd| Ok(fd.try_clone()?));
    let fd = fd.map_err(program_failed("hold a program for failed execs"))?;
    let map = programs.map_mut(names::FAILED_EXEC_PROGRAMS);
    let map = map.ok_or_else(|| missing("find a map", names::FAILED_EXEC_PROGRAMS))?;
    let mut calls = ProgramArray::try_from(map).map_err(map_failed)?;
    calls.set(index, &fd, 0).map_err(map_failed)
}

fn attach_to_tracefs(programs: &mut Ebpf) -> Result<(), ProbeError> {
    for (name, tracepoint) in TRACEPOINTS {
        let program: &mut TracePoint = program(programs, name)?;
        if program.fd().is_err() {
            program.load().map_err(program_failed("load a program for failed execs"))?;
        }
        program
            .attach("syscalls", tracepoint)
            .map_err(program_failed("attach to the exec system calls"))?;
    }
    Ok(())
}
