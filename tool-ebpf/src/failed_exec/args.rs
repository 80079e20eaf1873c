//! The arguments of a failed exec, as a list: for each a `u32` length and the bytes.
//!
//! The caller may pass any number of arguments, and old verifiers allow no loop without a bound. So
//! one program copies a fixed number of them, and calls itself for the next ones.

use aya_ebpf::{
    helpers::bpf_probe_read_user,
    helpers::generated::bpf_probe_read_user_str,
    macros::{map, tracepoint},
    maps::ProgramArray,
    programs::TracePointContext,
};
use pfsnoop_common::record::{
    ExecHeader, LossCount, MAX_CGROUP_PATH, MAX_FILENAME, UNREADABLE, exec_flags,
};

use super::Scratch;
use crate::emit::{self, Urgency, ring_of};
use crate::text::copied_len;

/// How many arguments one program copies. The verifier walks through every round, and each round
/// makes the start of `exec -x` longer.
const ARGS_A_PROGRAM: usize = 256;

/// How many arguments are copied at most: the kernel allows 33 tail calls in a row
/// (`MAX_TAIL_CALL_CNT`, include/linux/bpf.h).
const MAX_ARGC: usize = 33 * ARGS_A_PROGRAM;

/// Room for a single argument and its NUL; a longer one is cut.
const MAX_ARG: usize = 64 * 1024;

/// The list takes no further argument beyond this length: 64 KiB of arguments, each with its length
/// before it.
const MAX_BEFORE: usize = 64 * 1024 + MAX_ARGC * size_of::<u32>();

/// The size of the list: even the last argument has room for the longest text.
pub(super) const ROOM: usize = MAX_BEFORE + size_of::<u32>() + MAX_ARG;

/// Holds [`failed_exec_args`].
#[map]
static FAILED_EXEC_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// Whether there are more arguments to read.
#[derive(PartialEq, Eq)]
enum Rest {
    Nothing,
    More,
}

/// Continues where the program before stopped.
#[tracepoint]
fn failed_exec_args(ctx: TracePointContext) -> u32 {
    try_copy(&ctx);
    0
}

/// Completes the record that was begun, with arguments and file name, and sends it.
#[inline(always)]
pub(super) fn copy_and_send(ctx: &TracePointContext) {
    // SAFETY: the program in the map has the type of this one, and completes a record that was begun.
    unsafe { FAILED_EXEC_PROGRAMS.tail_call(ctx, 0) };
    // A tail call returns only if it fails: the program is not in the map.
    emit::count_lost(LossCount::Processes);
}

#[inline(always)]
fn try_copy(ctx: &TracePointContext) -> Option<()> {
    let scratch = super::scratch()?;
    // SAFETY: the value belongs to this CPU and is valid while the program runs.
    if unsafe { copy_some(scratch)? } == Rest::More {
        // SAFETY: as in `copy_and_send`. This one returns when there have been too many tail calls.
        unsafe { FAILED_EXEC_PROGRAMS.tail_call(ctx, 0) };
    }
    // SAFETY: as above.
    unsafe { send(scratch) }
}

/// The start of the arguments, and the length of the cgroup's path before them.
///
/// # Safety
///
/// `scratch` must be valid.
#[inline(always)]
unsafe fn args_of(scratch: *mut Scratch) -> Option<(*mut u8, usize)> {
    // SAFETY: the caller's promise; the verifier checks that the sum stays inside.
    unsafe {
        let cgroup_len = read(&raw const (*scratch).record.header.cgroup_len);
        if cgroup_len > MAX_CGROUP_PATH {
            return None;
        }
        Some(((&raw mut (*scratch).record.texts).cast::<u8>().add(cgroup_len), cgroup_len))
    }
}

/// Reads a length in a way that makes the verifier forget its value. All paths through one round are
/// then the same state in the next round; the check after the read sets the bound again.
#[inline(always)]
unsafe fn read(len: *const u32) -> usize {
    // SAFETY: the caller's pointer into the record.
    unsafe { core::ptr::read_volatile(len) as usize }
}

/// # Safety
///
/// `scratch` must be valid, and a record begun in it.
#[inline(always)]
unsafe fn copy_some(scratch: *mut Scratch) -> Option<Rest> {
    // SAFETY: the caller's promise; the helpers check the addresses, the verifier the lengths.
    unsafe {
        let (args, _) = args_of(scratch)?;
        let header = &mut (*scratch).record.header;
        let mut slot = (*scratch).pointers.argv as *const u64;
        for _ in 0..ARGS_A_PROGRAM {
            let Ok(arg) = bpf_probe_read_user::<u64>(slot) else {
                header.flags |= exec_flags::ARGS_UNREADABLE;
                header.flags &= !exec_flags::ARGS_CUT;
                return Some(Rest::Nothing);
            };
            if arg == 0 {
                header.flags &= !exec_flags::ARGS_CUT;
                return Some(Rest::Nothing);
            }
            let used = read(&raw const header.args_len);
            if used > MAX_BEFORE {
                return Some(Rest::Nothing);
            }
            let len = copy_arg(header, args.add(used), arg);
            core::ptr::write_volatile(&raw mut header.args_len, (used + len) as u32);
            slot = slot.wrapping_add(1);
        }
        (*scratch).pointers.argv = slot as u64;
        Some(Rest::More)
    }
}

/// Writes the length and the bytes of one argument; returns how many bytes that took, at most
/// `MAX_ARG` + 4.
#[inline(always)]
unsafe fn copy_arg(header: &mut ExecHeader, to: *mut u8, arg: u64) -> usize {
    // SAFETY: the caller left room for the longest argument, which the verifier checks again.
    unsafe {
        let bytes = to.add(size_of::<u32>());
        let copied = bpf_probe_read_user_str(bytes.cast(), MAX_ARG as u32, arg as *const _);
        let read = copied_len::<MAX_ARG>(copied);
        let len = read.unwrap_or(0);
        if len == MAX_ARG - 1 {
            let next = (arg as *const u8).wrapping_add(len);
            // Either the argument ends here, or the room for it does.
            if bpf_probe_read_user(next) != Ok(0) {
                header.flags |= exec_flags::ARG_CUT;
            }
        }
        to.cast::<u32>().write_unaligned(if read.is_some() { len as u32 } else { UNREADABLE });
        size_of::<u32>() + len
    }
}

/// Adds the file name and sends only the bytes that are used.
///
/// # Safety
///
/// `scratch` must be valid, and its record complete except for the file name.
#[inline(always)]
unsafe fn send(scratch: *mut Scratch) -> Option<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let (args, cgroup_len) = args_of(scratch)?;
        let filename = (*scratch).pointers.filename;
        let record = &raw mut (*scratch).record;
        let header = &mut (*record).header;
        let used = read(&raw const header.args_len);
        if used > ROOM {
            return None;
        }
        header.args_total = used as u64;
        let name = args.add(used);
        let copied =
            bpf_probe_read_user_str(name.cast(), MAX_FILENAME as u32, filename as *const _);
        let name_len = copied_len::<MAX_FILENAME>(copied).unwrap_or(0);
        header.filename_len = name_len as u32;
        let size = size_of::<ExecHeader>() + cgroup_len + used + name_len;
        emit::output(ring_of(&header.comm), Urgency::Usual, record, size);
    }
    Some(())
}
