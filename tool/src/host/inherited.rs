//! Files that the parent process left open.

/// Keeps inherited files from the programs that pfsnoop starts. A socat that inherits a socket
/// would hold it open for as long as socat lives.
pub fn close_on_exec() {
    const FIRST_AFTER_STDERR: libc::c_uint = 3;
    // SAFETY: the call takes only numbers. It closes nothing: it marks files to be closed at exec.
    // Kernels before 5.11 do not know the flag. The files are then inherited.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            FIRST_AFTER_STDERR,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}
