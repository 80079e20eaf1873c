//! The arguments of an exec that may fail, as a list: for each a `u32` length and the bytes.

use aya_ebpf::{
    helpers::bpf_probe_read_user, helpers::generated::bpf_probe_read_user_str, macros::tracepoint,
    programs::TracePointContext,
};
use pfsnoop_common::record::{ExecHeader, LossCount, UNREADABLE, exec_flags};
use pfsnoop_common::shares;

use super::slot::{self, List, MAX_UNREAD, Phase, Slot};
use super::{Next, continue_with};
use crate::emit;
use crate::text::copied_len;

/// How many arguments one program copies. The verifier follows every round.
const ARGS_A_PROGRAM: usize = 256;

/// How many arguments are copied at most: the kernel allows 33 tail calls in a row
/// (`MAX_TAIL_CALL_CNT`, include/linux/bpf.h).
const MAX_ARGC: usize = 33 * ARGS_A_PROGRAM;

/// Room for a single argument and its NUL; a longer one is cut.
const MAX_ARG: usize = 64 * 1024;

/// The list takes no further argument beyond this length: 64 KiB of arguments, each with its length
/// before it.
pub(super) const MAX_BEFORE: usize = 64 * 1024 + MAX_ARGC * size_of::<u32>();

/// The size of the list: even the last argument has room for the longest text.
pub(super) const ROOM: usize = MAX_BEFORE + size_of::<u32>() + MAX_ARG;

/// Continues where the program before stopped.
#[tracepoint]
fn failed_exec_args(ctx: TracePointContext) -> u32 {
    try_copy(&ctx);
    0
}

#[inline(always)]
fn try_copy(ctx: &TracePointContext) -> Option<()> {
    let slot = slot::selected()?;
    // SAFETY: the slot belongs to the call that this thread makes, and is valid while the program
    // runs.
    unsafe {
        let list = copy_some();
        (*slot).list = list as u32;
        if list == List::More as u64 {
            continue_with(ctx, Next::Args);
            // There have been too many tail calls.
            (*slot).list = List::Full as u32;
        }
        if (*slot).phase == Phase::Leave as u32 {
            continue_with(ctx, Next::Send);
            // This one was too many.
            slot::give_back((*slot).number);
            emit::count_lost(LossCount::Processes, shares::HOST);
        }
    }
    Some(())
}

/// Reads a length in a way that makes the verifier forget its value. All paths through one round are
/// then the same state in the next round; the check after the read sets the bound again.
#[inline(always)]
pub(super) unsafe fn read(len: *const u32) -> usize {
    // SAFETY: the caller's pointer into the record.
    unsafe { core::ptr::read_volatile(len) as usize }
}

fn copy_some() -> u64 {
    for _ in 0..ARGS_A_PROGRAM {
        let list = next_arg();
        if list != List::More as u64 {
            return list;
        }
    }
    List::More as u64
}

/// Copies the next argument of the selected slot, and returns how far the list is then. The verifier
/// follows a global function once, and not once for each round.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn next_arg() -> u64 {
    let Some(slot) = slot::selected() else { return List::Stuck as u64 };
    // SAFETY: the slot belongs to the call that this thread makes, and a record is begun in it.
    unsafe { copy_next(slot) as u64 }
}

/// # Safety
///
/// `slot` must be valid, and a record begun in it.
#[inline(always)]
unsafe fn copy_next(slot: *mut Slot) -> List {
    // SAFETY: the caller's promise; the helpers check the addresses, the verifier the lengths.
    unsafe {
        let pointer = (*slot).argv as *const u64;
        let Ok(arg) = bpf_probe_read_user::<u64>(pointer) else { return List::Stuck };
        if arg == 0 {
            return List::Complete;
        }
        let used = read(&raw const (*slot).record.header.args_len);
        let unread = read(&raw const (*slot).unread_len);
        if used > MAX_BEFORE || unread > MAX_UNREAD {
            return List::Full;
        }
        // Kept only if the length is counted up below.
        (*slot).unread[unread] = arg;
        let to = (&raw mut (*slot).record.args).cast::<u8>().add(used);
        let (len, is_unread) = copy_arg(&mut (*slot).record.header, to, arg);
        let is_kept = is_unread & u32::from(unread < MAX_UNREAD);
        (*slot).unread_len = unread as u32 + is_kept;
        (*slot).record.header.args_len = (used + len) as u32;
        (*slot).argv = pointer.wrapping_add(1) as u64;
    }
    List::More
}

/// Writes the length and the bytes of one argument; returns how many bytes that took, at most
/// `MAX_ARG` + 4, and 1 if the argument could not be read.
#[inline(always)]
pub(super) unsafe fn copy_arg(header: &mut ExecHeader, to: *mut u8, arg: u64) -> (usize, u32) {
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
        (size_of::<u32>() + len, u32::from(read.is_none()))
    }
}
