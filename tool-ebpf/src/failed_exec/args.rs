//! The arguments of a failed exec, as a list: each a `u32` length and its bytes.
//!
//! How many there are is the caller's choice, and a program for old verifiers has no loop without
//! a bound. So one program copies a number of them and calls itself for the next.

use aya_ebpf::{
    helpers::bpf_probe_read_user,
    helpers::generated::bpf_probe_read_user_str,
    macros::{map, tracepoint},
    maps::ProgramArray,
    programs::TracePointContext,
};
use pfsnoop_common::record::{
    ExecHeader, LossCount, MAX_CGROUP_NAME, MAX_FILENAME, UNREADABLE, exec_flags,
};

use super::Scratch;
use crate::emit::{self, Urgency, ring_of};
use crate::text::copied_len;

/// Arguments that one program copies: each is one more round for the verifier, whose time the start
/// of `-x` waits for.
const ARGS_A_PROGRAM: usize = 256;

/// With the calls in a row that the kernel allows (`MAX_TAIL_CALL_CNT`, include/linux/bpf.h).
const MAX_ARGC: usize = 33 * ARGS_A_PROGRAM;

/// Room for a single argument and its NUL; a longer one is cut.
const MAX_ARG: usize = 64 * 1024;

/// How far the list may reach before one more argument is begun: 64 KiB of arguments, each with the
/// length before it.
const MAX_BEFORE: usize = 64 * 1024 + MAX_ARGC * size_of::<u32>();

/// Room for the last argument to be as long as any, wherever it begins.
pub(super) const ROOM: usize = MAX_BEFORE + size_of::<u32>() + MAX_ARG;

/// Holds [`failed_exec_args`].
#[map]
static FAILED_EXEC_PROGRAMS: ProgramArray = ProgramArray::with_max_entries(1, 0);

/// What is left to read of the list.
#[derive(PartialEq, Eq)]
enum Rest {
    Nothing,
    More,
}

/// Goes on where the program before left off.
#[tracepoint]
fn failed_exec_args(ctx: TracePointContext) -> u32 {
    try_copy(&ctx);
    0
}

/// Copies the arguments of the record that was begun, and the file name, and sends it.
#[inline(always)]
pub(super) fn copy_and_send(ctx: &TracePointContext) {
    // SAFETY: the programs in the map are of this one's type, and expect what this one has begun.
    unsafe { FAILED_EXEC_PROGRAMS.tail_call(ctx, 0) };
    // Still here: the program is not in the map.
    emit::count_lost(LossCount::Processes);
}

#[inline(always)]
fn try_copy(ctx: &TracePointContext) -> Option<()> {
    let scratch = super::scratch()?;
    // SAFETY: the value is this CPU's own, valid while the program runs.
    if unsafe { copy_some(scratch)? } == Rest::More {
        // SAFETY: as in `copy_and_send`. It comes back when there have been too many.
        unsafe { FAILED_EXEC_PROGRAMS.tail_call(ctx, 0) };
    }
    // SAFETY: as above.
    unsafe { send(scratch) }
}

/// Where the arguments begin.
///
/// # Safety
///
/// `scratch` must be valid.
#[inline(always)]
unsafe fn args_of(scratch: *mut Scratch) -> Option<(*mut u8, usize)> {
    // SAFETY: the caller's promise; the verifier checks that the sum stays inside.
    unsafe {
        let cgroup_len = read(&raw const (*scratch).record.header.cgroup_len);
        if cgroup_len > MAX_CGROUP_NAME {
            return None;
        }
        Some(((&raw mut (*scratch).record.texts).cast::<u8>().add(cgroup_len), cgroup_len))
    }
}

/// A length from memory, of which the verifier knows nothing, so that all ways through one round
/// are one state in the next: its bound is what the check after it makes it.
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
        let mut slot = (*scratch).asked.argv as *const u64;
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
        (*scratch).asked.argv = slot as u64;
        Some(Rest::More)
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

/// Adds the file name and sends just the bytes that are used.
///
/// # Safety
///
/// `scratch` must be valid, and its record whole but for the file name.
#[inline(always)]
unsafe fn send(scratch: *mut Scratch) -> Option<()> {
    // SAFETY: the caller's promise.
    unsafe {
        let (args, cgroup_len) = args_of(scratch)?;
        let filename = (*scratch).asked.filename;
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
