//! Loads the object that `build.rs` made, and attaches its programs.

use aya::maps::{Map, ProgramArray};
use aya::programs::{RawTracePoint, RawTracePointRunOptions, TestRun as _, TracePoint};
use aya::{Ebpf, EbpfLoader, VerifierLogLevel};
use pfsnoop_common::{names, record::NOT_FOLLOWED, ring_bytes};

use super::error::{ProbeError, failed, map_failed, missing, program_failed};
use super::{Options, homes, offsets, settings, tracefs};
use crate::host::limits;

/// The oldest kernel on which the programs run: it has ring buffers (5.8), and calls functions from a
/// program that makes tail calls and runs raw tracepoint programs on demand (both 5.10).
pub const OLDEST_KERNEL: (u32, u32) = (5, 10);

/// The kernel programs, aligned as the ELF reader wants them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/pfsnoop-ebpf"));

/// Program and tracepoint for each system call that failed execs need.
const FAILED_EXEC_TRACEPOINTS: [(&str, &str); 4] = [
    ("sys_enter_execve", "sys_enter_execve"),
    ("sys_enter_execveat", "sys_enter_execveat"),
    ("sys_exit_exec", "sys_exit_execve"),
    ("sys_exit_exec", "sys_exit_execveat"),
];

/// The end of at most this many processes is expected. An entry takes 80 to 96 bytes, so that this is 6
/// MiB. Beyond the limit, an end is not reported and counts as lost.
const MAX_PASSED: u32 = 64 * 1024;

/// The program that user space runs.
const CHECK_CONNECTION: &str = "check_connection";

/// Creates the maps and fills in the globals; programs are loaded by [`attach`].
pub(super) fn load(options: &Options) -> Result<Ebpf, ProbeError> {
    let offsets = offsets::of_this_kernel()?;
    let log_level = u8::from(options.verbose) * aya_log::Level::Trace as u8;
    let mut settings = settings::settings(&options.filter);
    settings.cgroup_names = options.cgroup_names.into();
    settings.ends = options.exits.into();
    settings.host_netns = if options.connections { homes::host_netns() } else { 0 };
    let mut loader = EbpfLoader::new();
    loader
        // The programs have no relocations against kernel types: free aya's parse of them.
        .btf(None)
        .verifier_log_level(VerifierLogLevel::STATS)
        .override_global(names::OFFSETS, bytemuck::bytes_of(&offsets), true)
        .override_global(names::SETTINGS, bytemuck::bytes_of(&settings), true)
        .override_global(aya_log::LEVEL, &log_level, true);
    if options.failed_execs {
        loader.map_max_entries(names::FAILED_EXEC_SCRATCH, cpus()?);
    }
    if options.connections {
        // Records of sockets use the helpers' ring, and hardly any other records are requested.
        loader
            .map_max_entries(names::HELPER_EVENTS, ring_bytes::CONNECTIONS)
            .map_max_entries(names::EVENTS, ring_bytes::HARDLY_ANY);
    }
    loader.map_max_entries(names::PASSED, limits::max_processes().min(MAX_PASSED));
    // Maps that are not used take no memory.
    for (map, is_used) in [
        (names::EXECS_UNDER_WAY, options.failed_execs),
        (names::PASSED, options.exits && settings.filters != 0),
        (names::ENDED, options.exits && settings.filters == 0),
        (names::FOREIGN_CONNECTIONS, options.connections),
        (names::HELPER_CONNECTIONS, options.connections),
        (names::SERVER_ENDS, options.connections),
        (names::HOMES, options.connections),
    ] {
        if !is_used {
            loader.map_max_entries(map, 1);
        }
    }
    let programs = loader.load(OBJECT).map_err(failed("load the kernel programs"))?;
    drop(loader);
    Ok(programs)
}

/// How many CPUs this machine may ever have.
fn cpus() -> Result<u32, ProbeError> {
    let (doing, source) = match aya::util::nr_cpus() {
        Ok(cpus) => return Ok(u32::try_from(cpus).unwrap_or(u32::MAX)),
        Err((_, source)) => ("count the CPUs", Box::new(source)),
    };
    Err(ProbeError::Aya { doing, source })
}

