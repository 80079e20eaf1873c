//! Lengths of copied strings, bounded in a way that every kernel's verifier understands.

/// Length without NUL of what a `bpf_probe_read_*_str` helper copied into `MAX` bytes: it returns
/// the length with NUL, or a negative errno. `None` when nothing could be read.
///
/// A mask bounds it, and no comparison does: the compiler turns comparisons into such as verifiers
/// before 6.13 cannot follow, and leaves out a mask after them.
#[inline(always)]
pub(crate) fn copied_len<const MAX: usize>(copied: i64) -> Option<usize> {
    const { assert!(MAX.is_power_of_two()) };
    if copied < 0 {
        return None;
    }
    // Of an empty string, Linux 6.1 and 6.12 return 0 (strncpy_from_user_nofault, mm/maccess.c),
    // 6.18 the 1 that its NUL is.
    let with_nul = if copied == 0 { 1 } else { copied as usize };
    Some((with_nul - 1) & (MAX - 1))
}

/// A length of at most `MAX`.
#[inline(always)]
pub(crate) fn bounded<const MAX: usize>(len: u64) -> u64 {
    const { assert!(MAX.is_power_of_two()) };
    if len >= MAX as u64 {
        return MAX as u64;
    }
    // Hidden from the compiler, which would leave the mask out after the comparison.
    core::hint::black_box(len) & (MAX as u64 - 1)
}
