//! Failed execs: what the caller asked for is remembered at `sys_enter_execve[at]` and read at
//! `sys_exit_execve[at]` when the result is an error (include/trace/events/syscalls.h).
//!
//! For ENOENT and EACCES the kernel never copied the arguments, so one on a page that is not in
//! memory yet cannot be read here; it is marked so. The file name always can.

use aya_ebpf::{
    EbpfContext as _,
    helpers::bpf_probe_read_user,
    helpers::generated::{bpf_get_current_task, bpf_ktime_get_boot_ns, bpf_probe_read_user_str},
    macros::{map, tracepoint},
    maps::{LruHashMap, PerCpuArray},
    programs::TracePointContext,
};
use pfsnoop_common::{
    offsets::ABSENT,
    record::{ExecHeader, Kind, MAX_CGROUP_NAME, MAX_FILENAME, UNREADABLE, exec_flags},
};

use crate::cgroup;
use crate::emit::{self, ring_of, urgency_of_match};
use crate::filter;
use crate::globals::offset;
use crate::task::Task;

/// Most arguments that are read of a failed exec: each is one more round for the verifier, whose time
/// the start of `-x` waits for.
const MAX_ARGC: usize = 128;

/// Longest single argument; also how far the others may reach before it.
const MAX_ARG: usize = 13 * 1024;

/// What a thread inside an exec system call asked for.
#[derive(Clone, Copy)]
#[repr(C)]
struct Asked {
    filename: u64,
    argv: u64,
}

/// Room for the last argument to be as long as any, wherever it begins. Each text begins where the
/// one before ends.
#[repr(C)]
struct Scratch {
    header: ExecHeader,
    texts: [u8; MAX_CGROUP_NAME],
    _args: [u8; 2 * MAX_ARG + size_of::<u32>()],
    _filename: [u8; MAX_FILENAME],
}

/// By thread. Threads that are killed inside the call leave their entry: the oldest go.
#[map]
static EXECS_UNDER_WAY: LruHashMap<u32, Asked> = LruHashMap::with_max_entries(4096, 0);

#[map]
static FAILED_EXEC_SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(1, 0);

/// The thread's exec succeeded: nothing to report.
#[inline(always)]
pub(crate) fn forget(tid: u32) {
    // The map is empty, and this a look-up in vain, unless failed execs are traced.
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

/// Both calls' return.
#[tracepoint(category = "syscalls", name = "sys_exit_execve")]
fn sys_exit_exec(ctx: TracePointContext) -> u32 {
    try_failed_exec(&ctx);
    0
}

/// `filename` is the argument of that index, `argv` the next.
#[inline(always)]
fn remember(ctx: &TracePointContext, filename: usize) -> Option<()> {
    let args = syscall_field(offset!(sys_enter_args))?;
    // SAFETY: the tracepoint's record has six arguments at that offset.
    let asked = unsafe {
        Asked {
            filename: ctx.read_at(args + filename * size_of::<u64>()).ok()?,
            argv: ctx.read_at(args + (filename + 1) * size_of::<u64>()).ok()?,
        }
    };
    EXECS_UNDER_WAY.insert(ctx.pid(), asked, 0).ok()
}

#[inline(always)]
fn try_failed_exec(ctx: &TracePointContext) -> Option<()> {
    let ret_at = syscall_field(offset!(sys_exit_ret))?;
    // SAFETY: the tracepoint's record has the result at that offset.
    let ret: i64 = unsafe { ctx.read_at(ret_at) }.ok()?;
    if ret >= 0 {
        return None;
    }
    let tid = ctx.pid();
    // SAFETY: no other thread has this key.
    let asked = unsafe { EXECS_UNDER_WAY.get(tid) }.copied()?;
    forget(tid);
    // SAFETY: the helper takes nothing.
    let task = Task(unsafe { bpf_get_current_task() } as *const u8);
    if !filter::passes(ctx, task) {
        return None;
    }
    let scratch = FAILED_EXEC_SCRATCH.get_ptr_mut(0)?;
    // SAFETY: the scratch value is this CPU's own, and this program does not interrupt itself.
    let header = unsafe { &mut (*scratch).header };
    header.kind = Kind::FailedExec as u32;
    header.flags = 0;
    header.ret = ret as i32;
    // SAFETY: the helper takes nothing.
    header.time_ns = unsafe { bpf_ktime_get_boot_ns() };
    task.identify(ctx, header);
    // SAFETY: `scratch` is a map value, valid while the program runs.
    let size = unsafe { copy_texts(task, scratch, asked) };
    // SAFETY: as above, and `size` is at most the record's.
    unsafe { emit::output(ring_of(&(*scratch).header.comm), urgency_of_match(), scratch, size) };
    Some(())
}

#[inline(always)]
fn syscall_field(offset: u32) -> Option<usize> {
    (offset != ABSENT).then_some(offset as usize)
}

/// Copies the cgroup's name, the arguments as a list and the file name; returns the record's size.
///
/// # Safety
///
/// `scratch` must be valid for writes.
#[inline(always)]
unsafe fn copy_texts(task: Task, scratch: *mut Scratch, asked: Asked) -> usize {
    // SAFETY: the caller's promise; the helpers check the addresses, the verifier the lengths.
    unsafe {
        let header = &mut (*scratch).header;
        let texts = (&raw mut (*scratch).texts).cast::<u8>();
        let cgroup_len = cgroup::copy_name(task, texts);
        header.cgroup_len = cgroup_len as u32;
        let texts = texts.add(cgroup_len);
        let mut used = 0_usize;
        header.flags |= exec_flags::ARGS_CUT;
        for index in 0..MAX_ARGC {
            let slot = (asked.argv as *const u64).wrapping_add(index);
            let Ok(arg) = bpf_probe_read_user::<u64>(slot) else {
                header.flags |= exec_flags::ARGS_UNREADABLE;
                break;
            };
            if arg == 0 {
                header.flags &= !exec_flags::ARGS_CUT;
                break;
            }
            if used > MAX_ARG {
                break;
            }
            used += copy_arg(texts.add(used), arg);
        }
        if used > 2 * MAX_ARG + size_of::<u32>() {
            used = 0;
        }
        header.args_total = used as u64;
        header.args_len = used as u32;
        let name = texts.add(used);
        let copied =
            bpf_probe_read_user_str(name.cast(), MAX_FILENAME as u32, asked.filename as *const _);
        let name_len =
            if copied > 0 && copied <= MAX_FILENAME as i64 { copied as usize - 1 } else { 0 };
        header.filename_len = name_len as u32;
        size_of::<ExecHeader>() + cgroup_len + used + name_len
    }
}

/// Writes one length and its bytes; returns how many bytes that took, at most `MAX_ARG` + 4.
#[inline(always)]
unsafe fn copy_arg(to: *mut u8, arg: u64) -> usize {
    // SAFETY: the caller left room for the longest argument; the verifier checks that again.
    unsafe {
        let bytes = to.add(size_of::<u32>());
        let copied = bpf_probe_read_user_str(bytes.cast(), MAX_ARG as u32, arg as *const _);
        // Of an empty string, Linux 6.1 and 6.12 return 0 (strncpy_from_user_nofault,
        // mm/maccess.c), 6.18 the 1 that its NUL is.
        let readable = copied >= 0 && copied <= MAX_ARG as i64;
        let len = if readable && copied > 0 { copied as usize - 1 } else { 0 };
        let mark = if readable { len as u32 } else { UNREADABLE };
        to.cast::<u32>().write_unaligned(mark);
        size_of::<u32>() + len
    }
}
