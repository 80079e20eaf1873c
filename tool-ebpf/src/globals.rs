//! Constants that user space sets when it loads the programs, and reading kernel memory with them.

use aya_ebpf::helpers::{bpf_probe_read_kernel, generated};
use pfsnoop_common::{Offsets, Settings, offsets::ABSENT};

/// User space overwrites this before loading. It is frozen afterwards, so the verifier sees
/// constants.
#[unsafe(no_mangle)]
pub(crate) static OFFSETS: Offsets = Offsets::UNRESOLVED;

/// User space overwrites this before loading, like [`OFFSETS`].
#[unsafe(no_mangle)]
pub(crate) static SETTINGS: Settings = Settings::DEFAULT;

const POINTER_SIZE: u32 = size_of::<*const u8>() as u32;

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

/// Reads a pointer like [`field`]; null stands for all that `field` has no value for, except that this
/// kernel must have the field. The helper writes null when it fails
/// (`bpf_probe_read_kernel_common`, kernel/trace/bpf_trace.c), so there is no branch for the verifier.
#[inline(always)]
pub(crate) fn pointer(base: *const u8, offset: u32) -> *const u8 {
    let mut value: *const u8 = core::ptr::null();
    let from = base.wrapping_add(offset as usize);
    // SAFETY: the helper checks the address that it reads, and writes a pointer.
    unsafe { generated::bpf_probe_read_kernel((&raw mut value).cast(), POINTER_SIZE, from.cast()) };
    value
}
