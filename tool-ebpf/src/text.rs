//! Lengths of copied strings, bounded in a way that the verifier of every kernel understands.

/// The length without NUL of a string that a `bpf_probe_read_*_str` helper copied into `MAX` bytes.
/// `copied` is the helper's result: the length with NUL, or a negative errno. `None` if nothing could
/// be read.
///
/// The bound is a mask and not a comparison: the compiler turns comparisons into forms that verifiers
/// before 6.13 cannot follow, and removes a mask after a comparison.
#[inline(always)]
pub(crate) fn copied_len<const MAX: usize>(copied: i64) -> Option<usize> {
    const { assert!(MAX.is_power_of_two()) };
    if copied < 0 {
        return None;
    }
    // For an empty string, Linux 6.1 and 6.12 return 0 (strncpy_from_user_nofault, mm/maccess.c), and
    // 6.18 returns 1, which counts the NUL.
    let with_nul = if copied == 0 { 1 } else { copied as usize };
    Some((with_nul - 1) & (MAX - 1))
}

/// The length, or `MAX` if it is larger.
#[inline(always)]
pub(crate) fn bounded<const MAX: usize>(len: u64) -> u64 {
    const { assert!(MAX.is_power_of_two()) };
    if len >= MAX as u64 {
        return MAX as u64;
    }
    // `black_box` keeps the compiler from removing the mask after the comparison.
    core::hint::black_box(len) & (MAX as u64 - 1)
}
