//! How much room each share has in the tables of followed connections.
//!
//! Two CPUs that both find the last place free may both take it, so a share may have a few connections
//! more than its limit.

use aya_ebpf::{macros::map, maps::Array};
use pfsnoop_common::shares::{self, Limits};

/// A table of followed connections.
#[derive(Clone, Copy)]
pub(super) enum Table {
    Foreign,
    Helpers,
}

impl Table {
    #[inline(always)]
    const fn limits(self) -> Limits {
        match self {
            Self::Foreign => shares::FOREIGN,
            Self::Helpers => shares::HELPERS,
        }
    }
}

/// How many connections of each share are followed: the numbers of one table, then of the other.
#[map]
static SHARES: Array<u64> = Array::with_max_entries(2 * shares::COUNT, 0);

/// Whether a share may have one more connection.
#[inline(always)]
pub(super) fn is_left(table: Table, share: u32) -> bool {
    let Limits { others, each, .. } = table.limits();
    // The host's share ends where the map does.
    share == shares::HOST
        || used(table, share) < u64::from(each) && used(table, shares::OTHERS) < u64::from(others)
}

/// A connection of this share is followed from now on.
#[inline(always)]
pub(super) fn take(table: Table, share: u32) {
    if share != shares::HOST {
        add(table, share, 1);
        add(table, shares::OTHERS, 1);
    }
}

/// A connection of this share is no longer followed.
#[inline(always)]
pub(super) fn give_back(table: Table, share: u32) {
    if share != shares::HOST {
        add(table, share, u64::MAX);
        add(table, shares::OTHERS, u64::MAX);
    }
}

#[inline(always)]
fn used(table: Table, share: u32) -> u64 {
    // SAFETY: a map value is valid while the program runs.
    counter(table, share).map_or(0, |count| unsafe { count.read_volatile() })
}

/// Adds to a count, on any CPU.
#[inline(always)]
fn add(table: Table, share: u32, number: u64) {
    if let Some(count) = counter(table, share) {
        // SAFETY: a map value is valid while the program runs, and aligned.
        unsafe { atomic_add(count, number) };
    }
}

/// The instruction that every kernel has (`BPF_XADD`). Rust has no atomic operations for this target,
/// since they return the value before, which needs Linux 5.12.
///
/// # Safety
///
/// `to` must be valid for writes, and aligned.
#[cfg(target_arch = "bpf")]
#[inline(always)]
unsafe fn atomic_add(to: *mut u64, number: u64) {
    // SAFETY: the caller's promise.
    unsafe {
        core::arch::asm!(
            "lock *(u64 *)({to} + 0) += {number}",
            to = in(reg) to,
            number = in(reg) number,
            options(nostack),
        );
    }
}

/// For a check of this crate by the host's compiler.
///
/// # Safety
///
/// `to` must be valid for writes.
#[cfg(not(target_arch = "bpf"))]
unsafe fn atomic_add(to: *mut u64, number: u64) {
    // SAFETY: the caller's promise.
    unsafe { *to = (*to).wrapping_add(number) };
}

#[inline(always)]
fn counter(table: Table, share: u32) -> Option<*mut u64> {
    SHARES.get_ptr_mut(table as u32 * shares::COUNT + share)
}
