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
use crate::text::copied_len;

/// Most arguments that are read of a failed exec: each is one more round for the verifier, whose time
/// the start of `-x` waits for.
const MAX_ARGC: usize = 256;

/// Room for a single argument and its NUL; a longer one is cut.
const MAX_ARG: usize = 8 * 1024;

/// How far the arguments may reach before one more is begun.
const MAX_BEFORE: usize = 16 * 1024;

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
    _args: [u8; MAX_BEFORE + size_of::<u32>() + MAX_ARG],
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
        header.args_len = 0;
        header.flags |= exec_flags::ARGS_CUT;
        // One more round than there are arguments, to see the null behind the last.
        for index in 0..=MAX_ARGC {
            let slot = (asked.argv as *const u64).wrapping_add(index);
            let Ok(arg) = bpf_probe_read_user::<u64>(slot) else {
                header.flags |= exec_flags::ARGS_UNREADABLE;
                header.flags &= !exec_flags::ARGS_CUT;
                break;
            };
            if arg == 0 {
                header.flags &= !exec_flags::ARGS_CUT;
                break;
            }
            // From memory, of which the verifier knows nothing, so that all ways through one round
            // are one state in the next: the bound is what the check makes it.
            let used = core::ptr::read_volatile(&raw const header.args_len) as usize;
            if used > MAX_BEFORE || index == MAX_ARGC {
                break;
            }
            let len = copy_arg(header, texts.add(used), arg);
            core::ptr::write_volatile(&raw mut header.args_len, (used + len) as u32);
        }
        let used = core::ptr::read_volatile(&raw const header.args_len) as usize;
        if used > MAX_BEFORE + size_of::<u32>() + MAX_ARG {
            return 0;
        }
        header.args_total = used as u64;
        let name = texts.add(used);
        let copied =
            bpf_probe_read_user_str(name.cast(), MAX_FILENAME as u32, asked.filename as *const _);
        let name_len = copied_len::<MAX_FILENAME>(copied).unwrap_or(0);
        header.filename_len = name_len as u32;
        size_of::<ExecHeader>() + cgroup_len + used + name_len
    }
}

/// Writes one length and its bytes; returns how many bytes that took, at most `MAX_ARG` + 4.
#[inline(always)]
unsafe fn copy_arg(header: &mut ExecHeader, to: *mut u8, arg: u64) -> usize {
    // SAFETY: the caller left room for the longest argument; the verifier checks that again.
    unsafe {
        let bytes = to.add(size_of::<u32>());
        let copied = bpf_probe_read_user_str(bytes.cast(), MAX_ARG as u32, arg as *const _);
        let read = copied_len::<MAX_ARG>(copied);
        let len = read.unwrap_or(0);
        if len == MAX_ARG - 1 {
            let next = (arg as *const u8).wrapping_add(len);
            // Its own end, or only the end of the room for it.
            if bpf_probe_read_user(next) != Ok(0) {
                header.flags |= exec_flags::ARG_CUT;
            }
        }
        to.cast::<u32>().write_unaligned(if read.is_some() { len as u32 } else { UNREADABLE });
        size_of::<u32>() + len
    }
}
