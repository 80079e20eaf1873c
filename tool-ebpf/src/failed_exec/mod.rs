//! Failed execs: what the caller passes is read at `sys_enter_execve[at]`, and reported at
//! `sys_exit_execve[at]` if the result is an error (include/trace/events/syscalls.h).
//!
//! At the return, another thread may have changed the memory behind the caller's pointers. If the
//! kernel has begun to load the new program, the caller's memory is even replaced (`exec_mmap`,
//! fs/exec.c). But at the start, a page that is not in memory yet cannot be read, while the kernel
//! brings in the pages that it needs. So the programs read again at the return what they could not
//! read at the start, if the process still has the same memory. For ENOENT and EACCES the kernel
//! never copies the arguments. What cannot be read at either time is marked.
//!
//! Several programs fill a record, one after another ([`args`], [`send`]): the caller may pass any
//! number of arguments, and old verifiers allow no loop without a bound.

mod args;
mod send;
mod slot;
mod under_way;

use aya_ebpf::{
    EbpfContext as _,
    helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns},
    macros::{map, tracepoint},
    maps::ProgramArray,
    programs::TracePointContext,
};
use pfsnoop_common::{
    offsets::ABSENT,
    record::{Kind, LossCount},
    shares,
};

use crate::attached;
use crate::cgroup;
use crate::emit;
use crate::exit;
use crate::filter;
use crate::globals::{offset, setting};
use crate::task::Task;
use slot::{List, Phase, Slot};
use under_way::{NO_SLOT, UnderWay};

/// [`args`] and [`send`], by [`Next`].
#[map]
static FAILED_EXEC_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(2, 0);

/// Index of a program in [`FAILED_EXEC_PROGRAMS`].
#[derive(Clone, Copy)]
enum Next {
    Args = 0,
    Send = 1,
}

/// Continues with another program. Returns only if there were too many tail calls
/// (`MAX_TAIL_CALL_CNT`, include/linux/bpf.h).
#[inline(always)]
fn continue_with(ctx: &TracePointContext, next: Next) {
    // SAFETY: the programs in the map have the type of the callers, and find the slot of this CPU.
    unsafe { FAILED_EXEC_PROGRAMS.tail_call(ctx, next as u32) };
}

/// `execve(filename, argv, envp)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execve")]
fn sys_enter_execve(ctx: TracePointContext) -> u32 {
    enter(&ctx, 0);
    0
}

/// `execveat(dirfd, filename, argv, envp, flags)`.
#[tracepoint(category = "syscalls", name = "sys_enter_execveat")]
fn sys_enter_execveat(ctx: TracePointContext) -> u32 {
    enter(&ctx, 1);
    0
}

/// The return of both calls.
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
fn sys_exit_exec(ctx: TracePointContext) -> u32 {
    leave(&ctx);
    0
}

/// The thread's exec succeeded, or the thread ends.
#[inline(always)]
pub(crate) fn forget(task: Task) {
    if setting!(failed_execs) != 0
        && let Some(call) = under_way::take(task)
    {
        slot::give_back(call.slot);
    }
}

/// Notes the call, and reads what can be read. `filename` is the index of that argument, and `argv`
/// is the next one.
#[inline(always)]
fn enter(ctx: &TracePointContext, filename: usize) -> Option<()> {
    let args = syscall_field(offset!(sys_enter_args))?;
    // SAFETY: the tracepoint's record has six arguments at that offset.
    let (filename, argv) = unsafe {
        (
            ctx.read_at::<u64>(args + filename * size_of::<u64>()).ok()?,
            ctx.read_at::<u64>(args + (filename + 1) * size_of::<u64>()).ok()?,
        )
    };
    let task = current_task();
    // The return of the call before may not have been seen.
    forget(task);
    let passes = filter::passes(ctx, task);
    let call = UnderWay {
        filename,
        argv,
        mm: task.mm().unwrap_or(0),
        comm: ctx.command().unwrap_or_default(),
        tid: ctx.pid(),
        slot: if passes { slot::take() } else { NO_SLOT },
        passes: u64::from(passes),
    };
    if under_way::note(task, &call).is_none() {
        slot::give_back(call.slot);
        return None;
    }
    let slot = slot::select(call.slot)?;
    // SAFETY: the slot belongs to this call.
    unsafe {
        Slot::begin(slot, &call, Phase::Enter);
        Slot::read_filename(slot);
    }
    continue_with(ctx, Next::Args);
    Some(())
}

/// Reports the call if it failed.
#[inline(always)]
fn leave(ctx: &TracePointContext) -> Option<()> {
    let ret_at = syscall_field(offset!(sys_exit_ret))?;
    // SAFETY: the tracepoint's record has the result at that offset.
    let ret: i64 = unsafe { ctx.read_at(ret_at) }.ok()?;
    let task = current_task();
    let call = under_way::take(task);
    let slot = call.map_or(NO_SLOT, |call| call.slot);
    if report(ctx, task, call, ret).is_none() {
        slot::give_back(slot);
    }
    Some(())
}

/// Begins the record and continues with the program that completes it. `None` if there is nothing to
/// report.
#[inline(always)]
fn report(ctx: &TracePointContext, task: Task, call: Option<UnderWay>, ret: i64) -> Option<()> {
    if ret >= 0 || !attached::all() {
        return None;
    }
    let call = match call {
        Some(call) => call,
        None => UnderWay::unknown(ctx, task),
    };
    if call.passes == 0 {
        return None;
    }
    let is_read = call.slot != NO_SLOT;
    let slot = slot::select(if is_read { call.slot } else { slot::of_this_cpu() })?;
    let may_read = call.mm != 0 && task.mm() == Some(call.mm);
    // SAFETY: the slot belongs to this call.
    let next = unsafe {
        if is_read {
            (*slot).phase = Phase::Leave as u32;
        } else {
            Slot::begin(slot, &call, Phase::Leave);
        }
        let list = Slot::resume(slot, may_read);
        let header = &mut (*slot).record.header;
        header.kind = Kind::FailedExec as u32;
        header.ret = ret as i32;
        header.time_ns = bpf_ktime_get_boot_ns();
        task.identify(ctx, header);
        // A call that fails late has renamed the thread, and may have made it the first one.
        header.comm = call.comm;
        header.tid = call.tid;
        exit::expect_end(header.pid, header.start_ns, header.share);
        cgroup::copy_path(task, (*slot).cgroup.as_mut_ptr(), &mut header.cgroup_len);
        if list == List::More { Next::Args } else { Next::Send }
    };
    continue_with(ctx, next);
    // A tail call returns only if it fails: the program is not in the map.
    emit::count_lost(LossCount::Processes, shares::HOST);
    None
}

#[inline(always)]
fn current_task() -> Task {
    // SAFETY: the helper takes nothing.
    Task(unsafe { bpf_get_current_task() } as *const u8)
}

#[inline(always)]
fn syscall_field(offset: u32) -> Option<usize> {
    (offset != ABSENT).then_some(offset as usize)
}
