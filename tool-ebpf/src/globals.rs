//! Constants that user space sets when it loads the programs, and reading kernel memory with them.

use aya_ebpf::helpers::bpf_probe_read_kernel;
use pfsnoop_common::{Offsets, Settings, offsets::ABSENT};

/// User space overwrites this before loading. It is frozen afterwards, so the verifier sees
/// constants.
#[unsafe(no_mangle)]
pub(crate) static OFFSETS: Offsets = Offsets::UNRESOLVED;

/// User space overwrites this before loading, like [`OFFSETS`].
#[unsafe(no_mangle)]
pub(crate) static SETTINGS: Settings = Settings::DEFAULT;

/// Reads an offset in a way that keeps the compiler from folding in the value of the object file.
macro_rules! offset {
    ($field:ident) => {
        // SAFETY: a shared reference to a static is valid; volatile only forbids folding.
        unsafe { core::ptr::read_volatile(&raw const $crate::globals::OFFSETS.$field) }
    };
}

/// Reads a setting, in the way of [`offset!`].
macro_rules! setting {
    ($field:ident) => {
        // SAFETY: as in `offset!`.
        unsafe { core::ptr::read_volatile(&raw const $crate::globals::SETTINGS.$field) }
    };
}

pub(crate) use {offset, setting};

/// Reads the field at `offset` of the kernel structure at `base`. `None` if this kernel lacks the
/// field, or if `base` is null or no longer mapped.
#[inline(always)]
pub(crate) fn field<T>(base: *const u8, offset: u32) -> Option<T> {
    if offset == ABSENT || base.is_null() {
        return None;
    }
    // SAFETY: the helper checks the address and fails on one that is not mapped.
    unsafe { bpf_probe_read_kernel(base.wrapping_add(offset as usize).cast::<T>()) }.ok()
}
