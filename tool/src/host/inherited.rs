//! Files that whoever started us left open.

/// Keeps them from the programs that we start: a socat that inherits somebody's sockets holds them
/// open for as long as it lives.
pub fn keep_to_ourselves() {
    const BEHIND_STDERR: libc::c_uint = 3;
    // SAFETY: the call takes numbers, and closes nothing: it marks files to be closed by exec.
    // It fails before Linux 5.11, which does not know the flag; then they are inherited.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            BEHIND_STDERR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}
