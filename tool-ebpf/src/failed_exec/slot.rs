//! Records of execs that may fail. They are too large for the stack and for a per-CPU map.

use aya_ebpf::{
    helpers::generated::{bpf_get_smp_processor_id, bpf_probe_read_user_str},
    macros::map,
    maps::{Array, PerCpuArray, Stack},
};
use pfsnoop_common::record::{ExecHeader, MAX_CGROUP_PATH, MAX_FILENAME, UNREADABLE};

use super::args;
use super::under_way::{NO_SLOT, UnderWay};
use crate::text::copied_len;

/// How many arguments that were unreadable at the start are tried again at the return.
pub(super) const MAX_UNREAD: usize = 16;

/// At which end of the call the programs run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    Enter = 0,
    Leave = 1,
}

/// How far the list of arguments is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// There may be more arguments.
    More = 0,
    /// The end was reached.
    Complete = 1,
    /// There are more than there is room for.
    Full = 2,
    /// The next pointer of the array could not be read.
    Stuck = 3,
}

/// A record that several programs fill, and what they need for that.
#[repr(C)]
pub(super) struct Slot {
    /// The caller's pointer to the file name.
    filename: u64,
    /// The caller's pointer to the pointer to the next argument.
    pub(super) argv: u64,
    /// A [`Phase`].
    pub(super) phase: u32,
    /// A [`List`].
    pub(super) list: u32,
    /// Length of `filename_text`, or [`UNREADABLE`].
    pub(super) filename_len: u32,
    /// How many of `unread` are used.
    pub(super) unread_len: u32,
    /// How many of `unread` are tried again: 0 if the caller's memory is gone.
    pub(super) retries: u32,
    /// Number of this slot.
    pub(super) number: u32,
    /// Pointers to arguments that could not be read. The last one is never used.
    pub(super) unread: [u64; MAX_UNREAD + 1],
    pub(super) filename_text: [u8; MAX_FILENAME],
    /// The cgroup's path; the header of the record has its length.
    pub(super) cgroup: [u8; MAX_CGROUP_PATH],
    pub(super) record: Record,
}

const _: () = assert!(core::mem::offset_of!(Slot, cgroup) % 8 == 0);

/// The three texts follow each other without a gap.
#[repr(C)]
pub(super) struct Record {
    pub(super) header: ExecHeader,
    pub(super) args: [u8; args::ROOM],
    _filename: [u8; MAX_FILENAME],
    _cgroup: [u8; MAX_CGROUP_PATH],
}

/// One slot for each CPU, for calls that found no free slot at their start, and then the slots for
/// calls that are under way. User space sets their number.
#[map]
static FAILED_EXEC_SLOTS: Array<Slot> = Array::with_max_entries(1, 0);

/// Numbers of the slots that no call has. User space fills it.
#[map]
static FREE_SLOTS: Stack<u32> = Stack::with_max_entries(1, 0);

/// The slot that the programs on this CPU use. Preemption is off from the first program to the last,
/// and the programs do not interrupt themselves.
#[map]
static SELECTED_SLOT: PerCpuArray<u32> = PerCpuArray::with_max_entries(1, 0);

/// Takes a free slot. Without one, the caller's memory is read at the return of the call.
#[inline(always)]
pub(super) fn take() -> u32 {
    FREE_SLOTS.pop().ok().flatten().unwrap_or(NO_SLOT)
}

/// Gives a slot back.
#[inline(always)]
pub(super) fn give_back(number: u32) {
    if number != NO_SLOT {
        let _ = FREE_SLOTS.push(number, 0);
    }
}

/// The number of the slot of this CPU.
#[inline(always)]
pub(super) fn of_this_cpu() -> u32 {
    // SAFETY: the helper takes nothing.
    unsafe { bpf_get_smp_processor_id() }
}

/// Selects a slot for the programs that follow.
#[inline(always)]
pub(super) fn select(number: u32) -> Option<*mut Slot> {
    SELECTED_SLOT.set(0, number, 0).ok()?;
    FAILED_EXEC_SLOTS.get_ptr_mut(number)
}

/// The selected slot.
#[inline(always)]
pub(super) fn selected() -> Option<*mut Slot> {
    FAILED_EXEC_SLOTS.get_ptr_mut(*SELECTED_SLOT.get(0)?)
}

impl Slot {
    /// Nothing is read yet.
    ///
    /// # Safety
    ///
    /// `this` must be valid, as in the functions below.
    #[inline(always)]
    pub(super) unsafe fn begin(this: *mut Self, call: &UnderWay, phase: Phase) {
        // SAFETY: the caller's promise.
        let slot = unsafe { &mut *this };
        slot.filename = call.filename;
        slot.argv = call.argv;
        slot.phase = phase as u32;
        slot.list = if phase == Phase::Enter { List::More as u32 } else { List::Stuck as u32 };
        slot.filename_len = UNREADABLE;
        slot.unread_len = 0;
        slot.number = call.slot;
        slot.record.header.flags = 0;
        slot.record.header.args_len = 0;
    }

    /// At the return, prepares to read what could not be read at the start.
    ///
    /// # Safety
    ///
    /// As above.
    #[inline(always)]
    pub(super) unsafe fn resume(this: *mut Self, may_read: bool) -> List {
        // SAFETY: the caller's promise.
        let slot = unsafe { &mut *this };
        slot.retries = if may_read { slot.unread_len } else { 0 };
        if !may_read {
            return List::Complete;
        }
        if slot.filename_len == UNREADABLE {
            // SAFETY: as above.
            unsafe { Self::read_filename(this) };
        }
        if slot.list == List::Stuck as u32 {
            slot.list = List::More as u32;
            return List::More;
        }
        List::Complete
    }

    /// Reads the file name.
    ///
    /// # Safety
    ///
    /// As above.
    #[inline(always)]
    pub(super) unsafe fn read_filename(this: *mut Self) {
        // SAFETY: the caller's promise; the helper checks the other address.
        let (copied, slot) = unsafe {
            let slot = &mut *this;
            let text = slot.filename_text.as_mut_ptr().cast();
            let name = slot.filename as *const _;
            (bpf_probe_read_user_str(text, MAX_FILENAME as u32, name), slot)
        };
        slot.filename_len = copied_len::<MAX_FILENAME>(copied).map_or(UNREADABLE, |len| len as u32);
    }
}
