//! The ring buffers: the buffer of each record, when a record wakes the reader, and the counts of
//! records that do not fit.
//!
//! A wake-up can cost twenty times as much as writing a record. So a program wakes the reader in
//! two cases only: for the exec or the exit of a helper, because there are few and a person waits
//! for them, and when the reader sleeps. A busy reader polls every few milliseconds. A match of a
//! filter does not wake the reader, since a filter may match nearly every process
//! (docs/decisions/0003-wake-the-reader-rarely.md).

use aya_ebpf::{
    bindings::{BPF_RB_AVAIL_DATA, BPF_RB_FORCE_WAKEUP, BPF_RB_NO_WAKEUP, BPF_RB_RING_SIZE},
    macros::map,
    maps::{Array, PerCpuArray, RingBuf, ring_buf::RingBufEntry},
};
use pfsnoop_common::{
    record::{COMM_LEN, LossCount, Ring},
    ring_bytes,
    settings::comm_words,
    shares,
};

#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(ring_bytes::EXECS, 0);

#[map]
static HELPER_EVENTS: RingBuf = RingBuf::with_byte_size(ring_bytes::HELPERS, 0);

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

/// How soon a record must be read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// At once for a record in the helpers' ring, since a person waits for it; otherwise when the
    /// reader looks next.
    Usual,
    /// When the reader looks next, in either ring: a record about a socket wakes only a sleeping
    /// reader. If the record is lost, it is counted here, for this share.
    Relaxed(LossCount, u32),
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
        let (count, share) = match urgency {
            Urgency::Usual => (LossCount::Processes, shares::HOST),
            Urgency::Relaxed(count, share) => (count, share),
        };
        count_lost(count, share);
    }
}

/// Whether the ring has no room for another record of that share. The last quarter is for the host's
/// share alone: it is the share of every record while connections are not traced.
#[inline(always)]
pub(crate) fn is_full_for(ring: Ring, share: u32) -> bool {
    if share == shares::HOST {
        return false;
    }
    let ring = buffer(ring);
    let size = ring.query(u64::from(BPF_RB_RING_SIZE));
    ring.query(u64::from(BPF_RB_AVAIL_DATA)) > size - size / 4
}

/// Reserves room for a whole `T` in the ring buffer. Without room it counts a lost record.
#[inline(always)]
pub(crate) fn reserve<T: 'static>(ring: Ring) -> Option<RingBufEntry<T>> {
    let entry = buffer(ring).reserve::<T>(0);
    if entry.is_none() {
        count_lost(LossCount::Processes, shares::HOST);
    }
    entry
}

/// Sends a record that was written into reserved room.
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

/// The flags for output and submit that make a record wake the reader, or not.
#[inline(always)]
fn wake_flags(ring: Ring, urgency: Urgency) -> u64 {
    let is_urgent = ring == Ring::Helpers && urgency == Urgency::Usual;
    let wake = is_urgent || take_sleep();
    u64::from(if wake { BPF_RB_FORCE_WAKEUP } else { BPF_RB_NO_WAKEUP })
}

/// Whether the reader sleeps. Clears the flag, so that only one record wakes it.
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

/// Counts a record that was not sent, about a process of this share.
#[inline(always)]
pub(crate) fn count_lost(count: LossCount, share: u32) {
    let of_others = if share == shares::HOST { 0 } else { LossCount::OF_OTHERS };
    if let Some(lost) = LOST.get_ptr_mut(count as u32 + of_others) {
        // SAFETY: the value belongs to this CPU, and only programs that do not interrupt each other
        // use this index.
        unsafe { *lost += 1 };
    }
}
