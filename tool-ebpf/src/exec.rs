//! Successful execs, from any thread and by any system call: the raw tracepoint
//! `sched_process_exec(struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)`
//! (include/trace/events/sched.h), which `exec_binprm` (fs/exec.c) fires in the new program.
//!
//! The arguments are read where the kernel has just written them for the new program. They are in
//! memory, even if the caller's own pages were not.

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{
        bpf_ktime_get_boot_ns, bpf_probe_read_kernel, bpf_probe_read_kernel_str,
        bpf_probe_read_user,
    },
    macros::{map, raw_tracepoint},
    maps::PerCpuArray,
    programs::RawTracePointContext,
};
use aya_log_ebpf::{info, warn};
use pfsnoop_common::record::{
    ExecHeader, Kind, LossCount, MAX_ARGS, MAX_CGROUP_PATH, MAX_FILENAME, exec_flags,
};
use pfsnoop_common::settings::filters;

use crate::attached;
use crate::cgroup;
use crate::emit::{self, Urgency, ring_of};
use crate::exit;
use crate::failed_exec;
use crate::filter;
use crate::globals::{field, offset, setting};
use crate::home;
use crate::task::Task;
use crate::text::{bounded, copied_len};

/// Bytes of arguments that fit into a per-CPU scratch buffer: the kernel limits the values of such a
/// map to 32 KiB (`PCPU_MIN_UNIT_SIZE`). Longer arguments are written straight into the ring buffer.
const SCRATCH_ARGS: usize = 16 * 1024;

/// A record with room for `ARGS` bytes of arguments. Its three texts (cgroup path, arguments, file
/// name) follow each other without a gap.
#[repr(C)]
struct Record<const ARGS: usize> {
    header: ExecHeader,
    texts: [u8; MAX_CGROUP_PATH],
    _args: [u8; ARGS],
    _filename: [u8; MAX_FILENAME],
}

type Small = Record<SCRATCH_ARGS>;
const _: () = assert!(core::mem::offset_of!(Small, texts) % 8 == 0);
type Large = Record<MAX_ARGS>;

#[map]
static EXEC_SCRATCH: PerCpuArray<Small> = PerCpuArray::with_max_entries(1, 0);

/// Entry point.
#[raw_tracepoint(tracepoint = "sched_process_exec")]
fn sched_process_exec(ctx: RawTracePointContext) -> i32 {
    try_exec(&ctx);
    0
}

#[inline(always)]
fn try_exec(ctx: &RawTracePointContext) -> Option<()> {
    let task = Task(ctx.arg::<*const u8>(0));
    failed_exec::forget(task);
    home::settle(ctx.tgid(), task);
    if !attached::all() {
        return None;
    }
    if !filter::passes(ctx, task) {
        return None;
    }
    let filename: *const u8 = field(ctx.arg::<*const u8>(2), offset!(bprm_filename))?;
    let (start, end) = task.args().unwrap_or((0, 0));
    let total = end.wrapping_sub(start);
    let small = EXEC_SCRATCH.get_ptr_mut(0)?;
    // SAFETY: the scratch value belongs to this CPU, and this program does not interrupt itself.
    let header = unsafe { &mut (*small).header };
    header.kind = Kind::Exec as u32;
    header.flags = 0;
    header.ret = 0;
    header.args_total = total;
    // SAFETY: the helper takes nothing.
    header.time_ns = unsafe { bpf_ktime_get_boot_ns() };
    task.identify(ctx, header);
    if emit::is_full_for(ring_of(&header.comm), header.share) {
        emit::count_lost(LossCount::Processes, header.share);
        return None;
    }
    exit::expect_end(header.pid, header.start_ns, header.share);
    if setting!(filters) & filters::HELPERS != 0
        && let Some(start_ns) = task.parent().and_then(Task::start_ns)
    {
        // A helper ends with the process that has started it.
        exit::expect_end(header.ppid, start_ns, header.share);
    }
    // SAFETY: the scratch value, as above.
    unsafe { cgroup::copy_path(task, (&raw mut (*small).texts).cast(), &mut header.cgroup_len) };
    if total <= SCRATCH_ARGS as u64 {
        output_small(ctx, small, start, filename);
    } else {
        submit_large(ctx, small, start, filename);
    }
    Some(())
}

/// Copies the texts behind the header and sends only the bytes that are used.
#[inline(always)]
fn output_small(ctx: &RawTracePointContext, record: *mut Small, start: u64, filename: *const u8) {
    // SAFETY: `record` is a map value, valid while the program runs.
    let size = unsafe { copy_texts(ctx, record, start, filename) };
    // SAFETY: as above, and `size` is at most the record's.
    unsafe { emit::output(ring_of(&(*record).header.comm), Urgency::Usual, record, size) };
}

/// Reserves a record of the largest size in the ring buffer, for arguments that do not fit into the
/// scratch buffer.
#[inline(always)]
fn submit_large(ctx: &RawTracePointContext, small: *const Small, start: u64, filename: *const u8) {
    // SAFETY: the caller passes a map value, valid while the program runs.
    let ring = unsafe { ring_of(&(*small).header.comm) };
    let Some(mut entry) = emit::reserve::<Large>(ring) else {
        return;
    };
    let record = entry.as_mut_ptr();
    // SAFETY: the reserved bytes belong to this program until it submits them.
    unsafe {
        (*record).header = (*small).header;
        let len = MAX_CGROUP_PATH as u32;
        bpf_probe_read_kernel(
            (&raw mut (*record).texts).cast(),
            len,
            (&raw const (*small).texts).cast(),
        );
        copy_texts(ctx, record, start, filename);
    }
    emit::submit(ring, Urgency::Usual, entry);
}

/// Copies the path of the cgroup, the arguments that fit, and the file name; returns the record's size.
///
/// # Safety
///
/// `record` must be valid for writes, and `args_total` in its header must be set.
#[inline(always)]
unsafe fn copy_texts<const ARGS: usize>(
    ctx: &RawTracePointContext,
    record: *mut Record<ARGS>,
    start: u64,
    filename: *const u8,
) -> usize {
    // SAFETY: the caller's promise. The helpers check both addresses, and the verifier checks that
    // each length stays inside the record.
    unsafe {
        let header = &mut (*record).header;
        let mut args_len = bounded::<ARGS>(header.args_total);
        if header.args_total > ARGS as u64 {
            header.flags |= exec_flags::ARGS_CUT;
            let (pid, total) = (header.pid, header.args_total);
            info!(ctx, "pid {}: {} of {} bytes of arguments are kept", pid, args_len, total);
        }
        let cgroup_len = bounded::<MAX_CGROUP_PATH>(u64::from(header.cgroup_len)) as usize;
        let texts = (&raw mut (*record).texts).cast::<u8>().add(cgroup_len);
        if bpf_probe_read_user(texts.cast(), args_len as u32, start as *const _) != 0 {
            warn!(ctx, "pid {}: {} bytes of arguments cannot be read", header.pid, args_len);
            header.flags |= exec_flags::ARGS_UNREADABLE;
            args_len = 0;
        }
        let name = texts.add(args_len as usize);
        let copied = bpf_probe_read_kernel_str(name.cast(), MAX_FILENAME as u32, filename.cast());
        let name_len = copied_len::<MAX_FILENAME>(copied).unwrap_or(0) as u64;
        header.args_len = args_len as u32;
        header.filename_len = name_len as u32;
        size_of::<ExecHeader>() + cgroup_len + (args_len + name_len) as usize
    }
}
