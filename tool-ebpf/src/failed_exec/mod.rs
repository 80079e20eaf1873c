//! Failed execs: the programs remember the pointers that the caller passes at `sys_enter_execve[at]`,
//! and read the memory behind them at `sys_exit_execve[at]` if the result is an error
//! (include/trace/events/syscalls.h).
//!
//! For ENOENT and EACCES the kernel never copies the arguments. An argument on a page that is not in
//! memory yet cannot be read here, and is marked as unreadable. The file name can always be read.

mod args;

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_get_current_task, bpf_get_smp_processor_id, bpf_ktime_get_boot_ns},
    macros::{map, tracepoint},
    maps::{Array, LruHashMap},
    programs::TracePointContext,
};
use pfsnoop_common::{
    offsets::ABSENT,
    record::{ExecHeader, Kind, LossCount, MAX_CGROUP_PATH, MAX_FILENAME, exec_flags},
};

use crate::cgroup;
use crate::emit;
use crate::exit;
use crate::filter;
use crate::globals::offset;
use crate::task::Task;

/// The pointers that a thread passed to an exec system call.
#[derive(Clone, Copy)]
#[repr(C)]
struct Pointers {
    filename: u64,
    argv: u64,
}

/// A record that is being filled by several programs, one after another.
#[repr(C)]
struct Scratch {
    pointers: Pointers,
    record: Record,
}

/// The three texts follow each other without a gap.
#[repr(C)]
struct Record {
    header: ExecHeader,
    texts: [u8; MAX_CGROUP_PATH],
    _args: [u8; args::ROOM],
    _filename: [u8; MAX_FILENAME],
}

/// Pointers by thread. A thread that is killed inside the call leaves its entry behind, and the map
/// drops the oldest entries.
#[map]
static EXECS_UNDER_WAY: LruHashMap<u32, Pointers> = LruHashMap::with_max_entries(4096, 0);

/// One entry for each CPU; user space sets their number. A per-CPU map cannot hold values of this
/// size. The programs run with preemption off and do not interrupt themselves.
#[map]
static FAILED_EXEC_SCRATCH: Array<Scratch> = Array::with_max_entries(1, 0);

/// Drops the thread's entry, since its exec succeeded.
#[inline(always)]
pub(crate) fn forget(tid: u32) {
    // The map is empty unless failed execs are traced; then this finds nothing.
    let _ = EXECS_UNDER_WAY.remove(tid);
}

/// `execve(filename, argv, envp)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execve")]
fn sys_enter_execve(ctx: TracePointContext) -> u32 {
    remember(&ctx, 0);
    0
}

/// `execveat(dirfd, filename, argv, envp, flags)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execveat")]
fn sys_enter_execveat(ctx: TracePointContext) -> u32 {
    remember(&ctx, 1);
    0
}

/// The return of both calls.
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
fn sys_exit_exec(ctx: TracePointContext) -> u32 {
    if begin(&ctx).is_some() {
        args::copy_and_send(&ctx);
    }
    0
}

/// Remembers the pointers. `filename` is the index of that argument, and `argv` is the next one.
#[inline(always)]
fn remember(ctx: &TracePointContext, filename: usize) -> Option<()> {
    let args = syscall_field(offset!(sys_enter_args))?;
    // SAFETY: the tracepoint's record has six arguments at that offset.
    let pointers = unsafe {
        Pointers {
            filename: ctx.read_at(args + filename * size_of::<u64>()).ok()?,
            argv: ctx.read_at(args + (filename + 1) * size_of::<u64>()).ok()?,
        }
    };
    EXECS_UNDER_WAY.insert(ctx.pid(), pointers, 0).ok()
}

/// If the call failed, begins a record: everything but arguments and file name.
#[inline(always)]
fn begin(ctx: &TracePointContext) -> Option<()> {
    let ret_at = syscall_field(offset!(sys_exit_ret))?;
    // SAFETY: the tracepoint's record has the result at that offset.
    let ret: i64 = unsafe { ctx.read_at(ret_at) }.ok()?;
    if ret >= 0 {
        return None;
    }
    let tid = ctx.pid();
    // SAFETY: no other thread has this key.
    let pointers = unsafe { EXECS_UNDER_WAY.get(tid) }.copied();
    forget(tid);
    // SAFETY: the helper takes nothing.
    let task = Task(unsafe { bpf_get_current_task() } as *const u8);
    if !filter::passes(ctx, task) {
        return None;
    }
    let Some(pointers) = pointers else {
        // More threads were inside the call than the map has room for.
        emit::count_lost(LossCount::Processes);
        return None;
    };
    let scratch = scratch()?;
    // SAFETY: the value belongs to this CPU.
    let Scratch { pointers: to_read, record } = unsafe { &mut *scratch };
    *to_read = pointers;
    let header = &mut record.header;
    header.kind = Kind::FailedExec as u32;
    // Cleared when the end of the list is reached.
    header.flags = exec_flags::ARGS_CUT;
    header.ret = ret as i32;
    header.args_len = 0;
    header.args_total = 0;
    // SAFETY: the helper takes nothing.
    header.time_ns = unsafe { bpf_ktime_get_boot_ns() };
    task.identify(ctx, header);
    exit::expect_end(header.pid, header.start_ns);
    // SAFETY: there is room for the longest name.
    unsafe { cgroup::copy_path(task, record.texts.as_mut_ptr(), &mut header.cgroup_len) };
    Some(())
}

/// The entry of this CPU.
#[inline(always)]
fn scratch() -> Option<*mut Scratch> {
    // SAFETY: the helper takes nothing.
    FAILED_EXEC_SCRATCH.get_ptr_mut(unsafe { bpf_get_smp_processor_id() })
}

#[inline(always)]
fn syscall_field(offset: u32) -> Option<usize> {
    (offset != ABSENT).then_some(offset as usize)
}
