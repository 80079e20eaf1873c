//! Whether all programs are attached.
//!
//! User space attaches and detaches the programs one after another, which takes up to half a second.
//! In the meantime one program of a pair is missing, and the other one would report what it cannot
//! know. So all programs begin and end at one moment.

use aya_ebpf::{macros::map, maps::Array};

/// 1 while all programs are attached. User space sets this after it has attached the last program, and
/// clears it before it detaches the first one.
#[map]
static ALL_ATTACHED: Array<u32> = Array::with_max_entries(1, 0);

/// Whether records may be made and losses counted.
#[inline(always)]
pub(crate) fn all() -> bool {
    // SAFETY: a map value is valid while the program runs.
    ALL_ATTACHED.get_ptr(0).is_some_and(|all| unsafe { all.read_volatile() } != 0)
}
