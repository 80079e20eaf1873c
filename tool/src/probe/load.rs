//! Loads the object that `build.rs` made, and attaches its programs.

use aya::programs::{RawTracePoint, RawTracePointRunOptions, TestRun as _};
use aya::{Ebpf, EbpfLoader, VerifierLogLevel};
use pfsnoop_common::{names, record::NOT_FOLLOWED, ring_bytes};

use super::error::{ProbeError, failed, program_failed};
use super::object::program;
use super::{Options, failed_execs, homes, offsets, settings};
use crate::host::{limits, privileges, process};

/// The oldest kernel on which the programs run: it has ring buffers (5.8), and calls functions from a
/// program that makes tail calls and runs raw tracepoint programs on demand (both 5.10).
pub const OLDEST_KERNEL: (u32, u32) = (5, 10);

/// The kernel programs, aligned as the ELF reader wants them.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/pfsnoop-ebpf"));

/// The end of at most this many processes is expected, and at most as many homes are noted. An entry
/// takes 80 to 96 bytes, so that each is 6 MiB. Beyond the limit, an end is not reported and counts as
/// lost.
const MAX_PROCESSES: u32 = 64 * 1024;

/// The program that user space runs.
const CHECK_CONNECTION: &str = "check_connection";

/// Creates the maps and fills in the globals; programs are loaded by [`attach`].
pub(super) fn load(options: &Options) -> Result<Ebpf, ProbeError> {
    let offsets = offsets::of_this_kernel()?;
    let log_level = u8::from(options.verbose) * aya_log::Level::Trace as u8;
    let mut settings = settings::settings(&options.filter);
    settings.cgroup_names = options.cgroup_names.into();
    settings.failed_execs = options.failed_execs.into();
    settings.ends = options.exits.into();
    settings.host_netns = if options.connections { homes::host_netns() } else { 0 };
    settings.host_mntns = process::host_mntns().unwrap_or(0);
    // A new loader reads and parses the types of the kernel, if it can: tens of megabytes of small objects,
    // and half of the time from the start to the first row. The programs have no relocations against them,
    // and no other function of aya makes a loader.
    let mut loader = privileges::without_files(EbpfLoader::new);
    loader
        .btf(None)
        .verifier_log_level(VerifierLogLevel::STATS)
        .override_global(names::OFFSETS, bytemuck::bytes_of(&offsets), true)
        .override_global(names::SETTINGS, bytemuck::bytes_of(&settings), true)
        .override_global(aya_log::LEVEL, &log_level, true);
    if options.failed_execs {
        failed_execs::size_maps(&mut loader)?;
    }
    if options.connections {
        // Records of sockets use the helpers' ring, and hardly any other records are requested.
        loader
            .map_max_entries(names::HELPER_EVENTS, ring_bytes::CONNECTIONS)
            .map_max_entries(names::EVENTS, ring_bytes::HARDLY_ANY);
    }
    let processes = limits::max_processes().min(MAX_PROCESSES);
    loader.map_max_entries(names::PASSED, processes).map_max_entries(names::HOMES, processes);
    // Maps that are not used take no memory.
    for (map, is_used) in [
        (names::EXECS_UNDER_WAY, options.failed_execs),
        (names::PASSED, options.exits && settings.filters != 0),
        (names::ENDED, options.exits && settings.filters == 0),
        (names::FOREIGN_CONNECTIONS, options.connections),
        (names::HELPER_CONNECTIONS, options.connections),
        (names::SERVER_ENDS, options.connections),
        (names::SERVER_ENDS_OF_OTHERS, options.connections),
        (names::SHARES, options.connections),
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

/// Loads each wanted program into the kernel and attaches it.
pub(super) fn attach(programs: &mut Ebpf, options: &Options) -> Result<(), ProbeError> {
    if options.exits || options.failed_execs {
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
        failed_execs::attach(programs)?;
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
