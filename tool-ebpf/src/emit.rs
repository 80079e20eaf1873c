//! Ring buffers: which record takes which, when the reader is woken, and what is lost.
//!
//! Waking the reader costs twenty times what writing a record does, so it is done only for helpers,
//! which are few and which a person waits for, and when the reader sleeps; a reader that is awake
//! comes by itself within milliseconds. A filter says nothing of how many its matches are.

use aya_ebpf::{
    bindings::{BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP},
    macros::map,
    maps::{Array, PerCpuArray, RingBuf, ring_buf::RingBufEntry},
};
use pfsnoop_common::{
    record::{COMM_LEN, LossCount, Ring},
    ring_bytes,
    settings::comm_words,
};

#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(ring_bytes::MOST, 0);

#[map]
static HELPER_EVENTS: RingBuf = RingBuf::with_byte_size(ring_bytes::FEW, 0);

#[map]
static LOST: PerCpuArray<u64> = PerCpuArray::with_max_entries(LossCount::COUNT, 0);

#[map]
static READER_SLEEPS: Array<u32> = Array::with_max_entries(1, 0);

const NSENTER: [u64; 2] = comm_words(b"nsenter\0\0\0\0\0\0\0\0\0");
const SOCAT: [u64; 2] = comm_words(b"socat\0\0\0\0\0\0\0\0\0\0\0");

/// The ring buffer for a process of this name.
#[inline(always)]
pub(crate) fn ring_of(comm: &[u8; COMM_LEN]) -> Ring {
    let [low, high] = comm_words(comm);
    let helper = (low == NSENTER[0] && high == NSENTER[1]) || (low == SOCAT[0] && high == SOCAT[1]);
    if helper { Ring::Helpers } else { Ring::Events }
}

/// Who waits for a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// As the ring has it: a person for a helper's, nobody in particular for any other.
    Usual,
    /// Nobody, whatever the ring, since it is of a socket: only a reader that sleeps is woken. Where
    /// it is counted when it is lost.
    Quiet(LossCount),
}

/// Copies `size` bytes of `record` to the ring buffer, or counts the record as lost.
///
/// # Safety
///
/// `record` must be valid for reads of `size` bytes.
#[inline(always)]
pub(crate) unsafe fn output<T>(ring: Ring, urgency: Urgency, record: *const T, size: usize) {
    // SAFETY: the caller's promise, which the verifier checks again.
    let bytes = unsafe { core::slice::from_raw_parts(record.cast::<u8>(), size) };
    if buffer(ring).output::<[u8]>(bytes, wake_flags(ring, urgency)).is_err() {
        count_lost(match urgency {
            Urgency::Usual => LossCount::Processes,
            Urgency::Quiet(count) => count,
        });
    }
}

/// Room for a whole `T` in the ring buffer; `None` is counted as a lost record.
#[inline(always)]
pub(crate) fn reserve<T: 'static>(ring: Ring) -> Option<RingBufEntry<T>> {
    let entry = buffer(ring).reserve::<T>(0);
    if entry.is_none() {
        count_lost(LossCount::Processes);
    }
    entry
}

/// Sends what was written into the reserved room.
#[inline(always)]
pub(crate) fn submit<T>(ring: Ring, urgency: Urgency, entry: RingBufEntry<T>) {
    entry.submit(wake_flags(ring, urgency));
}

#[inline(always)]
fn buffer(ring: Ring) -> &'static RingBuf {
    match ring {
        Ring::Events => &EVENTS,
        Ring::Helpers => &HELPER_EVENTS,
    }
}

/// Whether a record announces itself, as flags for output and submit.
#[inline(always)]
fn wake_flags(ring: Ring, urgency: Urgency) -> u64 {
    let is_waited_for = ring == Ring::Helpers && urgency == Urgency::Usual;
    let wake = is_waited_for || take_sleep();
    u64::from(if wake { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP })
}

/// Whether the reader sleeps. Only the first to see it wakes it.
#[inline(always)]
fn take_sleep() -> bool {
    let Some(sleeps) = READER_SLEEPS.get_ptr_mut(0) else {
        return false;
    };
    // SAFETY: a map value is valid while the program runs. Two CPUs that both see 1 wake the
    // reader twice, which does no harm.
    unsafe {
        let asleep = sleeps.read_volatile() != 0;
        if asleep {
            sleeps.write_volatile(0);
        }
        asleep
    }
}

/// Counts a record that was not sent.
#[inline(always)]
pub(crate) fn count_lost(count: LossCount) {
    if let Some(lost) = LOST.get_ptr_mut(count as u32) {
        // SAFETY: the value is this CPU's own, and this program's.
        unsafe { *lost += 1 };
    }
}
