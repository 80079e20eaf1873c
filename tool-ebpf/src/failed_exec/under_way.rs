//! The threads inside an exec system call.

use aya_ebpf::{EbpfContext as _, macros::map, maps::HashMap, programs::TracePointContext};
use pfsnoop_common::record::COMM_LEN;

use crate::filter;
use crate::task::Task;

/// [`UnderWay::slot`] of a call without a slot.
pub(super) const NO_SLOT: u32 = u32::MAX;

/// What a thread passed to an exec system call, and what the call may change.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct UnderWay {
    pub(super) filename: u64,
    pub(super) argv: u64,
    /// The memory that the pointers are of: a `struct mm_struct *`.
    pub(super) mm: u64,
    pub(super) comm: [u8; COMM_LEN],
    pub(super) tid: u32,
    pub(super) slot: u32,
    /// 1 if the caller passed the filters.
    pub(super) passes: u64,
}

/// Calls by the address of the caller's `task_struct`: a thread that fails late may have got the id
/// of the first thread (`de_thread`, fs/exec.c). Not an LRU map, since that would drop calls that
/// take long. The end of a thread removes its entry. When the map is full, further calls are reported
/// without what was passed.
#[map]
static EXECS_UNDER_WAY: HashMap<u64, UnderWay> = HashMap::with_max_entries(4096, 0);

impl UnderWay {
    /// A call without an entry: it began before the programs were attached, seccomp(2) refused it before
    /// `sys_enter`, or the map was full. What was passed is not known.
    #[inline(always)]
    pub(super) fn unknown(ctx: &TracePointContext, task: Task) -> Self {
        Self {
            filename: 0,
            argv: 0,
            mm: 0,
            comm: ctx.command().unwrap_or_default(),
            tid: ctx.pid(),
            slot: NO_SLOT,
            passes: u64::from(filter::passes(ctx, task)),
        }
    }
}

#[inline(always)]
pub(super) fn note(task: Task, call: &UnderWay) -> Option<()> {
    EXECS_UNDER_WAY.insert(task.0 as u64, call, 0).ok()
}

/// Takes the thread's entry.
#[inline(always)]
pub(super) fn take(task: Task) -> Option<UnderWay> {
    let key = task.0 as u64;
    // SAFETY: no other thread has this key.
    let call = unsafe { EXECS_UNDER_WAY.get(key) }.copied()?;
    EXECS_UNDER_WAY.remove(key).ok()?;
    Some(call)
}
