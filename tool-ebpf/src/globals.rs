//! What user space fixed when it loaded the programs, and how to read kernel memory by it.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use pfsnoop_common::{Offsets, Settings, offsets::ABSENT};

/// Overwritten before loading; frozen afterwards, so the verifier sees constants.
#[unsafe(no_mangle)]
pub(crate) static OFFSETS: Offsets = Offsets::UNRESOLVED;

/// Overwritten before loading, as [`OFFSETS`].
#[unsafe(no_mangle)]
pub(crate) static SETTINGS: Settings = Settings::DEFAULT;

/// An offset, read so that the compiler cannot fold in the value from the object file.
macro_rules! offset {
    ($field:ident) => {
        // SAFETY: a shared reference to a static is valid; volatile only forbids folding.
        unsafe { core::ptr::read_volatile(&raw const $crate::globals::OFFSETS.$field) }
    };
}

/// A setting, read as [`offset!`] reads.
macro_rules! setting {
    ($field:ident) => {
        // SAFETY: as in `offset!`.
        unsafe { core::ptr::read_volatile(&raw const $crate::globals::SETTINGS.$field) }
    };
}

pub(crate) use {offset, setting};

/// The field at `offset` of the kernel structure at `base`; `None` where this kernel lacks it, or
/// `base` is null or stale.
#[inline(always)]
pub(crate) fn field<T>(base: *const u8, offset: u32) -> Option<T> {
    if offset == ABSENT || base.is_null() {
        return None;
    }
    // SAFETY: the helper checks the address and fails on one that is not mapped.
    unsafe { bpf_probe_read_kernel(base.wrapping_add(offset as usize).cast::<T>()) }.ok()
}