/// Loads each wanted program into the kernel and attaches it.
pub(super) fn attach(programs: &mut Ebpf, options: &Options) -> Result<(), ProbeError> {
    // Exits first, so that the end of every traced exec is traced too.
    if options.exits {
        attach_raw(programs, "sched_process_exit", "sched_process_exit")?;
    }
    if options.connections {
        let check: &mut RawTracePoint = program(programs, CHECK_CONNECTION)?;
        check.load().map_err(program_failed("load a kernel program"))?;
        // While one of the two programs runs, the other one sees the states that interrupts change.
        attach_raw(programs, "inet_sock_set_state_within", "inet_sock_set_state")?;
        homes::begin(programs)?;
        attach_raw(programs, "sched_process_fork", "sched_process_fork")?;
        attach_raw(programs, "inet_sock_set_state", "inet_sock_set_state")?;
    }
    attach_raw(programs, "sched_process_exec", "sched_process_exec")?;
    if options.failed_execs {
        tracefs::with_tracefs(|| attach_failed_execs(programs))
            .map_err(ProbeError::NoTracefs)??;
    }
    Ok(())
}

/// Runs the program that checks a connection. False if the connection is not followed.
pub(super) fn check_connection(
    programs: &mut Ebpf,
    id: u64,
    pid: u32,
    count: bool,
) -> Result<bool, ProbeError> {
    let check: &mut RawTracePoint = program(programs, CHECK_CONNECTION)?;
    let mut options = RawTracePointRunOptions::new();
    let args = [id, pid.into(), count.into()];
    options.args.iter_mut().zip(args).for_each(|(to, from)| *to = from);
    let ran = check.test_run(options).map_err(program_failed("run a kernel program"))?;
    Ok(ran.return_value != NOT_FOLLOWED)
}

fn attach_raw(programs: &mut Ebpf, name: &'static str, tracepoint: &str) -> Result<(), ProbeError> {
    let program: &mut RawTracePoint = program(programs, name)?;
    program.load().map_err(program_failed("load a kernel program"))?;
    program.attach(tracepoint).map_err(program_failed("attach to a tracepoint"))?;
    Ok(())
}

fn attach_failed_execs(programs: &mut Ebpf) -> Result<(), ProbeError> {
    load_args_program(programs)?;
    for (name, tracepoint) in FAILED_EXEC_TRACEPOINTS {
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

/// Puts the program for arguments into the map through which it is called, by the first program and
/// by itself.
fn load_args_program(programs: &mut Ebpf) -> Result<(), ProbeError> {
    let args: &mut TracePoint = program(programs, "failed_exec_args")?;
    args.load().map_err(program_failed("load the program for arguments of failed execs"))?;
    let fd = args.fd().and_then(|fd| Ok(fd.try_clone()?));
    let fd = fd.map_err(program_failed("hold the program for arguments of failed execs"))?;
    let map = programs.map_mut(names::FAILED_EXEC_PROGRAMS);
    let map = map.ok_or_else(|| missing("find a map", names::FAILED_EXEC_PROGRAMS))?;
    let mut calls = ProgramArray::try_from(map).map_err(map_failed)?;
    calls.set(0, &fd, 0).map_err(map_failed)
}

/// The program of that name in our object, as its type.
fn program<'a, P>(programs: &'a mut Ebpf, name: &'static str) -> Result<&'a mut P, ProbeError>
where
    &'a mut P: TryFrom<&'a mut aya::programs::Program, Error = aya::programs::ProgramError>,
{
    let program =
        programs.program_mut(name).ok_or_else(|| missing("find a kernel program", name))?;
    program.try_into().map_err(program_failed("use a kernel program"))
}

/// Takes the map of that name out of our object.
pub(super) fn take_map(programs: &mut Ebpf, name: &'static str) -> Result<Map, ProbeError> {
    programs.take_map(name).ok_or_else(|| missing("find a map", name))
}
